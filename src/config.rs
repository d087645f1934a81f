//! Ansible's configuration: `ansible.cfg`, the environment's `ANSIBLE_*`, defaults; each value with who decided it.
//!
//! The table is `settings`; this file gives the values types and names for the rest of rplay. Command line options are not known here: the
//! cli lays them over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::value::{Value, text};

mod convert;
mod galaxy;
mod ini;
mod load;
mod paths;
pub mod settings;
mod show;

pub use convert::{truth, unquote};
pub use galaxy::GalaxyServer;
pub use load::{Chosen, Origin, Settings};
pub use paths::{Places, normal};
pub use show::{Changed, Format, dump, init_env, init_ini, list};

/// The ansible-core whose behaviour rplay follows, as `ansible_version` and `--version` give it.
pub const CORE_VERSION: &str = "2.19.0";

macro_rules! config {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $name:literal;)*) => {
        /// Every setting that rplay uses, by type; [`Config::setting`] gives any other one.
        #[derive(Debug, Clone)]
        pub struct Config {
            $($(#[$doc])* pub $field: $type,)*
            /// The file that was read, if there was one.
            pub file: Option<Arc<Source>>,
            /// What paths on the command line refer to.
            pub places: Places,
            settings: Arc<Settings>,
        }

        impl Config {
            fn new(file: Option<Arc<Source>>, places: Places, settings: Settings) -> Result<Config, Diagnostic> {
                Ok(Config {
                    $($field: typed(&settings, $name)?,)*
                    file,
                    places,
                    settings: Arc::new(settings),
                })
            }
        }
    };
}

config! {
    /// How many hosts are worked on at once.
    forks: usize = "DEFAULT_FORKS";
    /// Seconds until a connection attempt is given up.
    timeout: u64 = "ssh.timeout";
    /// Login name on the hosts.
    remote_user: Option<String> = "DEFAULT_REMOTE_USER";
    /// Port of the hosts.
    remote_port: Option<u16> = "DEFAULT_REMOTE_PORT";
    /// Connection used where no variable names another.
    transport: String = "DEFAULT_TRANSPORT";
    /// Key to log in with.
    private_key_file: Option<PathBuf> = "DEFAULT_PRIVATE_KEY_FILE";
    /// Unknown host keys are refused.
    host_key_checking: bool = "ssh.host_key_checking";
    /// The login password is asked for.
    ask_pass: bool = "DEFAULT_ASK_PASS";
    /// File with the login password.
    connection_password_file: Option<PathBuf> = "CONNECTION_PASSWORD_FILE";
    /// Where roles are looked for.
    roles_path: Vec<PathBuf> = "DEFAULT_ROLES_PATH";
    /// Where collections are looked for.
    collections_path: Vec<PathBuf> = "COLLECTIONS_PATHS";
    /// Where modules of the user are looked for.
    library: Vec<PathBuf> = "DEFAULT_MODULE_PATH";
    /// Inventory sources, where none is given on the command line.
    inventory: Vec<PathBuf> = "DEFAULT_HOST_LIST";
    /// When facts are gathered: `implicit`, `explicit` or `smart`.
    gathering: String = "DEFAULT_GATHERING";
    /// Modules that gather facts.
    facts_modules: Vec<String> = "FACTS_MODULES";
    /// Which facts are gathered where a play does not say; nothing is all.
    gather_subset: Vec<String> = "setup.gather_subset";
    /// Seconds for one fact where a play does not say.
    gather_timeout: Option<u64> = "setup.gather_timeout";
    /// Facts are also variables of their own.
    inject_facts_as_vars: bool = "INJECT_FACTS_AS_VARS";
    /// Where facts are kept between runs.
    fact_caching: String = "CACHE_PLUGIN";
    /// Folder or address of the fact cache.
    fact_caching_connection: Option<String> = "CACHE_PLUGIN_CONNECTION";
    /// Prefix of the fact cache's names.
    fact_caching_prefix: Option<String> = "CACHE_PLUGIN_PREFIX";
    /// Seconds for which cached facts are believed; 0 is for ever.
    fact_caching_timeout: u64 = "CACHE_PLUGIN_TIMEOUT";
    /// Callback that writes to the terminal.
    stdout_callback: String = "DEFAULT_STDOUT_CALLBACK";
    /// Further callbacks.
    callbacks_enabled: Vec<String> = "CALLBACKS_ENABLED";
    /// `json` or `yaml`.
    callback_result_format: String = "default.result_format";
    /// Results are indented; by default only in YAML and with `-v`.
    callback_format_pretty: Option<bool> = "default.pretty_results";
    /// Skipped hosts are shown.
    display_skipped_hosts: bool = "default.display_skipped_hosts";
    /// Hosts that are ok are shown.
    display_ok_hosts: bool = "default.display_ok_hosts";
    /// Failures go to standard error.
    display_failed_stderr: bool = "default.display_failed_stderr";
    /// Statistics of `set_stats` are shown.
    show_custom_stats: bool = "default.show_custom_stats";
    /// A line when a host begins with a task.
    show_per_host_start: bool = "default.show_per_host_start";
    /// `[CHECK MODE]` is shown.
    check_mode_markers: bool = "default.check_mode_markers";
    /// A failure names the task's file and line.
    show_task_path_on_failure: bool = "default.show_task_path_on_failure";
    /// Arguments stand in the task's header.
    display_args_to_stdout: bool = "DISPLAY_ARGS_TO_STDOUT";
    /// No colours.
    nocolor: bool = "ANSIBLE_NOCOLOR";
    /// Colours also where the output is no terminal.
    force_color: bool = "ANSIBLE_FORCE_COLOR";
    /// File that gets a copy of the output.
    log_path: Option<PathBuf> = "DEFAULT_LOG_PATH";
    /// Names of loggers that are left out of the log.
    log_filter: Vec<String> = "DEFAULT_LOG_FILTER";
    /// Results are hidden everywhere.
    no_log: bool = "DEFAULT_NO_LOG";
    /// Number of `-v`.
    verbosity: u8 = "DEFAULT_VERBOSITY";
    /// Verbose messages go to standard error.
    verbose_to_stderr: bool = "VERBOSE_TO_STDERR";
    /// Warnings about the system are shown.
    system_warnings: bool = "SYSTEM_WARNINGS";
    /// Deprecations are shown.
    deprecation_warnings: bool = "DEPRECATION_WARNINGS";
    /// A warning when only the implicit localhost is there.
    localhost_warning: bool = "LOCALHOST_WARNING";
    /// Files for `--limit @file` are written.
    retry_files_enabled: bool = "RETRY_FILES_ENABLED";
    /// Folder of those files.
    retry_files_save_path: Option<PathBuf> = "RETRY_FILES_SAVE_PATH";
    /// `linear`, `free`...
    strategy: String = "DEFAULT_STRATEGY";
    /// The first failure ends the play for every host.
    any_errors_fatal: bool = "ANY_ERRORS_FATAL";
    /// Handlers run on failed hosts too.
    force_handlers: bool = "DEFAULT_FORCE_HANDLERS";
    /// Undefined variables are errors.
    error_on_undefined_vars: bool = "DEFAULT_UNDEFINED_VAR_BEHAVIOR";
    /// A handler that nobody defines is an error.
    error_on_missing_handler: bool = "ERROR_ON_MISSING_HANDLER";
    /// Conditionals may be worth something else than true or false.
    allow_broken_conditionals: bool = "ALLOW_BROKEN_CONDITIONALS";
    /// `replace` or `merge`.
    hash_behaviour: String = "DEFAULT_HASH_BEHAVIOUR";
    /// Names of Jinja extensions.
    jinja2_extensions: Vec<String> = "DEFAULT_JINJA2_EXTENSIONS";
    /// Text of `ansible_managed`.
    ansible_managed: String = "DEFAULT_MANAGED_STR";
    /// `warn`, `error` or `ignore`.
    duplicate_dict_key: String = "DUPLICATE_YAML_DICT_KEY";
    /// Which Python runs modules written in Python.
    interpreter_python: String = "INTERPRETER_PYTHON";
    /// Where `auto` looks for a Python.
    interpreter_python_fallback: Vec<String> = "INTERPRETER_PYTHON_FALLBACK";
    /// Shell on the hosts.
    executable: String = "DEFAULT_EXECUTABLE";
    /// Temporary files on the controller.
    local_tmp: PathBuf = "DEFAULT_LOCAL_TMP";
    /// Temporary files on the hosts.
    remote_tmp: String = "sh.remote_tmp";
    /// Results of `async` tasks on the hosts.
    async_dir: String = "sh.async_dir";
    /// Temporary files on the hosts are kept.
    keep_remote_files: bool = "DEFAULT_KEEP_REMOTE_FILES";
    /// Seconds between two looks at an `async` task.
    poll_interval: u64 = "DEFAULT_POLL_INTERVAL";
    /// Seconds after which a task is ended; 0 is never.
    task_timeout: u64 = "TASK_TIMEOUT";
    /// Module of an ad-hoc task without `-m`.
    module_name: String = "DEFAULT_MODULE_NAME";
    /// Arguments of an ad-hoc task without `-a`.
    module_args: Option<String> = "DEFAULT_MODULE_ARGS";
    /// Variables of roles are seen by their role only.
    private_role_vars: bool = "DEFAULT_PRIVATE_ROLE_VARS";
    /// Which playbook's folder has `group_vars`: `top`, `bottom` or `all`.
    playbook_vars_root: String = "PLAYBOOK_VARS_ROOT";
    /// Folder that stands for the playbook's in ad-hoc runs.
    playbook_dir: Option<PathBuf> = "PLAYBOOK_DIR";
    /// Endings of files with variables.
    yaml_extensions: Vec<String> = "YAML_FILENAME_EXTENSIONS";
    /// Order of group variables.
    variable_precedence: Vec<String> = "VARIABLE_PRECEDENCE";
    /// Vault password is asked for.
    ask_vault_pass: bool = "DEFAULT_ASK_VAULT_PASS";
    /// Label of secrets without one.
    vault_identity: String = "DEFAULT_VAULT_IDENTITY";
    /// `label@source` of further secrets.
    vault_identity_list: Vec<String> = "DEFAULT_VAULT_IDENTITY_LIST";
    /// File with the vault password.
    vault_password_file: Option<PathBuf> = "DEFAULT_VAULT_PASSWORD_FILE";
    /// Label to encrypt with.
    vault_encrypt_identity: Option<String> = "DEFAULT_VAULT_ENCRYPT_IDENTITY";
    /// Salt to encrypt with, for output that does not vary.
    vault_encrypt_salt: Option<String> = "VAULT_ENCRYPT_SALT";
    /// Only the secret of a text's label may decrypt it.
    vault_id_match: bool = "DEFAULT_VAULT_ID_MATCH";
    /// Tasks run as another user.
    r#become: bool = "DEFAULT_BECOME";
    /// `sudo`, `su`...
    become_method: String = "DEFAULT_BECOME_METHOD";
    /// That user.
    become_user: String = "DEFAULT_BECOME_USER";
    /// Its password is asked for.
    become_ask_pass: bool = "DEFAULT_BECOME_ASK_PASS";
    /// File with its password.
    become_password_file: Option<PathBuf> = "BECOME_PASSWORD_FILE";
    /// Program instead of the method's own.
    become_exe: Option<String> = "DEFAULT_BECOME_EXE";
    /// Options of that program; empty is the method's default.
    become_flags: Option<String> = "DEFAULT_BECOME_FLAGS";
    /// Also where the login user is that user already.
    become_allow_same_user: bool = "BECOME_ALLOW_SAME_USER";
    /// The prompt for the password does not name the method.
    agnostic_become_prompt: bool = "AGNOSTIC_BECOME_PROMPT";
    /// Options of every ssh call.
    ssh_args: String = "ssh.ssh_args";
    /// Options of ssh, scp and sftp.
    ssh_common_args: String = "ssh.ssh_common_args";
    /// Options of ssh only.
    ssh_extra_args: String = "ssh.ssh_extra_args";
    /// Options of scp only.
    scp_extra_args: String = "ssh.scp_extra_args";
    /// Options of sftp only.
    sftp_extra_args: String = "ssh.sftp_extra_args";
    /// The ssh program, where one is spawned.
    ssh_executable: String = "ssh.ssh_executable";
    /// Further attempts to connect.
    ssh_retries: u32 = "ssh.reconnection_retries";
    /// Accepted for Ansible's sake: one channel carries everything here, which is more than pipelining.
    ssh_pipelining: Option<bool> = "ssh.pipelining";
    /// Accepted for Ansible's sake: files travel over the open channel.
    ssh_transfer_method: String = "ssh.ssh_transfer_method";
    /// A terminal is asked for where a password needs one.
    ssh_usetty: bool = "ssh.use_tty";
    /// Library of a smart card.
    ssh_pkcs11_provider: String = "ssh.pkcs11_provider";
    /// Inventory plugins, in the order they are tried.
    inventory_enabled: Vec<String> = "INVENTORY_ENABLED";
    /// Endings of files in an inventory folder that are no inventory.
    inventory_ignore_extensions: Vec<String> = "INVENTORY_IGNORE_EXTS";
    /// Regular expressions of names in an inventory folder that are no inventory.
    inventory_ignore_patterns: Vec<String> = "INVENTORY_IGNORE_PATTERNS";
    /// It is an error when no source could be read.
    inventory_unparsed_is_failed: bool = "INVENTORY_UNPARSED_IS_FAILED";
    /// It is an error when one source could not be read.
    inventory_any_unparsed_is_failed: bool = "INVENTORY_ANY_UNPARSED_IS_FAILED";
    /// A warning when no source could be read.
    inventory_unparsed_warning: bool = "INVENTORY_UNPARSED_WARNING";
    /// `ansible-inventory` shows what an export needs.
    inventory_export: bool = "INVENTORY_EXPORT";
    /// `warning`, `error` or `ignore`.
    host_pattern_mismatch: String = "HOST_PATTERN_MISMATCH";
    /// What to do with odd letters in names of groups.
    force_valid_group_names: String = "TRANSFORM_INVALID_GROUP_CHARS";
    /// Diffs are shown without `--diff`.
    diff_always: bool = "DIFF_ALWAYS";
    /// Lines around a change.
    diff_context: usize = "DIFF_CONTEXT";
    /// Bytes from which a file is too large for a diff.
    max_diff_size: u64 = "MAX_FILE_SIZE_FOR_DIFF";
    /// `--tags` where none is given.
    tags_run: Vec<String> = "TAGS_RUN";
    /// `--skip-tags` where none is given.
    tags_skip: Vec<String> = "TAGS_SKIP";
    /// File systems without SELinux labels.
    selinux_special_fs: Vec<String> = "DEFAULT_SELINUX_SPECIAL_FS";
    /// Where the `junit` callback writes.
    junit_output_dir: String = "junit.output_dir";
    /// rplay's own: the playbook that is run where none is named, as written.
    playbook: Option<String> = "rplay.playbook";
    /// rplay's own: what is only suspicious is an error.
    strict: bool = "rplay.strict";
}

impl Config {
    /// Reads `ansible.cfg` and the environment given.
    ///
    /// # Errors
    /// The file cannot be read, or a setting is not of its type.
    pub fn load(env: &BTreeMap<String, String>, cwd: &Path) -> Result<(Config, Vec<Diagnostic>), Diagnostic> {
        let loaded = load::load(env, cwd)?;
        let config = Config::new(loaded.file, Places::new(env, cwd), loaded.settings)?;
        Ok((config, loaded.warnings))
    }

    /// A setting of the table by Ansible's name, also those without a field here.
    pub fn setting(&self, name: &str) -> Option<&Chosen> {
        self.settings.get(name)
    }

    /// Every setting of the table.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.clone()
    }

    /// A colour by the name it has in `[colors]`: `ok`, `changed`, `error`...
    pub fn color(&self, name: &str) -> Option<&str> {
        self.setting(&format!("COLOR_{}", name.to_uppercase()))?.value.as_str()
    }
}

