//! What is settled before the first play of a run, and passes over the playbooks: the run itself, and replays of it.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use super::flags::Flags;
use super::setup::{self, Surroundings};
use super::{callbacks, console, listing, plays, preflight, prompts};
use crate::action::{Settings, catalog::Catalog};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::engine::{Engine, RunOptions, RunResult, StepAnswer};
use crate::event::Event;
use crate::program::{CompiledPlay, Library, TagFilter};
use crate::runner::Pool;
use crate::vars::{RunInfo, World};
use crate::yaml;

/// Exit code of what the user wrote wrong.
pub(super) const PARSER_ERROR: i32 = 4;

/// Why a run does not begin: complaints and an exit code.
pub(super) type Refusal = (Vec<Diagnostic>, i32);

/// Playbooks with their plays, ready to run.
pub(super) type Books = Vec<(PathBuf, Vec<CompiledPlay>)>;

/// Answers to `vars_prompt`, by the name of the variable: a replay does not ask again.
type Answers = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// How one pass over the playbooks is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    /// Check mode.
    pub check: bool,
    /// Diffs.
    pub diff: bool,
    /// Outcomes say what the idempotence checker judges by.
    pub evidence: bool,
}

pub(super) fn generic(error: Diagnostic) -> Refusal {
    (vec![error], 1)
}

/// A limit that leaves no host of those that are there is a mistake.
fn limit_leaves_hosts(inventory: &crate::inventory::Inventory, limit: Option<&str>) -> Result<(), Diagnostic> {
    let limit = limit.filter(|_| inventory.hosts().next().is_some());
    let Some(limit) = limit else { return Ok(()) };
    let (hosts, warnings) = inventory.select_list(&["all"], Some(limit))?;
    if hosts.is_empty() {
        let error = Diagnostic::error("Specified inventory, host pattern and/or --limit leaves us with no hosts to target.");
        let error = error.note(format!("--limit is `{limit}`"));
        return Err(warnings.into_iter().fold(error, |error, warning| error.note(warning.message)));
    }
    Ok(())
}

/// Everything that is settled before the first play.
pub(super) struct Session {
    pub program: String,
    pub flags: Flags,
    pub config: Config,
    pub around: Surroundings,
    pub world: World,
    library: Library,
    filter: TagFilter,
    connection: crate::engine::ConnectionDefaults,
    pub books: Vec<PathBuf>,
    answers: Answers,
    /// The report shows results in full, as those of ad-hoc runs do.
    pub whole_results: bool,
}

impl Session {
    pub(super) fn prepare(program: &str, flags: Flags, config: Config, around: Surroundings) -> Result<Session, Refusal> {
        let (secrets, mut warnings) = setup::secrets(&flags.vault, &config).map_err(generic)?;
        let books = flags.playbooks(&config).iter().map(|name| plays::find(name, &config)).collect::<Result<Vec<_>, _>>().map_err(generic)?;
        let (inventory, more) = setup::inventory(&flags.inventory, &config, &secrets).map_err(generic)?;
        warnings.extend(more);
        let (extra, more) =
            setup::extra(&flags.run, &config, &secrets).map_err(|error| if error.span.is_some() { (vec![error], PARSER_ERROR) } else { generic(error) })?;
        warnings.extend(more);
        let listing = listing::wanted(&flags) || flags.syntax_check;
        let connection = if listing { Default::default() } else { setup::connection(&config, flags.connect.connection.as_ref(), &secrets).map_err(generic)? };
        let info = RunInfo {
            playbook_dir: around.cwd.clone(),
            extra,
            check: flags.run.check,
            diff: config.diff_always,
            verbosity: config.verbosity,
            forks: config.forks,
            limit: flags.inventory.limit.clone(),
            run_tags: flags.tags_to_run(&config),
            skip_tags: config.tags_skip.clone(),
            inventory_sources: inventory.sources().to_vec(),
            config_file: config.file.as_ref().map(|source| source.path.clone()),
            settings: config.settings(),
            environment: Arc::new(around.env.clone()),
            secrets: secrets.clone(),
            inject_facts: config.setting("INJECT_FACTS_AS_VARS").is_none_or(|chosen| chosen.value.is_true()),
            program: around.program.clone(),
        };
        let filter = TagFilter::new(&info.run_tags, &info.skip_tags);
        let yaml = yaml::Options::default();
        let names = Box::new(Catalog { secrets, yaml });
        let library = Library::new(names, config.roles_path.clone(), config.collections_path.clone());
        console::complain(&warnings);
        limit_leaves_hosts(&inventory, flags.inventory.limit.as_deref()).map_err(generic)?;
        let world = World::new(Arc::new(info), inventory);
        Ok(Session {
            program: program.to_string(),
            flags,
            config,
            around,
            world,
            library,
            filter,
            connection,
            books,
            answers: Answers::default(),
            whole_results: false,
        })
    }

