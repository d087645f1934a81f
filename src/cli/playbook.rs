//! `rplay PLAYBOOK`: a run from its options to its exit code.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::flags::{self, Flags, Parsed};
use super::setup::{self, Surroundings};
use super::{console, listing, plays, preflight, unsupported};
use crate::action::{Settings, catalog::Catalog};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::engine::{Engine, RunOptions, StepAnswer};
use crate::event::Event;
use crate::program::{CompiledPlay, Library, TagFilter};
use crate::report::{self, Colors, Live, Look, Profile, ProfileOptions, Report, Streams, Timer, What};
use crate::runner::Pool;
use crate::vars::{RunInfo, World};
use crate::yaml;

/// Exit code of options that make no sense.
const BAD_OPTIONS: i32 = 5;
/// Exit code of what the user wrote wrong.
const PARSER_ERROR: i32 = 4;

/// Runs playbooks; `program` is the name that rplay was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    run_in(program, arguments, Surroundings::read())
}

/// The same in surroundings of the caller's making: another environment, another working directory.
pub(super) fn run_in(program: &str, arguments: &[OsString], around: Surroundings) -> i32 {
    let (mut config, warnings) = match Config::load(&around.env, &around.cwd) {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&[error], BAD_OPTIONS),
    };
    let flags = match flags::playbook(program, arguments, &config) {
        Parsed::Run(flags) => *flags,
        Parsed::Say { text, code, stderr } => {
            if stderr {
                console::tell(&text)
            } else {
                console::say(&text)
            }
            return code;
        }
    };
    flags.apply(&mut config);
    console::complain(&warnings);
    console::complain(&unsupported::check(&flags, &config));
    if let Err((error, code)) = unsupported::refuse(&flags, &config) {
        return refuse(&[error], code);
    }
    match Session::prepare(program, flags, config, around) {
        Ok(session) => session.run(),
        Err((errors, code)) => refuse(&errors, code),
    }
}

