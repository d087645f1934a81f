//! `cron`: jobs and variables of a user's crontab, or of a file in `/etc/cron.d`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Preset, Spec};
use crate::write::Write;

const MARK: &str = "#Ansible: ";

/// The module.
pub struct Cron;

impl Module for Cron {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["insertafter", "insertbefore"]],
        ..Spec::new(
            "cron",
            "Manages jobs and variables of cron.",
            &[
                Arg::str("name", "Name of the job, which stands in a comment above it, or of the variable.").required(),
                Arg::str("user", "Whose crontab; in a file, who runs the job."),
                Arg::str("job", "The command, or the variable's value.").alias(&["value"]),
                Arg::path("cron_file", "A file of `/etc/cron.d`, or an absolute path, instead of a crontab."),
                Arg::str("state", "Whether it shall be there.").choices(&["present", "absent"]).default(Preset::Str("present")),
                Arg::flag("backup", false, "Keep the crontab from before in a file."),
                Arg::str("minute", "Minute.").default(Preset::Str("*")),
                Arg::str("hour", "Hour.").default(Preset::Str("*")),
                Arg::str("day", "Day of the month.").alias(&["dom"]).default(Preset::Str("*")),
                Arg::str("month", "Month.").default(Preset::Str("*")),
                Arg::str("weekday", "Day of the week.").alias(&["dow"]).default(Preset::Str("*")),
                Arg::str("special_time", "A word instead of the times.").choices(&["reboot", "yearly", "annually", "monthly", "weekly", "daily", "hourly"]),
                Arg::flag("disabled", false, "Write the job as a comment."),
                Arg::flag("env", false, "It is a variable."),
                Arg::str("insertafter", "Variable after which a new one goes."),
                Arg::str("insertbefore", "Variable before which a new one goes."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let place = Place::new(args, cx)?;
        check(args)?;
        let before = place.read(cx)?;
        let mut table = Table { lines: before.lines().map(str::to_owned).collect() };
        let (name, present) = (args.text("name"), args.text("state") == "present");
        let mut changed = if args.flag("env") {
            variable(args, &mut table, name, present)?
        } else if present {
            let line = job_line(args, cx, matches!(place, Place::File(_)));
            table.set_job(name, &line)
        } else {
            table.remove_job(name)
        };
        if let (Place::File(path), true, true) = (&place, changed, !present && !args.flag("env") && table.is_empty()) {
            let diff = diff(cx, &place, &before, "", "/dev/null");
            let changed = cx.apply(Change::Remove { path: path.clone() })?;
            return Ok(Outcome::new(changed).with("cron_file", args.text("cron_file")).with("state", "absent").with("diff", diff));
        }
        // a file without an end of line is repaired
        changed |= !before.is_empty() && !before.ends_with(['\n', '\r']);
        let mut outcome = Outcome::new(changed).with("jobs", table.jobs()).with("envs", table.variables());
        if changed {
            if args.flag("backup") && !cx.check() {
                outcome = outcome.with("backup_file", keep(cx, &before)?);
            }
            let after = table.text();
            if cx.wants_diff() {
                outcome = outcome.with("diff", diff(cx, &place, &before, &after, &place.shown()));
            }
            place.write(cx, after)?;
        }
        Ok(outcome.maybe("cron_file", args.str("cron_file")))
    }
}

fn check(args: &Args) -> Result<(), Failure> {
    let times = ["minute", "hour", "day", "month", "weekday"];
    if args.has("special_time") && times.iter().any(|name| args.text(name) != "*") {
        return Err("You cannot combine special_time with any of the time or day/date parameters.".into());
    }
    if args.text("state") != "present" {
        return Ok(());
    }
    if args.has("cron_file") && !args.has("user") {
        return Err("To use cron_file=... parameter you must specify user=... as well".into());
    }
    if !args.has("job") {
        return Err("You must specify 'job' to install a new cron job or variable".into());
    }
    if (args.has("insertafter") || args.has("insertbefore")) && !args.flag("env") {
        return Err("Insertafter and insertbefore parameters are valid only with env=yes".into());
    }
    Ok(())
}

/// A file, or a user's crontab, which only the program `crontab` may touch.
enum Place {
    File(PathBuf),
    Crontab { program: Program, user: Option<String>, spool: PathBuf },
}

impl Place {
    fn new(args: &Args, cx: &mut Context<'_>) -> Result<Place, Failure> {
        let user = args.str("user").map(str::to_owned);
        let own = cx.user_by_id(rustix::process::geteuid().as_raw()).map(|user| user.name).unwrap_or_default();
        let Some(file) = args.str("cron_file") else {
            let mut program = Program::new([cx.require_program("crontab")?]);
            if let Some(user) = user.as_ref().filter(|user| **user != own) {
                program = program.args(["-u", user]);
            }
            let spool = Path::new("/var/spool/cron/crontabs").join(user.as_deref().unwrap_or(&own));
            return Ok(Place::Crontab { program, user, spool });
        };
        if file == "/etc/crontab" {
            return Err("Will not manage /etc/crontab via cron_file, see documentation.".into());
        }
        let name = file.rsplit('/').next().unwrap_or_default();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            let rule = "solely of upper- and lower-case letters, digits, underscores, and hyphens";
            cx.warn(format!("Filename portion of cron_file (\"{name}\") should consist {rule}"));
        }
        Ok(Place::File(Path::new("/etc/cron.d").join(file)))
    }

    fn read(&self, cx: &Context<'_>) -> Result<String, Failure> {
        match self {
            Place::File(path) => Ok(cx.stat(path)?.map(|_| cx.read_text(path)).transpose()?.map_or_else(String::new, |text| text.content)),
            // check mode keeps what a task would have written here
            Place::Crontab { spool, .. } if cx.predicted_setting(&setting(spool)).is_some() => {
                Ok(cx.predicted_setting(&setting(spool)).flatten().unwrap_or_default())
            }
            Place::Crontab { program, .. } => {
                let run = cx.probe(&program.clone().arg("-l"))?;
                // 1: there is none yet
                if run.rc > 1 {
                    return Err(Failure::new("Unable to read crontab").with("rc", run.rc).with("stderr", run.err()));
                }
                Ok(without_head(&run.out()))
            }
        }
    }

    fn write(&self, cx: &mut Context<'_>, text: String) -> Result<(), Failure> {
        match self {
            Place::File(path) => {
                let attributes = Attributes::default();
                cx.write(Write { path, content: Content::Bytes(text.into_bytes()), attributes: &attributes, backup: false, validate: None }).map(drop)
            }
            Place::Crontab { program, spool, .. } => {
                let install = program.clone().arg("-").stdin(text.clone());
                let change = Change::Setting { name: setting(spool), value: Some(text) };
                match cx.perform(change, &[install])?.iter().find(|run| !run.ok()) {
                    Some(run) => Err(Failure::new("Failed to install new cronfile").with("stderr", run.err()).with("stdout", run.out()).with("rc", run.rc)),
                    None => Ok(()),
                }
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Place::File(path) => path.to_string_lossy().into_owned(),
            Place::Crontab { user: Some(user), .. } => format!("crontab for user \"{user}\""),
            Place::Crontab { .. } => "crontab".into(),
        }
    }
}

fn setting(spool: &Path) -> String {
    format!("crontab {}", spool.display())
}

/// What `crontab` itself writes above a crontab is not the user's.
fn without_head(text: &str) -> String {
    let is_head = |line: &str| {
        line.starts_with("# DO NOT EDIT THIS FILE - edit the master and reinstall.")
            || line.starts_with("# (/tmp/") && line.contains("installed on")
            || line.starts_with("# (") && line.contains("version")
    };
    text.split_inclusive('\n').enumerate().filter(|(at, line)| *at > 2 || !is_head(line)).map(|(_, line)| line).collect()
}

fn keep(cx: &mut Context<'_>, before: &str) -> Result<String, Failure> {
    let path = PathBuf::from(format!("/tmp/crontab{}.{}", std::process::id(), chrono::Local::now().format("%Y%m%d%H%M%S")));
    let content = Content::Bytes(before.as_bytes().to_vec());
    cx.apply(Change::File { path: path.clone(), content, mode: Some(0o600), uid: None, gid: None })?;
    Ok(path.to_string_lossy().into_owned())
}

fn diff(cx: &Context<'_>, place: &Place, before: &str, after: &str, header: &str) -> Value {
    if cx.wants_diff() { json!({"before": before, "after": after, "before_header": place.shown(), "after_header": header}) } else { json!({}) }
}

fn job_line(args: &Args, cx: &mut Context<'_>, in_file: bool) -> String {
    let job = args.text("job").trim_matches(['\r', '\n']);
    if job.contains(['\r', '\n']) {
        cx.warn("Job should not contain line breaks");
    }
    let off = if args.flag("disabled") { "#" } else { "" };
    let user = if in_file { format!("{} ", args.text("user")) } else { String::new() };
    if let Some(special) = args.str("special_time") {
        return format!("{off}@{special} {user}{job}");
    }
    let times: Vec<&str> = ["minute", "hour", "day", "month", "weekday"].iter().map(|name| args.text(name)).collect();
    format!("{off}{} {user}{job}", times.join(" "))
}

fn variable(args: &Args, table: &mut Table, name: &str, present: bool) -> Result<bool, Failure> {
    if name.contains(' ') {
        return Err("Invalid name for environment variable".into());
    }
    let line = format!("{name}=\"{}\"", args.text("job"));
    let now = table.variable(name);
    match (present, now) {
        (true, Some(at)) if table.lines[at] == line => Ok(false),
        (true, Some(_)) => {
            let mine = format!("{name}=");
            table.lines.iter_mut().filter(|have| have.starts_with(&mine)).for_each(|have| have.clone_from(&line));
            Ok(true)
        }
        (true, None) => {
            let near = args.str("insertafter").map(|other| (other, 1)).or(args.str("insertbefore").map(|other| (other, 0)));
            let at = match near {
                None => 0,
                Some((other, offset)) => table.variable(other).ok_or_else(|| Failure::new(format!("Variable named '{other}' not found.")))? + offset,
            };
            table.lines.insert(at, line);
            Ok(true)
        }
        (false, Some(_)) => {
            let mine = format!("{name}=");
            table.lines.retain(|have| !have.starts_with(&mine));
            Ok(true)
        }
        (false, None) => Ok(false),
    }
}

/// The lines of a crontab.
struct Table {
    lines: Vec<String>,
}

impl Table {
    fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.trim().is_empty())
    }

    fn text(&self) -> String {
        let text = self.lines.join("\n");
        if text.is_empty() { text } else { format!("{}\n", text.trim_end_matches(['\r', '\n'])) }
    }

    fn jobs(&self) -> Vec<Value> {
        self.lines.iter().filter_map(|line| line.strip_prefix(MARK)).map(|name| json!(name)).collect()
    }

    fn variables(&self) -> Vec<Value> {
        let named =
            |line: &String| line.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace)).map(|(name, _)| json!(name));
        self.lines.iter().filter_map(named).collect()
    }

    fn variable(&self, name: &str) -> Option<usize> {
        let mine = format!("{name}=");
        self.lines.iter().position(|line| line.starts_with(&mine))
    }

    /// Where the job below the comment of that name is; a comment without a job has none.
    fn job(&self, name: &str) -> Option<usize> {
        let mut at = 0;
        while at < self.lines.len() {
            match self.lines[at].strip_prefix(MARK) {
                Some(have) if have == name => return (at + 1 < self.lines.len()).then_some(at + 1),
                // what follows a comment of ours is its job, whatever it looks like
                Some(_) => at += 2,
                None => at += 1,
            }
        }
        None
    }

    fn set_job(&mut self, name: &str, line: &str) -> bool {
        let comment = format!("{MARK}{name}");
        if let Some(at) = self.job(name) {
            let same = self.lines[at] == line;
            return !same && self.replace(&comment, Some(line));
        }
        // the same job without a comment, or with one that names nothing, gets its name
        if let Some(at) = self.lines.iter().position(|have| have == line) {
            let above = at.checked_sub(1).map(|above| self.lines[above].clone()).unwrap_or_default();
            if !above.starts_with(MARK) {
                self.lines.insert(at, comment);
                return true;
            }
            if above == format!("{MARK}None") {
                self.lines[at - 1] = comment;
                return true;
            }
        }
        self.lines.extend([comment, line.to_owned()]);
        true
    }

    fn remove_job(&mut self, name: &str) -> bool {
        self.job(name).is_some() && self.replace(&format!("{MARK}{name}"), None)
    }

    /// Every comment of that name with the line below it.
    fn replace(&mut self, comment: &str, line: Option<&str>) -> bool {
        let mut out = vec![];
        let mut lines = std::mem::take(&mut self.lines).into_iter();
        while let Some(have) = lines.next() {
            if have == comment {
                lines.next();
                out.extend(line.into_iter().flat_map(|line| [comment.to_owned(), line.to_owned()]));
            } else {
                out.push(have);
            }
        }
        self.lines = out;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table { lines: text.lines().map(str::to_owned).collect() }
    }

    #[test]
    fn jobs_are_found_by_their_comments() {
        let mut jobs = table("A=1\n#Ansible: a\n* * * * * a\n* * * * * b\n");
        assert!(!jobs.set_job("a", "* * * * * a"));
        assert!(jobs.set_job("a", "1 * * * * a"));
        assert!(jobs.set_job("b", "* * * * * b"));
        assert_eq!(jobs.text(), "A=1\n#Ansible: a\n1 * * * * a\n#Ansible: b\n* * * * * b\n");
        assert!(jobs.remove_job("a") && !jobs.remove_job("a"));
        assert_eq!(jobs.jobs(), [json!("b")]);
        assert_eq!(jobs.variables(), [json!("A")]);
    }

    #[test]
    fn the_head_of_a_crontab_is_not_its_content() {
        let head = "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# (/tmp/x installed on Mon)\n# (Cron version -- $Id)\n";
        assert_eq!(without_head(&format!("{head}* * * * * a\n")), "* * * * * a\n");
    }
}
