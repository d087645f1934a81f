//! The options of `ansible-vault`.

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::cli::flags::VaultFlags;

/// Encrypts and decrypts files and texts.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true, infer_long_args = true, args_override_self = true, about = "Encrypts and decrypts files and texts.")]
pub(super) struct Flags {
    /// Show version and configuration file
    #[arg(long)]
    pub version: bool,
    /// Say more
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[command(rename_all = "snake_case")]
pub(super) enum Command {
    /// A new encrypted file, written in the editor
    Create(Create),
    /// Decrypts files in place
    Decrypt(Decrypt),
    /// Opens an encrypted file in the editor
    Edit(Edit),
    /// Shows encrypted files
    View(View),
    /// Encrypts files in place
    Encrypt(Encrypt),
    /// Encrypts texts, as values for a YAML file
    EncryptString(EncryptString),
    /// Encrypts files with another password
    Rekey(Rekey),
}

/// Options of `create`.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The file
    #[arg(value_name = "FILE", required = true)]
    pub file: String,
    /// Label of the password to encrypt with
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
    /// Open the editor also where there is no terminal
    #[arg(long)]
    pub skip_tty_check: bool,
    #[command(flatten)]
    pub vault: VaultFlags,
}

/// Options of `decrypt`.
#[derive(Debug, Args)]
pub(super) struct Decrypt {
    /// Files; `-`, or none, is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Write into this file instead; `-` is standard output
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub output: Option<String>,
    #[command(flatten)]
    pub vault: VaultFlags,
}

/// Options of `edit`.
#[derive(Debug, Args)]
pub(super) struct Edit {
    /// Files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Label of the password to encrypt with, instead of the file's own
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
    #[command(flatten)]
    pub vault: VaultFlags,
}

/// Options of `view`.
#[derive(Debug, Args)]
pub(super) struct View {
    /// Files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    #[command(flatten)]
    pub vault: VaultFlags,
}

/// Options of `encrypt`.
#[derive(Debug, Args)]
pub(super) struct Encrypt {
    /// Files; `-`, or none, is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Write into this file instead; `-` is standard output
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub output: Option<String>,
    /// Label of the password to encrypt with
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
    #[command(flatten)]
    pub vault: VaultFlags,
}

/// Options of `encrypt_string`.
#[derive(Debug, Args)]
pub(super) struct EncryptString {
    /// Texts; `-` is standard input, as is none
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
    /// Ask for a text
    #[arg(short, long)]
    pub prompt: bool,
    /// Show what is typed
    #[arg(long)]
    pub show_input: bool,
    /// Name of a text's variable, in the order of the texts; repeatable
    #[arg(short, long = "name", value_name = "NAME", action = ArgAction::Append)]
    pub names: Vec<String>,
    /// Name of the variable of standard input
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,
    /// Write into this file; `-` is standard output
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub output: Option<String>,
    /// Label of the password to encrypt with
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
    #[command(flatten)]
    pub vault: VaultFlags,
}

/// Options of `rekey`.
#[derive(Debug, Args)]
pub(super) struct Rekey {
    /// Files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// File with the new password
    #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
    pub new_vault_password_file: Option<String>,
    /// Source of the new password: LABEL@FILE, LABEL@prompt
    #[arg(long, value_name = "ID")]
    pub new_vault_id: Option<String>,
    #[command(flatten)]
    pub vault: VaultFlags,
}
