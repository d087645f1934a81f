//! The syntax tree. Values that may be templates stay [`Node`]s; a later phase compiles them.

use std::path::PathBuf;

use super::Mark;
use crate::source::{Span, Spanned};
use crate::yaml::Node;

/// One entry of a playbook file.
#[derive(Debug, Clone)]
pub enum PlaybookEntry {
    /// A play.
    Play(Box<Play>),
    /// `import_playbook`.
    Import(Box<ImportPlaybook>),
}

/// `import_playbook: file`, with the keywords it hands to the plays of that file.
#[derive(Debug, Clone)]
pub struct ImportPlaybook {
    /// The file, perhaps a template.
    pub file: Node,
    /// `vars`.
    pub vars: Option<Node>,
    /// `when` (one or several).
    pub when: Vec<Node>,
    /// `tags`.
    pub tags: Option<Node>,
    /// The whole entry.
    pub span: Span,
}

/// A play.
#[derive(Debug, Clone)]
pub struct Play {
    /// The whole play.
    pub span: Span,
    /// `name`.
    pub name: Option<Node>,
    /// `hosts`.
    pub hosts: Node,
    /// Keywords that plays share with blocks and tasks.
    pub keywords: Keywords,
    /// `vars_files`, in order; an element may be a list (first that exists).
    pub vars_files: Vec<Node>,
    /// `vars_prompt`.
    pub vars_prompt: Vec<Prompt>,
    /// `roles`.
    pub roles: Vec<RoleEntry>,
    /// `pre_tasks`.
    pub pre_tasks: Vec<TaskEntry>,
    /// `tasks`.
    pub tasks: Vec<TaskEntry>,
    /// `post_tasks`.
    pub post_tasks: Vec<TaskEntry>,
    /// `handlers`.
    pub handlers: Vec<TaskEntry>,
    /// `gather_facts`.
    pub gather_facts: Option<Node>,
    /// `gather_subset`.
    pub gather_subset: Option<Node>,
    /// `gather_timeout`, seconds.
    pub gather_timeout: Option<Node>,
    /// `fact_path`.
    pub fact_path: Option<Node>,
    /// `serial`: a number, a percentage, or a list of these.
    pub serial: Option<Node>,
    /// `strategy`.
    pub strategy: Option<Node>,
    /// `order` of the hosts.
    pub order: Option<Node>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Node>,
    /// `force_handlers`.
    pub force_handlers: Option<Node>,
    /// `validate_argspec`.
    pub validate_argspec: Option<Node>,
    /// The file that the play stands in.
    pub file: PathBuf,
}

/// One entry of `vars_prompt`; defaults as Ansible's.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The variable.
    pub name: Spanned<String>,
    /// The text shown.
    pub prompt: Option<Node>,
    /// Value when nothing is typed.
    pub default: Option<Node>,
    /// Hide what is typed (default yes).
    pub private: bool,
    /// Ask twice.
    pub confirm: bool,
    /// `encrypt`: hash scheme.
    pub encrypt: Option<String>,
    /// `salt`.
    pub salt: Option<String>,
    /// `salt_size`.
    pub salt_size: Option<usize>,
    /// `unsafe`: the answer is never a template.
    pub no_template: bool,
}

/// One entry of `roles` or of a role's `dependencies`.
#[derive(Debug, Clone)]
pub struct RoleEntry {
    /// The role's name, perhaps a template.
    pub name: Node,
    /// Keywords (`when`, `tags`, `become`, `delegate_to`, `vars`...).
    pub keywords: Keywords,
    /// Every other key: role parameters, as a dictionary's pairs.
    pub params: Vec<crate::yaml::Pair>,
    /// The entry.
    pub span: Span,
}

/// One entry of a list of tasks.
#[derive(Debug, Clone)]
pub enum TaskEntry {
    /// A task (includes and imports are tasks too).
    Task(Box<Task>),
    /// A block.
    Block(Box<Block>),
}