    /// Loads and compiles the playbooks; what is wrong was shown when there is only an exit code.
    pub(super) fn compile(&mut self) -> Result<Books, i32> {
        let mut compiled = Vec::new();
        for book in self.books.clone() {
            self.stand_in(&book);
            match plays::load(&book, &self.library, &self.world, &self.filter) {
                Ok(gathered) => {
                    console::complain(&gathered.warnings);
                    if let Some(code) = self.preflight(&gathered.plays) {
                        return Err(code);
                    }
                    compiled.push((book, gathered.plays));
                }
                Err(errors) => {
                    console::complain(&errors);
                    return Err(PARSER_ERROR);
                }
            }
        }
        Ok(compiled)
    }

    /// Compiles a text instead of playbooks; `book` is the file that it stands for.
    pub(super) fn compile_text(&mut self, book: &std::path::Path, text: &Arc<crate::source::Source>) -> Result<Books, i32> {
        self.stand_in(book);
        let gathered = plays::of_text(book, text, &self.library, &self.world, &self.filter).map_err(|errors| {
            console::complain(&errors);
            PARSER_ERROR
        })?;
        console::complain(&gathered.warnings);
        match self.preflight(&gathered.plays) {
            Some(code) => Err(code),
            None => Ok(vec![(book.to_path_buf(), gathered.plays)]),
        }
    }

    /// Variables beside the playbook, and its folder.
    fn stand_in(&mut self, book: &std::path::Path) {
        let dir = self.folder(book);
        let mut info = (*self.world.run).clone();
        info.playbook_dir.clone_from(&dir);
        let files = self.world.inventory.var_files(&dir);
        self.world.stand_in(Arc::new(info), files);
    }

    /// The folder of a playbook, complete.
    fn folder(&self, book: &std::path::Path) -> PathBuf {
        let file = self.config.places.cwd().join(book);
        file.parent().map(PathBuf::from).unwrap_or_else(|| self.around.cwd.clone())
    }

