//! An SSH key of a user, made by ssh-keygen where there is none.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::accounts::User as Account;
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::Change;
use crate::context::Context;
use crate::outcome::Failure;
use crate::program::Program;

pub(super) fn ensure(args: &Args, cx: &mut Context<'_>, account: &Account) -> Result<Map<String, Value>, Failure> {
    let kind = args.text("ssh_key_type");
    let default = format!(".ssh/id_{kind}");
    let file = Path::new(&account.home).join(args.str("ssh_key_file").unwrap_or(&default));
    if cx.stat(&file)?.is_none() {
        make(args, cx, account, &file, kind)?;
    }
    let public = PathBuf::from(format!("{}.pub", file.display()));
    let mut fields = Map::new();
    fields.insert("ssh_key_file".into(), json!(file.to_string_lossy()));
    if cx.stat(&public)?.is_some() {
        let text = String::from_utf8_lossy(&cx.read(&public)?).trim().to_owned();
        fields.insert("ssh_public_key".into(), json!(text));
        let run = cx.probe(&Program::new([cx.require_program("ssh-keygen")?]).arg("-l").arg("-f").arg(&public))?;
        fields.insert("ssh_fingerprint".into(), json!(if run.ok() { run.out() } else { run.err() }.trim()));
    }
    Ok(fields)
}

fn make(args: &Args, cx: &mut Context<'_>, account: &Account, file: &Path, kind: &str) -> Result<(), Failure> {
    let program = cx.require_program("ssh-keygen")?;
    let owner = Attributes { uid: Some(account.uid), gid: Some(account.gid), ..Attributes::default() };
    if let Some(dir) = file.parent() {
        cx.apply(Change::Dir { path: dir.to_owned(), mode: Some(0o700), uid: owner.uid, gid: owner.gid })?;
        cx.set_attributes(dir, &owner, &mut AttributeDiff::default())?;
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let comment = args.str("ssh_key_comment").map_or_else(|| format!("ansible-generated on {}", host.trim()), str::to_owned);
    let mut program = Program::new([program]).args(["-t", kind, "-C", &comment, "-N", args.text("ssh_key_passphrase"), "-f"]).arg(file);
    if let Some(bits) = args.int("ssh_key_bits").filter(|bits| *bits > 0) {
        program = program.args(["-b".to_owned(), bits.to_string()]);
    }
    let runs = cx.perform(Change::Opaque { what: format!("ssh-keygen for {}", account.name), below: None }, &[program])?;
    if let Some(run) = runs.iter().find(|run| !run.ok()) {
        return Err(Failure::new(run.err()).with("rc", run.rc));
    }
    for path in [file.to_owned(), PathBuf::from(format!("{}.pub", file.display()))] {
        if !cx.check() {
            cx.set_attributes(&path, &owner, &mut AttributeDiff::default())?;
        }
    }
    Ok(())
}
