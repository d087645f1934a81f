//! Files of the controller, and URLs.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{defined, elements, given, str_argument, to_text};
use crate::template::filters::encode::split_url;
use crate::value::{Fault, Value, repr};

fn path_of(input: &Value, args: Arguments, function: &'static str) -> Result<std::sync::Arc<str>, Fault> {
    args.none(function)?;
    path(input, function)
}

fn path(input: &Value, function: &str) -> Result<std::sync::Arc<str>, Fault> {
    defined(input)?;
    match input {
        Value::Str(path) => Ok(path.clone()),
        other if function == "isabs" => Err(Fault::error(format!("expected str, bytes or os.PathLike object, not {}", other.type_name()))),
        other => Err(Fault::error(format!("{function}: path should be string, bytes, os.PathLike or integer, not {}", other.type_name()))),
    }
}

/// `directory`, `is_dir`.
///
/// # Errors
/// Not a path.
pub fn directory(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(Path::new(&*path_of(&input, args, "isdir")?).is_dir())
}

/// `file`, `is_file`.
///
/// # Errors
/// Not a path.
pub fn file(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(Path::new(&*path_of(&input, args, "isfile")?).is_file())
}

/// `link`, `is_link`.
///
/// # Errors
/// Not a path.
pub fn link(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(Path::new(&*path_of(&input, args, "islink")?).is_symlink())
}

/// `exists`.
///
/// # Errors
/// Not a path.
pub fn exists(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(Path::new(&*path_of(&input, args, "exists")?).exists())
}

/// `link_exists`.
///
/// # Errors
/// Not a path.
pub fn link_exists(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(std::fs::symlink_metadata(&*path_of(&input, args, "lexists")?).is_ok())
}

/// `abs`, `is_abs`.
///
/// # Errors
/// Not a path.
pub fn abs(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    Ok(path_of(&input, args, "isabs")?.starts_with('/'))
}

/// `mount`, `is_mount`: another device than its parent, or the root.
///
/// # Errors
/// Not a path.
pub fn mount(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    let path = path_of(&input, args, "ismount")?;
    let Ok(own) = std::fs::symlink_metadata(&*path) else { return Ok(false) };
    if own.is_symlink() {
        return Ok(false);
    }
    let parent = std::fs::metadata(Path::new(&*path).join(".."));
    Ok(parent.is_ok_and(|parent| parent.dev() != own.dev() || parent.ino() == own.ino()))
}

/// `same_file`, `is_same_file`.
///
/// # Errors
/// Not a path, or one that does not exist.
pub fn same_file(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    let [other] = args.bind(signature("samefile", 1, 1), ["f2"])?;
    let (a, b) = (path(&input, "samefile")?, path(&other.unwrap_or(Value::Null), "samefile")?);
    let stat = |path: &str| std::fs::metadata(path).map_err(|error| Fault::error(format!("{}: {}", os_error(&error), repr(&path.into()))));
    let (a, b) = (stat(&a)?, stat(&b)?);
    Ok(a.dev() == b.dev() && a.ino() == b.ino())
}

/// An error of the system as Python writes it.
fn os_error(error: &std::io::Error) -> String {
    let shown = error.to_string();
    let text = shown.split(" (os error").next().unwrap_or_default();
    error.raw_os_error().map_or_else(|| shown.clone(), |code| format!("[Errno {code}] {text}"))
}

/// `vaulted_file`.
///
/// # Errors
/// It cannot be read.
pub fn vaulted_file(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    use std::io::Read as _;
    let path = path_of(&input, args, "vaulted_file")?;
    let mut head = Vec::new();
    let read = std::fs::File::open(&*path).and_then(|file| file.take(15).read_to_end(&mut head));
    match read {
        Ok(_) => Ok(head.starts_with(b"$ANSIBLE_VAULT;")),
        Err(error) => Err(Fault::error(format!("Cannot test if the file {} is a vault: {}: b{}", repr(&input), os_error(&error), repr(&input)))),
    }
}

/// `vault_encrypted`: false for any text. What `!vault` marks is decrypted when it is read, so a value does not show that it was.
///
/// # Errors
/// The value is undefined.
pub fn vault_encrypted(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("vault_encrypted")?;
    defined(&input)?;
    Ok(false)
}

fn fits(input: &Value, args: Arguments, env: &dyn Env, function: &'static str) -> Result<bool, Fault> {
    let [schemes] = args.bind(signature(function, 1, 0), ["schemes"])?;
    let Ok(text) = str_argument(input, "") else { return Ok(false) };
    let Ok(url) = split_url(&text) else { return Ok(false) };
    let Some(schemes) = given(schemes).filter(Value::is_true) else { return Ok(true) };
    if let Value::Str(schemes) = &schemes {
        return Ok(schemes.contains(&url.scheme));
    }
    for scheme in elements(&schemes, env)? {
        if *to_text(&scheme)? == *url.scheme {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `uri`.
///
/// # Errors
/// Wrong arguments.
pub fn uri(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    fits(&input, args, env, "is_uri")
}

/// `url`.
///
/// # Errors
/// Wrong arguments.
pub fn url(input: Value, args: Arguments, env: &dyn Env) -> Result<bool, Fault> {
    let fits = fits(&input, args, env, "is_url")?;
    let url = input.as_str().and_then(|text| split_url(text).ok());
    Ok(fits && url.is_some_and(|url| !url.netloc.is_empty() || url.scheme == "file"))
}

/// `urn`.
///
/// # Errors
/// Wrong arguments.
pub fn urn(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("is_urn")?;
    Ok(input.as_str().and_then(|text| split_url(text).ok()).is_some_and(|url| url.scheme == "urn"))
}
