//! The engine: what lives as long as a run, and the plays in order.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::options::ConnectionDefaults;
use super::task::{Overlays, Shared};
use crate::action::Settings;
use crate::diagnostic::Diagnostic;
use crate::event::{Counts, Event, Sender};
use crate::program::{CompiledPlay, Library, TagFilter};
use crate::runner::Pool;
use crate::value::Dict;
use crate::vars::World;

/// What the command line and the configuration say about a run.
pub struct RunOptions {
    /// Hosts at once.
    pub forks: usize,
    /// `--check`.
    pub check: bool,
    /// `--diff`.
    pub diff: bool,
    /// Outcomes carry [`crate::event::Evidence`].
    pub evidence: bool,
    /// 2.18's leniency is an error.
    pub strict: bool,
    /// Called by one of Ansible's names: check mode runs what Ansible runs, and no more.
    pub as_ansible: bool,
    /// Stream output of running programs.
    pub live: bool,
    /// `strategy`.
    pub strategy: String,
    /// `any_errors_fatal`.
    pub any_errors_fatal: bool,
    /// `force_handlers`, or `--force-handlers`.
    pub force_handlers: bool,
    /// `gathering`: `implicit`, `explicit` or `smart`.
    pub gathering: String,
    /// `gather_subset`, `gather_timeout` of the configuration.
    pub gather_subset: Vec<String>,
    /// `no_log` for everything.
    pub no_log: bool,
    /// `task_timeout`, seconds; 0 for none.
    pub task_timeout: u64,
    /// `poll_interval`, seconds.
    pub poll_interval: u64,
    /// `error_on_missing_handler`.
    pub error_on_missing_handler: bool,
    /// How hosts are reached.
    pub connection: ConnectionDefaults,
    /// Settings for actions.
    pub settings: Settings,
    /// `--start-at-task`.
    pub start_at: Option<String>,
    /// `--step`: asks before each task.
    pub step: Option<Box<dyn FnMut(&str) -> StepAnswer + Send>>,
    /// Asks for `vars_prompt`: text, private, default.
    pub ask: Box<dyn FnMut(&crate::playbook::Prompt, &str) -> Option<String> + Send>,
    /// `--limit`.
    pub limit: Option<String>,
}

/// Answer to `--step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepAnswer {
    /// Skip the task.
    No,
    /// Run it.
    Yes,
    /// Run it and ask no more.
    Continue,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunResult {
    /// The exit code, Ansible's.
    pub code: i32,
    /// Per host, in order of first appearance.
    pub counts: IndexMap<Arc<str>, Counts>,
    /// Hosts that failed or were unreachable, for a retry file.
    pub broken: Vec<Arc<str>>,
    /// What stopped the run, when it was not a host.
    pub errors: Vec<Diagnostic>,
}

/// A run over several playbooks.
pub struct Engine<'a> {
    pub(super) world: World,
    snapshot: Option<Arc<World>>,
    pub(super) shared: Arc<Shared>,
    pub(super) options: RunOptions,
    pub(super) library: &'a Library,
    pub(super) filter: &'a TagFilter,
    pub(super) events: Sender,
    pub(super) threads: Arc<rayon::ThreadPool>,
    pub(super) counts: IndexMap<Arc<str>, Counts>,
    pub(super) custom: Dict,
    pub(super) overlays: Arc<Overlays>,
    pub(super) failed: IndexSet<Arc<str>>,
    pub(super) unreachable: IndexSet<Arc<str>>,
    pub(super) complained: IndexSet<String>,
    pub(super) fatal: Vec<Diagnostic>,
    /// Exit code of the next error that ends the run.
    pub(super) fatal_code: i32,
    pub(super) next_id: usize,
    pub(super) started: bool,
    pub(super) gathered: IndexSet<Arc<str>>,
    /// Reads the inventory again (`meta: refresh_inventory`).
    pub(super) reload: Box<dyn Fn() -> Result<Arc<crate::inventory::Inventory>, Vec<Diagnostic>> + Send + 'a>,
}

