//! `uri`, `get_url` and `wait_for` against a small server of our own.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::thread;

use common::run;
use serde_json::json;

/// Answers requests on a free port until the test ends; the port.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || answer(&stream, &stream)))));
    port
}

fn answer(from: impl Read, mut to: impl Write) {
    let mut reader = BufReader::new(from);
    let mut head = vec![];
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
    let header = |name: &str| head.iter().find_map(|line| line.to_lowercase().strip_prefix(&format!("{name}: ")).map(str::to_owned));
    let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, more, body) = match path.as_str() {
        "/json" => ("200 OK", "Content-Type: application/json\r\nSet-Cookie: k=v; Path=/\r\n", b"{\"a\": 1}".to_vec()),
        "/moved" => ("302 Found", "Location: /json\r\n", vec![]),
        "/secret" if header("authorization").as_deref() == Some("basic dtpw") => ("200 OK", "", b"in".to_vec()),
        "/secret" => ("401 Unauthorized", "WWW-Authenticate: Basic\r\n", vec![]),
        "/echo" => ("200 OK", "", [head.join("\n").into_bytes(), b"\n\n".to_vec(), body].concat()),
        "/file" if header("if-modified-since").is_some() => ("304 Not Modified", "", vec![]),
        "/file" => ("200 OK", "", b"content\n".to_vec()),
        "/sums" => ("200 OK", "", b"0000  other\nb444ac06613fc8d63795be9ad0beaf55011936ac  file\n".to_vec()),
        _ => ("404 Not Found", "", b"no".to_vec()),
    };
    let _ = write!(to, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{more}\r\n", body.len());
    let _ = to.write_all(&body);
}

#[test]
fn answers_have_ansibles_keys() {
    let url = format!("http://127.0.0.1:{}", server());
    let result = run("uri", json!({"url": format!("{url}/moved"), "return_content": true}), false);
    for (key, value) in [
        ("changed", json!(false)),
        ("status", json!(200)),
        ("redirected", json!(true)),
        ("url", json!(format!("{url}/json"))),
        ("json", json!({"a": 1})),
        ("content", json!("{\"a\": 1}")),
        ("content_type", json!("application/json")),
        ("content_length", json!("8")),
        ("cookies", json!({"k": "v"})),
        ("cookies_string", json!("k=v")),
        ("msg", json!("OK (8 bytes)")),
    ] {
        assert_eq!(result[key], value, "{key} in {result}");
    }
    let none = run("uri", json!({"url": format!("{url}/moved"), "follow_redirects": "none", "status_code": [302]}), false);
    assert_eq!((&none["status"], &none["location"]), (&json!(302), &json!(format!("{url}/json"))));
    let missing = run("uri", json!({"url": format!("{url}/none")}), false);
    assert_eq!(missing["msg"], "Status code was 404 and not [200]: HTTP Error 404: Not Found");
    let refused = run("uri", json!({"url": "http://127.0.0.1:1/"}), false);
    assert_eq!(refused["msg"], "Status code was -1 and not [200]: Request failed: <urlopen error [Errno 111] Connection refused>");
    assert_eq!(run("uri", json!({"url": url}), true)["skipped"], true);
}

#[test]
fn requests_carry_what_is_asked_for() {
    let url = format!("http://127.0.0.1:{}", server());
    let echo = |args: serde_json::Value| {
        let mut all = json!({"url": format!("{url}/echo"), "return_content": true, "method": "POST"});
        all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        let result = run("uri", all, false);
        result["content"].as_str().unwrap_or_else(|| panic!("{result}")).to_lowercase()
    };
    let json = echo(json!({"body": {"a": [1, 2]}, "body_format": "json", "headers": {"X-Y": "z"}}));
    assert!(json.contains("content-type: application/json") && json.contains("x-y: z") && json.ends_with("{\"a\": [1, 2]}"), "{json}");
    assert!(json.contains("user-agent: ansible-httpget"));
    let form = echo(json!({"body": {"a": "b c"}, "body_format": "form-urlencoded"}));
    assert!(form.contains("x-www-form-urlencoded") && form.ends_with("a=b+c"));
    let secret = run("uri", json!({"url": format!("{url}/secret"), "user": "u", "password": "p", "return_content": true}), false);
    assert_eq!(secret["content"], "in", "{secret}");
}

#[test]
fn a_unix_socket_is_spoken_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(&stream, &stream)));
    let result = run("uri", json!({"url": "http://localhost/json", "unix_socket": path}), false);
    assert_eq!(result["json"], json!({"a": 1}), "{result}");
}

#[test]
fn a_file_is_downloaded_once() {
    let url = format!("http://127.0.0.1:{}", server());
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("file");
    let args = json!({"url": format!("{url}/file"), "dest": dest, "mode": "0600"});
    assert_eq!(run("get_url", args.clone(), true)["changed"], true);
    assert!(!dest.exists());
    let first = run("get_url", args.clone(), false);
    assert_eq!(
        (&first["changed"], &first["status_code"], &first["msg"], &first["mode"]),
        (&json!(true), &json!(200), &json!("OK (8 bytes)"), &json!("0600")),
        "{first}"
    );
    assert_eq!(run("get_url", args.clone(), false)["changed"], false);
    let sums = json!({"url": format!("{url}/file"), "dest": dir.path(), "checksum": format!("sha1:{url}/sums")});
    let by_list = run("get_url", sums, false);
    assert_eq!((&by_list["changed"], &by_list["dest"]), (&json!(false), &json!(dest.to_str())), "{by_list}");
    let wrong = json!({"url": format!("{url}/file"), "dest": dest, "checksum": "sha1:00ff"});
    assert!(run("get_url", wrong, false)["msg"].as_str().unwrap().contains("did not match 00ff"));
    let missing = run("get_url", json!({"url": format!("{url}/none"), "dest": dest, "force": true}), false);
    assert_eq!((&missing["msg"], &missing["response"]), (&json!("Request failed"), &json!("HTTP Error 404: Not Found")));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn waiting_for_ports_files_and_texts() {
    let port = server();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    assert_eq!(run("wait_for", json!({"port": port}), false)["state"], "started");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(run("wait_for", json!({"port": gone, "state": "stopped"}), false)["changed"], false);
    let late = run("wait_for", json!({"port": gone, "timeout": 0}), false);
    assert_eq!(late["msg"], format!("Timeout when waiting for 127.0.0.1:{gone}"));
    std::fs::write(&file, "a\nready=yes\n").unwrap();
    let found = run("wait_for", json!({"path": file, "search_regex": "^ready=(?P<how>.*)$"}), false);
    assert_eq!((&found["match_groups"], &found["match_groupdict"]), (&json!(["yes"]), &json!({"how": "yes"})));
    let own = run("wait_for", json!({"path": dir.path().join("g"), "timeout": 0, "msg": "not yet"}), false);
    assert_eq!(own["msg"], "not yet");
    assert_eq!(run("wait_for", json!({"path": dir.path().join("g"), "state": "absent"}), false)["changed"], false);
    assert_eq!(run("wait_for", json!({"port": 1, "path": "/x"}), false)["msg"], "port and path parameter can not both be passed to wait_for");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let held = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let drained = json!({"port": listener.local_addr().unwrap().port(), "state": "drained", "timeout": 0});
    assert!(run("wait_for", drained, false)["msg"].as_str().unwrap().ends_with("to drain"));
    drop(held);
}
