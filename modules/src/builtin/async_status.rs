//! `async_status`: asks about a detached job, or removes its file.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::coerce::expand;
use crate::context::Context;
use crate::job::DEFAULT_DIR;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct AsyncStatus;

impl Module for AsyncStatus {
    const SPEC: Spec = Spec::new(
        "async_status",
        "Asks about a detached job, or removes its file.",
        &[
            Arg::str("jid", "Id of the job.").required(),
            Arg::str("mode", "`status` asks, `cleanup` removes the job's file.").choices(&["cleanup", "status"]).default(Preset::Str("status")),
            Arg::path("_async_dir", "Directory of job files."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let jid = args.text("jid");
        let dir = args.str("_async_dir").map_or_else(|| expand(DEFAULT_DIR, cx), str::to_owned);
        let file = PathBuf::from(dir).join(jid);
        let shown = file.to_string_lossy().into_owned();
        if jid.contains('/') || cx.lstat(&file)?.is_none() {
            let failure = Failure::new("could not find job").with("ansible_job_id", jid);
            let failure = failure.with("results_file", shown).with("stdout", "").with("stderr", "");
            return Err(failure.with("started", true).with("finished", true));
        }
        if args.text("mode") == "cleanup" {
            cx.apply(Change::Remove { path: file })?;
            return Ok(Outcome::new(false).with("ansible_job_id", jid).with("erased", shown));
        }
        let Ok(mut data) = serde_json::from_slice::<Map<String, Value>>(&cx.read(&file)?) else {
            let outcome = Outcome::new(false).with("ansible_job_id", jid).with("results_file", shown);
            return Ok(outcome.with("started", true).with("finished", false));
        };
        data.entry("started").or_insert(json!(true));
        data.entry("finished").or_insert(json!(false));
        data.insert("results_file".into(), json!(shown));
        for key in ["stdout", "stderr"] {
            data.entry(key).or_insert(json!(""));
        }
        let changed = data.get("changed").and_then(Value::as_bool).unwrap_or(false);
        Ok(Outcome::new(changed).merge(data))
    }
}
