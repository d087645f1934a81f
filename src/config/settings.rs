//! Every setting that can be set in `ansible.cfg` or the environment, one row each.
//!
//! A row: name, type, default, places in `ansible.cfg`, environment variables, and the allowed values where they are few. A name with a
//! dot belongs to a plugin of Ansible (`ssh.`, `sudo.`, `default.`...) or to rplay itself (`rplay.`). Of several places the last that is set
//! counts, and the environment counts before the file.
//! Names that Ansible has given up (`hostfile`, `callback_whitelist`, `collections_paths`, `gather_subset`) still work.

/// How the text of a setting is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text as it stands.
    Str,
    /// `yes`, `true`, `on`, `1`, `y`, `t`; anything else is false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Words between commas.
    List,
    /// One path.
    Path,
    /// Paths between commas.
    PathList,
    /// Paths between colons.
    PathSpec,
}

/// A row of the table.
#[derive(Debug)]
pub struct Setting {
    /// Ansible's name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// As it would stand in the file; `{{ANSIBLE_HOME}}` is the setting of that name.
    pub default: Option<&'static str>,
    /// Section and key.
    pub ini: &'static [(&'static str, &'static str)],
    /// Environment variables.
    pub env: &'static [&'static str],
    /// Allowed values; empty where every value is.
    pub choices: &'static [&'static str],
}

macro_rules! settings {
    (@default -) => {
        None
    };
    (@default $text:literal) => {
        Some($text)
    };
    ($($name:literal $kind:ident $default:tt [$($ini:expr),*] [$($env:expr),*] [$($choice:expr),*];)*) => {
        /// The table.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            name: $name,
            kind: Kind::$kind,
            default: settings!(@default $default),
            ini: &[$($ini),*],
            env: &[$($env),*],
            choices: &[$($choice),*],
        }),*];
    };
}

/// Settings that only say where plugins written in Python are, which rplay does not load.
pub const PYTHON_PLUGINS: &[&str] = &[
    "BECOME_PLUGIN_PATH",
    "DEFAULT_ACTION_PLUGIN_PATH",
    "DEFAULT_CACHE_PLUGIN_PATH",
    "DEFAULT_CALLBACK_PLUGIN_PATH",
    "DEFAULT_CLICONF_PLUGIN_PATH",
    "DEFAULT_CONNECTION_PLUGIN_PATH",
    "DEFAULT_FILTER_PLUGIN_PATH",
    "DEFAULT_HTTPAPI_PLUGIN_PATH",
    "DEFAULT_INVENTORY_PLUGIN_PATH",
    "DEFAULT_LOOKUP_PLUGIN_PATH",
    "DEFAULT_NETCONF_PLUGIN_PATH",
    "DEFAULT_STRATEGY_PLUGIN_PATH",
    "DEFAULT_TERMINAL_PLUGIN_PATH",
    "DEFAULT_TEST_PLUGIN_PATH",
    "DEFAULT_VARS_PLUGIN_PATH",
];

