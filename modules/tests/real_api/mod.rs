//! A real etcd and a real API server on loopback, with the certificates that the role `ssl` makes. They lie where `make artifacts` puts them.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

/// The servers; they end with the test.
pub struct Cluster {
    pub dir: tempfile::TempDir,
    pub port: u16,
    children: Vec<Child>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(base.join("rplay"))
}

/// The newest program of that name among the artifacts.
fn program(component: &str, name: &str) -> Option<PathBuf> {
    let folders = fs::read_dir(cache()?.join("artifacts")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = folders
        .filter(|path| path.file_name().is_some_and(|folder| folder.to_string_lossy().starts_with(&format!("{component}-"))))
        .map(|path| path.join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    /// Starts it, with keys of that type (`ec`, `rsa`); `None` where the programs are not there.
    pub fn start(keys: &str) -> Option<Cluster> {
        // the lab's etcd from Debian will do
        let etcd = program("etcd", "etcd").or_else(|| cache().map(|cache| cache.join("etcd/etcd")).filter(|path| path.is_file()));
        let (Some(etcd), Some(server)) = (etcd, program("kubernetes", "kube-apiserver")) else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no etcd and kube-apiserver among the artifacts (make artifacts)");
            return None;
        };
        let mut cluster = Cluster { dir: tempfile::tempdir().unwrap(), port: free_port(), children: vec![] };
        cluster.certificates(keys);
        let (client, peer) = (free_port(), free_port());
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        let data = cluster.path("etcd");
        cluster.spawn(
            &etcd,
            &[
                ("data-dir", &data),
                ("listen-client-urls", &local(client)),
                ("advertise-client-urls", &local(client)),
                ("listen-peer-urls", &local(peer)),
                ("initial-advertise-peer-urls", &local(peer)),
                ("initial-cluster", &format!("default={}", local(peer))),
                ("unsafe-no-fsync", "true"),
            ],
        );
        let port = cluster.port.to_string();
        let path = |name: &str| cluster.path(&format!("pki/{name}"));
        let (ca, crt, key, account, public) = (path("ca.crt"), path("server.crt"), path("server.key"), path("account.key"), path("account.pub"));
        cluster.spawn(
            &server,
            &[
                ("etcd-servers", &local(client)),
                ("bind-address", "127.0.0.1"),
                ("advertise-address", "127.0.0.1"),
                ("endpoint-reconciler-type", "none"),
                ("secure-port", &port),
                ("client-ca-file", &ca),
                ("tls-cert-file", &crt),
                ("tls-private-key-file", &key),
                ("service-account-issuer", "https://kubernetes.default.svc"),
                ("service-account-signing-key-file", &account),
                ("service-account-key-file", &public),
                ("service-cluster-ip-range", "10.96.0.0/16"),
                ("authorization-mode", "Node,RBAC"),
                // no controller makes accounts here
                ("disable-admission-plugins", "ServiceAccount"),
            ],
        );
        cluster.write_kubeconfig();
        cluster.await_ready();
        Some(cluster)
    }

    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn certificates(&self, keys: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../roles/ssl/files/certificates.sh");
        let mut make = Command::new("sh");
        make.arg(script).args(["make", &self.path("pki"), keys, "30", "20", "1"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = make.spawn().unwrap();
        let list = "ca - /CN=test ca\nserver ca /CN=server server IP:127.0.0.1\nadmin ca /O=system:masters/CN=admin client\nnobody ca /CN=nobody client\nother - /CN=other ca\naccount - - key\n";
        child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "certificates.sh failed");
    }

    fn spawn(&mut self, program: &Path, flags: &[(&str, &str)]) {
        let name = program.file_name().unwrap().to_string_lossy();
        let log = File::create(self.path(&format!("{name}.log"))).unwrap();
        let mut command = Command::new(program);
        command.args(flags.iter().map(|(flag, value)| format!("--{flag}={value}")));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.children.push(command.spawn().unwrap());
    }

    /// A kubeconfig with relative paths, as a role would write it.
    fn write_kubeconfig(&self) {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: admin@test\nclusters:\n- name: test\n  cluster: {{server: 'https://127.0.0.1:{}', certificate-authority: pki/ca.crt}}\n\
             users:\n- name: admin\n  user: {{client-certificate: pki/admin.crt, client-key: pki/admin.key}}\n- name: nobody\n  user: {{client-certificate: pki/nobody.crt, client-key: pki/nobody.key}}\n\
             - name: mixed\n  user: {{client-certificate: pki/nobody.crt, client-key: pki/admin.key}}\n\
             contexts:\n- name: admin@test\n  context: {{cluster: test, user: admin}}\n- name: nobody@test\n  context: {{cluster: test, user: nobody}}\n\
             - name: mixed@test\n  context: {{cluster: test, user: mixed}}\n",
            self.port
        );
        fs::write(self.path("admin.conf"), text).unwrap();
    }

    fn await_ready(&mut self) {
        let started = Instant::now();
        loop {
            let found = super::common::run("k8s_info", json!({"kubeconfig": self.path("admin.conf"), "kind": "Namespace", "name": "default"}), false);
            if found["resources"].as_array().is_some_and(|all| !all.is_empty()) {
                return;
            }
            let ended = self.children.iter_mut().any(|child| child.try_wait().unwrap().is_some());
            if ended || started.elapsed() > Duration::from_secs(180) {
                let log = fs::read_to_string(self.path("kube-apiserver.log")).unwrap_or_default();
                let end: Vec<&str> = log.lines().rev().take(15).collect();
                panic!("the API server does not start: {found}\n{}", end.into_iter().rev().collect::<Vec<_>>().join("\n"));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}
