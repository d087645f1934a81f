//! `deb822_repository`: one file of apt's sources in the form of paragraphs, with its key.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::coerce;
use crate::context::Context;
use crate::http;
use crate::list::Module;
use crate::mode::Mode;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};
use crate::write::Write;

const SOURCES: &str = "/etc/apt/sources.list.d";
/// What a key in text form begins with.
const ARMOR: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
const KEYRINGS: &str = "/etc/apt/keyrings";

/// The module.
pub struct Deb822Repository;

impl Module for Deb822Repository {
    const SPEC: Spec = Spec::new(
        "deb822_repository",
        "Adds and removes repositories of apt in the deb822 form.",
        &[
            Arg::bool("allow_downgrade_to_insecure", "Accept that a signed repository is no longer signed."),
            Arg::bool("allow_insecure", "Accept a repository that nobody signed."),
            Arg::bool("allow_weak", "Accept weak digests."),
            Arg::list("architectures", Kind::Str, "Architectures to fetch."),
            Arg::bool("by_hash", "Fetch indexes by their digests."),
            Arg::bool("check_date", "Refuse a repository from the future."),
            Arg::bool("check_valid_until", "Refuse a repository that is out of date."),
            Arg::list("components", Kind::Str, "Components, such as `main`."),
            Arg::int("date_max_future", "Seconds that a repository may be from the future."),
            Arg::bool("enabled", "Whether apt uses it."),
            Arg::str("inrelease_path", "Path of the InRelease file."),
            Arg::list("languages", Kind::Str, "Languages of descriptions."),
            Arg::str("name", "Name of the repository; its file is called so.").required(),
            Arg::bool("pdiffs", "Fetch differences of indexes."),
            Arg::str("signed_by", "The key: a URL, a file of the host, its text or its fingerprint."),
            Arg::list("suites", Kind::Str, "Suites, such as `stable`, or a path that ends in `/`."),
            Arg::list("targets", Kind::Str, "Which indexes to fetch."),
            Arg::bool("trusted", "Take the repository for signed, or for unsigned, without looking."),
            Arg::list("types", Kind::Str, "`deb`, `deb-src` or both.").choices(&["deb", "deb-src"]).default(Preset::List(&["deb"])),
            Arg::list("uris", Kind::Str, "Where the repository is."),
            Arg::raw("mode", "Permissions of the file.").default(Preset::Str("0644")),
            Arg::str("state", "Whether it shall be there.").choices(&["present", "absent"]).default(Preset::Str("present")),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let slug = slug(args.text("name"));
        let dest = PathBuf::from(format!("{SOURCES}/{slug}.sources"));
        if args.text("state") == "absent" {
            for path in [dest.clone(), key_path(&slug, "asc"), key_path(&slug, "gpg")] {
                cx.apply(Change::Remove { path })?;
            }
            let key = key_path(&slug, "gpg");
            return Ok(cx.outcome().with("repo", Value::Null).with("dest", shown(&dest)).with("key_filename", shown(&key)));
        }
        let (signed_by, key_file) = match args.str("signed_by") {
            Some(given) => signed_by(args, cx, given, &slug)?,
            None => (None, None),
        };
        let repo = paragraph(args, signed_by.as_deref());
        let attributes = Attributes::from_args(&only_mode(args), cx)?;
        let content = Content::Bytes(repo.clone().into_bytes());
        if let Some(diff) = cx.content_diff(&dest, &content, &shown(&dest))? {
            cx.add_diff(diff);
        }
        cx.write(Write { path: &dest, content, attributes: &attributes, backup: false, validate: None })?;
        Ok(cx.outcome().with("repo", repo).with("dest", shown(&dest)).with("key_filename", json!(key_file)))
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn only_mode(args: &Args) -> Args {
    Args(args.0.iter().filter(|(key, _)| *key == "mode").map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The name of the files.
fn slug(name: &str) -> String {
    let mut out = String::new();
    let mut space = false;
    for c in name.to_lowercase().chars() {
        if c == '_' || c.is_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            out.push('-');
        }
        out.push(c);
    }
    if space {
        out.push('-');
    }
    out.retain(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    out
}

fn key_path(slug: &str, ending: &str) -> PathBuf {
    PathBuf::from(format!("{KEYRINGS}/{slug}.{ending}"))
}

/// What stands in `Signed-By`, and the key's file where one is kept.
fn signed_by(args: &Args, cx: &mut Context<'_>, given: &str, slug: &str) -> Result<(Option<String>, Option<String>), Failure> {
    if !given.contains('\n') && cx.stat(Path::new(given)).is_ok_and(|stat| stat.is_some_and(|stat| stat.is_file())) {
        return Ok((Some(given.to_owned()), Some(given.to_owned())));
    }
    if !["http://", "https://"].iter().any(|scheme| given.starts_with(scheme)) {
        return Ok((Some(given.to_owned()), None));
    }
    let bytes = http::fetch(args, cx, given).map_err(|failure| Failure { msg: format!("Could not fetch signed_by key: {}", failure.msg), ..failure })?;
    let armored = bytes.windows(ARMOR.len()).any(|window| window == ARMOR);
    let path = key_path(slug, if armored { "asc" } else { "gpg" });
    let attributes = |mode| Attributes { mode: Some(Mode::Bits(mode)), ..Attributes::default() };
    if cx.stat(Path::new(KEYRINGS))?.is_none() {
        cx.apply(Change::Dir { path: KEYRINGS.into(), mode: Some(0o755), uid: None, gid: None })?;
    }
    cx.write(Write { path: &path, content: Content::Bytes(bytes), attributes: &attributes(0o644), backup: false, validate: None })?;
    Ok((Some(shown(&path)), Some(shown(&path))))
}

/// The file: one field for each argument, by the alphabet.
fn paragraph(args: &Args, signed_by: Option<&str>) -> String {
    let mut keys: Vec<&String> = args.0.keys().filter(|key| !["mode", "state"].contains(&key.as_str())).collect();
    keys.sort();
    let mut out = String::new();
    for key in keys {
        let Some(value) = args.get(key) else { continue };
        let value = match value {
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Array(items) => items.iter().map(coerce::text).collect::<Vec<_>>().join(" "),
            _ if key == "signed_by" => signed_by.unwrap_or_default().to_owned(),
            other => coerce::text(other),
        };
        let value = if value.contains('\n') { indented(&value) } else { value };
        let space = if value.is_empty() || value.starts_with('\n') { "" } else { " " };
        out.push_str(&format!("{}:{space}{value}\n", field(key)));
    }
    out
}

fn indented(text: &str) -> String {
    let dotted = |line: &str| if line.trim().is_empty() { "\n    .".to_owned() } else { format!("\n    {}", line.trim()) };
    text.trim().lines().map(dotted).collect()
}

fn field(key: &str) -> String {
    match key {
        "name" => "X-Repolib-Name".into(),
        "uris" => "URIs".into(),
        other => {
            let words =
                other.split('_').map(|word| word.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c }).collect::<String>());
            words.collect::<Vec<_>>().join("-")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_slugs() {
        assert_eq!(field("allow_downgrade_to_insecure"), "Allow-Downgrade-To-Insecure");
        assert_eq!(field("inrelease_path"), "Inrelease-Path");
        assert_eq!(slug("My  Repo_1 (x)"), "my-repo-1-x");
        assert_eq!(indented("-----A\n\n b\n"), "\n    -----A\n    .\n    b");
    }
}
