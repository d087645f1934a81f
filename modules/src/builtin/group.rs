//! `group`: groups of the machine, by groupadd, groupmod and groupdel, or busybox's addgroup and delgroup.

use serde_json::json;

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Preset, RequiredIf, Spec};

/// The module.
pub struct Group;

impl Module for Group {
    const SPEC: Spec = Spec {
        required_if: &[RequiredIf { argument: "non_unique", value: "true", needs: &["gid"], any: false }],
        ..Spec::new(
            "group",
            "Makes, alters and removes groups.",
            &[
                Arg::str("state", "Whether the group shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
                Arg::str("name", "Name of the group.").required(),
                Arg::flag("force", false, "Remove a group that is the primary group of a user."),
                Arg::int("gid", "Number of the group."),
                Arg::flag("system", false, "Take a number of the system's range."),
                Arg::flag("local", false, "Use the programs of libuser (`lgroupadd`...) where names come from elsewhere."),
                Arg::flag("non_unique", false, "Allow a number that is used already."),
                Arg::int("gid_min", "Smallest number to take."),
                Arg::int("gid_max", "Largest number to take."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let name = args.text("name").to_owned();
        let now = cx.group(&name);
        if args.text("state") == "absent" {
            if now.is_some() {
                remove(args, cx, &name)?;
            }
            return Ok(cx.outcome().with("name", name).with("state", "absent"));
        }
        let gid = args.int("gid").and_then(|gid| u32::try_from(gid).ok());
        match &now {
            None => add(args, cx, &name, gid)?,
            Some(group) if gid.is_some_and(|gid| gid != group.gid) => modify(args, cx, &name, gid.unwrap_or(group.gid))?,
            Some(_) => {}
        }
        let gid = cx.group(&name).map(|group| group.gid);
        Ok(cx.outcome().with("name", name).with("state", "present").with("system", args.flag("system")).with("gid", json!(gid)))
    }
}

/// The program, from libuser when `local` is asked for.
fn program(args: &Args, cx: &Context<'_>, name: &str) -> Result<Program, Failure> {
    let name = if args.flag("local") { format!("l{name}") } else { name.to_owned() };
    Ok(Program::new([cx.require_program(&name)?]))
}

fn add(args: &Args, cx: &mut Context<'_>, name: &str, gid: Option<u32>) -> Result<(), Failure> {
    let busybox = !args.flag("local") && cx.find_program("groupadd").is_none() && cx.find_program("addgroup").is_some();
    let mut program = if busybox { Program::new([cx.require_program("addgroup")?]) } else { program(args, cx, "groupadd")? };
    if let Some(gid) = gid {
        program = program.args(["-g".to_owned(), gid.to_string()]);
    }
    if args.flag("system") {
        program = program.arg(if busybox { "-S" } else { "-r" });
    }
    if args.flag("non_unique") {
        program = program.arg("-o");
    }
    for (key, name) in [("gid_min", "GID_MIN"), ("gid_max", "GID_MAX")] {
        if let Some(n) = args.int(key) {
            program = program.args(["-K".to_owned(), format!("{name}={n}")]);
        }
    }
    perform(cx, Change::Group { name: name.to_owned(), present: true, gid }, program.arg(name), name)
}

fn modify(args: &Args, cx: &mut Context<'_>, name: &str, gid: u32) -> Result<(), Failure> {
    let mut program = program(args, cx, "groupmod")?.args(["-g".to_owned(), gid.to_string()]);
    if args.flag("non_unique") {
        program = program.arg("-o");
    }
    perform(cx, Change::Group { name: name.to_owned(), present: true, gid: Some(gid) }, program.arg(name), name)
}

fn remove(args: &Args, cx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
    let busybox = !args.flag("local") && cx.find_program("groupdel").is_none() && cx.find_program("delgroup").is_some();
    let mut program = if busybox { Program::new([cx.require_program("delgroup")?]) } else { program(args, cx, "groupdel")? };
    if args.flag("force") && !busybox {
        program = program.arg("-f");
    }
    perform(cx, Change::Group { name: name.to_owned(), present: false, gid: None }, program.arg(name), name)
}

fn perform(cx: &mut Context<'_>, change: Change, program: Program, name: &str) -> Result<(), Failure> {
    match cx.perform(change, &[program])?.into_iter().find(|run| !run.ok()) {
        Some(run) => Err(Failure::new(run.err()).with("name", name).with("rc", run.rc)),
        None => Ok(()),
    }
}
