//! A play compiled flat: roles, imports, blocks and inherited keywords are settled, so that a compiled task stands alone.

mod argument_specs;
mod block;
mod compile;
mod imports;
mod inherit;
mod list;
mod play;
mod roles;
mod select;
mod task;

pub(crate) use compile::dir_of;
pub use compile::{Compiler, Library, descend};
pub(crate) use imports::{below_file, include_dirs};
pub use inherit::{Inherited, Opt};
pub use list::{list_hosts, list_tags, list_tasks};
pub use play::{CompiledPlay, FromImport, compile_play, static_context};
pub use roles::{RoleUse, compile as compile_role};
pub use select::TagFilter;
pub use task::{LoopDef, TaskDef, task_vars};

use std::sync::Arc;

/// A flat sequence of instructions.
#[derive(Debug, Default, Clone)]
pub struct Program {
    /// The instructions.
    pub instructions: Vec<Instruction>,
}

/// One step of a program.
#[derive(Debug, Clone)]
pub enum Instruction {
    /// A task, include or meta.
    Task(Arc<TaskDef>),
    /// Begin of a block: where its sections begin.
    Enter(BlockPlaces),
    /// End of a block's body: go on with `always`.
    EndBody,
    /// End of a block's rescue: the failure is forgotten, go on with `always`.
    Rescued,
    /// End of a block: a failure that was not rescued goes on outwards.
    Leave,
    /// Run the notified handlers.
    Flush,
    /// The tasks of a role end (for `end_role`).
    RoleEnd(Arc<str>),
}

/// Places of a block's sections in its program.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlockPlaces {
    /// First instruction of `rescue`, when there is one.
    pub rescue: Option<usize>,
    /// First instruction of `always`, which is the `Leave` where there is no such section.
    pub always: usize,
    /// The block has an `always` section.
    pub has_always: bool,
}

impl Program {
    /// This program with a task before everything else.
    pub fn after(&self, first: &Arc<TaskDef>) -> Program {
        let mut all = Program { instructions: vec![Instruction::Task(first.clone())] };
        block::append(&mut all, self.clone());
        all
    }

    /// Adds all of another program at the end.
    pub fn append(&mut self, more: Program) {
        block::append(self, more);
    }

    /// The tasks, in order.
    pub fn tasks(&self) -> impl DoubleEndedIterator<Item = &Arc<TaskDef>> {
        self.instructions.iter().filter_map(|instruction| match instruction {
            Instruction::Task(task) => Some(task),
            _ => None,
        })
    }
}
