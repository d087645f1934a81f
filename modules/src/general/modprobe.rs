//! `modprobe`: modules of the kernel, now and at boot.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Preset, Spec};
use crate::write::Write;

const AT_BOOT: &str = "/etc/modules-load.d";
const PARAMETERS: &str = "/etc/modprobe.d";

/// The module.
pub struct Modprobe;

impl Module for Modprobe {
    const SPEC: Spec = Spec::new(
        "modprobe",
        "Loads and unloads modules of the kernel.",
        &[
            Arg::str("name", "Name of the module.").required(),
            Arg::str("state", "Whether it shall be loaded.").choices(&["absent", "present"]).default(Preset::Str("present")),
            Arg::str("params", "Its parameters.").default(Preset::Str("")),
            Arg::str("persistent", "Whether it shall be loaded at boot; `disabled` leaves that alone.")
                .choices(&["disabled", "present", "absent"])
                .default(Preset::Str("disabled")),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let modprobe = cx.require_program("modprobe")?;
        let (name, wanted) = (args.text("name"), args.text("state") == "present");
        if is_loaded(cx, name) != wanted {
            load(args, cx, Program::new([modprobe]), wanted)?;
        }
        match args.text("persistent") {
            "present" => at_boot(args, cx, name)?,
            "absent" => not_at_boot(cx, name)?,
            _ => {}
        }
        let outcome = cx.outcome().with("name", name).with("params", args.text("params"));
        Ok(outcome.with("state", args.text("state")))
    }
}

fn setting(name: &str) -> String {
    format!("kernel module {}", name.replace('-', "_"))
}

/// Loaded, built in, or predicted to be.
fn is_loaded(cx: &Context<'_>, name: &str) -> bool {
    if let Some(value) = cx.predicted_setting(&setting(name)) {
        return value.is_some();
    }
    let text = |path: &str| cx.read_text(Path::new(path)).map(|text| text.content).unwrap_or_default();
    let loaded = format!("{} ", name.replace('-', "_"));
    let release = text("/proc/sys/kernel/osrelease");
    let built_in = format!("/{name}.ko");
    text("/proc/modules").lines().any(|line| line.starts_with(&loaded))
        || text(&format!("/lib/modules/{}/modules.builtin", release.trim())).lines().any(|line| line.trim_end().ends_with(&built_in))
}

fn load(args: &Args, cx: &mut Context<'_>, modprobe: Program, wanted: bool) -> Result<(), Failure> {
    let name = args.text("name");
    let words = crate::shell_words::split(args.text("params")).map_err(Failure::new)?;
    let program = if wanted { modprobe.arg(name).args(words) } else { modprobe.args(["-r", name]) };
    let change = Change::Setting { name: setting(name), value: wanted.then(String::new) };
    let run = if cx.check() {
        let run = cx.probe(&program.arg("-n"))?;
        if run.ok() {
            cx.perform(change, &[])?;
        }
        run
    } else {
        cx.perform(change, &[program])?.into_iter().next().unwrap_or_default()
    };
    if run.ok() {
        return Ok(());
    }
    let failure = Failure::new(run.err()).with("rc", run.rc).with("stdout", run.out()).with("stderr", run.err());
    Err(failure.with("name", name).with("params", args.text("params")).with("state", args.text("state")))
}

fn files(cx: &Context<'_>, dir: &str) -> Result<Vec<(PathBuf, String)>, Failure> {
    let dir = Path::new(dir);
    if cx.stat(dir)?.is_none() {
        return Ok(vec![]);
    }
    let mut out = vec![];
    for name in cx.system().list(dir).map_err(Failure::from)? {
        let path = dir.join(name);
        if cx.stat(&path)?.is_some_and(|stat| stat.is_file()) {
            let text = cx.read_text(&path)?.content;
            out.push((path, text));
        }
    }
    Ok(out)
}

/// Whether what follows on a line is nothing or a comment.
fn is_rest(text: &str) -> bool {
    let text = text.trim_start_matches(' ');
    text.is_empty() || text.starts_with(['#', ';'])
}

fn names(line: &str, name: &str) -> bool {
    line.trim_start_matches(' ').strip_prefix(name).is_some_and(is_rest)
}

/// `key=value` of a line `options NAME key=value`.
fn parameter<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let rest = line.strip_prefix("options ")?.strip_prefix(name)?.strip_prefix(' ')?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (key, value) = rest[..end].split_once('=')?;
    let good = !key.is_empty() && !value.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
    (good && is_rest(&rest[end..])).then_some(&rest[..end])
}

fn is_at_boot(cx: &Context<'_>, name: &str) -> Result<bool, Failure> {
    Ok(files(cx, AT_BOOT)?.iter().any(|(_, text)| text.lines().any(|line| names(line, name))))
}

fn parameters_at_boot(cx: &Context<'_>, name: &str) -> Result<BTreeSet<String>, Failure> {
    let files = files(cx, PARAMETERS)?;
    Ok(files.iter().flat_map(|(_, text)| text.lines()).filter_map(|line| parameter(line, name)).map(str::to_owned).collect())
}

fn at_boot(args: &Args, cx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
    if !is_at_boot(cx, name)? {
        write(cx, &Path::new(AT_BOOT).join(format!("{name}.conf")), format!("{name}\n"))?;
    }
    let wanted: Vec<&str> = args.text("params").split_whitespace().collect();
    if wanted.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>() != parameters_at_boot(cx, name)? {
        comment_out(cx, PARAMETERS, |line| parameter(line, name).is_some())?;
        let text: String = wanted.iter().map(|word| format!("options {name} {word}\n")).collect();
        write(cx, &Path::new(PARAMETERS).join(format!("{name}.conf")), if text.is_empty() { "\n".into() } else { text })?;
    }
    Ok(())
}

fn not_at_boot(cx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
    comment_out(cx, AT_BOOT, |line| names(line, name))?;
    comment_out(cx, PARAMETERS, |line| parameter(line, name).is_some())
}

fn comment_out(cx: &mut Context<'_>, dir: &str, hit: impl Fn(&str) -> bool) -> Result<(), Failure> {
    for (path, text) in files(cx, dir)? {
        if text.lines().any(&hit) {
            let lines = text.split_inclusive('\n').map(|line| if hit(line.trim_end_matches('\n')) { format!("#{line}") } else { line.to_owned() });
            write(cx, &path, lines.collect())?;
        }
    }
    Ok(())
}

fn write(cx: &mut Context<'_>, path: &Path, text: String) -> Result<(), Failure> {
    let content = Content::Bytes(text.into_bytes());
    if let Some(diff) = cx.content_diff(path, &content, &path.to_string_lossy())? {
        cx.add_diff(diff);
    }
    cx.write(Write { path, content, attributes: &Attributes::default(), backup: false, validate: None }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_folders_are_read() {
        assert!(names("  br_netfilter # why", "br_netfilter"));
        assert!(!names("br_netfilter2", "br_netfilter"));
        assert_eq!(parameter("options a x=1  # why", "a"), Some("x=1"));
        for other in ["options ab x=1", "options a x", "#options a x=1", "options a x=1 y=2"] {
            assert_eq!(parameter(other, "a"), None, "{other}");
        }
    }
}
