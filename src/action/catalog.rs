//! Names of all actions: what runs on the controller, and the modules that run on targets.

/// Actions that the controller runs itself or prepares before a module runs.
pub const ACTIONS: &[&str] = &[
    "add_host",
    "assemble",
    "assert",
    "async_status",
    "copy",
    "debug",
    "fail",
    "fetch",
    "gather_facts",
    "group_by",
    "import_playbook",
    "import_role",
    "import_tasks",
    "include",
    "include_role",
    "include_tasks",
    "include_vars",
    "meta",
    "pause",
    "raw",
    "reboot",
    "script",
    "set_fact",
    "set_stats",
    "synchronize",
    "template",
    "unarchive",
    "validate_argument_spec",
    "wait_for_connection",
];

/// Collections of which the short names are ours.
const COLLECTIONS: &[&str] = &["ansible.builtin.", "ansible.legacy.", "ansible.posix.", "community.general."];

/// The short name of an action (`copy` for `ansible.builtin.copy`); other names stay as they are.
pub fn canonical(name: &str) -> String {
    let short = COLLECTIONS.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    match short {
        "systemd_service" => "systemd".into(),
        short if short == name || is_known(short) => short.into(),
        _ => name.into(),
    }
}

/// True when rplay has an action or module of this canonical name.
pub fn is_known(short: &str) -> bool {
    ACTIONS.contains(&short) || rplay_modules::modules::find(short).is_some()
}
