//! A password: it travels, and is never shown.

use std::fmt;
use std::sync::Arc;

/// Text that must not be shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Keeps the text.
    pub fn new(text: impl Into<Arc<str>>) -> Secret {
        let text = text.into();
        crate::mask::remember(&text);
        Secret(text)
    }

    /// The text, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(********)")
    }
}
