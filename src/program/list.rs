//! `--list-tasks`, `--list-tags`, `--list-hosts`: a compiled play as text, in ansible-core's form.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{CompiledPlay, Instruction, TaskDef};

/// Which parts are listed.
fn head(out: &mut String, number: usize, play: &CompiledPlay) {
    let tags = play.tags.join(",");
    let pattern = play.source.hosts.as_list().map_or_else(
        || play.source.hosts.as_str().unwrap_or_default().to_string(),
        |items| items.iter().filter_map(|item| item.as_str()).collect::<Vec<_>>().join(","),
    );
    let name = if play.named { play.name.as_str() } else { pattern.as_str() };
    let _ = write!(out, "\n  play #{number} ({pattern}): {name}\tTAGS: [{tags}]\n");
}

/// `--list-hosts` of one play.
pub fn list_hosts(out: &mut String, number: usize, play: &CompiledPlay, patterns: &[String], hosts: &[Arc<str>]) {
    head(out, number, play);
    let shown = patterns.iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(", ");
    let _ = write!(out, "    pattern: [{shown}]\n    hosts ({}):\n", hosts.len());
    for host in hosts {
        let _ = writeln!(out, "      {host}");
    }
}

/// `--list-tasks` of one play.
pub fn list_tasks(out: &mut String, number: usize, play: &CompiledPlay, only_tasks: bool) {
    if !only_tasks {
        head(out, number, play);
    }
    out.push_str("    tasks:\n");
    for task in tasks(play) {
        let mut tags = task.inherited.tags.clone();
        tags.sort();
        let _ = writeln!(out, "      {}\tTAGS: [{}]", task.plain_name(), tags.join(", "));
    }
}

/// `--list-tags` of one play.
pub fn list_tags(out: &mut String, number: usize, play: &CompiledPlay, with_head: bool) {
    if with_head {
        head(out, number, play);
    }
    let mut tags: Vec<&String> = tasks(play).flat_map(|task| task.inherited.tags.iter()).collect();
    tags.sort();
    tags.dedup();
    let shown = tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "      TASK TAGS: [{shown}]");
}

fn tasks(play: &CompiledPlay) -> impl Iterator<Item = &Arc<TaskDef>> {
    play.main.instructions.iter().filter_map(|instruction| match instruction {
        Instruction::Task(task) if task.canonical != "meta" => Some(task),
        _ => None,
    })
}

impl TaskDef {
    /// The name as written, with the role before it; the action where there is no name.
    pub fn plain_name(&self) -> String {
        let name = self.name.as_ref().and_then(|name| name.source_text()).filter(|name| !name.is_empty()).map(str::to_string);
        let name = name.unwrap_or_else(|| self.action.clone());
        match &self.role {
            Some(role) => format!("{role} : {name}"),
            None => name,
        }
    }
}
