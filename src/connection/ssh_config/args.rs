//! The words of `ssh_args`, as `ssh` itself would read them.

use crate::connection::ConnectError;

/// What the words say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Line {
    /// `-F`.
    pub config_file: Option<String>,
    /// `-l`.
    pub user: Option<String>,
    /// `-o`, `-i`, `-p`, `-J`... as keyword (lower case) and value, in order.
    pub options: Vec<(String, String)>,
}

/// Flags of `ssh` that take a value.
const VALUED: &str = "BbcDEeFIiJLlmOoPpQRSWw";

pub(super) fn parse(words: &[String]) -> Result<Line, ConnectError> {
    let mut line = Line::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
            return Err(ConnectError::setup(format!("ssh_args: {word:?} is not an option")));
        };
        let flags = flags.char_indices();
        for (at, flag) in flags {
            if !VALUED.contains(flag) {
                switch(&mut line, flag);
                continue;
            }
            let rest = &word[1 + at + flag.len_utf8()..];
            let value = match rest {
                "" => words.next().cloned().ok_or_else(|| ConnectError::setup(format!("ssh_args: -{flag} needs a value")))?,
                rest => rest.to_owned(),
            };
            valued(&mut line, flag, value)?;
            break;
        }
    }
    Ok(line)
}

fn switch(line: &mut Line, flag: char) {
    match flag {
        'C' => line.options.push(("compression".into(), "yes".into())),
        'A' => line.options.push(("forwardagent".into(), "yes".into())),
        'K' => line.options.push(("gssapiauthentication".into(), "yes".into())),
        'k' => line.options.push(("gssapidelegatecredentials".into(), "no".into())),
        '4' => line.options.push(("addressfamily".into(), "inet".into())),
        '6' => line.options.push(("addressfamily".into(), "inet6".into())),
        // -q, -v, -T, -t, -n, -x...: how the program talks, not whom it reaches
        _ => {}
    }
}

fn valued(line: &mut Line, flag: char, value: String) -> Result<(), ConnectError> {
    let keyword = match flag {
        'F' => {
            line.config_file = Some(value);
            return Ok(());
        }
        'l' => {
            line.user = Some(value);
            return Ok(());
        }
        'o' => {
            let (keyword, value) = option(&value).ok_or_else(|| ConnectError::setup(format!("ssh_args: -o {value:?} has no value")))?;
            line.options.push((keyword, value));
            return Ok(());
        }
        'i' => "identityfile",
        'p' => "port",
        'J' => "proxyjump",
        'c' => "ciphers",
        'm' => "macs",
        'I' => "pkcs11provider",
        'b' => "bindaddress",
        // multiplexing, forwarding, logging: ours is one session that nobody else uses
        _ => return Ok(()),
    };
    line.options.push((keyword.to_owned(), value));
    Ok(())
}

/// `Key=Value`, `Key Value`; the key in lower case.
fn option(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let end = text.find(|c: char| c == '=' || c.is_whitespace())?;
    let value = text[end..].trim_start().trim_start_matches('=').trim();
    Some((text[..end].to_lowercase(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::shell;

    #[test]
    fn words_are_read_as_ssh_reads_them() {
        let line =
            parse(&shell::split("-C -o ControlMaster=auto -oPort=22 -o 'ProxyCommand ssh -W %h:%p b' -Fssh.config -vvl core -i key -J a,b").unwrap()).unwrap();
        assert_eq!(line.config_file.as_deref(), Some("ssh.config"));
        assert_eq!(line.user.as_deref(), Some("core"));
        let options: Vec<_> = line.options.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            options,
            [
                ("compression", "yes"),
                ("controlmaster", "auto"),
                ("port", "22"),
                ("proxycommand", "ssh -W %h:%p b"),
                ("identityfile", "key"),
                ("proxyjump", "a,b")
            ]
        );
    }

    #[test]
    fn words_that_ssh_would_not_take_are_errors() {
        assert!(parse(&["-F".to_owned()]).is_err());
        assert!(parse(&["host".to_owned()]).is_err());
        assert!(parse(&["-oPort".to_owned()]).is_err());
    }
}
