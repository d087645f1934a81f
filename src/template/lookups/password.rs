//! `password`: a password that is made once and kept in a file of the controller.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rand::Rng as _;

use crate::template::{Arguments, Env};
use crate::value::{Fault, Value, text};

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Options of one term: `PATH length=20 chars=ascii_letters,digits encrypt=sha512_crypt`.
struct Wish {
    path: PathBuf,
    length: usize,
    chars: Vec<char>,
    encrypt: Option<String>,
}

/// `lookup('password', 'PATH options')`.
///
/// # Errors
/// An unknown option, or the file cannot be read or written.
pub fn password(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    terms.iter().map(|term| one(&wish(&text(term), &args, env)?, env)).collect()
}

fn wish(term: &str, args: &Arguments, env: &dyn Env) -> Result<Wish, Fault> {
    let mut path: Vec<&str> = Vec::new();
    let mut options: Vec<(String, String)> = args.named.iter().map(|(key, value)| (key.clone(), option_text(value))).collect();
    for word in term.split(' ') {
        match word.split_once('=') {
            Some((key, value)) if matches!(key, "length" | "chars" | "encrypt" | "seed" | "ident") => options.push((key.into(), value.into())),
            _ => path.push(word),
        }
    }
    let path = path.join(" ");
    let base = env.search_path().last().cloned().unwrap_or_default();
    let path = if Path::new(&path).is_absolute() { PathBuf::from(path) } else { base.join(path) };
    let mut wish = Wish { path, length: 20, chars: characters("ascii_letters,digits,.,:-_"), encrypt: None };
    for (key, value) in options {
        match key.as_str() {
            "length" => wish.length = value.parse().map_err(|_| Fault::error(format!("password: length is not a number: {value}")))?,
            "chars" => wish.chars = characters(&value),
            "encrypt" => wish.encrypt = Some(value),
            other => return Err(Fault::error(format!("the password lookup of rplay has no option '{other}'"))),
        }
    }
    Ok(wish)
}

fn option_text(value: &Value) -> String {
    value.as_slice().map_or_else(|| text(value), |items| items.iter().map(text).collect::<Vec<_>>().join(","))
}

/// Names of Python's `string` module, or the characters themselves; `,,` is a comma.
fn characters(wanted: &str) -> Vec<char> {
    let mut chars = Vec::new();
    if wanted.contains(",,") {
        chars.push(',');
    }
    for part in wanted.replace(",,", ",").split(',').filter(|part| !part.is_empty()) {
        match part {
            "ascii_letters" => chars.extend(LETTERS.chars()),
            "ascii_lowercase" => chars.extend('a'..='z'),
            "ascii_uppercase" => chars.extend('A'..='Z'),
            "digits" => chars.extend('0'..='9'),
            "hexdigits" => chars.extend("0123456789abcdefABCDEF".chars()),
            "punctuation" => chars.extend((33..127).map(|byte: u8| char::from(byte)).filter(char::is_ascii_punctuation)),
            other => chars.extend(other.chars()),
        }
    }
    chars.sort_unstable();
    chars.dedup();
    chars
}

fn one(wish: &Wish, env: &dyn Env) -> Result<Value, Fault> {
    let plain = match std::fs::read_to_string(&wish.path) {
        Ok(kept) if wish.path != Path::new("/dev/null") => kept.lines().next().unwrap_or_default().split(" salt=").next().unwrap_or_default().to_string(),
        _ => made(wish)?,
    };
    match &wish.encrypt {
        None => Ok(plain.into()),
        Some(scheme) => {
            let args = Arguments { positional: vec![scheme.trim_end_matches("_crypt").into()], named: Vec::new() };
            env.apply_filter("password_hash", plain.into(), args)
        }
    }
}

/// A new password; the file is private and written whole.
fn made(wish: &Wish) -> Result<String, Fault> {
    if wish.chars.is_empty() {
        return Err(Fault::error("password: there are no characters to choose from"));
    }
    crate::template::active::note("password()");
    let mut random = rand::rng();
    let plain: String = (0..wish.length).map(|_| wish.chars[random.random_range(0..wish.chars.len())]).collect();
    if wish.path == Path::new("/dev/null") {
        return Ok(plain);
    }
    let failed = |error: std::io::Error| Fault::error(format!("password: cannot write {}: {error}", wish.path.display()));
    if let Some(dir) = wish.path.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&wish.path).map_err(failed)?;
    writeln!(file, "{plain}").map_err(failed)?;
    Ok(plain)
}