fn refuse(errors: &[Diagnostic], code: i32) -> i32 {
    console::complain(errors);
    code
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

type Refusal = (Vec<Diagnostic>, i32);

fn generic(error: Diagnostic) -> Refusal {
    (vec![error], 1)
}

/// Everything that is settled before the first play.
struct Session {
    program: String,
    flags: Flags,
    config: Config,
    around: Surroundings,
    world: World,
    library: Library,
    filter: TagFilter,
    connection: crate::engine::ConnectionDefaults,
    books: Vec<PathBuf>,
}

impl Session {
    fn prepare(program: &str, flags: Flags, config: Config, around: Surroundings) -> Result<Session, Refusal> {
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
        Ok(Session { program: program.to_string(), flags, config, around, world, library, filter, connection, books })
    }

    fn run(mut self) -> i32 {
        let mut compiled = Vec::new();
        for book in self.books.clone() {
            self.stand_in(&book);
            match plays::load(&book, &self.library, &self.world, &self.filter) {
                Ok(gathered) => {
                    console::complain(&gathered.warnings);
                    if let Some(code) = self.preflight(&gathered.plays) {
                        return code;
                    }
                    compiled.push((book, gathered.plays));
                }
                Err(errors) => return refuse(&errors, PARSER_ERROR),
            }
        }
        if self.flags.syntax_check || listing::wanted(&self.flags) {
            return self.list(&compiled);
        }
        self.play(compiled)
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

    fn list(&mut self, compiled: &[(PathBuf, Vec<CompiledPlay>)]) -> i32 {
        for (book, plays) in compiled {
            if self.flags.syntax_check && !listing::wanted(&self.flags) {
                console::say(&format!("\nplaybook: {}\n", book.display()));
                continue;
            }
            self.stand_in(book);
            match listing::playbook(book, plays, &self.flags, &self.world) {
                Ok(text) => console::say(&text),
                Err(error) => return refuse(&[error], 1),
            }
        }
        0
    }

    fn play(mut self, compiled: Vec<(PathBuf, Vec<CompiledPlay>)>) -> i32 {
        let (sender, receiver) = mpsc::channel::<Event>();
        let (reports, streams, live) = self.reports();
        let writer = std::thread::spawn(move || report::follow(receiver, reports, streams, live));
        let warn = {
            let sender = std::sync::Mutex::new(sender.clone());
            Arc::new(move |text: &str| {
                if let Ok(sender) = sender.lock() {
                    let _ = sender.send(Event::Complaint(Box::new(Diagnostic::warning(text))));
                }
            })
        };
        let pool = setup::pool(&self.config, &self.around, warn);
        let interrupts = on_interrupt(pool.clone());
        let notes = sender.clone();
        let result = self.engine(&pool, sender, compiled);
        let _ = notes.send(Event::Note { verbosity: 3, host: None, text: cost(&pool) });
        drop(notes);
        pool.close_all();
        // the pool's way to warn ends with it; then the writer comes to its end
        drop(pool);
        let code = match result {
            Ok(_) | Err(_) if interrupts.load(Ordering::Relaxed) > 0 => 99,
            Ok(code) => code,
            Err((errors, code)) => refuse(&errors, code),
        };
        interrupts.store(usize::MAX / 2, Ordering::Relaxed);
        // everything that was said is written before the program ends
        let _ = writer.join();
        code
    }

    fn engine(&mut self, pool: &Arc<Pool>, sender: mpsc::Sender<Event>, compiled: Vec<(PathBuf, Vec<CompiledPlay>)>) -> Result<i32, Refusal> {
        let options = self.options();
        let (config, inventory_flags, secrets) = (self.config.clone(), self.flags.inventory.clone(), self.world.run.secrets.clone());
        let reload = Box::new(move || setup::inventory(&inventory_flags, &config, &secrets).map(|(inventory, _)| inventory).map_err(|error| vec![error]));
        let flush = sender.clone();
        let one = |message: String| generic(Diagnostic::error(message));
        let mut engine = Engine::new(self.world.clone(), pool.clone(), options, &self.library, &self.filter, sender, reload).map_err(one)?;
        let mut code = 0;
        for (book, plays) in compiled {
            let dir = self.folder(&book);
            engine.stand_in(&dir);
            code = engine.playbook(book, plays);
            if code != 0 {
                break;
            }
        }
        let result = engine.finish(code);
        drop(engine);
        drop(flush);
        self.retry_file(&result.broken);
        if result.errors.is_empty() { Ok(result.code) } else { Err((result.errors, result.code)) }
    }

    fn retry_file(&self, broken: &[Arc<str>]) {
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

    fn options(&mut self) -> RunOptions {
        let config = &self.config;
        RunOptions {
            forks: config.forks,
            check: self.flags.run.check,
            diff: config.diff_always,
            strict: config.strict,
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
            connection: std::mem::take(&mut self.connection),
            settings: Settings {
                ansible_managed: config.ansible_managed.clone(),
                max_diff_size: config.max_diff_size as usize,
                local_tmp: config.local_tmp.clone(),
                merge_dicts: config.hash_behaviour == "merge",
                interactive: std::io::stdin().is_terminal(),
            },
            start_at: self.flags.start_at_task.clone(),
            step: self.flags.step.then(|| Box::new(step) as Box<dyn FnMut(&str) -> StepAnswer + Send>),
            ask: Box::new(ask),
            limit: self.flags.inventory.limit.clone(),
        }
    }

    fn reports(&self) -> (Vec<Box<dyn Report>>, Streams, Option<Live>) {
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
        let look = Look {
            colors: Colors::new(color, chosen),
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
        };
        let report: Box<dyn Report> = match config.stdout_callback.rsplit('.').next().unwrap_or_default() {
            "json" => Box::new(report::Json::new()),
            "jsonl" => Box::new(report::Jsonl::new()),
            _ => Box::new(report::Default::new(look)),
        };
        let log = config.log_path.as_ref().and_then(|path| std::fs::OpenOptions::new().create(true).append(true).open(path).ok());
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

/// What the run cost on the way to targets.
fn cost(pool: &Pool) -> String {
    let stats = pool.stats();
    format!(
        "rplay: {} round trips, {} connections, {} processes, {} bytes sent, {} bytes received",
        stats.round_trips, stats.connections, stats.processes, stats.bytes_out, stats.bytes_in
    )
}

/// `--step`: asks before a task.
fn step(name: &str) -> StepAnswer {
    console::say(&format!("\nPerform task: TASK: {name} (N)o/(y)es/(c)ontinue: "));
    match console::line().unwrap_or_default().to_lowercase().as_str() {
        "y" | "yes" => StepAnswer::Yes,
        "c" | "continue" => StepAnswer::Continue,
        _ => StepAnswer::No,
    }
}

/// `vars_prompt`: asks, twice when it is to be confirmed. Without a terminal there is no answer.
fn ask(prompt: &crate::playbook::Prompt, question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let default = prompt.default.as_ref().and_then(|node| node.as_str()).map(|text| format!(" [{text}]")).unwrap_or_default();
    loop {
        let once = |text: &str| {
            if prompt.private {
                console::secret(text).ok()
            } else {
                console::tell(text);
                console::line().ok()
            }
        };
        let answer = once(&format!("{question}{default}: "))?;
        if !prompt.confirm || once(&format!("confirm {question}{default}: "))? == answer {
            return Some(answer);
        }
        console::tell("***** VALUES ENTERED DO NOT MATCH ****\n");
    }
}

/// Ctrl-C ends what runs and closes connections; a second one ends at once.
fn on_interrupt(pool: Arc<Pool>) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let pool = Arc::downgrade(&pool);
    let heard = ctrlc::set_handler(move || {
        if seen.fetch_add(1, Ordering::Relaxed) == 0 {
            console::tell("\n[ERROR]: User interrupted execution\n");
            if let Some(pool) = pool.upgrade() {
                pool.cancel();
            }
        } else {
            #[allow(clippy::exit)]
            std::process::exit(99);
        }
    });
    if let Err(error) = heard {
        console::tell(&format!("[WARNING]: Ctrl-C will end rplay at once: {error}\n"));
    }
    count
}
