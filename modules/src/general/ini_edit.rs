//! The edit of an INI file: text in, text out.

/// What shall be in the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Edit {
    /// The section; `None` for the lines before the first one.
    pub section: Option<String>,
    /// What the section must have to be the one.
    pub conditions: Vec<Condition>,
    /// The option; `None` for the whole section.
    pub option: Option<String>,
    pub values: Vec<String>,
    pub present: bool,
    pub exclusive: bool,
    /// Without spaces around the sign.
    pub tight: bool,
    pub ignore_spaces: bool,
    pub no_value: bool,
    /// Lines that are commented out count.
    pub inactive: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub option: String,
    pub values: Vec<String>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub text: String,
    pub changed: bool,
    pub msg: &'static str,
}

/// Edits the text.
pub(super) fn edit(text: &str, wanted: Edit) -> Done {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push("\n".into());
    }
    let mut changed = false;
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
        changed = true;
    }
    let found = find(&lines, &wanted);
    let is_found = found.is_some();
    // the header of the section is its first line; the lines before the first section have none
    let (start, end) = found.unwrap_or((0, 0));
    let head = usize::from(wanted.section.is_some());
    let mut section = Section { lines: lines[start..end].to_vec(), done: vec![false; end - start], head, wanted, changed, msg: "OK" };
    if section.wanted.present {
        section.set(is_found)
    } else {
        section.remove(is_found)
    }
    let Section { lines: edited, wanted, mut changed, mut msg, .. } = section;
    lines.splice(start..end, edited);
    if !is_found && wanted.present {
        msg = append(&mut lines, &wanted);
        changed = true;
    }
    Done { text: lines.concat(), changed, msg }
}

/// Where the section is: from its header to the next one.
fn find(lines: &[String], wanted: &Edit) -> Option<(usize, usize)> {
    let is_end = |line: &String| line.starts_with('[');
    let end_after = |start: usize| lines[start..].iter().position(is_end).map_or(lines.len(), |at| start + at);
    let fits = |start: usize, end: usize| {
        wanted.conditions.iter().all(|condition| {
            let has = |line: &String| {
                matching(line, &condition.option, true)
                    .is_some_and(|line| condition.values.is_empty() || condition.values.iter().any(|value| value == line.value))
            };
            lines[start..end].iter().any(has)
        })
    };
    let Some(name) = &wanted.section else {
        let end = end_after(0);
        return fits(0, end).then_some((0, end));
    };
    let starts = (0..lines.len()).filter(|at| is_header(&lines[*at], name.trim()));
    starts.map(|start| (start, end_after(start + 1))).find(|(start, end)| fits(*start, *end))
}

fn is_header(line: &str, name: &str) -> bool {
    line.strip_prefix('[').and_then(|rest| rest.trim_start().strip_prefix(name)).is_some_and(|rest| rest.trim_start().starts_with(']'))
}

/// A line of an option.
struct Matching<'l> {
    commented: bool,
    value: &'l str,
}

fn matching<'l>(line: &'l str, option: &str, inactive: bool) -> Option<Matching<'l>> {
    let blank = [' ', '\t'];
    let line = line.strip_suffix('\n').unwrap_or(line);
    let plain = line.trim_start_matches(blank);
    let (commented, plain) = match plain.strip_prefix(['#', ';']) {
        Some(rest) if inactive => (true, rest.trim_start_matches(blank)),
        _ => (false, plain),
    };
    let rest = plain.strip_prefix(option)?.trim_start_matches(blank);
    match rest.strip_prefix('=') {
        Some(value) => Some(Matching { commented, value: value.trim_start_matches(blank) }),
        None => rest.is_empty().then_some(Matching { commented, value: "" }),
    }
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim_end_matches('\n').trim_start_matches([' ', '\t']);
    line.is_empty() || line.starts_with(['#', ';'])
}

/// The lines of the section while they are edited.
struct Section {
    lines: Vec<String>,
    /// The lines that are as they shall be.
    done: Vec<bool>,
    /// Lines of the header: 1 or none.
    head: usize,
    wanted: Edit,
    changed: bool,
    msg: &'static str,
}

impl Section {
    fn assignment(&self, value: &str) -> String {
        let option = self.wanted.option.as_deref().unwrap_or_default();
        if self.wanted.tight { format!("{option}={value}\n") } else { format!("{option} = {value}\n") }
    }

    /// The value of a line of the option.
    fn value_at(&self, at: usize) -> Option<String> {
        let option = self.wanted.option.as_deref()?;
        matching(&self.lines[at], option, self.wanted.inactive).map(|line| line.value.to_owned())
    }

