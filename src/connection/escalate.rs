//! Becoming another user: the command line, and the conversation until the other side says that it is that user.
//!
//! Every command is preceded by `echo MARKER`, so that what login scripts and sudo print before is told apart from what the command prints.

use uuid::Uuid;

use super::{ConnectError, Secret, shell};

/// A program that changes the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Method {
    Sudo,
    Su,
    Doas,
    Dzdo,
    Pbrun,
    Pfexec,
    Ksu,
}

impl Method {
    /// The method of that `become_method`; a collection before the name is allowed.
    pub fn parse(name: &str) -> Option<Method> {
        Some(match name.rsplit('.').next().unwrap_or(name) {
            "sudo" => Method::Sudo,
            "su" => Method::Su,
            "doas" => Method::Doas,
            "dzdo" => Method::Dzdo,
            "pbrun" => Method::Pbrun,
            "pfexec" => Method::Pfexec,
            "ksu" => Method::Ksu,
            _ => return None,
        })
    }

    /// Its name, which is also its program.
    pub fn name(self) -> &'static str {
        match self {
            Method::Sudo => "sudo",
            Method::Su => "su",
            Method::Doas => "doas",
            Method::Dzdo => "dzdo",
            Method::Pbrun => "pbrun",
            Method::Pfexec => "pfexec",
            Method::Ksu => "ksu",
        }
    }
}

/// Whom to become, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Become {
    /// The program.
    pub method: Method,
    /// The user.
    pub user: String,
    /// What the program may ask for.
    pub password: Option<Secret>,
    /// Another path of the program.
    pub exe: Option<String>,
    /// Its flags, where they are not the usual ones (`-H -S -n` for sudo).
    pub flags: Option<String>,
}

/// A command that says its marker before it begins.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// For the login shell.
    pub command: String,
    /// It wants a terminal.
    pub pty: bool,
    marker: String,
    prompt: Option<String>,
    method: Option<Method>,
    password: Option<Secret>,
}

/// What the conversation wants next.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Wait for more.
    Wait,
    /// Send this, then wait.
    Send(Vec<u8>),
    /// We are in: what the command itself already wrote to its standard output.
    In(Vec<u8>),
}

impl Plan {
    /// The plan for a shell command as the user of `becoming`, or as the login user.
    pub(crate) fn new(becoming: Option<&Become>, executable: &str, command: &str, pty: bool) -> Plan {
        let id = Uuid::new_v4().simple().to_string();
        let Some(becoming) = becoming else {
            let marker = format!("RPLAY-READY-{id}");
            let command = format!("{executable} -c {}", shell::quote(&format!("echo {marker} ; {command}")));
            return Plan { command, pty, marker, prompt: None, method: None, password: None };
        };
        let marker = format!("BECOME-SUCCESS-{id}");
        // a terminal passes bytes through unchanged only once it is raw
        let raw = if pty { "stty raw -echo ; " } else { "" };
        let inner = shell::quote(&format!("{raw}echo {marker} ; {command}"));
        let prompt = format!("[sudo via ansible, key={id}] password:");
        let command = command_line(becoming, &format!("{executable} -c {inner}"), &inner, &prompt);
        let pty = pty || (becoming.password.is_some() && matches!(becoming.method, Method::Doas | Method::Ksu | Method::Pbrun));
        Plan { command, pty, marker, prompt: Some(prompt), method: Some(becoming.method), password: becoming.password.clone() }
    }
}

