//! Template files: the `template` module's and lookup's, and those reached by include, import and extends.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use super::evaluate::{Evaluator, NO_ELSE, with_line_ends};
use super::finalize::finalize;
pub use super::options::FileOptions;
use super::output::Output;
use super::place::Place;
use super::unit::{Body, Dialect, Unit};
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::value::{Fault, Value, text};

/// A compiled template file, for many hosts.
#[derive(Debug, Clone)]
pub struct FileTemplate {
    unit: Arc<Unit>,
    vars: Vec<(Arc<str>, Value)>,
}

impl FileTemplate {
    /// Compiles a file; a syntax error is kept, and raised when it is rendered.
    pub fn compile(source: &Arc<Source>, options: &FileOptions) -> FileTemplate {
        let unit = Unit::template(&source.text, Place::File(source.clone(), 0), Dialect::File, options);
        let vars = options.vars.iter().map(|(key, value)| (key.to_value().to_string().into(), value.clone())).collect();
        FileTemplate { unit: Arc::new(unit), vars }
    }

    /// Syntax errors, and warnings about filters and tests that do not exist.
    pub fn syntax_errors(&self) -> Vec<Diagnostic> {
        self.unit.complaints()
    }

    /// The file's text for these variables.
    ///
    /// # Errors
    /// Something used is undefined, unknown, or fails.
    pub fn render(&self, cx: &Arc<Context>) -> Result<String, Fault> {
        let inner;
        let cx = if self.vars.is_empty() {
            cx
        } else {
            inner = cx.with(self.vars.clone());
            &inner
        };
        match &self.unit.body {
            Body::Template(body) => {
                let mut out = Output::new(self.unit.newline);
                Evaluator::new(cx, self.unit.clone()).template(body, &mut out)?;
                Ok(match with_line_ends(out.native(cx)?, &self.unit) {
                    Value::Str(text) => text.to_string(),
                    // one expression that is no text is written as it is, without the file's line end, as Ansible does
                    Value::Null => String::new(),
                    Value::Undefined(message) if &*message == NO_ELSE => String::new(),
                    other => text(&finalize(&other)?),
                })
            }
            Body::Broken(message, at) => Err(self.unit.syntax_fault(message, *at)),
            Body::Expression(_) => Err(Fault::error("a template file is no expression")),
        }
    }
}

/// Renders a template file.
///
/// # Errors
/// It cannot be compiled; or something used is undefined, unknown, or fails.
pub fn render_file(source: &Arc<Source>, cx: &Arc<Context>, options: &FileOptions) -> Result<String, Fault> {
    FileTemplate::compile(source, options).render(cx)
}

/// The template file of that name in the search path; `None` when there is none.
///
/// # Errors
/// It cannot be read.
pub(super) fn load(name: &str, cx: &Context, from: &Unit) -> Result<Option<Arc<Unit>>, Fault> {
    let Some(path) = candidates(name, cx, from).into_iter().find(|path| path.is_file()) else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| Fault::error(format!("the template {} cannot be read: {error}", path.display())))?;
    let source = Source::new(path, text);
    let unit = Unit::template(&source.text, Place::File(source.clone(), 0), Dialect::File, &FileOptions::default());
    Ok(Some(Arc::new(unit)))
}

/// Where a file of that name may lie: below the search path, in its `templates`, and beside the file that names it.
fn candidates(name: &str, cx: &Context, from: &Unit) -> Vec<PathBuf> {
    let name = Path::new(name);
    if name.is_absolute() {
        return vec![name.to_path_buf()];
    }
    if name.components().any(|part| part == Component::ParentDir) {
        return Vec::new();
    }
    let mut paths = Vec::new();
    for folder in cx.scope().search_path() {
        paths.push(folder.join("templates").join(name));
        paths.push(folder.join(name));
    }
    if let Place::File(source, _) = &from.place
        && let Some(folder) = source.path.parent()
    {
        paths.push(folder.join(name));
    }
    paths
}
