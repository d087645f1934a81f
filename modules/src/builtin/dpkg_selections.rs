//! `dpkg_selections`: what shall become of a package at the next upgrade.

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Spec};

/// The module.
pub struct DpkgSelections;

impl Module for DpkgSelections {
    const SPEC: Spec = Spec::new(
        "dpkg_selections",
        "Holds packages and lets them go, in dpkg's selections.",
        &[
            Arg::str("name", "Name of the package.").required(),
            Arg::str("selection", "What is selected for it.").choices(&["install", "hold", "deinstall", "purge"]).required(),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let (name, wanted) = (args.text("name"), args.text("selection"));
        let dpkg = || Ok::<_, Failure>(Program::new([cx.require_program("dpkg")?]).env("LC_ALL", "C.UTF-8"));
        let run = cx.probe(&dpkg()?.args(["--get-selections", name]))?;
        if !run.ok() {
            return Err(Failure::new(run.err().trim()).with("rc", run.rc).with("stdout", run.out()).with("stderr", run.err()));
        }
        let coming =
            cx.system().noted().iter().any(|change| matches!(change, Change::Package { names, present: true } if names.iter().any(|have| have == name)));
        let unsettled =
            cx.system().noted().iter().any(|change| matches!(change, Change::Package { .. } | Change::PackageLists | Change::Opaque { below: None, .. }));
        if run.err().contains("no packages found matching") && !coming && unsettled {
            return Err(Failure::unknown(format!("whether {name} is installed by then")));
        }
        if run.err().contains("no packages found matching") && !coming {
            return Err(Failure::new(format!("Failed to find package '{name}' to perform selection '{wanted}'.")));
        }
        let out = run.out();
        let setting = format!("dpkg selection {name}");
        let predicted = cx.predicted_setting(&setting).flatten();
        let current = match predicted.as_deref().or(out.split_whitespace().nth(1)) {
            Some(current) => current.to_owned(),
            None if coming => "install".to_owned(),
            None => "not present".to_owned(),
        };
        if current != wanted {
            let set = dpkg()?.arg("--set-selections").stdin(format!("{name} {wanted}\n"));
            let change = Change::Setting { name: setting, value: Some(wanted.to_owned()) };
            if let Some(run) = cx.perform(change, &[set])?.iter().find(|run| !run.ok()) {
                return Err(Failure::new(run.err().trim()).with("rc", run.rc).with("stdout", run.out()).with("stderr", run.err()));
            }
        }
        Ok(cx.outcome().with("before", current).with("after", wanted))
    }
}