/// Types a setting can have here.
trait Typed: Sized {
    fn typed(value: &Value) -> Option<Self>;
}

impl Typed for bool {
    fn typed(value: &Value) -> Option<bool> {
        Some(value.is_true())
    }
}

impl Typed for String {
    fn typed(value: &Value) -> Option<String> {
        Some(if matches!(value, Value::Null) { String::new() } else { text(value) })
    }
}

impl Typed for PathBuf {
    fn typed(value: &Value) -> Option<PathBuf> {
        value.as_str().map(PathBuf::from)
    }
}

impl<T: Typed> Typed for Vec<T> {
    fn typed(value: &Value) -> Option<Vec<T>> {
        value.as_slice().map_or(Some(Vec::new()), |items| items.iter().map(T::typed).collect())
    }
}

impl<T: Typed> Typed for Option<T> {
    fn typed(value: &Value) -> Option<Option<T>> {
        if matches!(value, Value::Null) { Some(None) } else { T::typed(value).map(Some) }
    }
}

macro_rules! typed_number {
    ($($type:ty)*) => {
        $(impl Typed for $type {
            fn typed(value: &Value) -> Option<$type> {
                <$type>::try_from(value.as_int()?).ok()
            }
        })*
    };
}

typed_number!(u8 u16 u32 u64 usize);

fn typed<T: Typed>(settings: &Settings, name: &str) -> Result<T, Diagnostic> {
    let chosen = settings.get(name).ok_or_else(|| Diagnostic::error(format!("there is no setting {name} (a mistake in rplay)")))?;
    T::typed(&chosen.value).ok_or_else(|| {
        let error = Diagnostic::error(format!("config {name}: `{}` is out of range", text(&chosen.value)));
        match &chosen.origin {
            Origin::File(span) => error.at(span),
            Origin::Env(env) => error.note(format!("from the environment variable {env}")),
            Origin::Default => error,
        }
    })
}

#[cfg(test)]
mod tests;
