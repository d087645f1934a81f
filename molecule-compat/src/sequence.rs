//! Steps and their sequences: Molecule's defaults, and those that a scenario overrides.

use serde_json::Value;

/// A step that a sequence can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Roles and collections that are needed.
    Dependency,
    /// `cleanup.yml`: what was changed outside of the hosts.
    Cleanup,
    /// Takes hosts away.
    Destroy,
    /// Reads the converge playbook without running it.
    Syntax,
    /// `ansible-lint`; no step of Molecule's own sequences today.
    Lint,
    /// Starts hosts.
    Create,
    /// `prepare.yml`: what hosts need before the role.
    Prepare,
    /// `converge.yml`: the role.
    Converge,
    /// Converge in check mode.
    Check,
    /// Would converging again change something?
    Idempotence,
    /// `side_effect.yml`.
    SideEffect,
    /// `verify.yml`, or another verifier.
    Verify,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 12] = [
        Action::Dependency,
        Action::Cleanup,
        Action::Destroy,
        Action::Syntax,
        Action::Lint,
        Action::Create,
        Action::Prepare,
        Action::Converge,
        Action::Check,
        Action::Idempotence,
        Action::SideEffect,
        Action::Verify,
    ];

    /// The name in a sequence.
    pub fn name(self) -> &'static str {
        match self {
            Action::Dependency => "dependency",
            Action::Cleanup => "cleanup",
            Action::Destroy => "destroy",
            Action::Syntax => "syntax",
            Action::Lint => "lint",
            Action::Create => "create",
            Action::Prepare => "prepare",
            Action::Converge => "converge",
            Action::Check => "check",
            Action::Idempotence => "idempotence",
            Action::SideEffect => "side_effect",
            Action::Verify => "verify",
        }
    }

    /// The step of that name.
    pub fn named(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The key under `playbooks` that says what to play, for steps that play something of their own.
    pub fn playbook(self) -> Option<&'static str> {
        match self {
            Action::Syntax | Action::Check | Action::Idempotence | Action::Converge => Some("converge"),
            Action::Cleanup | Action::Destroy | Action::Create | Action::Prepare | Action::SideEffect | Action::Verify => Some(self.name()),
            Action::Dependency | Action::Lint => None,
        }
    }
}

/// A step with its arguments: `verify other.yml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// Playbooks that `verify` and `side_effect` are given.
    pub args: Vec<String>,
}

impl Step {
    /// A step by its name and arguments.
    pub fn parse(text: &str) -> Option<Step> {
        let mut words = text.split(' ');
        let action = Action::named(words.next()?)?;
        Some(Step { action, args: words.filter(|word| !word.is_empty()).map(str::to_string).collect() })
    }

    /// As it is written in a sequence.
    pub fn text(&self) -> String {
        self.args.iter().fold(self.action.name().to_string(), |text, arg| format!("{text} {arg}"))
    }
}

impl From<Action> for Step {
    fn from(action: Action) -> Step {
        Step { action, args: Vec::new() }
    }
}

use Action::{Check, Cleanup, Converge, Create, Dependency, Destroy, Idempotence, Lint, Prepare, SideEffect, Syntax, Verify};

/// Subcommands whose sequence a scenario can override, with Molecule's defaults.
pub const DEFAULTS: [(&str, &[Action]); 6] = [
    ("check", &[Dependency, Cleanup, Destroy, Create, Prepare, Converge, Check, Cleanup, Destroy]),
    ("cleanup", &[Cleanup]),
    ("converge", &[Dependency, Create, Prepare, Converge]),
    ("create", &[Dependency, Create, Prepare]),
    ("destroy", &[Dependency, Cleanup, Destroy]),
    ("test", &[Dependency, Cleanup, Destroy, Syntax, Create, Prepare, Converge, Idempotence, SideEffect, Verify, Cleanup, Destroy]),
];

/// Subcommands that are always one step, whatever the scenario says.
pub const FIXED: [(&str, Action); 7] = [
    ("dependency", Dependency),
    ("idempotence", Idempotence),
    ("lint", Lint),
    ("prepare", Prepare),
    ("side_effect", SideEffect),
    ("syntax", Syntax),
    ("verify", Verify),
];

/// The steps of a subcommand, by the `scenario` section of the merged configuration. `None` for a subcommand without steps.
pub fn steps(scenario: Option<&Value>, subcommand: &str) -> Option<Vec<Step>> {
    let subcommand = subcommand.replace('-', "_");
    if let Some((_, action)) = FIXED.iter().find(|(name, _)| *name == subcommand) {
        return Some(vec![Step::from(*action)]);
    }
    let (_, default) = DEFAULTS.iter().find(|(name, _)| *name == subcommand)?;
    let written = scenario.and_then(|scenario| scenario.get(format!("{subcommand}_sequence"))).and_then(Value::as_array);
    Some(match written {
        Some(steps) => steps.iter().filter_map(Value::as_str).filter_map(Step::parse).collect(),
        None => default.iter().copied().map(Step::from).collect(),
    })
}
