//! Callbacks that tell where time went: `timer`, `profile_tasks`, `profile_roles` as in the collection ansible.posix, and rplay's own `profile_waiting`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::banner::banner;
use super::{Report, Screen};
use crate::event::{Event, TaskInfo};

/// What the profiles can be told, from the environment variables of the collection.
#[derive(Debug, Clone)]
pub struct ProfileOptions {
    /// Columns of the terminal.
    pub width: usize,
    /// `PROFILE_TASKS_TASK_OUTPUT_LIMIT`: how many tasks are listed; `None` is all.
    pub limit: Option<usize>,
    /// `PROFILE_TASKS_SORT_ORDER`: longest first, shortest first, or as they ran.
    pub order: Order,
    /// `PROFILE_TASKS_SUMMARY_ONLY`, `PROFILE_ROLES_SUMMARY_ONLY`: no line under each task's banner.
    pub summary_only: bool,
    /// Paths are shown under the names, as with `-vv`.
    pub paths: bool,
}

/// Order of the tasks in a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Longest first.
    Descending,
    /// Shortest first.
    Ascending,
    /// As they ran.
    None,
}

impl ProfileOptions {
    /// Reads the options from an environment.
    pub fn read(width: usize, verbosity: u8, env: impl Fn(&str) -> Option<String>) -> ProfileOptions {
        let limit = env("PROFILE_TASKS_TASK_OUTPUT_LIMIT").unwrap_or_else(|| "20".into());
        let order = match env("PROFILE_TASKS_SORT_ORDER").as_deref() {
            Some("ascending") => Order::Ascending,
            Some("none") => Order::None,
            _ => Order::Descending,
        };
        let on = |name: &str| env(name).is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on"));
        let summary_only = on("PROFILE_TASKS_SUMMARY_ONLY") || on("PROFILE_ROLES_SUMMARY_ONLY");
        ProfileOptions { width, limit: limit.parse().ok(), order, summary_only, paths: verbosity >= 2 }
    }
}

/// `timer`: how long the run took.
pub struct Timer(Instant);

impl Timer {
    /// A timer that starts now.
    pub fn new() -> Timer {
        Timer(Instant::now())
    }
}

impl Default for Timer {
    fn default() -> Timer {
        Timer::new()
    }
}

impl Report for Timer {
    fn event(&mut self, event: &Event, out: &mut dyn Screen) {
        if let Event::Recap { .. } = event {
            let seconds = self.0.elapsed().as_secs();
            out.out(&banner("PLAYBOOK RECAP", 79));
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
            out.out(&format!("Playbook run took {days} days, {hours} hours, {minutes} minutes, {} seconds\n", seconds % 60));
        }
    }
}

struct Spent {
    name: String,
    path: String,
    total: Duration,
    waiting: Duration,
}

/// Time by task, by role, or by who worked: one clock, shown in three ways.
pub struct Profile {
    what: What,
    options: ProfileOptions,
    began: Instant,
    last: Instant,
    current: Option<(String, Instant)>,
    spent: IndexMap<String, Spent>,
}

/// What a profile sums up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `profile_tasks`.
    Tasks,
    /// `profile_roles`.
    Roles,
    /// `profile_waiting`: programs and services of the hosts against rplay's own work.
    Waiting,
}

/// Actions whose time is a program's or a service's on the host, not rplay's.
const OTHERS: &[&str] = &[
    "apt",
    "async_status",
    "command",
    "dnf",
    "get_url",
    "k8s",
    "k8s_drain",
    "k8s_exec",
    "k8s_info",
    "package",
    "pause",
    "raw",
    "reboot",
    "script",
    "service",
    "shell",
    "systemd",
    "systemd_service",
    "uri",
    "wait_for",
    "wait_for_connection",
];

impl Profile {
    /// A profile that starts now.
    pub fn new(what: What, options: ProfileOptions) -> Profile {
        let now = Instant::now();
        Profile { what, options, began: now, last: now, current: None, spent: IndexMap::new() }
    }

    fn end_current(&mut self) {
        if let Some((key, since)) = self.current.take()
            && let Some(spent) = self.spent.get_mut(&key)
        {
            spent.total += since.elapsed();
        }
    }

