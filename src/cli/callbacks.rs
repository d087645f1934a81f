//! The reports of a run, as options and configuration choose them.

use std::io::IsTerminal as _;

use super::console;
use super::session::Session;
use crate::config::Config;
use crate::report::{self, Colors, Live, Look, Profile, ProfileOptions, Report, Streams, Timer, What};

/// The report on standard output, without its collection.
fn main_report(config: &Config) -> &str {
    config.stdout_callback.rsplit('.').next().unwrap_or_default()
}

/// True where that report has whole results in it.
pub(super) fn reports_results(config: &Config) -> bool {
    matches!(main_report(config), "json" | "jsonl")
}

impl Session {
    /// The configured colours, or none where nobody sees them.
    pub(super) fn colors(&self) -> Colors {
        let config = &self.config;
        let terminal = std::io::stdout().is_terminal();
        let color = config.force_color || (terminal && !config.nocolor && !self.around.env.contains_key("NO_COLOR"));
        let names = [
            "ok",
            "changed",
            "skip",
            "included",
            "error",
            "unreachable",
            "warn",
            "deprecate",
            "debug",
            "verbose",
            "highlight",
            "diff_add",
            "diff_remove",
            "diff_lines",
        ];
        let chosen = names.iter().filter_map(|name| Some((name.to_string(), config.color(name)?.to_string()))).collect();
        Colors::new(color, chosen)
    }

    /// How results look.
    pub(super) fn look(&self) -> Look {
        let config = &self.config;
        Look {
            colors: self.colors(),
            width: console::width(),
            verbosity: config.verbosity,
            skipped: config.display_skipped_hosts && config.stdout_callback != "actionable",
            ok: config.display_ok_hosts && config.stdout_callback != "actionable",
            failed_stderr: config.display_failed_stderr,
            check_markers: config.check_mode_markers,
            args: config.display_args_to_stdout,
            custom_stats: config.show_custom_stats,
            yaml: config.callback_result_format == "yaml" || config.stdout_callback.ends_with("yaml"),
            pretty: config.callback_format_pretty.unwrap_or(false),
            context: config.diff_context,
            own_words: !self.program.starts_with("ansible"),
        }
    }

    /// Reports, where they write, and the live line.
    pub(super) fn reports(&self) -> (Vec<Box<dyn Report>>, Streams, Option<Live>) {
        let report: Box<dyn Report> = match main_report(&self.config) {
            "json" => Box::new(report::Json::new()),
            "jsonl" => Box::new(report::Jsonl::new()),
            _ => Box::new(report::Default::new(self.look())),
        };
        self.reports_after(report)
    }

    /// The same with another first report than the configuration's.
    pub(super) fn reports_after(&self, report: Box<dyn Report>) -> (Vec<Box<dyn Report>>, Streams, Option<Live>) {
        let terminal = std::io::stdout().is_terminal();
        let log = self.config.log_path.as_ref().and_then(|path| std::fs::OpenOptions::new().create(true).append(true).open(path).ok());
        let streams =
            Streams { out: Box::new(std::io::BufWriter::new(std::io::stdout())), err: Box::new(std::io::stderr()), log: log.map(|log| Box::new(log) as _) };
        let live = (terminal && std::io::stderr().is_terminal()).then(|| Live::new(console::width()));
        let mut reports = vec![report];
        reports.extend(self.profiles());
        (reports, streams, live)
    }

    /// The further callbacks that are enabled; `unsupported` has named the others.
    fn profiles(&self) -> Vec<Box<dyn Report>> {
        let options = ProfileOptions::read(console::width(), self.config.verbosity, |name| self.around.env.get(name).cloned());
        let profile = |what| Some(Box::new(Profile::new(what, options.clone())) as Box<dyn Report>);
        let named = |name: &String| match name.rsplit('.').next().unwrap_or_default() {
            "timer" => Some(Box::new(Timer::new()) as Box<dyn Report>),
            "profile_tasks" => profile(What::Tasks),
            "profile_roles" => profile(What::Roles),
            "profile_waiting" => profile(What::Waiting),
            _ => None,
        };
        self.config.callbacks_enabled.iter().filter_map(named).collect()
    }
}
