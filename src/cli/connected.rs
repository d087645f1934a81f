//! The connections of a run, its channel of events and its interrupts: what passes over the playbooks have in common.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};

use super::console;
use super::session::{Books, Pass, Refusal, Session};
use super::setup;
use crate::diagnostic::Diagnostic;
use crate::engine::RunResult;
use crate::event::Event;
use crate::report::{self, Live, Report, Streams};
use crate::runner::Pool;

/// Exit code of a run that Ctrl-C ended.
const INTERRUPTED: i32 = 99;

/// Connections that are kept from one pass to the next.
pub(super) struct Connected {
    pool: Arc<Pool>,
    warnings: Arc<Mutex<Option<Sender<Event>>>>,
}

impl Connected {
    /// No connection is made before it is needed.
    pub(super) fn new(session: &Session) -> Connected {
        let warnings: Arc<Mutex<Option<Sender<Event>>>> = Arc::default();
        let to = warnings.clone();
        let warn = Arc::new(move |text: &str| {
            let warning = Diagnostic::warning(text);
            match &*lock(&to) {
                Some(sender) => drop(sender.send(Event::Complaint(Box::new(warning)))),
                None => console::complain(&[warning]),
            }
        });
        let pool = setup::pool(&session.config, &session.around, warn);
        watch(&pool);
        Connected { pool, warnings }
    }

    /// One pass over the playbooks, shown by these reports.
    pub(super) fn pass(
        &self,
        session: &Session,
        compiled: &Books,
        pass: Pass,
        shown: (Vec<Box<dyn Report>>, Streams, Option<Live>),
    ) -> Result<RunResult, Refusal> {
        let (sender, receiver) = mpsc::channel::<Event>();
        let (reports, streams, live) = shown;
        let writer = std::thread::spawn(move || report::follow(receiver, reports, streams, live));
        *lock(&self.warnings) = Some(sender.clone());
        let result = session.pass(&self.pool, sender.clone(), compiled, pass);
        let _ = sender.send(Event::Note { verbosity: 3, host: None, text: cost(&self.pool) });
        *lock(&self.warnings) = None;
        drop(sender);
        // everything that was said is written before anything else is said
        let _ = writer.join();
        let mut result = match result {
            _ if INTERRUPTS.load(Ordering::Relaxed) > 0 => return Err((Vec::new(), INTERRUPTED)),
            Ok(result) => result,
            Err(refusal) => return Err(refusal),
        };
        if result.errors.is_empty() { Ok(result) } else { Err((std::mem::take(&mut result.errors), result.code)) }
    }

    /// Ends runners and connections.
    pub(super) fn close(self) {
        self.pool.close_all();
        *lock(&CURRENT) = Weak::new();
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

/// How often Ctrl-C was pressed in the current run.
static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);

/// The connections that Ctrl-C ends.
static CURRENT: Mutex<Weak<Pool>> = Mutex::new(Weak::new());

static HANDLER: Once = Once::new();

/// Ctrl-C ends what runs and closes connections; a second one, or one while nothing runs, ends at once.
fn watch(pool: &Arc<Pool>) {
    INTERRUPTS.store(0, Ordering::Relaxed);
    *lock(&CURRENT) = Arc::downgrade(pool);
    HANDLER.call_once(|| {
        let heard = ctrlc::set_handler(|| {
            let pool = lock(&CURRENT).upgrade();
            match pool {
                Some(pool) if INTERRUPTS.fetch_add(1, Ordering::Relaxed) == 0 => {
                    console::tell("\n[ERROR]: User interrupted execution\n");
                    pool.cancel();
                }
                _ => {
                    #[allow(clippy::exit)]
                    std::process::exit(INTERRUPTED);
                }
            }
        });
        if let Err(error) = heard {
            console::tell(&format!("[WARNING]: Ctrl-C will end rplay at once: {error}\n"));
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