settings! {
    "ACTION_WARNINGS" Bool "True" [("defaults", "action_warnings")] ["ANSIBLE_ACTION_WARNINGS"] [];
    "AGNOSTIC_BECOME_PROMPT" Bool "True" [("privilege_escalation", "agnostic_become_prompt")] ["ANSIBLE_AGNOSTIC_BECOME_PROMPT"] [];
    "ALLOW_BROKEN_CONDITIONALS" Bool "False" [("defaults", "allow_broken_conditionals")] ["ANSIBLE_ALLOW_BROKEN_CONDITIONALS"] [];
    "ALLOW_EMBEDDED_TEMPLATES" Bool "True" [("defaults", "allow_embedded_templates")] ["ANSIBLE_ALLOW_EMBEDDED_TEMPLATES"] [];
    "ANSIBLE_CONNECTION_PATH" Path - [("persistent_connection", "ansible_connection_path")] ["ANSIBLE_CONNECTION_PATH"] [];
    "ANSIBLE_COW_ACCEPTLIST" List "bud-frogs,bunny,cheese,daemon,default,dragon,elephant-in-snake,elephant,eyes,hellokitty,kitty,luke-koala,meow,milk,moofasa,moose,ren,sheep,small,stegosaurus,stimpy,supermilker,three-eyes,turkey,turtle,tux,udder,vader-koala,vader,www" [("defaults", "cowsay_enabled_stencils")] ["ANSIBLE_COW_ACCEPTLIST"] [];
    "ANSIBLE_COW_PATH" Str - [("defaults", "cowpath")] ["ANSIBLE_COW_PATH"] [];
    "ANSIBLE_COW_SELECTION" Str "default" [("defaults", "cow_selection")] ["ANSIBLE_COW_SELECTION"] [];
    "ANSIBLE_FORCE_COLOR" Bool "False" [("defaults", "force_color")] ["ANSIBLE_FORCE_COLOR"] [];
    "ANSIBLE_HOME" Path "~/.ansible" [("defaults", "home")] ["ANSIBLE_HOME"] [];
    "ANSIBLE_NOCOLOR" Bool "False" [("defaults", "nocolor")] ["ANSIBLE_NOCOLOR", "NO_COLOR"] [];
    "ANSIBLE_NOCOWS" Bool "False" [("defaults", "nocows")] ["ANSIBLE_NOCOWS"] [];
    "ANSIBLE_PIPELINING" Bool "False" [("defaults", "pipelining"), ("connection", "pipelining")] ["ANSIBLE_PIPELINING"] [];
    "ANY_ERRORS_FATAL" Bool "False" [("defaults", "any_errors_fatal")] ["ANSIBLE_ANY_ERRORS_FATAL"] [];
    "BECOME_ALLOW_SAME_USER" Bool "False" [("privilege_escalation", "become_allow_same_user")] ["ANSIBLE_BECOME_ALLOW_SAME_USER"] [];
    "BECOME_PASSWORD_FILE" Path - [("defaults", "become_password_file")] ["ANSIBLE_BECOME_PASSWORD_FILE"] [];
    "BECOME_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/become:/usr/share/ansible/plugins/become" [("defaults", "become_plugins")] ["ANSIBLE_BECOME_PLUGINS"] [];
    "CACHE_PLUGIN" Str "memory" [("defaults", "fact_caching")] ["ANSIBLE_CACHE_PLUGIN"] [];
    "CACHE_PLUGIN_CONNECTION" Str - [("defaults", "fact_caching_connection")] ["ANSIBLE_CACHE_PLUGIN_CONNECTION"] [];
    "CACHE_PLUGIN_PREFIX" Str "ansible_facts" [("defaults", "fact_caching_prefix")] ["ANSIBLE_CACHE_PLUGIN_PREFIX"] [];
    "CACHE_PLUGIN_TIMEOUT" Int "86400" [("defaults", "fact_caching_timeout")] ["ANSIBLE_CACHE_PLUGIN_TIMEOUT"] [];
    "CALLBACKS_ENABLED" List "" [("defaults", "callback_whitelist"), ("defaults", "callbacks_enabled")] ["ANSIBLE_CALLBACK_WHITELIST", "ANSIBLE_CALLBACKS_ENABLED"] [];
    "COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH" Str "warning" [("defaults", "collections_on_ansible_version_mismatch")] ["ANSIBLE_COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH"] ["error", "warning", "ignore"];
    "COLLECTIONS_PATHS" PathSpec "{{ANSIBLE_HOME}}/collections:/usr/share/ansible/collections" [("defaults", "collections_paths"), ("defaults", "collections_path")] ["ANSIBLE_COLLECTIONS_PATHS", "ANSIBLE_COLLECTIONS_PATH"] [];
    "COLLECTIONS_SCAN_SYS_PATH" Bool "True" [("defaults", "collections_scan_sys_path")] ["ANSIBLE_COLLECTIONS_SCAN_SYS_PATH"] [];
    "COLOR_CHANGED" Str "yellow" [("colors", "changed")] ["ANSIBLE_COLOR_CHANGED"] [];
    "COLOR_CONSOLE_PROMPT" Str "white" [("colors", "console_prompt")] ["ANSIBLE_COLOR_CONSOLE_PROMPT"] [];
    "COLOR_DEBUG" Str "dark gray" [("colors", "debug")] ["ANSIBLE_COLOR_DEBUG"] [];
    "COLOR_DEPRECATE" Str "purple" [("colors", "deprecate")] ["ANSIBLE_COLOR_DEPRECATE"] [];
    "COLOR_DIFF_ADD" Str "green" [("colors", "diff_add")] ["ANSIBLE_COLOR_DIFF_ADD"] [];
    "COLOR_DIFF_LINES" Str "cyan" [("colors", "diff_lines")] ["ANSIBLE_COLOR_DIFF_LINES"] [];
    "COLOR_DIFF_REMOVE" Str "red" [("colors", "diff_remove")] ["ANSIBLE_COLOR_DIFF_REMOVE"] [];
    "COLOR_DOC_CONSTANT" Str "dark gray" [("colors", "doc_constant")] ["ANSIBLE_COLOR_DOC_CONSTANT"] [];
    "COLOR_DOC_DEPRECATED" Str "magenta" [("colors", "doc_deprecated")] ["ANSIBLE_COLOR_DOC_DEPRECATED"] [];
    "COLOR_DOC_LINK" Str "cyan" [("colors", "doc_link")] ["ANSIBLE_COLOR_DOC_LINK"] [];
    "COLOR_DOC_MODULE" Str "yellow" [("colors", "doc_module")] ["ANSIBLE_COLOR_DOC_MODULE"] [];
    "COLOR_DOC_PLUGIN" Str "yellow" [("colors", "doc_plugin")] ["ANSIBLE_COLOR_DOC_PLUGIN"] [];
    "COLOR_DOC_REFERENCE" Str "magenta" [("colors", "doc_reference")] ["ANSIBLE_COLOR_DOC_REFERENCE"] [];
    "COLOR_ERROR" Str "red" [("colors", "error")] ["ANSIBLE_COLOR_ERROR"] [];
    "COLOR_HIGHLIGHT" Str "white" [("colors", "highlight")] ["ANSIBLE_COLOR_HIGHLIGHT"] [];
    "COLOR_INCLUDED" Str "cyan" [("colors", "included")] ["ANSIBLE_COLOR_INCLUDED"] [];
    "COLOR_OK" Str "green" [("colors", "ok")] ["ANSIBLE_COLOR_OK"] [];
    "COLOR_SKIP" Str "cyan" [("colors", "skip")] ["ANSIBLE_COLOR_SKIP"] [];
    "COLOR_UNREACHABLE" Str "bright red" [("colors", "unreachable")] ["ANSIBLE_COLOR_UNREACHABLE"] [];
    "COLOR_VERBOSE" Str "blue" [("colors", "verbose")] ["ANSIBLE_COLOR_VERBOSE"] [];
    "COLOR_WARN" Str "bright purple" [("colors", "warn")] ["ANSIBLE_COLOR_WARN"] [];
    "CONNECTION_PASSWORD_FILE" Path - [("defaults", "connection_password_file")] ["ANSIBLE_CONNECTION_PASSWORD_FILE"] [];
    "DEFAULT_ACTION_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/action:/usr/share/ansible/plugins/action" [("defaults", "action_plugins")] ["ANSIBLE_ACTION_PLUGINS"] [];
    "DEFAULT_ALLOW_UNSAFE_LOOKUPS" Bool "False" [("defaults", "allow_unsafe_lookups")] [] [];
    "DEFAULT_ASK_PASS" Bool "False" [("defaults", "ask_pass")] ["ANSIBLE_ASK_PASS"] [];
    "DEFAULT_ASK_VAULT_PASS" Bool "False" [("defaults", "ask_vault_pass")] ["ANSIBLE_ASK_VAULT_PASS"] [];
    "DEFAULT_BECOME" Bool "False" [("privilege_escalation", "become")] ["ANSIBLE_BECOME"] [];
    "DEFAULT_BECOME_ASK_PASS" Bool "False" [("privilege_escalation", "become_ask_pass")] ["ANSIBLE_BECOME_ASK_PASS"] [];
    "DEFAULT_BECOME_EXE" Str - [("privilege_escalation", "become_exe")] ["ANSIBLE_BECOME_EXE"] [];
    "DEFAULT_BECOME_FLAGS" Str "" [("privilege_escalation", "become_flags")] ["ANSIBLE_BECOME_FLAGS"] [];
    "DEFAULT_BECOME_METHOD" Str "sudo" [("privilege_escalation", "become_method")] ["ANSIBLE_BECOME_METHOD"] [];
    "DEFAULT_BECOME_USER" Str "root" [("privilege_escalation", "become_user")] ["ANSIBLE_BECOME_USER"] [];
    "DEFAULT_CACHE_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/cache:/usr/share/ansible/plugins/cache" [("defaults", "cache_plugins")] ["ANSIBLE_CACHE_PLUGINS"] [];
    "DEFAULT_CALLBACK_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/callback:/usr/share/ansible/plugins/callback" [("defaults", "callback_plugins")] ["ANSIBLE_CALLBACK_PLUGINS"] [];
    "DEFAULT_CLICONF_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/cliconf:/usr/share/ansible/plugins/cliconf" [("defaults", "cliconf_plugins")] ["ANSIBLE_CLICONF_PLUGINS"] [];
    "DEFAULT_CONNECTION_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/connection:/usr/share/ansible/plugins/connection" [("defaults", "connection_plugins")] ["ANSIBLE_CONNECTION_PLUGINS"] [];
    "DEFAULT_DEBUG" Bool "False" [("defaults", "debug")] ["ANSIBLE_DEBUG"] [];
    "DEFAULT_EXECUTABLE" Str "/bin/sh" [("defaults", "executable")] ["ANSIBLE_EXECUTABLE"] [];
    "DEFAULT_FILTER_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/filter:/usr/share/ansible/plugins/filter" [("defaults", "filter_plugins")] ["ANSIBLE_FILTER_PLUGINS"] [];
    "DEFAULT_FORCE_HANDLERS" Bool "False" [("defaults", "force_handlers")] ["ANSIBLE_FORCE_HANDLERS"] [];
    "DEFAULT_FORKS" Int "5" [("defaults", "forks")] ["ANSIBLE_FORKS"] [];
    "DEFAULT_GATHERING" Str "implicit" [("defaults", "gathering")] ["ANSIBLE_GATHERING"] ["implicit", "explicit", "smart"];
    "DEFAULT_HASH_BEHAVIOUR" Str "replace" [("defaults", "hash_behaviour")] ["ANSIBLE_HASH_BEHAVIOUR"] ["replace", "merge"];
    "DEFAULT_HOST_LIST" PathList "/etc/ansible/hosts" [("defaults", "hostfile"), ("defaults", "inventory")] ["ANSIBLE_HOSTS", "ANSIBLE_INVENTORY"] [];
    "DEFAULT_HTTPAPI_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/httpapi:/usr/share/ansible/plugins/httpapi" [("defaults", "httpapi_plugins")] ["ANSIBLE_HTTPAPI_PLUGINS"] [];
    "DEFAULT_INTERNAL_POLL_INTERVAL" Float "0.001" [("defaults", "internal_poll_interval")] [] [];
    "DEFAULT_INVENTORY_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/inventory:/usr/share/ansible/plugins/inventory" [("defaults", "inventory_plugins")] ["ANSIBLE_INVENTORY_PLUGINS"] [];
    "DEFAULT_JINJA2_EXTENSIONS" List "" [("defaults", "jinja2_extensions")] ["ANSIBLE_JINJA2_EXTENSIONS"] [];
    "DEFAULT_JINJA2_NATIVE" Bool "True" [("defaults", "jinja2_native")] ["ANSIBLE_JINJA2_NATIVE"] [];
    "DEFAULT_KEEP_REMOTE_FILES" Bool "False" [("defaults", "keep_remote_files")] ["ANSIBLE_KEEP_REMOTE_FILES"] [];
    "DEFAULT_LIBVIRT_LXC_NOSECLABEL" Bool "False" [("selinux", "libvirt_lxc_noseclabel")] ["ANSIBLE_LIBVIRT_LXC_NOSECLABEL"] [];
    "DEFAULT_LOAD_CALLBACK_PLUGINS" Bool "False" [("defaults", "bin_ansible_callbacks")] ["ANSIBLE_LOAD_CALLBACK_PLUGINS"] [];
    "DEFAULT_LOCAL_TMP" Path "{{ANSIBLE_HOME}}/tmp" [("defaults", "local_tmp")] ["ANSIBLE_LOCAL_TEMP"] [];
    "DEFAULT_LOG_FILTER" List "" [("defaults", "log_filter")] ["ANSIBLE_LOG_FILTER"] [];
    "DEFAULT_LOG_PATH" Path - [("defaults", "log_path")] ["ANSIBLE_LOG_PATH"] [];
    "DEFAULT_LOOKUP_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/lookup:/usr/share/ansible/plugins/lookup" [("defaults", "lookup_plugins")] ["ANSIBLE_LOOKUP_PLUGINS"] [];
    "DEFAULT_MANAGED_STR" Str "Ansible managed" [("defaults", "ansible_managed")] [] [];
    "DEFAULT_MODULE_ARGS" Str - [("defaults", "module_args")] ["ANSIBLE_MODULE_ARGS"] [];
    "DEFAULT_MODULE_COMPRESSION" Str "ZIP_DEFLATED" [("defaults", "module_compression")] [] [];
    "DEFAULT_MODULE_NAME" Str "command" [("defaults", "module_name")] [] [];
    "DEFAULT_MODULE_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/modules:/usr/share/ansible/plugins/modules" [("defaults", "library")] ["ANSIBLE_LIBRARY"] [];
    "DEFAULT_MODULE_UTILS_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/module_utils:/usr/share/ansible/plugins/module_utils" [("defaults", "module_utils")] ["ANSIBLE_MODULE_UTILS"] [];
    "DEFAULT_NETCONF_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/netconf:/usr/share/ansible/plugins/netconf" [("defaults", "netconf_plugins")] ["ANSIBLE_NETCONF_PLUGINS"] [];
    "DEFAULT_NO_LOG" Bool "False" [("defaults", "no_log")] ["ANSIBLE_NO_LOG"] [];
    "DEFAULT_NO_TARGET_SYSLOG" Bool "False" [("defaults", "no_target_syslog")] ["ANSIBLE_NO_TARGET_SYSLOG"] [];
    "DEFAULT_NULL_REPRESENTATION" Str - [("defaults", "null_representation")] ["ANSIBLE_NULL_REPRESENTATION"] [];
    "DEFAULT_POLL_INTERVAL" Int "15" [("defaults", "poll_interval")] ["ANSIBLE_POLL_INTERVAL"] [];
    "DEFAULT_PRIVATE_KEY_FILE" Path - [("defaults", "private_key_file")] ["ANSIBLE_PRIVATE_KEY_FILE"] [];
    "DEFAULT_PRIVATE_ROLE_VARS" Bool "False" [("defaults", "private_role_vars")] ["ANSIBLE_PRIVATE_ROLE_VARS"] [];
    "DEFAULT_REMOTE_PORT" Int - [("defaults", "remote_port")] ["ANSIBLE_REMOTE_PORT"] [];
    "DEFAULT_REMOTE_USER" Str - [("defaults", "remote_user")] ["ANSIBLE_REMOTE_USER"] [];
    "DEFAULT_ROLES_PATH" PathSpec "{{ANSIBLE_HOME}}/roles:/usr/share/ansible/roles:/etc/ansible/roles" [("defaults", "roles_path")] ["ANSIBLE_ROLES_PATH"] [];
    "DEFAULT_SELINUX_SPECIAL_FS" List "fuse,nfs,vboxsf,ramfs,9p,vfat" [("selinux", "special_context_filesystems")] ["ANSIBLE_SELINUX_SPECIAL_FS"] [];
    "DEFAULT_STDOUT_CALLBACK" Str "default" [("defaults", "stdout_callback")] ["ANSIBLE_STDOUT_CALLBACK"] [];
    "DEFAULT_STRATEGY" Str "linear" [("defaults", "strategy")] ["ANSIBLE_STRATEGY"] [];
    "DEFAULT_STRATEGY_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/strategy:/usr/share/ansible/plugins/strategy" [("defaults", "strategy_plugins")] ["ANSIBLE_STRATEGY_PLUGINS"] [];
    "DEFAULT_SU" Bool "False" [("defaults", "su")] ["ANSIBLE_SU"] [];
    "DEFAULT_SYSLOG_FACILITY" Str "LOG_USER" [("defaults", "syslog_facility")] ["ANSIBLE_SYSLOG_FACILITY"] [];
    "DEFAULT_TERMINAL_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/terminal:/usr/share/ansible/plugins/terminal" [("defaults", "terminal_plugins")] ["ANSIBLE_TERMINAL_PLUGINS"] [];
    "DEFAULT_TEST_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/test:/usr/share/ansible/plugins/test" [("defaults", "test_plugins")] ["ANSIBLE_TEST_PLUGINS"] [];
    "DEFAULT_TIMEOUT" Int "10" [("defaults", "timeout")] ["ANSIBLE_TIMEOUT"] [];
    "DEFAULT_TRANSPORT" Str "ssh" [("defaults", "transport")] ["ANSIBLE_TRANSPORT"] [];
    "DEFAULT_UNDEFINED_VAR_BEHAVIOR" Bool "True" [("defaults", "error_on_undefined_vars")] ["ANSIBLE_ERROR_ON_UNDEFINED_VARS"] [];
    "DEFAULT_VARS_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/vars:/usr/share/ansible/plugins/vars" [("defaults", "vars_plugins")] ["ANSIBLE_VARS_PLUGINS"] [];
    "DEFAULT_VAULT_ENCRYPT_IDENTITY" Str - [("defaults", "vault_encrypt_identity")] ["ANSIBLE_VAULT_ENCRYPT_IDENTITY"] [];
    "DEFAULT_VAULT_IDENTITY" Str "default" [("defaults", "vault_identity")] ["ANSIBLE_VAULT_IDENTITY"] [];
    "DEFAULT_VAULT_IDENTITY_LIST" List "" [("defaults", "vault_identity_list")] ["ANSIBLE_VAULT_IDENTITY_LIST"] [];
    "DEFAULT_VAULT_ID_MATCH" Bool "False" [("defaults", "vault_id_match")] ["ANSIBLE_VAULT_ID_MATCH"] [];
    "DEFAULT_VAULT_PASSWORD_FILE" Path - [("defaults", "vault_password_file")] ["ANSIBLE_VAULT_PASSWORD_FILE"] [];
    "DEFAULT_VERBOSITY" Int "0" [("defaults", "verbosity")] ["ANSIBLE_VERBOSITY"] [];
    "DEPRECATION_WARNINGS" Bool "True" [("defaults", "deprecation_warnings")] ["ANSIBLE_DEPRECATION_WARNINGS"] [];
    "DEVEL_WARNING" Bool "True" [("defaults", "devel_warning")] ["ANSIBLE_DEVEL_WARNING"] [];
    "DIFF_ALWAYS" Bool "False" [("diff", "always")] ["ANSIBLE_DIFF_ALWAYS"] [];
    "DIFF_CONTEXT" Int "3" [("diff", "context")] ["ANSIBLE_DIFF_CONTEXT"] [];
    "DISPLAY_ARGS_TO_STDOUT" Bool "False" [("defaults", "display_args_to_stdout")] ["ANSIBLE_DISPLAY_ARGS_TO_STDOUT"] [];
    "DISPLAY_SKIPPED_HOSTS" Bool "True" [("defaults", "display_skipped_hosts")] ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"] [];
    "DISPLAY_TRACEBACK" List "never" [("defaults", "display_traceback")] ["ANSIBLE_DISPLAY_TRACEBACK"] ["error", "warning", "deprecated", "deprecated_value", "always", "never"];
    "DOCSITE_ROOT_URL" Str "https://docs.ansible.com/ansible-core/" [("defaults", "docsite_root_url")] [] [];
    "DOC_FRAGMENT_PLUGIN_PATH" PathSpec "{{ANSIBLE_HOME}}/plugins/doc_fragments:/usr/share/ansible/plugins/doc_fragments" [("defaults", "doc_fragment_plugins")] ["ANSIBLE_DOC_FRAGMENT_PLUGINS"] [];
    "DUPLICATE_YAML_DICT_KEY" Str "warn" [("defaults", "duplicate_dict_key")] ["ANSIBLE_DUPLICATE_YAML_DICT_KEY"] ["error", "warn", "ignore"];
    "EDITOR" Str "vi" [("defaults", "editor")] ["ANSIBLE_EDITOR", "EDITOR"] [];
    "ENABLE_TASK_DEBUGGER" Bool "False" [("defaults", "enable_task_debugger")] ["ANSIBLE_ENABLE_TASK_DEBUGGER"] [];
    "ERROR_ON_MISSING_HANDLER" Bool "True" [("defaults", "error_on_missing_handler")] ["ANSIBLE_ERROR_ON_MISSING_HANDLER"] [];
    "FACTS_MODULES" List "smart" [("defaults", "facts_modules")] ["ANSIBLE_FACTS_MODULES"] [];
    "GALAXY_CACHE_DIR" Path "{{ANSIBLE_HOME}}/galaxy_cache" [("galaxy", "cache_dir")] ["ANSIBLE_GALAXY_CACHE_DIR"] [];
    "GALAXY_COLLECTIONS_PATH_WARNING" Bool "True" [("galaxy", "collections_path_warning")] ["ANSIBLE_GALAXY_COLLECTIONS_PATH_WARNING"] [];
    "GALAXY_COLLECTION_IMPORT_POLL_FACTOR" Float "1.5" [] ["ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_FACTOR"] [];
    "GALAXY_COLLECTION_IMPORT_POLL_INTERVAL" Float "2.0" [] ["ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_INTERVAL"] [];
    "GALAXY_COLLECTION_SKELETON" Path - [("galaxy", "collection_skeleton")] ["ANSIBLE_GALAXY_COLLECTION_SKELETON"] [];
    "GALAXY_COLLECTION_SKELETON_IGNORE" List "^.git$,^.*/.git_keep$" [("galaxy", "collection_skeleton_ignore")] ["ANSIBLE_GALAXY_COLLECTION_SKELETON_IGNORE"] [];
    "GALAXY_DISABLE_GPG_VERIFY" Bool "False" [("galaxy", "disable_gpg_verify")] ["ANSIBLE_GALAXY_DISABLE_GPG_VERIFY"] [];
    "GALAXY_DISPLAY_PROGRESS" Bool - [("galaxy", "display_progress")] ["ANSIBLE_GALAXY_DISPLAY_PROGRESS"] [];
    "GALAXY_GPG_KEYRING" Path - [("galaxy", "gpg_keyring")] ["ANSIBLE_GALAXY_GPG_KEYRING"] [];
    "GALAXY_IGNORE_CERTS" Bool - [("galaxy", "ignore_certs")] ["ANSIBLE_GALAXY_IGNORE"] [];
    "GALAXY_IGNORE_INVALID_SIGNATURE_STATUS_CODES" List - [("galaxy", "ignore_signature_status_codes")] ["ANSIBLE_GALAXY_IGNORE_SIGNATURE_STATUS_CODES"] ["EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG", "NO_PUBKEY", "MISSING_PASSPHRASE", "BAD_PASSPHRASE", "NODATA", "UNEXPECTED", "ERROR", "FAILURE", "BADARMOR", "KEYEXPIRED", "KEYREVOKED", "NO_SECKEY"];
    "GALAXY_REQUIRED_VALID_SIGNATURE_COUNT" Str "1" [("galaxy", "required_valid_signature_count")] ["ANSIBLE_GALAXY_REQUIRED_VALID_SIGNATURE_COUNT"] [];
    "GALAXY_ROLE_SKELETON" Path - [("galaxy", "role_skeleton")] ["ANSIBLE_GALAXY_ROLE_SKELETON"] [];
    "GALAXY_ROLE_SKELETON_IGNORE" List "^.git$,^.*/.git_keep$" [("galaxy", "role_skeleton_ignore")] ["ANSIBLE_GALAXY_ROLE_SKELETON_IGNORE"] [];
    "GALAXY_SERVER" Str "https://galaxy.ansible.com" [("galaxy", "server")] ["ANSIBLE_GALAXY_SERVER"] [];
    "GALAXY_SERVER_LIST" List - [("galaxy", "server_list")] ["ANSIBLE_GALAXY_SERVER_LIST"] [];
    "GALAXY_SERVER_TIMEOUT" Int "60" [("galaxy", "server_timeout")] ["ANSIBLE_GALAXY_SERVER_TIMEOUT"] [];
    "GALAXY_TOKEN_PATH" Path "{{ANSIBLE_HOME}}/galaxy_token" [("galaxy", "token_path")] ["ANSIBLE_GALAXY_TOKEN_PATH"] [];
    "HOST_KEY_CHECKING" Bool "True" [("defaults", "host_key_checking")] ["ANSIBLE_HOST_KEY_CHECKING"] [];
    "HOST_PATTERN_MISMATCH" Str "warning" [("inventory", "host_pattern_mismatch")] ["ANSIBLE_HOST_PATTERN_MISMATCH"] ["error", "warning", "ignore"];
    "INJECT_FACTS_AS_VARS" Bool "True" [("defaults", "inject_facts_as_vars")] ["ANSIBLE_INJECT_FACT_VARS"] [];
    "INTERPRETER_PYTHON" Str "auto" [("defaults", "interpreter_python")] ["ANSIBLE_PYTHON_INTERPRETER"] [];
    "INTERPRETER_PYTHON_FALLBACK" List "python3.13,python3.12,python3.11,python3.10,python3.9,python3.8,/usr/bin/python3,python3" [] [] [];
    "INVALID_TASK_ATTRIBUTE_FAILED" Bool "True" [("defaults", "invalid_task_attribute_failed")] ["ANSIBLE_INVALID_TASK_ATTRIBUTE_FAILED"] [];
    "INVENTORY_ANY_UNPARSED_IS_FAILED" Bool "False" [("inventory", "any_unparsed_is_failed")] ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] [];
    "INVENTORY_ENABLED" List "host_list,script,auto,yaml,ini,toml" [("inventory", "enable_plugins")] ["ANSIBLE_INVENTORY_ENABLED"] [];
    "INVENTORY_EXPORT" Bool "False" [("inventory", "export")] ["ANSIBLE_INVENTORY_EXPORT"] [];
    "INVENTORY_IGNORE_EXTS" List ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.orig,.cfg,.retry" [("defaults", "inventory_ignore_extensions"), ("inventory", "ignore_extensions")] ["ANSIBLE_INVENTORY_IGNORE"] [];
    "INVENTORY_IGNORE_PATTERNS" List "" [("defaults", "inventory_ignore_patterns"), ("inventory", "ignore_patterns")] ["ANSIBLE_INVENTORY_IGNORE_REGEX"] [];
    "INVENTORY_UNPARSED_IS_FAILED" Bool "False" [("inventory", "unparsed_is_failed")] ["ANSIBLE_INVENTORY_UNPARSED_FAILED"] [];
    "INVENTORY_UNPARSED_WARNING" Bool "True" [("inventory", "inventory_unparsed_warning")] ["ANSIBLE_INVENTORY_UNPARSED_WARNING"] [];
    "LOCALHOST_WARNING" Bool "True" [("defaults", "localhost_warning")] ["ANSIBLE_LOCALHOST_WARNING"] [];
    "LOG_VERBOSITY" Int - [("defaults", "log_verbosity")] ["ANSIBLE_LOG_VERBOSITY"] [];
    "MAX_FILE_SIZE_FOR_DIFF" Int "104448" [("defaults", "max_diff_size")] ["ANSIBLE_MAX_DIFF_SIZE"] [];
    "MODULE_IGNORE_EXTS" List ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.yaml,.yml,.ini" [("defaults", "module_ignore_exts")] ["ANSIBLE_MODULE_IGNORE_EXTS"] [];
    "MODULE_STRICT_UTF8_RESPONSE" Bool "True" [("defaults", "module_strict_utf8_response")] ["ANSIBLE_MODULE_STRICT_UTF8_RESPONSE"] [];
    "NETCONF_SSH_CONFIG" Str - [("netconf_connection", "ssh_config")] ["ANSIBLE_NETCONF_SSH_CONFIG"] [];
    "NETWORK_GROUP_MODULES" List "eos,nxos,ios,iosxr,junos,enos,ce,vyos,sros,dellos9,dellos10,dellos6,asa,aruba,aireos,bigip,ironware,onyx,netconf,exos,voss,slxos" [("defaults", "network_group_modules")] ["ANSIBLE_NETWORK_GROUP_MODULES"] [];
    "OLD_PLUGIN_CACHE_CLEARING" Bool "False" [("defaults", "old_plugin_cache_clear")] ["ANSIBLE_OLD_PLUGIN_CACHE_CLEAR"] [];
    "PAGER" Str "less" [("defaults", "pager")] ["ANSIBLE_PAGER", "PAGER"] [];
    "PARAMIKO_HOST_KEY_AUTO_ADD" Bool "False" [("paramiko_connection", "host_key_auto_add")] ["ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD"] [];
    "PARAMIKO_LOOK_FOR_KEYS" Bool "True" [("paramiko_connection", "look_for_keys")] ["ANSIBLE_PARAMIKO_LOOK_FOR_KEYS"] [];
    "PERSISTENT_COMMAND_TIMEOUT" Int "30" [("persistent_connection", "command_timeout")] ["ANSIBLE_PERSISTENT_COMMAND_TIMEOUT"] [];
    "PERSISTENT_CONNECT_RETRY_TIMEOUT" Int "15" [("persistent_connection", "connect_retry_timeout")] ["ANSIBLE_PERSISTENT_CONNECT_RETRY_TIMEOUT"] [];
    "PERSISTENT_CONNECT_TIMEOUT" Int "30" [("persistent_connection", "connect_timeout")] ["ANSIBLE_PERSISTENT_CONNECT_TIMEOUT"] [];
    "PERSISTENT_CONTROL_PATH_DIR" Path "{{ANSIBLE_HOME}}/pc" [("persistent_connection", "control_path_dir")] ["ANSIBLE_PERSISTENT_CONTROL_PATH_DIR"] [];
    "PLAYBOOK_DIR" Path - [("defaults", "playbook_dir")] ["ANSIBLE_PLAYBOOK_DIR"] [];
    "PLAYBOOK_VARS_ROOT" Str "top" [("defaults", "playbook_vars_root")] ["ANSIBLE_PLAYBOOK_VARS_ROOT"] ["top", "bottom", "all"];
    "PLUGIN_FILTERS_CFG" Path - [("defaults", "plugin_filters_cfg")] [] [];
    "PYTHON_MODULE_RLIMIT_NOFILE" Int "0" [("defaults", "python_module_rlimit_nofile")] ["ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE"] [];
    "RETRY_FILES_ENABLED" Bool "False" [("defaults", "retry_files_enabled")] ["ANSIBLE_RETRY_FILES_ENABLED"] [];
    "RETRY_FILES_SAVE_PATH" Path - [("defaults", "retry_files_save_path")] ["ANSIBLE_RETRY_FILES_SAVE_PATH"] [];
    "RUN_VARS_PLUGINS" Str "demand" [("defaults", "run_vars_plugins")] ["ANSIBLE_RUN_VARS_PLUGINS"] ["demand", "start"];
    "SHOW_CUSTOM_STATS" Bool "False" [("defaults", "show_custom_stats")] ["ANSIBLE_SHOW_CUSTOM_STATS"] [];
    "SSH_AGENT" Str "none" [("connection", "ssh_agent")] ["ANSIBLE_SSH_AGENT"] [];
    "SSH_AGENT_EXECUTABLE" Str "ssh-agent" [("connection", "ssh_agent_executable")] ["ANSIBLE_SSH_AGENT_EXECUTABLE"] [];
    "SSH_AGENT_KEY_LIFETIME" Int - [("connection", "ssh_agent_key_lifetime")] ["ANSIBLE_SSH_AGENT_KEY_LIFETIME"] [];
    "STRING_TYPE_FILTERS" List "string,to_json,to_nice_json,to_yaml,to_nice_yaml,ppretty,json" [("jinja2", "dont_type_filters")] ["ANSIBLE_STRING_TYPE_FILTERS"] [];
    "SYSTEM_WARNINGS" Bool "True" [("defaults", "system_warnings")] ["ANSIBLE_SYSTEM_WARNINGS"] [];
    "TAGS_RUN" List "" [("tags", "run")] ["ANSIBLE_RUN_TAGS"] [];
    "TAGS_SKIP" List "" [("tags", "skip")] ["ANSIBLE_SKIP_TAGS"] [];
    "TARGET_LOG_INFO" Str - [("defaults", "target_log_info")] ["ANSIBLE_TARGET_LOG_INFO"] [];
    "TASK_DEBUGGER_IGNORE_ERRORS" Bool "True" [("defaults", "task_debugger_ignore_errors")] ["ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS"] [];
    "TASK_TIMEOUT" Int "0" [("defaults", "task_timeout")] ["ANSIBLE_TASK_TIMEOUT"] [];
    "TRANSFORM_INVALID_GROUP_CHARS" Str "never" [("defaults", "force_valid_group_names")] ["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"] ["always", "never", "ignore", "silently"];
    "USE_PERSISTENT_CONNECTIONS" Bool "False" [("defaults", "use_persistent_connections")] ["ANSIBLE_USE_PERSISTENT_CONNECTIONS"] [];
    "VALIDATE_ACTION_GROUP_METADATA" Bool "True" [("defaults", "validate_action_group_metadata")] ["ANSIBLE_VALIDATE_ACTION_GROUP_METADATA"] [];
    "VARIABLE_PLUGINS_ENABLED" List "host_group_vars" [("defaults", "vars_plugins_enabled")] ["ANSIBLE_VARS_ENABLED"] [];
    "VARIABLE_PRECEDENCE" List "all_inventory,groups_inventory,all_plugins_inventory,all_plugins_play,groups_plugins_inventory,groups_plugins_play" [("defaults", "precedence")] ["ANSIBLE_PRECEDENCE"] [];
    "VAULT_ENCRYPT_SALT" Str - [("defaults", "vault_encrypt_salt")] ["ANSIBLE_VAULT_ENCRYPT_SALT"] [];
    "VERBOSE_TO_STDERR" Bool "False" [("defaults", "verbose_to_stderr")] ["ANSIBLE_VERBOSE_TO_STDERR"] [];
    "WIN_ASYNC_STARTUP_TIMEOUT" Int "5" [("defaults", "win_async_startup_timeout")] ["ANSIBLE_WIN_ASYNC_STARTUP_TIMEOUT"] [];
    "WORKER_SHUTDOWN_POLL_COUNT" Int "0" [] ["ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT"] [];
    "WORKER_SHUTDOWN_POLL_DELAY" Float "0.1" [] ["ANSIBLE_WORKER_SHUTDOWN_POLL_DELAY"] [];
    "YAML_FILENAME_EXTENSIONS" List ".yml,.yaml,.json" [("defaults", "yaml_valid_extensions")] ["ANSIBLE_YAML_FILENAME_EXT"] [];
    "ssh.pipelining" Bool - [("defaults", "pipelining"), ("connection", "pipelining"), ("ssh_connection", "pipelining")] ["ANSIBLE_PIPELINING", "ANSIBLE_SSH_PIPELINING"] [];
    "ssh.host_key_checking" Bool "True" [("defaults", "host_key_checking"), ("ssh_connection", "host_key_checking")] ["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"] [];
    "ssh.password_mechanism" Str "ssh_askpass" [("ssh_connection", "password_mechanism")] ["ANSIBLE_SSH_PASSWORD_MECHANISM"] ["ssh_askpass", "sshpass", "disable"];
    "ssh.sshpass_prompt" Str "" [("ssh_connection", "sshpass_prompt")] ["ANSIBLE_SSHPASS_PROMPT"] [];
    "ssh.ssh_args" Str "-C -o ControlMaster=auto -o ControlPersist=60s" [("ssh_connection", "ssh_args")] ["ANSIBLE_SSH_ARGS"] [];
    "ssh.ssh_common_args" Str "" [("ssh_connection", "ssh_common_args")] ["ANSIBLE_SSH_COMMON_ARGS"] [];
    "ssh.ssh_executable" Str "ssh" [("ssh_connection", "ssh_executable")] ["ANSIBLE_SSH_EXECUTABLE"] [];
    "ssh.sftp_executable" Str "sftp" [("ssh_connection", "sftp_executable")] ["ANSIBLE_SFTP_EXECUTABLE"] [];
    "ssh.scp_executable" Str "scp" [("ssh_connection", "scp_executable")] ["ANSIBLE_SCP_EXECUTABLE"] [];
    "ssh.scp_extra_args" Str "" [("ssh_connection", "scp_extra_args")] ["ANSIBLE_SCP_EXTRA_ARGS"] [];
    "ssh.sftp_extra_args" Str "" [("ssh_connection", "sftp_extra_args")] ["ANSIBLE_SFTP_EXTRA_ARGS"] [];
    "ssh.ssh_extra_args" Str "" [("ssh_connection", "ssh_extra_args")] ["ANSIBLE_SSH_EXTRA_ARGS"] [];
    "ssh.reconnection_retries" Int "0" [("connection", "retries"), ("ssh_connection", "retries")] ["ANSIBLE_SSH_RETRIES"] [];
    "ssh.port" Int - [("defaults", "remote_port")] ["ANSIBLE_REMOTE_PORT"] [];
    "ssh.remote_user" Str - [("defaults", "remote_user")] ["ANSIBLE_REMOTE_USER"] [];
    "ssh.private_key_file" Str - [("defaults", "private_key_file")] ["ANSIBLE_PRIVATE_KEY_FILE"] [];
    "ssh.private_key" Str - [] ["ANSIBLE_PRIVATE_KEY"] [];
    "ssh.private_key_passphrase" Str - [] ["ANSIBLE_PRIVATE_KEY_PASSPHRASE"] [];
    "ssh.control_path" Str - [("ssh_connection", "control_path")] ["ANSIBLE_SSH_CONTROL_PATH"] [];
    "ssh.control_path_dir" Str "~/.ansible/cp" [("ssh_connection", "control_path_dir")] ["ANSIBLE_SSH_CONTROL_PATH_DIR"] [];
    "ssh.sftp_batch_mode" Bool "True" [("ssh_connection", "sftp_batch_mode")] ["ANSIBLE_SFTP_BATCH_MODE"] [];
    "ssh.ssh_transfer_method" Str "smart" [("ssh_connection", "transfer_method")] ["ANSIBLE_SSH_TRANSFER_METHOD"] ["sftp", "scp", "piped", "smart"];
    "ssh.use_tty" Bool "True" [("ssh_connection", "usetty")] ["ANSIBLE_SSH_USETTY"] [];
    "ssh.timeout" Int "10" [("defaults", "timeout"), ("ssh_connection", "timeout")] ["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"] [];
    "ssh.pkcs11_provider" Str "" [("ssh_connection", "pkcs11_provider")] ["ANSIBLE_PKCS11_PROVIDER"] [];
    "ssh.verbosity" Int "0" [("ssh_connection", "verbosity")] ["ANSIBLE_SSH_VERBOSITY"] [];
    "sudo.become_user" Str "root" [("privilege_escalation", "become_user"), ("sudo_become_plugin", "user")] ["ANSIBLE_BECOME_USER", "ANSIBLE_SUDO_USER"] [];
    "sudo.become_exe" Str "sudo" [("privilege_escalation", "become_exe"), ("sudo_become_plugin", "executable")] ["ANSIBLE_BECOME_EXE", "ANSIBLE_SUDO_EXE"] [];
    "sudo.become_flags" Str "-H -S -n" [("privilege_escalation", "become_flags"), ("sudo_become_plugin", "flags")] ["ANSIBLE_BECOME_FLAGS", "ANSIBLE_SUDO_FLAGS"] [];
    "sudo.become_pass" Str - [("sudo_become_plugin", "password")] ["ANSIBLE_BECOME_PASS", "ANSIBLE_SUDO_PASS"] [];
    "sudo.sudo_chdir" Str - [("sudo_become_plugin", "chdir")] ["ANSIBLE_SUDO_CHDIR"] [];
    "su.become_user" Str "root" [("privilege_escalation", "become_user"), ("su_become_plugin", "user")] ["ANSIBLE_BECOME_USER", "ANSIBLE_SU_USER"] [];
    "su.become_exe" Str "su" [("privilege_escalation", "become_exe"), ("su_become_plugin", "executable")] ["ANSIBLE_BECOME_EXE", "ANSIBLE_SU_EXE"] [];
    "su.become_flags" Str "" [("privilege_escalation", "become_flags"), ("su_become_plugin", "flags")] ["ANSIBLE_BECOME_FLAGS", "ANSIBLE_SU_FLAGS"] [];
    "su.become_pass" Str - [("su_become_plugin", "password")] ["ANSIBLE_BECOME_PASS", "ANSIBLE_SU_PASS"] [];
    "su.prompt_l10n" List "" [("su_become_plugin", "localized_prompts")] ["ANSIBLE_SU_PROMPT_L10N"] [];
    "default.result_format" Str "json" [("defaults", "callback_result_format")] ["ANSIBLE_CALLBACK_RESULT_FORMAT"] ["json", "yaml"];
    "default.pretty_results" Bool - [("defaults", "callback_format_pretty")] ["ANSIBLE_CALLBACK_FORMAT_PRETTY"] [];
    "default.display_skipped_hosts" Bool "True" [("defaults", "display_skipped_hosts")] ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"] [];
    "default.display_ok_hosts" Bool "True" [("defaults", "display_ok_hosts")] ["ANSIBLE_DISPLAY_OK_HOSTS"] [];
    "default.display_failed_stderr" Bool "False" [("defaults", "display_failed_stderr")] ["ANSIBLE_DISPLAY_FAILED_STDERR"] [];
    "default.show_custom_stats" Bool "False" [("defaults", "show_custom_stats")] ["ANSIBLE_SHOW_CUSTOM_STATS"] [];
    "default.show_per_host_start" Bool "False" [("defaults", "show_per_host_start")] ["ANSIBLE_SHOW_PER_HOST_START"] [];
    "default.check_mode_markers" Bool "False" [("defaults", "check_mode_markers")] ["ANSIBLE_CHECK_MODE_MARKERS"] [];
    "default.show_task_path_on_failure" Bool "False" [("defaults", "show_task_path_on_failure")] ["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"] [];
    "junit.output_dir" Str "~/.ansible.log" [] ["JUNIT_OUTPUT_DIR"] [];
    "junit.task_class" Bool "False" [] ["JUNIT_TASK_CLASS"] [];
    "junit.task_relative_path" Str "none" [] ["JUNIT_TASK_RELATIVE_PATH"] [];
    "junit.replace_out_of_tree_path" Str "none" [] ["JUNIT_REPLACE_OUT_OF_TREE_PATH"] [];
    "junit.fail_on_change" Bool "False" [] ["JUNIT_FAIL_ON_CHANGE"] [];
    "junit.fail_on_ignore" Bool "False" [] ["JUNIT_FAIL_ON_IGNORE"] [];
    "junit.include_setup_tasks_in_report" Bool "True" [] ["JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT"] [];
    "junit.hide_task_arguments" Bool "False" [] ["JUNIT_HIDE_TASK_ARGUMENTS"] [];
    "junit.test_case_prefix" Str - [] ["JUNIT_TEST_CASE_PREFIX"] [];
    "sh.remote_tmp" Str "~/.ansible/tmp" [("defaults", "remote_tmp")] ["ANSIBLE_REMOTE_TEMP", "ANSIBLE_REMOTE_TMP"] [];
    "sh.common_remote_group" Str - [("defaults", "common_remote_group")] ["ANSIBLE_COMMON_REMOTE_GROUP"] [];
    "sh.system_tmpdirs" List "/var/tmp,/tmp" [("defaults", "system_tmpdirs")] ["ANSIBLE_SYSTEM_TMPDIRS"] [];
    "sh.async_dir" Str "~/.ansible_async" [("defaults", "async_dir")] ["ANSIBLE_ASYNC_DIR"] [];
    "sh.admin_users" List "root,toor" [("defaults", "admin_users")] ["ANSIBLE_ADMIN_USERS"] [];
    "sh.world_readable_temp" Bool "False" [("defaults", "allow_world_readable_tmpfiles")] ["ANSIBLE_SHELL_ALLOW_WORLD_READABLE_TEMP"] [];
    "url.force" Bool "False" [("url_lookup", "force")] ["ANSIBLE_LOOKUP_URL_FORCE"] [];
    "url.timeout" Float "10" [("url_lookup", "timeout")] ["ANSIBLE_LOOKUP_URL_TIMEOUT"] [];
    "url.http_agent" Str "ansible-httpget" [("url_lookup", "agent")] ["ANSIBLE_LOOKUP_URL_AGENT"] [];
    "url.force_basic_auth" Bool "False" [("url_lookup", "force_basic_auth")] ["ANSIBLE_LOOKUP_URL_FORCE_BASIC_AUTH"] [];
    "url.follow_redirects" Str "urllib2" [("url_lookup", "follow_redirects")] ["ANSIBLE_LOOKUP_URL_FOLLOW_REDIRECTS"] ["all", "none", "safe", "urllib2", "no", "yes"];
    "url.use_gssapi" Bool "False" [("url_lookup", "use_gssapi")] ["ANSIBLE_LOOKUP_URL_USE_GSSAPI"] [];
    "url.use_netrc" Bool "True" [("url_lookup", "use_netrc")] ["ANSIBLE_LOOKUP_URL_USE_NETRC"] [];
    "url.unix_socket" Str - [("url_lookup", "unix_socket")] ["ANSIBLE_LOOKUP_URL_UNIX_SOCKET"] [];
    "url.ca_path" Str - [("url_lookup", "ca_path")] ["ANSIBLE_LOOKUP_URL_CA_PATH"] [];
    "url.unredirected_headers" List - [("url_lookup", "unredirected_headers")] ["ANSIBLE_LOOKUP_URL_UNREDIR_HEADERS"] [];
    "url.ciphers" List - [("url_lookup", "ciphers")] ["ANSIBLE_LOOKUP_URL_CIPHERS"] [];
    "script.always_show_stderr" Bool "True" [("inventory_plugin_script", "always_show_stderr")] ["ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR"] [];
    "setup.gather_subset" List "" [("defaults", "gather_subset")] ["ANSIBLE_GATHER_SUBSET"] [];
    "setup.gather_timeout" Int - [("defaults", "gather_timeout")] ["ANSIBLE_GATHER_TIMEOUT"] [];
    "rplay.playbook" Str - [("rplay", "playbook")] ["RPLAY_PLAYBOOK"] [];
    "rplay.strict" Bool "False" [("rplay", "strict")] ["RPLAY_STRICT"] [];
}
