//! The keys of `molecule.yml`, as Molecule 26 has them.
//!
//! What Molecule refuses is a complaint; a key that Molecule would silently leave unread is a warning. The tables are data: adding a key is a
//! line.

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A text.
    Text,
    /// A text or nothing.
    TextOrNull,
    /// A text or a boolean.
    TextOrBool,
    /// A text or a whole number.
    TextOrInt,
    /// A text or a list of texts.
    TextOrTexts,
    /// A boolean.
    Bool,
    /// A number.
    Number,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// One of these numbers.
    Numbers(&'static [i64]),
    /// A driver's name.
    Driver,
    /// A list of texts.
    Texts,
    /// A list of steps.
    Steps,
    /// A list of anything.
    List,
    /// A mapping of anything.
    Map,
    /// A mapping whose values are texts.
    TextMap,
    /// A mapping with keys of its own.
    Section(&'static Section),
    /// A list of mappings with keys of their own.
    Sections(&'static Section),
    /// Anything.
    Any,
}

/// What becomes of a key that is not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Molecule refuses the file.
    Refused,
    /// Molecule reads past it: we warn.
    Unread,
    /// It belongs to a driver.
    Free,
}

/// The keys of a mapping.
#[derive(Debug)]
pub struct Section {
    /// Names and shapes.
    pub keys: &'static [(&'static str, Shape)],
    /// Keys that must be there.
    pub required: &'static [&'static str],
    /// Any other key.
    pub others: Others,
}

/// Names of drivers that may be written.
pub const DRIVERS: [&str; 16] = [
    "azure",
    "ec2",
    "delegated",
    "default",
    "docker",
    "containers",
    "openstack",
    "podman",
    "vagrant",
    "digitalocean",
    "gce",
    "libvirt",
    "lxd",
    "kubevirt",
    "lima",
    // ours: hosts of `rplay lab`
    "lab",
];

/// The whole file.
pub static ROOT: Section = Section {
    keys: &[
        ("ansible", Shape::Section(&ANSIBLE)),
        ("dependency", Shape::Section(&DEPENDENCY)),
        ("driver", Shape::Section(&DRIVER)),
        ("lint", Shape::Text),
        ("log", Shape::Bool),
        ("platforms", Shape::Sections(&PLATFORM)),
        ("prerun", Shape::Bool),
        ("provisioner", Shape::Section(&PROVISIONER)),
        ("role_name_check", Shape::Numbers(&[0, 1, 2])),
        ("scenario", Shape::Section(&SCENARIO)),
        ("shared_state", Shape::Bool),
        ("verifier", Shape::Section(&VERIFIER)),
    ],
    required: &[],
    others: Others::Refused,
};

static ANSIBLE: Section = Section {
    keys: &[("cfg", Shape::Map), ("env", Shape::Map), ("executor", Shape::Section(&EXECUTOR)), ("playbooks", Shape::Section(&PLAYBOOKS))],
    required: &[],
    others: Others::Refused,
};

static EXECUTOR: Section = Section {
    keys: &[("args", Shape::Section(&EXECUTOR_ARGS)), ("backend", Shape::Choice(&["ansible-playbook", "ansible-navigator"]))],
    required: &[],
    others: Others::Refused,
};

static EXECUTOR_ARGS: Section =
    Section { keys: &[("ansible_navigator", Shape::Texts), ("ansible_playbook", Shape::Texts)], required: &[], others: Others::Refused };

static PLAYBOOKS: Section = Section {
    keys: &[
        ("cleanup", Shape::TextOrNull),
        ("converge", Shape::TextOrNull),
        ("create", Shape::TextOrNull),
        ("destroy", Shape::TextOrNull),
        ("prepare", Shape::TextOrNull),
        ("side_effect", Shape::TextOrNull),
        ("verify", Shape::TextOrNull),
    ],
    required: &[],
    others: Others::Unread,
};

static DEPENDENCY: Section = Section {
    keys: &[
        ("command", Shape::TextOrNull),
        ("enabled", Shape::Bool),
        ("env", Shape::Map),
        ("name", Shape::Choice(&["galaxy", "shell"])),
        ("options", Shape::Map),
    ],
    required: &[],
    others: Others::Unread,
};

