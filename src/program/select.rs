//! Which tasks the tags choose.

/// `--tags` and `--skip-tags`.
#[derive(Debug, Clone)]
pub struct TagFilter {
    only: Vec<String>,
    skip: Vec<String>,
}

impl TagFilter {
    /// The filter for these options; no `--tags` means `all`.
    pub fn new(only: &[String], skip: &[String]) -> TagFilter {
        let only = if only.is_empty() { vec!["all".to_string()] } else { only.to_vec() };
        TagFilter { only, skip: skip.to_vec() }
    }

    /// True when a task with these tags runs, as ansible-core 2.19 `Taggable.evaluate_tags`.
    pub fn selects(&self, tags: &[String]) -> bool {
        self.chosen(tags) && !self.skipped(tags)
    }

    fn chosen(&self, tags: &[String]) -> bool {
        let has = |tag: &str| tags.iter().any(|t| t == tag);
        let wants = |tag: &str| self.only.iter().any(|t| t == tag);
        let named = tags.iter().any(|tag| wants(tag));
        if has("always") || (wants("all") && !has("never")) || named {
            return true;
        }
        (wants("tagged") && !tags.is_empty() && !has("never")) || (wants("untagged") && tags.is_empty())
    }

    fn skipped(&self, tags: &[String]) -> bool {
        let has = |tag: &str| tags.iter().any(|t| t == tag);
        let skips = |tag: &str| self.skip.iter().any(|t| t == tag);
        if skips("all") {
            return !has("always") || skips("always");
        }
        tags.iter().any(|tag| skips(tag)) || (skips("tagged") && !tags.is_empty()) || (skips("untagged") && tags.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(only: &[&str], skip: &[&str], tags: &[&str]) -> bool {
        let own = |words: &[&str]| words.iter().map(|w| w.to_string()).collect::<Vec<_>>();
        TagFilter::new(&own(only), &own(skip)).selects(&own(tags))
    }

    #[test]
    fn special_tags_mean_what_ansible_says() {
        assert!(selects(&[], &[], &[]));
        assert!(!selects(&[], &[], &["never"]));
        assert!(selects(&["never"], &[], &["never"]));
        assert!(selects(&["a"], &[], &["never", "a"]));
        assert!(selects(&["a"], &[], &["always"]));
        assert!(!selects(&["a"], &["always"], &["always"]));
        assert!(selects(&["tagged"], &[], &["x"]));
        assert!(!selects(&["tagged"], &[], &[]));
        assert!(selects(&["untagged"], &[], &[]));
        assert!(!selects(&[], &["tagged"], &["x"]));
        assert!(!selects(&["a"], &["b"], &["a", "b"]));
        assert!(selects(&[], &["all"], &["always"]));
    }
}
