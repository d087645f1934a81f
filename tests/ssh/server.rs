//! A throw-away sshd on loopback, with its own keys.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rplay::connection::{Local, Target, Transport};
use rplay::runner::{Options, Pool};

const SSHD: &str = "/usr/sbin/sshd";

/// Says why the tests of this file cannot run here, if they cannot.
pub fn missing() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root");
    }
    ["/usr/sbin/sshd", "/usr/bin/ssh-keygen", "/usr/bin/ssh"].into_iter().find(|program| !Path::new(program).exists())
}

/// A running sshd and a directory with everything around it.
pub struct Server {
    pub dir: tempfile::TempDir,
    pub port: u16,
    child: Child,
    pub warnings: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one; `extra` are lines of its configuration.
    pub fn start(extra: &str) -> Server {
        fs::create_dir_all("/run/sshd").unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for key in ["host", "user", "stranger"] {
            keygen(&dir.path().join(key), "ed25519");
        }
        fs::copy(dir.path().join("user.pub"), dir.path().join("authorized")).unwrap();
        fs::create_dir_all(dir.path().join("home/.ssh")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nMaxStartups 200:30:400\n{extra}\nSetEnv HOME={}\n",
            path("host"),
            path("authorized"),
            // the login shell must not run this machine's ~/.bashrc
            path("home"),
        );
        fs::write(dir.path().join("sshd_config"), config).unwrap();
        let log = fs::File::create(dir.path().join("log")).unwrap();
        let child = Command::new(SSHD).args(["-D", "-e", "-f", &path("sshd_config")]).stdin(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Server { dir, port, child, warnings: Arc::default() };
        let patience = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < patience, "sshd does not start: {}", fs::read_to_string(server.path("log")).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(10));
        }
        server.trust();
        server
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn known_hosts(&self) -> PathBuf {
        self.path("home/.ssh/known_hosts")
    }

    /// known_hosts knows this server.
    pub fn trust(&self) {
        let key = fs::read_to_string(self.path("host.pub")).unwrap();
        let line = format!("[127.0.0.1]:{} {key}", self.port);
        fs::write(self.known_hosts(), line).unwrap();
    }

    /// The server as a host of the inventory, with the right key.
    pub fn target(&self) -> Target {
        let mut target = Target::new("host", Transport::Ssh);
        target.host = "127.0.0.1".into();
        target.port = Some(self.port);
        target.user = Some("root".into());
        target.private_key = Some(self.path("user"));
        target.ssh_args = vec![format!("-oGlobalKnownHostsFile={}", self.path("none").display())];
        target
    }

    pub fn local(&self) -> Local {
        let sink = Arc::clone(&self.warnings);
        let mut local = Local::new("root");
        local.home = Some(self.path("home"));
        local.system_config = self.path("none");
        local.warn = Arc::new(move |text| sink.lock().unwrap().push(text.to_owned()));
        local
    }

    pub fn options(&self) -> Options {
        Options { local: self.local(), runner_dirs: vec![runner_dir()], keep_runner: false }
    }

    pub fn pool(&self) -> Pool {
        Pool::new(self.options())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn keygen(path: &Path, kind: &str) {
    let path = path.display().to_string();
    let status = Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f", &path]).status().unwrap();
    assert!(status.success());
}

/// Where cargo puts the runner: beside the directory of this test's executable.
pub fn runner_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("RPLAY_TEST_RUNNER_DIR") {
        return PathBuf::from(dir);
    }
    let exe = std::env::current_exe().unwrap();
    exe.parent().and_then(Path::parent).unwrap().to_owned()
}

/// True when there is a runner to place.
pub fn has_runner() -> bool {
    runner_dir().join("rplay-runner").is_file()
}