/// The command line of the program; `shell` is the wrapped command, `inner` what the shell gets.
fn command_line(becoming: &Become, shell_command: &str, inner: &str, prompt: &str) -> String {
    let exe = becoming.exe.as_deref().unwrap_or(becoming.method.name());
    let asked = becoming.password.is_some();
    let flags = |usual: &str| becoming.flags.clone().unwrap_or_else(|| usual.to_owned());
    let user = shell::quote(&becoming.user);
    let words = match becoming.method {
        Method::Sudo | Method::Dzdo => {
            let flags = flags("-H -S -n");
            let flags = if asked { without_n(&flags) } else { flags };
            let prompt = if asked { format!("-p \"{prompt}\"") } else { String::new() };
            let user = if becoming.user.is_empty() { String::new() } else { format!("-u {user}") };
            vec![exe.to_owned(), flags, prompt, user, shell_command.to_owned()]
        }
        Method::Su => vec![exe.to_owned(), flags(""), user, format!("-c {}", shell::quote(shell_command))],
        Method::Doas => {
            let never_ask = if asked { "" } else { "-n" };
            vec![exe.to_owned(), flags(""), never_ask.to_owned(), format!("-u {user}"), shell_command.to_owned()]
        }
        Method::Pbrun => vec![exe.to_owned(), flags(""), format!("-u {user}"), shell_command.to_owned()],
        Method::Pfexec => vec![exe.to_owned(), flags(""), shell_command.to_owned()],
        Method::Ksu => vec![exe.to_owned(), user, flags(""), format!("-e /bin/sh -c {inner}")],
    };
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// sudo's flags without `-n`, which forbids to ask.
fn without_n(flags: &str) -> String {
    let words = flags.split_whitespace().filter(|word| !matches!(*word, "-n" | "--non-interactive"));
    let words = words.map(|word| if word.starts_with('-') && !word.starts_with("--") { word.replacen('n', "", 1) } else { word.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

/// What programs say when they were given a wrong password.
const WRONG: [&str; 8] = [
    "Sorry, try again",
    "incorrect password",
    "Authentication failure",
    "Authentication failed",
    "Authorization failed",
    "incorrect authentication",
    "Password incorrect",
    "Maximum 3 incorrect authentication attempts",
];

/// What programs say when they may not ask for one.
const MISSING: [&str; 4] =
    ["a password is required", "a terminal is required to read the password", "interactive authentication is required", "Authentication required"];

/// What programs say when they want a terminal.
const TERMINAL: [&str; 4] = ["must be run from a terminal", "standard in must be a tty", "you must have a tty to run", "a tty is required"];

/// How "Password" begins in the languages of `su`'s prompt.
const PROMPTS: [&str; 34] = [
    "password",
    "passphrase",
    "kennwort",
    "암호",
    "パスワード",
    "adgangskode",
    "contraseña",
    "contrasenya",
    "hasło",
    "heslo",
    "jelszó",
    "lösenord",
    "mật khẩu",
    "mot de passe",
    "parola",
    "parool",
    "pasahitza",
    "passord",
    "passwort",
    "salasana",
    "sandi",
    "senha",
    "wachtwoord",
    "ססמה",
    "лозинка",
    "парола",
    "пароль",
    "गुप्तशब्द",
    "शब्दकूट",
    "సంకేతపదము",
    "හස්පදය",
    "密码",
    "密碼",
    "口令",
];

/// The conversation until the marker was seen.
pub(crate) struct Conversation {
    plan: Plan,
    out: Vec<u8>,
    err: Vec<u8>,
    answered: bool,
}

impl Conversation {
    pub(crate) fn new(plan: Plan) -> Conversation {
        Conversation { plan, out: Vec::new(), err: Vec::new(), answered: false }
    }

    /// Takes what arrived since the last time.
    pub(crate) fn hear(&mut self, out: &mut Vec<u8>, err: &mut Vec<u8>) -> Result<Step, ConnectError> {
        self.out.append(out);
        self.err.append(err);
        if let Some(rest) = after_marker(&self.out, &self.plan.marker) {
            return Ok(Step::In(rest));
        }
        let Some(method) = self.plan.method else { return Ok(Step::Wait) };
        let refused = |what: &str| Err(ConnectError::Become { message: format!("{what} {} password", method.name()) });
        if self.answered && self.says(&WRONG) {
            return refused("Incorrect");
        }
        if self.says(&MISSING) && self.plan.password.is_none() {
            return refused("Missing");
        }
        if !self.asks() {
            return Ok(Step::Wait);
        }
        match &self.plan.password {
            None => refused("Missing"),
            Some(_) if self.answered => refused("Incorrect"),
            Some(password) => {
                self.answered = true;
                self.out.clear();
                self.err.clear();
                Ok(Step::Send(format!("{}\n", password.reveal()).into_bytes()))
            }
        }
    }

    /// The process ended before the marker: wrong password, or whatever it printed.
    pub(crate) fn over(&self) -> Result<(), ConnectError> {
        match self.plan.method {
            Some(method) if self.says(&MISSING) && !self.answered => Err(ConnectError::Become { message: format!("Missing {} password", method.name()) }),
            Some(method) if self.answered && (self.says(&WRONG) || self.says(&MISSING)) => {
                Err(ConnectError::Become { message: format!("Incorrect {} password", method.name()) })
            }
            Some(method) if self.says(&WRONG) => Err(ConnectError::Become { message: format!("Missing {} password", method.name()) }),
            _ => Ok(()),
        }
    }

    /// The program wants a terminal that it was not given.
    pub(crate) fn wants_terminal(&self) -> bool {
        !self.plan.pty && self.says(&TERMINAL)
    }

    /// What was printed so far on standard output and error.
    pub(crate) fn heard(self) -> (Vec<u8>, Vec<u8>) {
        (self.out, self.err)
    }

    /// The same for a message.
    pub(crate) fn text(&self) -> String {
        let both = [self.err.as_slice(), self.out.as_slice()].concat();
        String::from_utf8_lossy(&both).trim().to_owned()
    }

    fn says(&self, texts: &[&str]) -> bool {
        let said = [String::from_utf8_lossy(&self.out), String::from_utf8_lossy(&self.err)];
        said.iter().any(|said| texts.iter().any(|text| said.contains(text)))
    }

    /// A password is being asked for: our own prompt, or an unfinished line that looks like one.
    fn asks(&self) -> bool {
        let ours = self.plan.prompt.as_deref().unwrap_or_default();
        [&self.out, &self.err].into_iter().any(|said| {
            let said = String::from_utf8_lossy(said);
            let last = said.rsplit('\n').next().unwrap_or_default().trim_end().to_lowercase();
            let open = last.ends_with(':') || last.ends_with('：');
            (!ours.is_empty() && said.contains(ours)) || (open && (last.starts_with("[sudo") || PROMPTS.iter().any(|word| last.contains(word))))
        })
    }
}

/// What follows the line of the marker, once that line is complete.
fn after_marker(out: &[u8], marker: &str) -> Option<Vec<u8>> {
    let at = out.windows(marker.len()).position(|window| window == marker.as_bytes())?;
    let end = at + marker.len();
    let newline = out[end..].iter().position(|byte| *byte == b'\n')?;
    Some(out[end + newline + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudo(password: Option<&str>) -> Become {
        Become { method: Method::Sudo, user: "root".into(), password: password.map(Secret::new), exe: None, flags: None }
    }

    fn talk(becoming: &Become) -> Conversation {
        Conversation::new(Plan::new(Some(becoming), "/bin/sh", "id", false))
    }

    #[test]
    fn sudo_is_called_as_ansible_calls_it() {
        let plan = Plan::new(Some(&sudo(None)), "/bin/sh", "id", false);
        assert_eq!(plan.command, format!("sudo -H -S -n -u root /bin/sh -c 'echo {} ; id'", plan.marker));
        let plan = Plan::new(Some(&sudo(Some("x"))), "/bin/sh", "id", false);
        assert_eq!(plan.command, format!("sudo -H -S -p \"{}\" -u root /bin/sh -c 'echo {} ; id'", plan.prompt.unwrap(), plan.marker));
        assert_eq!(without_n("-Hn -S --non-interactive -nE"), "-H -S -E");
    }

    #[test]
    fn no_method_shows_the_password() {
        for method in [Method::Sudo, Method::Su, Method::Doas, Method::Dzdo, Method::Pbrun, Method::Pfexec, Method::Ksu] {
            let becoming = Become { method, ..sudo(Some("hunter2")) };
            let plan = Plan::new(Some(&becoming), "/bin/sh", "id", false);
            assert!(!plan.command.contains("hunter2"), "{}", plan.command);
            assert!(!format!("{plan:?}").contains("hunter2"));
        }
    }

    #[test]
    fn the_marker_ends_the_conversation_and_noise_before_it_is_dropped() {
        let mut talk = talk(&sudo(None));
        let mut out = format!("motd\n{}", talk.plan.marker).into_bytes();
        assert_eq!(talk.hear(&mut out, &mut Vec::new()), Ok(Step::Wait));
        assert_eq!(talk.hear(&mut b"\nrest".to_vec(), &mut Vec::new()), Ok(Step::In(b"rest".to_vec())));
    }

    #[test]
    fn a_prompt_is_answered_once() {
        let mut talk = talk(&sudo(Some("pw")));
        let mut ask = talk.plan.prompt.clone().unwrap().into_bytes();
        assert_eq!(talk.hear(&mut Vec::new(), &mut ask.clone()), Ok(Step::Send(b"pw\n".to_vec())));
        assert_eq!(talk.hear(&mut Vec::new(), &mut b"\n".to_vec()), Ok(Step::Wait));
        let wrong = talk.hear(&mut Vec::new(), &mut ask).unwrap_err();
        assert_eq!(wrong.to_string(), "Incorrect sudo password");
    }

    #[test]
    fn prompts_of_other_programs_are_known() {
        for ask in ["[sudo: authenticate] Password: ", "Password: ", "Passwort: ", "doas (core@host) password: ", "密码："] {
            let mut talk = talk(&sudo(Some("pw")));
            assert_eq!(talk.hear(&mut ask.as_bytes().to_vec(), &mut Vec::new()), Ok(Step::Send(b"pw\n".to_vec())), "{ask}");
        }
    }

    #[test]
    fn a_password_that_is_wanted_and_not_there_is_missing() {
        for said in ["sudo: a password is required\n", "Password: ", "sudo: interactive authentication is required\n"] {
            let error = talk(&sudo(None)).hear(&mut Vec::new(), &mut said.as_bytes().to_vec()).unwrap_err();
            assert_eq!(error.to_string(), "Missing sudo password", "{said}");
        }
    }
}
