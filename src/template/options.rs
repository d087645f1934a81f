//! Options of template files: the `template` module's and lookup's, and the `#jinja2:` line.

use minijinja::syntax::SyntaxConfig;

use super::scan::Delimiters;
use super::unit::HEADER;
use crate::value::Dict;

/// How a template file is read.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// The line end behind a block statement is no text (Ansible's default: yes).
    pub trim_blocks: bool,
    /// Blanks before a block statement at the beginning of a line are no text.
    pub lstrip_blocks: bool,
    /// What ends a line in the result: `\n`, `\r\n` or `\r`.
    pub newline_sequence: &'static str,
    /// Jinja's own option; Ansible keeps the last line end anyway.
    pub keep_trailing_newline: bool,
    /// `{%`
    pub block_start_string: String,
    /// `%}`
    pub block_end_string: String,
    /// `{{`
    pub variable_start_string: String,
    /// `}}`
    pub variable_end_string: String,
    /// `{#`
    pub comment_start_string: String,
    /// `#}`
    pub comment_end_string: String,
    /// Begins a line that is a statement; none by default.
    pub line_statement_prefix: Option<String>,
    /// Begins a comment to the end of the line; none by default.
    pub line_comment_prefix: Option<String>,
    /// Further variables (`template_path`, `template_vars` of the lookup...).
    pub vars: Dict,
}

impl Default for FileOptions {
    fn default() -> FileOptions {
        FileOptions {
            trim_blocks: true,
            lstrip_blocks: false,
            newline_sequence: "\n",
            keep_trailing_newline: false,
            block_start_string: "{%".into(),
            block_end_string: "%}".into(),
            variable_start_string: "{{".into(),
            variable_end_string: "}}".into(),
            comment_start_string: "{#".into(),
            comment_end_string: "#}".into(),
            line_statement_prefix: None,
            line_comment_prefix: None,
            vars: Dict::new(),
        }
    }
}

impl FileOptions {
    /// Sets an option from text as the `#jinja2:` line and the lookup's keywords have it (`True`, `'[%'`, `"\r\n"`).
    ///
    /// # Errors
    /// No such option, or not a value for it.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let value = value.trim();
        match name {
            "trim_blocks" => self.trim_blocks = boolean(name, value)?,
            "lstrip_blocks" => self.lstrip_blocks = boolean(name, value)?,
            "keep_trailing_newline" => self.keep_trailing_newline = boolean(name, value)?,
            "newline_sequence" => self.newline_sequence = newline(&string(value))?,
            "block_start_string" => self.block_start_string = string(value),
            "block_end_string" => self.block_end_string = string(value),
            "variable_start_string" => self.variable_start_string = string(value),
            "variable_end_string" => self.variable_end_string = string(value),
            "comment_start_string" => self.comment_start_string = string(value),
            "comment_end_string" => self.comment_end_string = string(value),
            "line_statement_prefix" => self.line_statement_prefix = optional(value),
            "line_comment_prefix" => self.line_comment_prefix = optional(value),
            _ => return Err(format!("invalid '{HEADER}' override key '{name}'")),
        }
        Ok(())
    }

    /// The options with those of a `#jinja2:` line, and how long that line is.
    pub(super) fn with_header(&self, text: &str) -> Result<(usize, FileOptions), String> {
        let Some(rest) = text.strip_prefix(HEADER) else { return Ok((0, self.clone())) };
        let Some(end) = rest.find('\n') else { return Err(format!("missing newline after '{HEADER}' override")) };
        let mut options = self.clone();
        for pair in rest[..end].split(',') {
            let Some((name, value)) = pair.split_once(':') else {
                return Err(format!("missing key-value separator `:` in '{HEADER}' override pair '{pair}'"));
            };
            options.set(name.trim(), value)?;
        }
        Ok((HEADER.len() + end + 1, options))
    }

    pub(super) fn delimiters(&self) -> Delimiters {
        Delimiters {
            block: (self.block_start_string.clone(), self.block_end_string.clone()),
            variable: (self.variable_start_string.clone(), self.variable_end_string.clone()),
            comment: (self.comment_start_string.clone(), self.comment_end_string.clone()),
            line_statement: self.line_statement_prefix.clone(),
        }
    }

    pub(super) fn syntax(&self) -> Result<SyntaxConfig, String> {
        let mut builder = SyntaxConfig::builder();
        builder.trim_blocks(self.trim_blocks).lstrip_blocks(self.lstrip_blocks).keep_trailing_newline(self.keep_trailing_newline);
        if self.delimiters() != Delimiters::default() || self.line_comment_prefix.is_some() {
            builder
                .block_delimiters(self.block_start_string.clone(), self.block_end_string.clone())
                .variable_delimiters(self.variable_start_string.clone(), self.variable_end_string.clone())
                .comment_delimiters(self.comment_start_string.clone(), self.comment_end_string.clone());
            if let Some(prefix) = &self.line_statement_prefix {
                builder.line_statement_prefix(prefix.clone());
            }
            if let Some(prefix) = &self.line_comment_prefix {
                builder.line_comment_prefix(prefix.clone());
            }
        }
        builder.build().map_err(|error| error.to_string())
    }
}

fn boolean(name: &str, value: &str) -> Result<bool, String> {
    match string(value).to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Ok(true),
        "false" | "no" | "0" | "off" => Ok(false),
        _ => Err(format!("`{name}` must be True or False, not {value}")),
    }
}

fn newline(value: &str) -> Result<&'static str, String> {
    match value {
        "\n" | "\\n" => Ok("\n"),
        "\r\n" | "\\r\\n" => Ok("\r\n"),
        "\r" | "\\r" => Ok("\r"),
        _ => Err("`newline_sequence` must be one of '\\n', '\\r\\n' or '\\r'".into()),
    }
}

fn optional(value: &str) -> Option<String> {
    Some(string(value)).filter(|s| !s.is_empty() && s != "None")
}

/// The text of a Python string literal, or the text itself where there are no quotes.
fn string(value: &str) -> String {
    if !value.starts_with(['\'', '"']) {
        return value.to_string();
    }
    // literals normalise line ends, which must survive here
    let kept = value.replace("\\r", "\u{1}");
    super::literal::value(&kept, true).replace('\u{1}', "\r")
}
