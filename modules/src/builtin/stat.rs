//! `stat`: what a path names.

use std::path::Path;

use rustix::fs::{Access, access};
use serde_json::{Map, Value, json};

use super::file_times::seconds;
use crate::args::Args;
use crate::attributes::octal;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Preset, Spec};
use crate::system::{FileKind, Stat as Status};

/// The module.
pub struct Stat;

impl Module for Stat {
    const SPEC: Spec = Spec::new(
        "stat",
        "Says what a path names.",
        &[
            Arg::path("path", "The path.").alias(&["dest", "name"]).required(),
            Arg::flag("follow", false, "Look at what a link points to."),
            Arg::flag("get_checksum", true, "Compute the checksum of a file."),
            Arg::flag("get_mime", true, "Ask the program `file` for its type, where there is one.").alias(&["mime", "mime_type", "mime-type"]),
            Arg::flag("get_attributes", true, "List the attributes of lsattr, where there is one.").alias(&["attr", "attributes"]),
            Arg::str("checksum_algorithm", "Algorithm of the checksum.")
                .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
                .default(Preset::Str("sha1"))
                .alias(&["checksum", "checksum_algo"]),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let path = Path::new(args.text("path"));
        let found = if args.flag("follow") { cx.stat(path)? } else { cx.lstat(path)? };
        let Some(stat) = found else {
            return Ok(Outcome::new(false).with("stat", json!({"exists": false})));
        };
        let mut out = describe(args.text("path"), &stat);
        resolve(cx, path, &stat, &mut out);
        if stat.is_file() && args.flag("get_checksum") && out["readable"] == json!(true) {
            out.insert("checksum".into(), json!(cx.digest(path, args.text("checksum_algorithm"))?));
        }
        if args.flag("get_mime") {
            mime(cx, path, &mut out)?;
        }
        if args.flag("get_attributes") {
            attributes(cx, path, &mut out)?;
        }
        Ok(Outcome::new(false).with("stat", Value::Object(out)))
    }
}

pub(super) fn describe(path: &str, stat: &Status) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    put("exists", json!(true));
    put("path", json!(path));
    put("mode", json!(octal(stat.mode)));
    for (key, kind) in [
        ("isdir", FileKind::Dir),
        ("ischr", FileKind::Char),
        ("isblk", FileKind::Block),
        ("isreg", FileKind::File),
        ("isfifo", FileKind::Fifo),
        ("islnk", FileKind::Link),
        ("issock", FileKind::Socket),
    ] {
        put(key, json!(stat.kind == kind));
    }
    for (key, number) in [
        ("uid", u64::from(stat.uid)),
        ("gid", u64::from(stat.gid)),
        ("size", stat.size),
        ("inode", stat.inode),
        ("dev", stat.dev),
        ("nlink", stat.nlink),
        ("blocks", stat.blocks),
        ("block_size", stat.block_size),
        ("device_type", stat.rdev),
    ] {
        put(key, json!(number));
    }
    for (key, time) in [("atime", stat.atime), ("mtime", stat.mtime), ("ctime", stat.ctime)] {
        put(key, json!(seconds(time)));
    }
    for (key, bit) in [
        ("wusr", 0o200),
        ("rusr", 0o400),
        ("xusr", 0o100),
        ("wgrp", 0o020),
        ("rgrp", 0o040),
        ("xgrp", 0o010),
        ("woth", 0o002),
        ("roth", 0o004),
        ("xoth", 0o001),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        put(key, json!(stat.mode & bit != 0));
    }
    out
}

fn resolve(cx: &Context<'_>, path: &Path, stat: &Status, out: &mut Map<String, Value>) {
    let root = rustix::process::geteuid().is_root();
    // what exists only in check mode's overlay is judged by its bits
    let there = |how: Access, bit: u32| access(path, how).is_ok() || std::fs::symlink_metadata(path).is_err() && (root || stat.mode & bit != 0);
    out.insert("readable".into(), json!(there(Access::READ_OK, 0o444)));
    out.insert("writeable".into(), json!(there(Access::WRITE_OK, 0o222)));
    out.insert("executable".into(), json!(access(path, Access::EXEC_OK).is_ok()));
    if let Ok(target) = cx.system().read_link(path)
        && stat.is_link()
    {
        out.insert("lnk_source".into(), json!(cx.real_path(path).to_string_lossy()));
        out.insert("lnk_target".into(), json!(target.to_string_lossy()));
    }
    if let Some(user) = cx.user_by_id(stat.uid) {
        out.insert("pw_name".into(), json!(user.name));
    }
    if let Some(group) = cx.group_by_id(stat.gid) {
        out.insert("gr_name".into(), json!(group.name));
    }
}

fn mime(cx: &Context<'_>, path: &Path, out: &mut Map<String, Value>) -> Result<(), Failure> {
    out.insert("mimetype".into(), json!("unknown"));
    out.insert("charset".into(), json!("unknown"));
    let Some(file) = cx.find_program("file") else { return Ok(()) };
    let run = cx.probe(&Program::new([file]).args(["--mime-type", "--mime-encoding"]).arg(path))?;
    let text = run.out();
    if let Some((_, description)) = text.rsplit_once(':')
        && let Some((kind, charset)) = description.split_once(';')
    {
        out.insert("mimetype".into(), json!(kind.trim()));
        out.insert("charset".into(), json!(charset.split_once('=').map_or("", |(_, charset)| charset.trim())));
    }
    Ok(())
}

const FLAG_NAMES: &[(char, &str)] = &[
    ('A', "noatime"),
    ('a', "append"),
    ('c', "compressed"),
    ('C', "nocow"),
    ('d', "nodump"),
    ('D', "dirsync"),
    ('e', "extents"),
    ('E', "encrypted"),
    ('h', "blocksize"),
    ('i', "immutable"),
    ('I', "indexed"),
    ('j', "journalled"),
    ('N', "inline"),
    ('s', "zero"),
    ('S', "synchronous"),
    ('t', "notail"),
    ('T', "blockroot"),
    ('u', "undelete"),
    ('X', "compressedraw"),
    ('Z', "compresseddirty"),
];

fn attributes(cx: &Context<'_>, path: &Path, out: &mut Map<String, Value>) -> Result<(), Failure> {
    out.insert("version".into(), Value::Null);
    out.insert("attributes".into(), json!([]));
    out.insert("attr_flags".into(), json!(""));
    let Some(lsattr) = cx.find_program("lsattr") else { return Ok(()) };
    let run = cx.probe(&Program::new([lsattr]).args(["-vd"]).arg(path))?;
    let text = run.out();
    let mut words = text.split_whitespace();
    if let (true, Some(version), Some(flags)) = (run.ok(), words.next(), words.next()) {
        let flags = flags.replace('-', "");
        let names: Vec<&str> = flags.chars().filter_map(|c| FLAG_NAMES.iter().find(|(flag, _)| *flag == c).map(|(_, name)| *name)).collect();
        out.insert("version".into(), json!(version));
        out.insert("attributes".into(), json!(names));
        out.insert("attr_flags".into(), json!(flags));
    }
    Ok(())
}
