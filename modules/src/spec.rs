//! The argument table of a module: one row per argument, and the rules between them.
//!
//! The table is the single source for coercion (`coerce.rs`), for the controller's pre-flight, for "did you mean",
//! documentation and completion.

/// The type of an argument, by AnsibleModule's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; anything else is turned into text.
    Str,
    /// A boolean, also `yes`, `on`, `1`, `t`, ...
    Bool,
    /// A whole number, also as text.
    Int,
    /// A number, also as text.
    Float,
    /// A list; text is split at commas.
    List,
    /// A dictionary; text is JSON or `k=v` pairs.
    Dict,
    /// Text in which `~` and `$VARIABLE` are replaced.
    Path,
    /// Anything, untouched.
    Raw,
    /// JSON text; structures are serialised.
    Json,
    /// A size such as `10M`.
    Bytes,
}

impl Kind {
    /// The type's name in documentation and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Str => "str",
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::List => "list",
            Kind::Dict => "dict",
            Kind::Path => "path",
            Kind::Raw => "raw",
            Kind::Json => "jsonarg",
            Kind::Bytes => "bytes",
        }
    }
}

/// The value of an argument that is not given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// None: the argument stays absent.
    Absent,
    /// Text.
    Str(&'static str),
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A list of texts.
    List(&'static [&'static str]),
    /// A list of numbers.
    Ints(&'static [i64]),
    /// An empty dictionary.
    Dict,
}

/// One argument.
#[derive(Debug, Clone, Copy)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Its type.
    pub kind: Kind,
    /// The type of a list's elements.
    pub elements: Option<Kind>,
    /// The values it may have; empty for any.
    pub choices: &'static [&'static str],
    /// Its value when it is not given.
    pub default: Preset,
    /// Must be given.
    pub required: bool,
    /// Its value is a secret.
    pub no_log: bool,
    /// The arguments inside a dictionary or a list of dictionaries; empty where anything goes.
    pub options: &'static [Arg],
    /// What it does, for the user.
    pub doc: &'static str,
}

impl Arg {
    const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Arg {
        Arg { name, aliases: &[], kind, elements: None, choices: &[], default: Preset::Absent, required: false, no_log: false, options: &[], doc }
    }

    /// A text argument.
    pub const fn str(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, Kind::Str, doc)
    }

    /// A boolean argument without default.
    pub const fn bool(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, Kind::Bool, doc)
    }

    /// A boolean argument with its default.
    pub const fn flag(name: &'static str, default: bool, doc: &'static str) -> Arg {
        Arg { default: Preset::Bool(default), ..Arg::new(name, Kind::Bool, doc) }
    }

    /// A whole number.
    pub const fn int(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, Kind::Int, doc)
    }

    /// A number.
    pub const fn float(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, Kind::Float, doc)
    }

    /// A path.
    pub const fn path(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, Kind::Path, doc)
    }

    /// A value of any type.
    pub const fn raw(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, Kind::Raw, doc)
    }

    /// A dictionary.
    pub const fn dict(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, Kind::Dict, doc)
    }

    /// An argument of another type.
    pub const fn of(name: &'static str, kind: Kind, doc: &'static str) -> Arg {
        Arg::new(name, kind, doc)
    }

    /// A list whose elements are of one type.
    pub const fn list(name: &'static str, elements: Kind, doc: &'static str) -> Arg {
        Arg { elements: Some(elements), ..Arg::new(name, Kind::List, doc) }
    }

    /// With other names.
    pub const fn alias(self, aliases: &'static [&'static str]) -> Arg {
        Arg { aliases, ..self }
    }

    /// With the values that are allowed.
    pub const fn choices(self, choices: &'static [&'static str]) -> Arg {
        Arg { choices, ..self }
    }

    /// With a default.
    pub const fn default(self, default: Preset) -> Arg {
        Arg { default, ..self }
    }

    /// Must be given.
    pub const fn required(self) -> Arg {
        Arg { required: true, ..self }
    }

    /// Holds a secret.
    pub const fn secret(self) -> Arg {
        Arg { no_log: true, ..self }
    }

    /// With a table for the dictionaries in it.
    pub const fn options(self, options: &'static [Arg]) -> Arg {
        Arg { options, ..self }
    }
}

/// When `argument` has `value`, all (or, with `any`, one) of `needs` must be given.
#[derive(Debug, Clone, Copy)]
pub struct RequiredIf {
    /// The argument looked at.
    pub argument: &'static str,
    /// Its value as text (`true`/`false` for booleans).
    pub value: &'static str,
    /// What is needed then.
    pub needs: &'static [&'static str],
    /// One of them is enough.
    pub any: bool,
}

/// A module's whole table.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The module's short name.
    pub name: &'static str,
    /// One sentence for the user.
    pub doc: &'static str,
    /// The arguments.
    pub args: &'static [Arg],
    /// Takes the common file arguments (`mode`, `owner`, ...) too.
    pub file_args: bool,
    /// Knows check mode; one that does not is skipped in it.
    pub check_mode: bool,
    /// Takes a free-form command line (`command: ls -l`).
    pub free_form: bool,
    /// Takes arguments that the table does not name.
    pub open: bool,
    /// Groups of which one at most may be given.
    pub mutually_exclusive: &'static [&'static [&'static str]],
    /// Groups of which one at least must be given.
    pub required_one_of: &'static [&'static [&'static str]],
    /// Groups of which all or none must be given.
    pub required_together: &'static [&'static [&'static str]],
    /// Conditional requirements.
    pub required_if: &'static [RequiredIf],
    /// When the first is given, the others must be.
    pub required_by: &'static [(&'static str, &'static [&'static str])],
}

impl Spec {
    /// A table that knows check mode and has no rules between arguments.
    pub const fn new(name: &'static str, doc: &'static str, args: &'static [Arg]) -> Spec {
        Spec {
            name,
            doc,
            args,
            file_args: false,
            check_mode: true,
            free_form: false,
            open: false,
            mutually_exclusive: &[],
            required_one_of: &[],
            required_together: &[],
            required_if: &[],
            required_by: &[],
        }
    }

    /// Every argument, the common file arguments included.
    pub fn arguments(&self) -> impl Iterator<Item = &'static Arg> + use<> {
        let common: &[Arg] = if self.file_args { FILE_ARGS } else { &[] };
        let own: &'static [Arg] = self.args;
        own.iter().chain(common.iter().filter(move |arg| !own.iter().any(|mine| mine.name == arg.name)))
    }

    /// The argument of that name or alias.
    pub fn argument(&self, name: &str) -> Option<&'static Arg> {
        self.arguments().find(|arg| arg.name == name || arg.aliases.contains(&name))
    }
}

/// The arguments of every module that makes files.
pub const FILE_ARGS: &[Arg] = &[
    Arg::raw("mode", "Permissions, octal (quoted) or symbolic (`u=rw,g=r`)."),
    Arg::str("owner", "Name or number of the user that owns the file."),
    Arg::str("group", "Name or number of the group that owns the file."),
    Arg::str("seuser", "User part of the SELinux context; ignored where there is no SELinux."),
    Arg::str("serole", "Role part of the SELinux context."),
    Arg::str("selevel", "Level part of the SELinux context."),
    Arg::str("setype", "Type part of the SELinux context."),
    Arg::str("attributes", "Attributes of the file as for chattr, with `+`, `-` or `=` in front.").alias(&["attr"]),
    Arg::flag("unsafe_writes", false, "Write in place where an atomic replacement is impossible."),
];
