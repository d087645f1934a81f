//! The lines of an authorized_keys file.

/// Types of keys that OpenSSH knows.
const KINDS: &[&str] = &[
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "ssh-ed25519",
    "ssh-ed25519-cert-v01@openssh.com",
    "ssh-dss",
    "ssh-rsa",
    "ssh-xmss@openssh.com",
    "ssh-xmss-cert-v01@openssh.com",
    "rsa-sha2-256",
    "rsa-sha2-512",
    "ssh-rsa-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "ssh-dss-cert-v01@openssh.com",
];

/// A key with its options and comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub options: Vec<String>,
    pub kind: String,
    pub key: String,
    pub comment: String,
}

/// Options between commas, quoted commas aside.
pub(super) fn options(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ',' => {
                out.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out.retain(|option| !option.is_empty());
    out
}

impl Key {
    /// Reads a line: options, type, key, comment.
    pub(super) fn parse(line: &str) -> Option<Key> {
        let line = line.replace("\\#", "#");
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"#") {
            return None;
        }
        let at = words.iter().position(|word| KINDS.contains(word))?;
        let key = words.get(at + 1)?;
        let text = |words: &[&str]| words.join(" ");
        Some(Key { options: options(&text(&words[..at])), kind: words[at].into(), key: (*key).into(), comment: text(&words[at + 2..]) })
    }

    /// The same, whatever the order of options.
    fn is_like(&self, other: &Key) -> bool {
        let sorted = |key: &Key| {
            let mut key = key.clone();
            key.options.sort();
            key
        };
        sorted(self) == sorted(other)
    }

    fn line(&self) -> String {
        let options = if self.options.is_empty() { String::new() } else { format!("{} ", self.options.join(",")) };
        format!("{options}{} {} {}\n", self.kind, self.key, self.comment)
    }
}

#[derive(Debug, Clone)]
enum Line {
    Key(Key),
    /// A comment, or what is no key.
    Other(String),
}

/// A whole file. A key that comes twice is kept once, where it came last.
pub(super) struct Lines(Vec<Line>);

impl Lines {
    pub(super) fn parse(text: &str) -> Lines {
        let mut lines: Vec<Line> = vec![];
        for line in text.split_inclusive('\n') {
            let new = Key::parse(line).map_or_else(|| Line::Other(line.to_owned()), Line::Key);
            lines.retain(|have| match (have, &new) {
                (Line::Key(a), Line::Key(b)) => a.key != b.key,
                (Line::Other(a), Line::Other(b)) => a != b,
                _ => true,
            });
            lines.push(new);
        }
        Lines(lines)
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.0.iter().position(|line| matches!(line, Line::Key(have) if have.key == key))
    }

    /// Puts keys in; a key that is there with another type, options or comment moves to the end.
    pub(super) fn add(&mut self, new: &[Key], exclusive: bool) -> bool {
        let mut changed = false;
        for key in new {
            if let Some(at) = self.position(&key.key) {
                if matches!(&self.0[at], Line::Key(have) if have.is_like(key)) {
                    continue;
                }
                self.0.remove(at);
            }
            self.0.push(Line::Key(key.clone()));
            changed = true;
        }
        if exclusive {
            let before = self.0.len();
            self.0.retain(|line| matches!(line, Line::Key(have) if new.iter().any(|key| key.key == have.key)));
            changed |= self.0.len() != before;
        }
        changed
    }

    pub(super) fn remove(&mut self, old: &[Key]) -> bool {
        let before = self.0.len();
        self.0.retain(|line| !matches!(line, Line::Key(have) if old.iter().any(|key| key.key == have.key)));
        self.0.len() != before
    }

    pub(super) fn text(&self) -> String {
        let shown = self.0.iter().map(|line| match line {
            Line::Key(key) => key.line(),
            Line::Other(text) => text.clone(),
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_keep_what_is_quoted() {
        assert_eq!(options("no-pty,command=\"a,b\",from='x,y'"), ["no-pty", "command=\"a,b\"", "from='x,y'"]);
        let key = Key::parse("command=\"echo  a\",no-pty ssh-rsa AAAA me at home").unwrap();
        assert_eq!((key.options.len(), key.key.as_str(), key.comment.as_str()), (2, "AAAA", "me at home"));
        assert_eq!(Key::parse("# ssh-rsa AAAA"), None);
    }
}