static DRIVER: Section = Section {
    keys: &[
        ("name", Shape::Driver),
        ("options", Shape::Section(&DRIVER_OPTIONS)),
        ("provider", Shape::Map),
        ("safe_files", Shape::Texts),
        ("ssh_connection_options", Shape::Texts),
    ],
    required: &[],
    others: Others::Free,
};

static DRIVER_OPTIONS: Section = Section {
    keys: &[("ansible_connection_options", Shape::TextMap), ("login_cmd_template", Shape::Text), ("managed", Shape::Bool)],
    required: &[],
    others: Others::Refused,
};

static PLATFORM: Section = Section {
    keys: &[
        ("box", Shape::Text),
        ("cgroupns_mode", Shape::Choice(&["host", "private"])),
        ("children", Shape::Texts),
        ("command", Shape::TextOrTexts),
        ("cpus", Shape::Number),
        ("dockerfile", Shape::Text),
        ("env", Shape::TextMap),
        ("environment", Shape::TextMap),
        ("groups", Shape::Texts),
        ("hostname", Shape::TextOrBool),
        ("image", Shape::TextOrNull),
        ("interfaces", Shape::List),
        ("memory", Shape::TextOrInt),
        ("name", Shape::Text),
        ("network_mode", Shape::Text),
        ("networks", Shape::Sections(&NETWORK)),
        ("pkg_extras", Shape::Text),
        ("pre_build_image", Shape::Bool),
        ("privileged", Shape::Bool),
        ("provider_options", Shape::Map),
        ("provider_raw_config_args", Shape::Texts),
        ("registry", Shape::Section(&REGISTRY)),
        ("tmpfs", Shape::Texts),
        ("ulimits", Shape::Texts),
        ("volumes", Shape::Texts),
    ],
    required: &["name"],
    others: Others::Free,
};

static NETWORK: Section =
    Section { keys: &[("aliases", Shape::Texts), ("ipv4_address", Shape::Text), ("name", Shape::Text)], required: &["name"], others: Others::Free };

static REGISTRY: Section = Section { keys: &[("credentials", Shape::Map), ("url", Shape::Text)], required: &["url"], others: Others::Refused };

static PROVISIONER: Section = Section {
    keys: &[
        ("ansible_args", Shape::Texts),
        ("children", Shape::Map),
        ("config_options", Shape::Map),
        ("connection_options", Shape::Map),
        ("env", Shape::Map),
        ("inventory", Shape::Section(&INVENTORY)),
        ("log", Shape::Bool),
        ("name", Shape::Choice(&["ansible"])),
        ("options", Shape::Map),
        ("playbooks", Shape::Section(&PLAYBOOKS)),
    ],
    required: &[],
    others: Others::Unread,
};

static INVENTORY: Section = Section {
    keys: &[("group_vars", Shape::Map), ("host_vars", Shape::Map), ("hosts", Shape::Map), ("links", Shape::TextMap)],
    required: &[],
    others: Others::Unread,
};

static SCENARIO: Section = Section {
    keys: &[
        ("check_sequence", Shape::Steps),
        ("cleanup_sequence", Shape::Steps),
        ("converge_sequence", Shape::Steps),
        ("create_sequence", Shape::Steps),
        ("dependency_sequence", Shape::Steps),
        ("destroy_sequence", Shape::Steps),
        ("idempotence_sequence", Shape::Steps),
        ("lint_sequence", Shape::Steps),
        ("name", Shape::Text),
        ("prepare_sequence", Shape::Steps),
        ("side_effect_sequence", Shape::Steps),
        ("syntax_sequence", Shape::Steps),
        ("test_sequence", Shape::Steps),
        ("verify_sequence", Shape::Steps),
    ],
    required: &[],
    others: Others::Refused,
};

static VERIFIER: Section = Section {
    keys: &[
        ("additional_files_or_dirs", Shape::Texts),
        ("directory", Shape::Text),
        ("enabled", Shape::Bool),
        ("env", Shape::Map),
        ("name", Shape::Choice(&["ansible", "goss", "inspec", "testinfra"])),
        ("options", Shape::Map),
    ],
    required: &[],
    others: Others::Refused,
};