/// `block`, with `rescue` and `always`.
#[derive(Debug, Clone)]
pub struct Block {
    /// `name`.
    pub name: Option<Node>,
    /// Keywords handed down to its tasks.
    pub keywords: Keywords,
    /// `block`.
    pub body: Vec<TaskEntry>,
    /// `rescue`.
    pub rescue: Vec<TaskEntry>,
    /// `always`.
    pub always: Vec<TaskEntry>,
    /// The `block` keyword.
    pub span: Span,
}

/// A task or handler.
#[derive(Debug, Clone)]
pub struct Task {
    /// The whole task.
    pub span: Span,
    /// `name`.
    pub name: Option<Node>,
    /// The action as written (`copy`, `ansible.builtin.copy`, `include_tasks`...), with its place.
    pub action: Spanned<String>,
    /// Its arguments: a dictionary of what stood below the action, in `args:` and in `k=v` form; values unrendered.
    pub args: Vec<crate::yaml::Pair>,
    /// Free-form text (`command: echo hi`), without the `k=v` parts that belong to the module's own options; key `_raw_params` of Ansible.
    pub free_form: Option<Node>,
    /// `args:` given as one template (a dictionary only when rendered).
    pub args_template: Option<Node>,
    /// `local_action`: as `delegate_to: localhost`.
    pub local_action: bool,
    /// Keywords that plays, blocks and tasks share.
    pub keywords: Keywords,
    /// Keywords of tasks only.
    pub only: TaskKeywords,
    /// Comments to rplay.
    pub marks: Vec<Mark>,
}

/// Keywords that are handed down from plays and blocks to tasks.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Keywords {
    pub vars: Option<Node>,
    pub when: Vec<Node>,
    pub tags: Option<Node>,
    pub environment: Option<Node>,
    pub module_defaults: Option<Node>,
    pub become_: Option<Node>,
    pub become_user: Option<Node>,
    pub become_method: Option<Node>,
    pub become_flags: Option<Node>,
    pub become_exe: Option<Node>,
    pub connection: Option<Node>,
    pub port: Option<Node>,
    pub remote_user: Option<Node>,
    pub no_log: Option<Node>,
    pub run_once: Option<Node>,
    pub ignore_errors: Option<Node>,
    pub ignore_unreachable: Option<Node>,
    pub check_mode: Option<Node>,
    pub diff: Option<Node>,
    pub any_errors_fatal: Option<Node>,
    pub throttle: Option<Node>,
    pub timeout: Option<Node>,
    pub debugger: Option<Node>,
    pub delegate_to: Option<Node>,
    pub delegate_facts: Option<Node>,
    pub notify: Option<Node>,
    pub collections: Option<Node>,
}

/// Keywords of tasks only.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct TaskKeywords {
    pub register: Option<Node>,
    pub loop_: Option<Node>,
    /// `with_items: ...` as (`items`, value).
    pub with: Option<(Spanned<String>, Node)>,
    pub loop_control: Option<Node>,
    pub until: Vec<Node>,
    pub retries: Option<Node>,
    pub delay: Option<Node>,
    pub changed_when: Vec<Node>,
    pub failed_when: Vec<Node>,
    pub async_: Option<Node>,
    pub poll: Option<Node>,
    /// Handlers: further names they answer to.
    pub listen: Option<Node>,
}

/// A role as it lies on disk.
#[derive(Debug, Clone)]
pub struct Role {
    /// The name as it was asked for.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// The collection that it lies in (`namespace.name`).
    pub collection: Option<String>,
    /// `collections` of its metadata.
    pub collections: Option<Node>,
    /// `defaults/main*` (files in order).
    pub defaults: Vec<Node>,
    /// `vars/main*`.
    pub vars: Vec<Node>,
    /// `tasks/main*` or what `tasks_from` names.
    pub tasks: Vec<TaskEntry>,
    /// The file that the tasks were read from.
    pub tasks_file: Option<PathBuf>,
    /// `handlers/main*` or what `handlers_from` names.
    pub handlers: Vec<TaskEntry>,
    /// `dependencies` of `meta/main*`.
    pub dependencies: Vec<RoleEntry>,
    /// `allow_duplicates` of `meta/main*`.
    pub allow_duplicates: bool,
    /// `argument_specs` (of `meta/argument_specs*` or `meta/main*`), undigested.
    pub argument_specs: Option<Node>,
}