impl<'a> Engine<'a> {
    /// An engine before its first play.
    ///
    /// # Errors
    /// Threads cannot be had.
    pub fn new(
        world: World,
        pool: Arc<Pool>,
        mut options: RunOptions,
        library: &'a Library,
        filter: &'a TagFilter,
        events: Sender,
        reload: Box<dyn Fn() -> Result<Arc<crate::inventory::Inventory>, Vec<Diagnostic>> + Send + 'a>,
    ) -> Result<Engine<'a>, String> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(options.forks.max(1))
            .stack_size(16 * 1024 * 1024)
            .thread_name(|n| format!("worker-{n}"))
            .build()
            .map_err(|error| error.to_string())?;
        let shared = Shared {
            pool,
            defaults: std::mem::take(&mut options.connection),
            settings: options.settings.clone(),
            diff: options.diff,
            check: options.check,
            evidence: options.evidence,
            strict: options.strict,
            as_ansible: options.as_ansible,
            live: options.live,
            task_timeout: options.task_timeout,
            poll_interval: options.poll_interval,
            no_log: options.no_log,
        };
        let started = options.start_at.is_none();
        Ok(Engine {
            world,
            snapshot: None,
            shared: Arc::new(shared),
            options,
            library,
            filter,
            events,
            threads: Arc::new(threads),
            counts: IndexMap::new(),
            custom: Dict::new(),
            overlays: Arc::default(),
            failed: IndexSet::new(),
            unreachable: IndexSet::new(),
            complained: IndexSet::new(),
            fatal: Vec::new(),
            fatal_code: 1,
            next_id: 0,
            started,
            gathered: IndexSet::new(),
            reload,
        })
    }

    /// Takes the folder of a playbook for its own: `playbook_dir`, and the variables beside it.
    pub fn stand_in(&mut self, dir: &std::path::Path) {
        let world = self.world_mut();
        let mut run = (*world.run).clone();
        run.playbook_dir = dir.to_path_buf();
        let files = world.inventory.var_files(dir);
        world.stand_in(Arc::new(run), files);
    }

    /// Runs the plays of one playbook file; the exit code so far.
    pub fn playbook(&mut self, path: PathBuf, plays: &[CompiledPlay]) -> i32 {
        self.send(Event::PlaybookStart { path });
        let mut code = 0;
        for play in plays {
            match self.play(play) {
                Ok(ended) => {
                    code = ended.code;
                    if ended.stop {
                        break;
                    }
                }
                Err(errors) => {
                    self.fatal.extend(errors);
                    return std::mem::replace(&mut self.fatal_code, 1);
                }
            }
        }
        code
    }

    /// Ends the run: sends the recap.
    pub fn finish(&mut self, code: i32) -> RunResult {
        let mut broken: Vec<Arc<str>> = self.failed.iter().chain(&self.unreachable).cloned().collect();
        broken.sort();
        if let Some(name) = self.options.start_at.clone().filter(|_| !self.started && code == 0) {
            self.complain(Diagnostic::warning(format!("--start-at-task: no task is called `{name}`, nothing was run")));
        }
        if self.fatal.is_empty() {
            self.send(Event::Recap { hosts: self.counts.clone(), custom: Arc::new(self.custom.clone()), code });
        }
        RunResult { code, counts: self.counts.clone(), broken, errors: std::mem::take(&mut self.fatal) }
    }

    /// An error in what the user wrote, found while a play begins: it ends the run with the code of unreadable files.
    pub(super) fn unreadable(&mut self, error: Diagnostic) -> Vec<Diagnostic> {
        self.fatal_code = 4;
        vec![error]
    }

    /// What scopes of the next task share.
    pub(super) fn snapshot(&mut self) -> Arc<World> {
        self.snapshot.get_or_insert_with(|| Arc::new(self.world.clone())).clone()
    }

    /// The world, to change: the next snapshot is a new one.
    pub(super) fn world_mut(&mut self) -> &mut World {
        self.snapshot = None;
        &mut self.world
    }

    pub(super) fn send(&self, event: Event) {
        // the receiver lives as long as the run; when it is gone there is nobody to tell
        let _ = self.events.send(event);
    }

    /// Passes a complaint on, each text and place once.
    pub(super) fn complain(&mut self, complaint: Diagnostic) {
        if self.complained.insert(complaint.draw(false)) {
            self.send(Event::Complaint(Box::new(complaint)));
        }
    }

    pub(super) fn count(&mut self, host: &Arc<str>) -> &mut Counts {
        self.counts.entry(host.clone()).or_default()
    }

    pub(super) fn id(&mut self, what: &str) -> String {
        self.next_id += 1;
        format!("{what}-{}", self.next_id)
    }
}
