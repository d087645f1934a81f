//! `k8s_exec` against a WebSocket of our own that speaks the API server's protocol.

mod common;

use std::net::TcpListener;
use std::thread;

use common::{reply, run};
use serde_json::{Value, json};
use tungstenite::Message;
use tungstenite::handshake::server::{Request, Response};

/// Answers one command; what was asked for comes back by the thread.
fn server(end: &'static str) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = thread::spawn(move || {
        let mut asked = String::new();
        let choose = |request: &Request, mut response: Response| {
            asked = request.uri().to_string();
            assert!(request.headers()["sec-websocket-protocol"].to_str().unwrap().starts_with("v5.channel.k8s.io"));
            response.headers_mut().insert("Sec-WebSocket-Protocol", "v5.channel.k8s.io".parse().unwrap());
            Ok(response)
        };
        let mut socket = tungstenite::accept_hdr(listener.accept().unwrap().0, choose).unwrap();
        for message in [&b"\x01one\n"[..], b"\x02wrong\n", b"\x01two\n"] {
            socket.send(Message::binary(message.to_vec())).unwrap();
        }
        socket.send(Message::binary([b"\x03", end.as_bytes()].concat())).unwrap();
        let _ = socket.close(None);
        while socket.read().is_ok() {}
        asked
    });
    (port, answer)
}

fn wish(port: u16) -> Value {
    json!({"host": format!("http://127.0.0.1:{port}"), "namespace": "n", "pod": "p", "container": "c", "command": "sh -c 'echo one; echo two'"})
}

#[test]
fn a_command_says_what_it_says_and_how_it_ended() {
    let (port, asked) = server(r#"{"status": "Success"}"#);
    let result = run("k8s_exec", wish(port), false);
    assert_eq!(
        (&result["stdout"], &result["stderr"], &result["rc"], &result["changed"]),
        (&json!("one\ntwo\n"), &json!("wrong\n"), &json!(0), &json!(true)),
        "{result}"
    );
    let path = "/api/v1/namespaces/n/pods/p/exec?command=sh&command=-c&command=echo%20one%3B%20echo%20two&container=c&stdout=true&stderr=true";
    assert_eq!(asked.join().unwrap(), path);
    let (port, _) = server(r#"{"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}"#);
    let failed = run("k8s_exec", wish(port), false);
    assert_eq!((&failed["failed"], &failed["return_code"], &failed["stdout"]), (&json!(true), &json!(3), &json!("one\ntwo\n")), "{failed}");
    assert!(reply("k8s_exec", wish(port), true, &[]).result.contains_key("_rplay_unknown"));
}
