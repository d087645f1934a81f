//! Where a host stands in its play: a path through programs, and the blocks it is in.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::program::{BlockPlaces, Instruction, Program, TaskDef};

/// What kind of program a level runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The play's sections, or an include.
    Tasks,
    /// The handler section: only notified handlers run.
    Handlers,
}

#[derive(Debug, Clone)]
struct Level {
    program: Arc<Program>,
    at: usize,
    kind: Kind,
    ordinal: usize,
    /// Further sub-programs of the include at `at`, by ordinal.
    waiting: VecDeque<(usize, Arc<Program>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Body,
    Rescue,
    Always,
}

#[derive(Debug, Clone)]
struct Frame {
    level: usize,
    places: BlockPlaces,
    section: Section,
    failed: bool,
}

/// What becomes of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caught {
    /// A rescue section takes it.
    Rescued,
    /// An `always` section runs first, then the host has failed.
    Always,
    /// The host has failed.
    Failed,
}

/// The place of one host.
#[derive(Debug, Clone)]
pub struct Cursor {
    levels: Vec<Level>,
    frames: Vec<Frame>,
    /// Sections of blocks that pend a failure were run; the host has failed.
    pub failed: bool,
}

impl Cursor {
    /// The beginning of a program.
    pub fn new(program: Arc<Program>) -> Cursor {
        let level = Level { program, at: 0, kind: Kind::Tasks, ordinal: 0, waiting: VecDeque::new() };
        Cursor { levels: vec![level], frames: Vec::new(), failed: false }
    }

    /// The place as numbers: hosts with the lowest path run first.
    pub fn path(&self) -> Vec<usize> {
        let mut path = Vec::with_capacity(self.levels.len() * 2);
        for (depth, level) in self.levels.iter().enumerate() {
            if depth > 0 {
                path.push(level.ordinal);
            }
            path.push(level.at);
        }
        path
    }

    /// Walks over what is no task; gives the task, or `None` at the end. `notified` tells whether a handler is notified (or any, for `None`).
    pub fn settle(&mut self, handlers: &Arc<Program>, notified: &dyn Fn(Option<&TaskDef>) -> bool) -> Option<Arc<TaskDef>> {
        loop {
            let depth = self.levels.len();
            let level = self.levels.last_mut()?;
            let Some(instruction) = level.program.instructions.get(level.at) else {
                if depth == 1 {
                    return None;
                }
                self.levels.pop();
                self.advance();
                continue;
            };
            match instruction {
                Instruction::Task(task) if level.kind == Kind::Handlers && !notified(Some(task)) => level.at += 1,
                Instruction::Task(task) => return Some(task.clone()),
                Instruction::Enter(places) => {
                    let frame = Frame { level: depth - 1, places: *places, section: Section::Body, failed: false };
                    level.at += 1;
                    self.frames.push(frame);
                }
                Instruction::EndBody | Instruction::Rescued => self.enter_always(),
                Instruction::Leave => self.leave(),
                Instruction::RoleEnd(_) => level.at += 1,
                Instruction::Flush => {
                    if notified(None) {
                        self.push(handlers.clone(), Kind::Handlers, 0);
                    } else {
                        level.at += 1;
                    }
                }
            }
        }
    }

    fn enter_always(&mut self) {
        if let (Some(frame), Some(level)) = (self.frames.last_mut(), self.levels.last_mut()) {
            frame.section = Section::Always;
            level.at = frame.places.always;
        }
    }

    fn leave(&mut self) {
        let failed = self.frames.pop().is_some_and(|frame| frame.failed);
        if failed {
            if self.fail() == Caught::Failed {
                self.end();
            }
        } else if let Some(level) = self.levels.last_mut() {
            level.at += 1;
        }
    }

    fn push(&mut self, program: Arc<Program>, kind: Kind, ordinal: usize) {
        self.levels.push(Level { program, at: 0, kind, ordinal, waiting: VecDeque::new() });
    }

    /// Goes on behind the current task: the next include of the same task, else the next instruction.
    pub fn advance(&mut self) {
        let Some(level) = self.levels.last_mut() else { return };
        match level.waiting.pop_front() {
            Some((ordinal, program)) => self.push(program, Kind::Tasks, ordinal),
            None => level.at += 1,
        }
    }

    /// Enters the sub-programs of the include that the cursor stands at, lowest ordinal first.
    pub fn include(&mut self, mut programs: Vec<(usize, Arc<Program>)>) {
        programs.sort_by_key(|(ordinal, _)| *ordinal);
        if let Some(level) = self.levels.last_mut() {
            level.waiting = programs.into();
        }
        self.advance();
    }

    /// The current task failed: goes to the nearest rescue or always section.
    pub fn fail(&mut self) -> Caught {
        while let Some(mut frame) = self.frames.pop() {
            let target = match frame.section {
                Section::Body if frame.places.rescue.is_some() => {
                    frame.section = Section::Rescue;
                    frame.places.rescue
                }
                Section::Body | Section::Rescue if frame.places.has_always => {
                    frame.section = Section::Always;
                    frame.failed = true;
                    Some(frame.places.always)
                }
                _ => None,
            };
            let Some(target) = target else { continue };
            let rescued = frame.section == Section::Rescue;
            self.levels.truncate(frame.level + 1);
            if let Some(level) = self.levels.last_mut() {
                level.waiting.clear();
                level.at = target;
            }
            self.frames.push(frame);
            return if rescued { Caught::Rescued } else { Caught::Always };
        }
        Caught::Failed
    }

    /// True when a block around the current task has a rescue section that would take a failure.
    pub fn rescuable(&self) -> bool {
        self.frames.iter().any(|frame| frame.section == Section::Body && frame.places.rescue.is_some())
    }

    /// Goes to the end; with `failed`, as a failed host.
    fn end(&mut self) {
        self.failed = true;
        self.finish();
    }

    /// Goes to the end: nothing more runs.
    pub fn finish(&mut self) {
        self.frames.clear();
        self.levels.truncate(1);
        if let Some(level) = self.levels.last_mut() {
            level.at = level.program.instructions.len();
            level.waiting.clear();
        }
    }

    /// Skips to behind the end of the role that is running (`end_role`).
    pub fn end_role(&mut self, role: &str) {
        while !self.levels.is_empty() {
            if let Some(level) = self.levels.last_mut() {
                let rest = &level.program.instructions[level.at.min(level.program.instructions.len())..];
                if let Some(end) = rest.iter().position(|i| matches!(i, Instruction::RoleEnd(name) if name.as_ref() == role)) {
                    level.at += end;
                    let depth = self.levels.len();
                    let at = self.levels[depth - 1].at;
                    self.frames.retain(|frame| frame.level + 1 < depth || (frame.level + 1 == depth && frame.places.always > at));
                    return;
                }
            }
            if self.levels.len() == 1 {
                return;
            }
            self.levels.pop();
            let depth = self.levels.len();
            self.frames.retain(|frame| frame.level < depth);
        }
    }

    /// Runs the handler section now, then goes on behind the current task (`meta: flush_handlers`).
    pub fn flush(&mut self, handlers: &Arc<Program>) {
        self.push(handlers.clone(), Kind::Handlers, 0);
    }

    /// True while the handler section runs.
    pub fn in_handlers(&self) -> bool {
        self.levels.iter().any(|level| level.kind == Kind::Handlers)
    }
}