    fn replace(&mut self, at: usize, new: String) {
        let option = self.wanted.option.as_deref().unwrap_or_default();
        let same = match (matching(&self.lines[at], option, true), matching(&new, option, true)) {
            (Some(old), Some(new)) if self.wanted.ignore_spaces && !old.commented => old.value == new.value,
            _ => self.lines[at] == new,
        };
        self.done[at] = true;
        if !same {
            self.lines[at] = new;
            self.changed = true;
            self.msg = "option changed";
        }
    }

    fn set(&mut self, is_found: bool) {
        if !is_found {
            return;
        }
        let without_value = self.keep_matching();
        if self.wanted.exclusive && !self.wanted.no_value {
            self.make_exclusive();
        }
        self.insert_missing(without_value);
    }

    /// Lines that have one of the values already; whether one without a value is there.
    fn keep_matching(&mut self) -> bool {
        let mut without_value = false;
        for at in 0..self.lines.len() {
            let Some(value) = self.value_at(at) else { continue };
            let bare = format!("{}\n", self.wanted.option.as_deref().unwrap_or_default());
            if let Some(position) = self.wanted.values.iter().position(|wanted| *wanted == value) {
                let is_bare = value.is_empty() && self.wanted.no_value;
                without_value |= is_bare;
                self.replace(at, if is_bare { bare } else { self.assignment(&value) });
                self.wanted.values.remove(position);
            } else if self.wanted.values.is_empty() && self.wanted.no_value {
                self.replace(at, bare);
                return true;
            }
        }
        without_value
    }

    /// Other lines of the option take the values that are left; the rest goes.
    fn make_exclusive(&mut self) {
        for at in 0..self.lines.len() {
            if !self.wanted.values.is_empty() && !self.done[at] && self.value_at(at).is_some() {
                let value = self.wanted.values.remove(0);
                let line = self.assignment(&value);
                self.replace(at, line);
            }
        }
        for at in (self.head..self.lines.len()).rev() {
            if !self.done[at] && self.value_at(at).is_some() {
                self.lines.remove(at);
                self.done.remove(at);
                self.changed = true;
                self.msg = "option changed";
            }
        }
    }

    /// Values that are still missing go after the last line that says something.
    fn insert_missing(&mut self, without_value: bool) {
        let Some(option) = self.wanted.option.clone() else { return };
        let after = self.lines.iter().rposition(|line| !is_blank_or_comment(line)).map(|at| at + 1);
        // before the first section there is always a place, at the top
        let Some(at) = after.or((self.head == 0).then_some(0)) else { return };
        let new: Vec<String> = match (self.wanted.values.is_empty(), self.wanted.no_value && !without_value) {
            (false, _) => self.wanted.values.iter().map(|value| self.assignment(value)).collect(),
            (true, true) => vec![format!("{option}\n")],
            (true, false) => return,
        };
        self.lines.splice(at..at, new);
        self.changed = true;
        self.msg = "option added";
    }

    fn remove(&mut self, is_found: bool) {
        if !is_found {
            return;
        }
        let Some(option) = self.wanted.option.clone() else {
            if !self.lines.is_empty() {
                self.lines.clear();
                self.changed = true;
                self.msg = "section removed";
            }
            return;
        };
        let before = self.lines.len();
        let (exclusive, values) = (self.wanted.exclusive, std::mem::take(&mut self.wanted.values));
        self.lines.retain(|line| match matching(line, &option, false) {
            Some(line) => !exclusive && !values.iter().any(|value| value == line.value),
            None => true,
        });
        if self.lines.len() != before {
            self.changed = true;
            self.msg = "option changed";
        }
    }
}

/// A new section at the end.
fn append(lines: &mut Vec<String>, wanted: &Edit) -> &'static str {
    let section = wanted.section.as_deref().unwrap_or_default();
    let assignment = |option: &str, value: &str| if wanted.tight { format!("{option}={value}\n") } else { format!("{option} = {value}\n") };
    lines.push(format!("[{section}]\n"));
    let mut values = wanted.values.clone();
    for condition in &wanted.conditions {
        if Some(&condition.option) != wanted.option.as_ref() {
            lines.extend(condition.values.iter().map(|value| assignment(&condition.option, value)));
            if condition.values.is_empty() && wanted.no_value {
                lines.push(format!("{}\n", condition.option));
            }
        } else if !wanted.exclusive {
            for value in &condition.values {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
        }
    }
    match &wanted.option {
        Some(option) if !values.is_empty() => lines.extend(values.iter().map(|value| assignment(option, value))),
        Some(option) if wanted.no_value => lines.push(format!("{option}\n")),
        _ => return "only section added",
    }
    "section and option added"
}
