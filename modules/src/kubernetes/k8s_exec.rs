//! `k8s_exec`: a command in a container of a pod.

use serde_json::json;

use super::api::{self, escaped, with_query};
use super::connection::{self, CONNECTION, joined};
use super::exec;
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::shell_words;
use crate::spec::{Arg, Spec};

/// The module.
pub struct K8sExec;

const OWN: &[Arg] = &[
    Arg::str("namespace", "Namespace of the pod.").required(),
    Arg::str("pod", "Name of the pod.").required(),
    Arg::str("container", "Container of the pod, where it has several."),
    Arg::str("command", "The command, with quotes as in a shell; no shell reads it.").required(),
];
const ARGS: [Arg; OWN.len() + CONNECTION.len()] = joined(OWN, CONNECTION);

impl Module for K8sExec {
    const SPEC: Spec = Spec::new("k8s_exec", "Runs a command in a pod.", &ARGS);

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let words = shell_words::split(args.text("command")).map_err(|why| Failure::new(format!("command: {why}")))?;
        if words.is_empty() {
            return Err("command is empty".into());
        }
        if cx.check() {
            return Err(Failure::unknown("the command was not run"));
        }
        let connection = connection::settle(args, cx)?;
        let path = format!("/api/v1/namespaces/{}/pods/{}/exec", escaped(args.text("namespace")), escaped(args.text("pod")));
        let mut query: Vec<(&str, &str)> = words.iter().map(|word| ("command", word.as_str())).collect();
        query.extend(args.str("container").map(|container| ("container", container)));
        query.extend([("stdout", "true"), ("stderr", "true")]);
        let path = with_query(&path, query.iter());
        let said = exec::run(&connection, &path, &api::headers(&connection), cx.environment(), cx.control())
            .map_err(|failure| Failure { msg: format!("Failed to execute on pod {} due to : {}", args.text("pod"), failure.msg), ..failure })?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields =
            [("stdout", json!(text(&said.stdout))), ("stderr", json!(text(&said.stderr))), ("rc", json!(said.code)), ("return_code", json!(said.code))];
        if said.code == 0 {
            return Ok(fields.into_iter().fold(Outcome::new(true), |outcome, (key, value)| outcome.with(key, value)));
        }
        let failure = Failure::new("non-zero return code").with("changed", true);
        Err(fields.into_iter().fold(failure, |failure, (key, value)| failure.with(key, value)))
    }
}