    fn preflight(&self, plays: &[CompiledPlay]) -> Option<i32> {
        let mut found: Vec<Diagnostic> = plays.iter().flat_map(preflight::check).collect();
        if self.config.strict {
            found.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Error);
        }
        console::complain(&found);
        (self.config.strict && !found.is_empty()).then_some(PARSER_ERROR)
    }

    /// `--syntax-check` and the lists.
    pub(super) fn list(&mut self, compiled: &Books) -> i32 {
        for (book, plays) in compiled {
            if self.flags.syntax_check && !listing::wanted(&self.flags) {
                console::say(&format!("\nplaybook: {}\n", book.display()));
                continue;
            }
            self.stand_in(book);
            match listing::playbook(book, plays, &self.flags, &self.world) {
                Ok(text) => console::say(&text),
                Err(error) => {
                    console::complain(&[error]);
                    return 1;
                }
            }
        }
        0
    }

    /// The pass that the options ask for.
    pub(super) fn first_pass(&self) -> Pass {
        Pass { check: self.flags.run.check, diff: self.config.diff_always, evidence: false }
    }

    /// One pass over the playbooks, from the variables that the run began with.
    pub(super) fn pass(&self, pool: &Arc<Pool>, sender: mpsc::Sender<Event>, compiled: &Books, pass: Pass) -> Result<RunResult, Refusal> {
        let options = self.options(pass);
        let (config, inventory_flags, secrets) = (self.config.clone(), self.flags.inventory.clone(), self.world.run.secrets.clone());
        let reload = Box::new(move || setup::inventory(&inventory_flags, &config, &secrets).map(|(inventory, _)| inventory).map_err(|error| vec![error]));
        let mut world = self.world.clone();
        if pass.check != world.run.check || pass.diff != world.run.diff {
            let mut info = (*world.run).clone();
            (info.check, info.diff) = (pass.check, pass.diff);
            world.run = Arc::new(info);
        }
        let one = |message: String| generic(Diagnostic::error(message));
        let mut engine = Engine::new(world, pool.clone(), options, &self.library, &self.filter, sender, reload).map_err(one)?;
        let mut code = 0;
        for (book, plays) in compiled {
            engine.stand_in(&self.folder(book));
            code = engine.playbook(book.clone(), plays);
            if code != 0 {
                break;
            }
        }
        Ok(engine.finish(code))
    }

    /// The file with the hosts that failed, where the configuration wants one.
    pub(super) fn retry_file(&self, broken: &[Arc<str>]) {
        if !self.config.retry_files_enabled || broken.is_empty() {
            return;
        }
        let Some(book) = self.books.first() else { return };
        let dir = self.config.retry_files_save_path.clone().or_else(|| book.parent().map(PathBuf::from)).unwrap_or_default();
        let path = dir.join(format!("{}.retry", book.file_stem().unwrap_or_default().to_string_lossy()));
        let text: String = broken.iter().map(|host| format!("{host}\n")).collect();
        match std::fs::write(&path, text) {
            Ok(()) => console::say(&format!("\tto retry, use: --limit @{}\n", path.display())),
            Err(error) => console::complain(&[Diagnostic::warning(format!("Could not create retry file '{}'.\t{error}", path.display()))]),
        }
    }

    fn options(&self, pass: Pass) -> RunOptions {
        let config = &self.config;
        RunOptions {
            forks: config.forks,
            check: pass.check,
            diff: pass.diff,
            evidence: pass.evidence,
            strict: config.strict,
            as_ansible: self.program.starts_with("ansible"),
            live: config.verbosity >= 2,
            strategy: config.strategy.clone(),
            any_errors_fatal: config.any_errors_fatal,
            force_handlers: config.force_handlers,
            gathering: config.gathering.clone(),
            gather_subset: Vec::new(),
            no_log: config.no_log,
            task_timeout: config.task_timeout,
            poll_interval: config.poll_interval,
            error_on_missing_handler: config.error_on_missing_handler,
            connection: self.connection.clone(),
            settings: Settings {
                ansible_managed: config.ansible_managed.clone(),
                max_diff_size: config.max_diff_size as usize,
                local_tmp: config.local_tmp.clone(),
                merge_dicts: config.hash_behaviour == "merge",
                interactive: std::io::stdin().is_terminal(),
                results_shown: config.verbosity > 0 || pass.evidence || self.whole_results || callbacks::reports_results(config),
            },
            start_at: self.flags.start_at_task.clone(),
            step: self.flags.step.then(|| Box::new(prompts::step) as Box<dyn FnMut(&str) -> StepAnswer + Send>),
            ask: Box::new(asking(self.answers.clone())),
            limit: self.flags.inventory.limit.clone(),
        }
    }
}

/// Asks once for each variable.
fn asking(answers: Answers) -> impl FnMut(&crate::playbook::Prompt, &str) -> Option<String> + Send {
    move |prompt, question| {
        let mut answers = answers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, known)) = answers.iter().find(|(name, _)| *name == prompt.name.value) {
            return known.clone();
        }
        let answer = prompts::ask(prompt, question);
        answers.push((prompt.name.value.clone(), answer.clone()));
        answer
    }
}