    fn begin(&mut self, task: &TaskInfo, out: &mut dyn Screen) {
        if self.what != What::Waiting && !self.options.summary_only {
            out.out(&self.line());
        }
        self.end_current();
        let (key, name) = match self.what {
            What::Roles => {
                let role = task.role.as_deref().unwrap_or(&task.action).to_string();
                (role.clone(), role)
            }
            What::Tasks | What::Waiting => (task.id.clone(), task.name.clone()),
        };
        let path = format!("{}:{}", task.path.display(), task.line);
        self.spent.entry(key.clone()).or_insert(Spent { name, path, total: Duration::ZERO, waiting: Duration::ZERO });
        self.current = Some((key, Instant::now()));
    }

    /// The longest a host spent in a program or service, for the task.
    fn waited(&mut self, task: &Arc<TaskInfo>, duration: Duration) {
        if OTHERS.contains(&task.action.rsplit('.').next().unwrap_or_default())
            && let Some(spent) = self.spent.get_mut(&task.id)
        {
            spent.waiting = spent.waiting.max(duration);
        }
    }

    /// The line of stars with the time of day, of the last task, and since the start.
    fn line(&mut self) -> String {
        let now = chrono::Local::now().format("%A %d %B %Y  %H:%M:%S %z");
        let text = format!("{now} ({}){}{}", clock(self.last.elapsed()), " ".repeat(7), clock(self.began.elapsed()));
        self.last = Instant::now();
        filled(&text, '*')
    }

    fn end(&mut self, out: &mut dyn Screen) {
        self.end_current();
        match self.what {
            What::Waiting => self.end_waiting(out),
            What::Tasks => self.end_list("TASKS RECAP", out),
            What::Roles => self.end_list("ROLES RECAP", out),
        }
    }

    fn end_list(&mut self, title: &str, out: &mut dyn Screen) {
        let line = self.line();
        out.out(&format!("{}\n{line}\n{}", banner(title, 79), filled("", '=')));
        let tasks = self.what == What::Tasks;
        let mut list: Vec<&Spent> = self.spent.values().collect();
        match if tasks { self.options.order } else { Order::Descending } {
            Order::Descending => list.sort_by_key(|spent| std::cmp::Reverse(spent.total)),
            Order::Ascending => list.sort_by_key(|spent| spent.total),
            Order::None => {}
        }
        let (limit, width) = if tasks { (self.options.limit.unwrap_or(usize::MAX), self.options.width.saturating_sub(9)) } else { (usize::MAX, 70) };
        for spent in list.into_iter().take(limit) {
            out.out(&format!("{:-<width$}{:->9}", format!("{} ", spent.name), format!(" {:.2}s", spent.total.as_secs_f64())));
            if tasks && self.options.paths {
                out.out(&format!("{:-<1$}", format!("{} ", spent.path), self.options.width));
            }
        }
    }

    fn end_waiting(&self, out: &mut dyn Screen) {
        let wall = self.began.elapsed().as_secs_f64();
        let waiting: f64 = self.spent.values().map(|spent| spent.waiting.min(spent.total).as_secs_f64()).sum();
        out.out(&banner("TIME RECAP", 79));
        out.out(&format!("{wall:.1} s in all: {waiting:.1} s programs and services of the hosts, {:.1} s rplay's own work", wall - waiting));
    }
}

impl Report for Profile {
    fn event(&mut self, event: &Event, out: &mut dyn Screen) {
        match event {
            Event::TaskStart(task) => self.begin(task, out),
            Event::TaskDone { task, outcome, .. } if self.what == What::Waiting => self.waited(task, outcome.duration),
            Event::Recap { .. } => self.end(out),
            _ => {}
        }
    }
}

/// `0:00:01.234`.
fn clock(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    format!("{}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn filled(text: &str, fill: char) -> String {
    let (text, width) = if text.is_empty() { (String::new(), 79) } else { (format!("{text} "), 78_usize.saturating_sub(text.chars().count())) };
    format!("{text}{} ", fill.to_string().repeat(width.max(3)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_ansible_posix_writes_them() {
        assert_eq!(clock(Duration::from_millis(3_723_004)), "1:02:03.004");
        assert_eq!(filled("", '='), format!("{} ", "=".repeat(79)));
        assert_eq!(filled("abc", '*').len(), 80);
    }
}
