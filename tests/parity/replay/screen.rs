//! The default output, reduced to the lines that are compared: banners, results, debug output, diffs, recap.

use crate::rules::Rules;

enum Inside {
    Nothing,
    Json,
    /// A block of JSON that is left out, until a line closes it at this depth.
    Dropped(usize),
    Diff,
}

/// The lines that count, without stars, padding and the text after a failure.
pub fn shown(text: &str, rules: &Rules) -> Vec<String> {
    let mut kept = Vec::new();
    let mut inside = Inside::Nothing;
    for line in text.lines() {
        inside = match inside {
            Inside::Dropped(depth) => dropped(line, depth),
            Inside::Json => json(line, rules, &mut kept),
            Inside::Diff => {
                kept.push(line.trim_end().to_owned());
                if line.is_empty() { Inside::Nothing } else { Inside::Diff }
            }
            Inside::Nothing => outer(line, rules, &mut kept),
        };
    }
    kept.retain(|line| !line.is_empty());
    only_filled(&kept)
}

fn dropped(line: &str, depth: usize) -> Inside {
    let rest = line.trim_start_matches(' ');
    let closes = line.len() - rest.len() == depth && rest.starts_with(['}', ']']);
    if closes { Inside::Json } else { Inside::Dropped(depth) }
}

fn json(line: &str, rules: &Rules, kept: &mut Vec<String>) -> Inside {
    if line == "}" {
        kept.push(line.to_owned());
        return Inside::Nothing;
    }
    if !key_is_dropped(line, rules) {
        kept.push(line.trim_end().trim_end_matches(',').to_owned());
    } else if line.ends_with(['{', '[']) {
        return Inside::Dropped(line.len() - line.trim_start_matches(' ').len());
    }
    Inside::Json
}

fn key_is_dropped(line: &str, rules: &Rules) -> bool {
    let inner = line.trim_start();
    let key_and_value = inner.strip_prefix('"').and_then(|rest| rest.split_once("\": "));
    match key_and_value {
        Some((key, value)) if inner.len() < line.len() && !key.contains('"') => rules.drops(key, Some(value.trim_matches(['"', ',']))),
        _ => false,
    }
}

fn outer(line: &str, rules: &Rules, kept: &mut Vec<String>) -> Inside {
    if rules.lines.iter().any(|pattern| pattern.is_match(line).unwrap_or(false)) {
        kept.push(short(line));
        return if line.ends_with("=> {") { Inside::Json } else { Inside::Nothing };
    }
    if line.starts_with("--- ") {
        kept.push(line.trim_end().to_owned());
        return Inside::Diff;
    }
    Inside::Nothing
}

fn short(line: &str) -> String {
    let line = line.trim_end();
    let bare = line.trim_end_matches('*');
    let line = if bare.len() < line.len() && bare.ends_with(' ') { bare.trim_end_matches(' ') } else { line };
    if is_recap(line) {
        return line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    }
    match line.find(" => {") {
        Some(at) if line.starts_with("fatal: ") || line.starts_with("failed: ") => match line[at + 5..].is_empty() {
            true => line.to_owned(),
            false => format!("{} =>", &line[..at]),
        },
        _ => line.to_owned(),
    }
}

fn is_recap(line: &str) -> bool {
    let Some((host, rest)) = line.split_once(' ') else { return false };
    !host.is_empty() && rest.trim_start().starts_with(": ok=")
}

/// Whether the line opens a task.
pub fn is_banner(line: &str) -> bool {
    line.starts_with("TASK [") || line.starts_with("RUNNING HANDLER [")
}

/// Without the banners that nothing follows, and without a banner that is repeated.
fn only_filled(lines: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut last = "";
    for (index, line) in lines.iter().enumerate() {
        let following = lines.get(index + 1).map_or("", String::as_str);
        let empty = is_banner(following) || following.starts_with("PLAY [") || following == "PLAY RECAP";
        if is_banner(line) && (line == last || empty) {
            continue;
        }
        if is_banner(line) {
            last = line;
        }
        kept.push(line.clone());
    }
    kept
}
