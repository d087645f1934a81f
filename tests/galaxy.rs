//! `rplay galaxy` against a small Galaxy server of our own: roles by API v1, collections by API v3, archives, git.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

/// Answers by path; what was asked, with who asked.
struct Galaxy {
    url: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

fn serve(answers: BTreeMap<String, Vec<u8>>) -> Galaxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let log = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_string();
            let who = lines.take_while(|line| !line.is_empty()).find_map(|line| line.to_lowercase().strip_prefix("authorization: ").map(str::to_string));
            log.lock().unwrap().push((path.clone(), who.unwrap_or_default()));
            let (status, body) = answers.get(&path).map_or(("404 Not Found", &b"{}"[..]), |body| ("200 OK", body));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    Galaxy { url, asked }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tar_gz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // as written: the builder would refuse `..`
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn role(text: &str) -> Vec<u8> {
    tar_gz(&[("r-1/meta/main.yml", text.as_bytes()), ("r-1/tasks/main.yml", b"[]\n"), ("r-1/sub/meta/main.yml", b"{}\n")])
}

/// A collection's archive: one file beside what it says of itself. `spoil` changes that file afterwards.
fn collection(name: &str, version: &str, dependencies: Json, spoil: bool) -> Vec<u8> {
    let readme = b"# read me\n";
    let files = json!({"files": [
        {"name": ".", "ftype": "dir", "chksum_type": null, "chksum_sha256": null, "format": 1},
        {"name": "README.md", "ftype": "file", "chksum_type": "sha256", "chksum_sha256": sum(readme), "format": 1}], "format": 1})
    .to_string();
    let (namespace, last) = name.split_once('.').unwrap();
    let manifest = json!({
        "collection_info": {"namespace": namespace, "name": last, "version": version, "dependencies": dependencies},
        "file_manifest_file": {"name": "FILES.json", "ftype": "file", "chksum_type": "sha256", "chksum_sha256": sum(files.as_bytes()), "format": 1},
        "format": 1})
    .to_string();
    let readme: &[u8] = if spoil { b"# something else\n" } else { readme };
    tar_gz(&[("MANIFEST.json", manifest.as_bytes()), ("FILES.json", files.as_bytes()), ("README.md", readme)])
}

/// A collection on a server, with its versions and what each depends on.
fn publish(answers: &mut BTreeMap<String, Vec<u8>>, name: &str, versions: &[(&str, Json)]) {
    let (namespace, last) = name.split_once('.').unwrap();
    let root = format!("/api/v3/collections/{namespace}/{last}/versions/");
    let (first, rest) = versions.split_at(1);
    let page = |versions: &[(&str, Json)], next: Json| json!({"data": versions.iter().map(|(v, _)| json!({"version": v})).collect::<Vec<_>>(), "links": {"next": next}});
    answers.insert(format!("{root}?limit=100"), page(first, json!(format!("{root}?page=2"))).to_string().into_bytes());
    answers.insert(format!("{root}?page=2"), page(rest, Json::Null).to_string().into_bytes());
    for (version, dependencies) in versions {
        let bytes = collection(name, version, dependencies.clone(), false);
        let file = format!("/files/{namespace}-{last}-{version}.tar.gz");
        let release = json!({"download_url": file, "artifact": {"sha256": sum(&bytes)}, "metadata": {"dependencies": dependencies}});
        answers.insert(format!("{root}{version}/"), release.to_string().into_bytes());
        answers.insert(file, bytes);
    }
}

fn root() -> BTreeMap<String, Vec<u8>> {
    let versions = json!({"available_versions": {"v1": "v1/", "v3": "v3/"}});
    BTreeMap::from([("/api/".to_string(), versions.to_string().into_bytes())])
}

struct Bench {
    dir: tempfile::TempDir,
    folder: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        Bench { dir, folder }
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let at = self.folder.join(path);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, bytes).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.join(path)).unwrap_or_else(|error| format!("{path}: {error}"))
    }

    /// Runs `rplay galaxy`: exit code, and what was said.
    fn galaxy(&self, words: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
        command.arg("galaxy").args(words.split_whitespace()).current_dir(&self.folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &self.folder);
        let output = command.output().unwrap();
        (output.status.code().unwrap_or(-1), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }

    fn fine(&self, words: &str) -> String {
        let (code, said) = self.galaxy(words);
        assert_eq!(code, 0, "{words}: {said}");
        said
    }

    fn refused(&self, words: &str, part: &str) {
        let (code, said) = self.galaxy(words);
        assert!(code == 1 && said.contains(part), "{words}: {code} {said}");
    }

    fn names(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.join(path))
            .map(|all| all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

#[test]
fn roles_of_a_server_with_their_dependencies() {
    let mut answers = root();
    let roles = |id: u32| json!({"results": [{"id": id, "github_user": "u", "github_repo": "r"}]}).to_string().into_bytes();
    answers.insert("/api/v1/roles/?owner__username=me&name=web".into(), roles(7));
    answers.insert("/api/v1/roles/?owner__username=me&name=base".into(), roles(8));
    let versions = |files: &[(&str, &str)]| {
        json!({"results": files.iter().map(|(v, f)| json!({"name": v, "download_url": f})).collect::<Vec<_>>()}).to_string().into_bytes()
    };
    answers.insert("/api/v1/roles/7/versions/?page_size=50".into(), versions(&[("1.9.0", "/old"), ("v1.10.0", "/web")]));
    answers.insert("/api/v1/roles/8/versions/?page_size=50".into(), versions(&[("0.1", "/base")]));
    answers.insert("/web".into(), role("dependencies: [{role: me.base}, {role: local}]\n"));
    answers.insert("/base".into(), role("dependencies: []\n"));
    answers.insert("/old".into(), role("{}\n"));
    let server = serve(answers);
    let bench = Bench::new();
    bench.write("ansible.cfg", format!("[galaxy]\nserver_list = mine\n[galaxy_server.mine]\nurl = {}/api/\ntoken = t0ken\n", server.url));
    let said = bench.fine("role install me.web -p roles");
    assert!(said.contains("- me.web (v1.10.0) was installed successfully") && said.contains("- adding dependency: me.base"), "{said}");
    assert_eq!(bench.names("roles"), ["me.base", "me.web"]);
    assert_eq!(bench.names("roles/me.web"), ["meta", "sub", "tasks"]);
    assert!(bench.read("roles/me.web/meta/.galaxy_install_info").contains("version: v1.10.0"));
    assert!(server.asked.lock().unwrap().iter().all(|(_, who)| who == "token t0ken"));
    assert!(bench.fine("role install me.web,1.9.0 -p roles").contains("use --force to change version to 1.9.0"));
    assert!(bench.fine("role install me.web,1.9.0 -p roles --force").contains("- changing role me.web from v1.10.0 to 1.9.0"));
    bench.refused("role install me.web,3 -p other", "the specified version (3) of me.web was not found");
    bench.refused("role install me.none -p other", "sorry, me.none was not found on mine");
    assert_eq!(bench.names("other"), Vec::<String>::new());
}

#[test]
fn roles_of_archives_folders_and_git() {
    let bench = Bench::new();
    bench.write("r.tar.gz", role("{}\n"));
    bench.write("bad.tar.gz", tar_gz(&[("r/meta/main.yml", b"{}\n"), ("r/../../out", b"x")]));
    bench.write("none.tar.gz", tar_gz(&[("r/tasks/main.yml", b"[]\n")]));
    bench.write("src/mine/meta/main.yml", "{}\n");
    bench.write("src/mine/tasks/main.yml", "[]\n");
    let git = |words: &str| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(words.split(' ')).current_dir(bench.folder.join("src/mine"));
        assert!(command.output().unwrap().status.success(), "git {words}");
    };
    ["init -q", "add -A", "commit -qm one", "tag v1"].iter().for_each(|words| git(words));
    bench.write("src/mine/tasks/main.yml", "[] # newer\n");
    git("commit -qam two");
    let repository = format!("file://{}/src/mine", bench.folder.display());
    bench.write("req.yml", format!("- src: {repository}\n  scm: git\n  version: v1\n  name: old\n- name: tarred\n  src: r.tar.gz\n"));
    bench.fine("install -r req.yml -p roles");
    bench.fine(&format!("role install git+{repository},,new -p roles"));
    bench.fine("role install src/mine -p roles");
    assert_eq!(bench.names("roles"), ["mine", "new", "old", "tarred"]);
    assert_eq!((bench.read("roles/old/tasks/main.yml"), bench.read("roles/new/tasks/main.yml")), ("[]\n".into(), "[] # newer\n".into()));
    assert!(!bench.names("roles/new").contains(&".git".into()));
    bench.refused("role install bad.tar.gz -p roles", "leads out of its folder");
    bench.refused("role install none.tar.gz -p roles", "does not appear to have a meta/main.yml");
    bench.refused(&format!("role install git+file://{}/nowhere,v1,x -p roles", bench.folder.display()), "NOT installed successfully");
    assert_eq!(bench.names("roles"), ["mine", "new", "old", "tarred"]);
    assert!(!bench.folder.join("out").exists() && bench.dir.path().exists());
}

#[test]
fn collections_of_a_server_fit_together() {
    let mut answers = root();
    publish(&mut answers, "a.top", &[("1.0.0", json!({"a.base": ">=1.0.0,<2.0.0"})), ("2.0.0-rc1", json!({})), ("0.9.0", json!({}))]);
    publish(&mut answers, "a.base", &[("2.0.0", json!({})), ("1.2.0", json!({})), ("1.10.0", json!({}))]);
    publish(&mut answers, "a.wants", &[("1.0.0", json!({"a.base": ">=2.0.0"})), ("0.1.0", json!({"a.base": ">=2.0.0"}))]);
    let server = serve(answers);
    let bench = Bench::new();
    bench.write("ansible.cfg", format!("[defaults]\ncollections_path = c\n[galaxy]\nserver = {}\n", server.url));
    let said = bench.fine("collection install a.top");
    assert!(said.contains("a.top:1.0.0 was installed successfully") && said.contains("a.base:1.10.0 was installed successfully"), "{said}");
    let listed: Json = serde_json::from_str(&bench.fine("collection list --format json")).unwrap();
    let root = bench.folder.join("c/ansible_collections").to_string_lossy().into_owned();
    assert_eq!(listed[&root], json!({"a.base": {"version": "1.10.0"}, "a.top": {"version": "1.0.0"}}));
    assert!(bench.fine("collection install a.top").contains("Nothing to do."));
    assert!(bench.fine("collection install a.top --pre -U").contains("a.top:2.0.0-rc1 was installed"));
    bench.refused("collection install a.wants a.top:1.0.0 -f -p d", "Could not satisfy a.base");
    bench.refused("collection install a.none", "no server has it");
    bench.refused("collection install a.top:>=9.0.0 -p d", "there is 1.0.0, 2.0.0-rc1, 0.9.0");
    assert_eq!(bench.names("d"), Vec::<String>::new());
}

#[test]
fn collections_are_what_their_checksums_say() {
    let mut answers = root();
    publish(&mut answers, "a.b", &[("1.0.0", json!({})), ("0.1.0", json!({}))]);
    answers.insert("/files/a-b-1.0.0.tar.gz".into(), collection("a.b", "1.0.0", json!({"x.y": "*"}), false));
    let server = serve(answers);
    let bench = Bench::new();
    bench.refused(&format!("collection install a.b -p c -s {}", server.url), "Mismatch artifact hash with downloaded file");
    bench.write("spoilt.tar.gz", collection("a.b", "1.0.0", json!({}), true));
    bench.refused("collection install spoilt.tar.gz -p c", "README.md is not the one that FILES.json names");
    bench.write("other.tar.gz", tar_gz(&[("x", b"")]));
    bench.refused("collection install other.tar.gz -p c", "it is no collection");
    assert_eq!(bench.names("c"), Vec::<String>::new());
    bench.write("fine.tar.gz", collection("a.b", "1.0.0", json!({}), false));
    bench.fine("collection install fine.tar.gz -p c");
    assert_eq!(bench.read("c/ansible_collections/a/b/README.md"), "# read me\n");
}

#[test]
fn collections_of_folders_are_built() {
    let bench = Bench::new();
    bench.fine("collection init my.own --init-path src");
    bench.write("src/my/own/left.bak", "x");
    bench.write("src/my/own/plugins/filter/f.py", "x = 1\n");
    let galaxy = bench.read("src/my/own/galaxy.yml").replace("build_ignore: []", "build_ignore: ['*.bak']");
    bench.write("src/my/own/galaxy.yml", galaxy);
    bench.fine("collection install src/my/own -p c");
    assert_eq!(bench.names("c/ansible_collections/my/own"), ["FILES.json", "MANIFEST.json", "README.md", "docs", "meta", "plugins", "roles"]);
    let manifest: Json = serde_json::from_str(&bench.read("c/ansible_collections/my/own/MANIFEST.json")).unwrap();
    assert_eq!(manifest["collection_info"]["version"], "1.0.0");
    assert_eq!(manifest["file_manifest_file"]["chksum_sha256"], sum(bench.read("c/ansible_collections/my/own/FILES.json").as_bytes()));
    bench.write("req.yml", "collections:\n  - name: src\n    type: subdirs\n  - name: a.b\n    signatures: [x]\n");
    bench.refused("collection install -r req.yml -p c", "does not check signatures");
    bench.fine("role init fresh --init-path r");
    bench.refused("role init fresh --init-path r", "already exists");
    let mut text = String::new();
    std::fs::File::open(bench.folder.join("r/fresh/meta/main.yml")).unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("role_name: fresh") && Path::new(&bench.folder.join("r/fresh/templates")).is_dir());
}
