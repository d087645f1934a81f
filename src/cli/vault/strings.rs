//! `encrypt_string`: texts as values for a YAML file.

use std::io::IsTerminal as _;

use super::flags::EncryptString;
use super::{Desk, Done, bad, done, files, wrong};
use crate::cli::console;

/// A text to encrypt, and the name of its variable.
type Named = (Option<String>, Vec<u8>);

/// Columns before the encrypted lines.
const INDENT: &str = "          ";

/// Encrypts the texts of arguments, prompt and standard input, in this order.
pub(super) fn encrypt(desk: &Desk, asked: &EncryptString) -> Done {
    if asked.stdin_name.is_some() && asked.prompt {
        return Err(bad("The --prompt option is not supported if also reading input from stdin"));
    }
    let (secrets, label) = desk.fresh(&asked.vault, asked.encrypt_vault_id.as_ref())?;
    let mut out = String::new();
    for (name, plain) in texts(asked)? {
        if plain.is_empty() {
            return Err(bad("Provided text is empty"));
        }
        let sealed = secrets.encrypt(&plain, label.as_deref()).map_err(wrong)?;
        out.push_str(&value(name.as_deref(), &sealed));
    }
    match asked.output.as_deref() {
        None | Some("-") => files::to_screen(out.as_bytes())?,
        Some(file) => files::replace(&desk.path(file), out.as_bytes())?,
    }
    done("Encryption successful");
    Ok(())
}

fn texts(asked: &EncryptString) -> Result<Vec<Named>, (crate::diagnostic::Diagnostic, i32)> {
    let mut found: Vec<Named> = Vec::new();
    if asked.prompt {
        found.push(prompted(asked)?);
    }
    let words: Vec<&String> = asked.texts.iter().filter(|text| *text != "-").collect();
    let input = asked.texts.iter().any(|text| text == "-") || asked.stdin_name.is_some() || (words.is_empty() && !asked.prompt);
    if input {
        let plain = files::standard_input()?;
        if std::io::stdin().is_terminal() && !plain.ends_with(b"\n") {
            console::tell("\n");
        }
        found.push((asked.stdin_name.clone(), plain));
    }
    let names = asked.names.iter().map(Some).chain(std::iter::repeat(None));
    found.extend(words.into_iter().zip(names).map(|(text, name)| (name.cloned(), text.clone().into_bytes())));
    Ok(found)
}

fn prompted(asked: &EncryptString) -> Result<Named, (crate::diagnostic::Diagnostic, i32)> {
    let unanswered = |error: std::io::Error| bad(format!("no answer: {error}"));
    let name = match asked.names.first() {
        Some(name) => Some(name.clone()),
        None => {
            console::tell("Variable name (enter for no name): ");
            Some(console::line().map_err(unanswered)?).filter(|name| !name.is_empty())
        }
    };
    let question = if asked.show_input { "String to encrypt: " } else { "String to encrypt (hidden): " };
    let plain = if asked.show_input {
        console::tell(question);
        console::line().map_err(unanswered)?
    } else {
        console::secret(question).map_err(unanswered)?
    };
    Ok((name, plain.into_bytes()))
}

/// A value with YAML's tag, below its name.
fn value(name: Option<&str>, sealed: &str) -> String {
    let head = name.map(|name| format!("{name}: ")).unwrap_or_default();
    let lines: String = sealed.lines().map(|line| format!("{INDENT}{line}\n")).collect();
    format!("{head}!vault |\n{lines}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_value_stands_below_its_name() {
        assert_eq!(super::value(Some("a"), "$X\n12\n"), "a: !vault |\n          $X\n          12\n");
        assert_eq!(super::value(None, "$X\n"), "!vault |\n          $X\n");
    }
}
