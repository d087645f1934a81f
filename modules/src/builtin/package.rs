//! `package`: packages by whatever installs packages. The controller's action names the manager where it knows it; else the machine is looked at.

use serde_json::{Map, Value};

use crate::args::Args;
use crate::coerce;
use crate::context::Context;
use crate::facts;
use crate::list::{self, Module};
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct Package;

impl Module for Package {
    const SPEC: Spec = Spec {
        open: true,
        ..Spec::new(
            "package",
            "Installs, upgrades and removes packages with the machine's package manager.",
            &[
                Arg::raw("name", "Packages, as the package manager names them.").required(),
                Arg::str("state", "Whether the packages shall be there: `present`, `absent`, or what else the package manager's module knows.").required(),
                Arg::str("use", "Module that does it; chosen by itself.").default(Preset::Str("auto")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let asked = args.text("use");
        let manager = if asked == "auto" { facts::package_manager_of(cx).to_owned() } else { list::canonical(asked).to_owned() };
        if manager == "unknown" {
            return Err("Could not find a matching action for the \"unknown\" package manager.".into());
        }
        let Some(entry) = list::find(&manager).filter(|entry| !["package", "setup"].contains(&entry.spec.name)) else {
            return Err(Failure::new(format!("Could not find a matching action for the \"{manager}\" package manager; rplay has apk, apt and dnf.")));
        };
        let inner: Map<String, Value> = args.0.iter().filter(|(key, _)| *key != "use").map(|(key, value)| (key.clone(), value.clone())).collect();
        let inner = coerce::validate_in(entry.spec, &inner, cx)?;
        (entry.run)(&Args(inner), cx)
    }
}
