//! The program under test: built with its runner, run in an environment of its own, and never allowed to panic or hang.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run left behind.
pub struct Ran {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Both streams, for searching and for reports.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails unless the run ended with this code and said all of these.
    pub fn must(&self, exit: i32, said: &[&str]) {
        let all = self.all();
        assert_eq!(self.exit, exit, "exit code\n{all}");
        for text in said {
            assert!(all.contains(text), "{text:?} is missing in\n{all}");
        }
    }
}

/// True when another program stands in for rplay.
pub fn is_foreign() -> bool {
    std::env::var_os("RPLAY_BIN").is_some()
}

/// rplay with its runner beside it.
pub fn path() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = std::env::var_os("RPLAY_BIN") {
            return std::path::absolute(path).expect("RPLAY_BIN is a path");
        }
        // cargo builds the programs of this package only
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "rplay-modules", "--bin", "rplay-runner"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the runner cannot be built");
        PathBuf::from(env!("CARGO_BIN_EXE_rplay"))
    })
}

/// A scratch directory: `case` to run in, `home`, and an empty configuration.
pub struct Scratch {
    root: tempfile::TempDir,
}

impl Scratch {
    pub fn new() -> Scratch {
        let root = tempfile::Builder::new().prefix("bad-input-").tempdir().expect("a scratch directory");
        for name in ["case", "home"] {
            fs::create_dir(root.path().join(name)).expect("a folder in the scratch directory");
        }
        File::create(root.path().join("empty.cfg")).expect("an empty configuration");
        Scratch { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn case(&self) -> PathBuf {
        self.path("case")
    }

    /// Writes a file of the case.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.case().join(name);
        fs::write(&path, text).expect("a file of the case");
        path
    }

    /// The command, ready for arguments.
    pub fn command(&self) -> Command {
        let own = self.case().join("ansible.cfg");
        let config = if own.exists() { own } else { self.path("empty.cfg") };
        let mut command = Command::new(path());
        command
            .current_dir(self.case())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("ANSIBLE_CONFIG", config)
            .envs([("ANSIBLE_NOCOLOR", "1"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TERM", "dumb")]);
        command
    }

    /// Runs to the end; a panic of rplay, or a bug that it confesses, fails the test.
    pub fn run(&self, mut command: Command) -> Ran {
        let sink = |name: &str| File::create(self.path(name)).expect("a file for the output");
        command.stdin(Stdio::null()).stdout(sink("stdout")).stderr(sink("stderr"));
        let mut child = command.spawn().expect("the program starts");
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("the program can be waited for") {
                break status;
            }
            if started.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                panic!("still running after {} seconds: {command:?}", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let read = |name: &str| self.mask(&String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()));
        let ran = Ran { exit: status.code().unwrap_or(-1), stdout: read("stdout"), stderr: read("stderr") };
        for word in ["panicked", "bug in rplay"] {
            assert!(is_foreign() || !ran.stderr.contains(word), "{word}:\n{}", ran.stderr);
        }
        ran
    }

    fn mask(&self, text: &str) -> String {
        ["case", "home"].iter().fold(text.to_owned(), |text, name| text.replace(&*self.path(name).to_string_lossy(), &format!("<{name}>")))
    }
}
