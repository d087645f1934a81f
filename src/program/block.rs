//! Blocks: a body, perhaps `rescue` and `always`, laid flat.

use super::compile::Compiler;
use super::{BlockPlaces, Inherited, Instruction, Program};
use crate::diagnostic::Diagnostic;
use crate::playbook::Block;

/// Compiles a block to the end of `out`; a block of which the tags leave nothing vanishes.
pub(super) fn compile(c: &mut Compiler, block: &Block, outer: &Inherited, handlers: bool, out: &mut Program) -> Result<(), Vec<Diagnostic>> {
    let inherited = c.descend(outer, &block.keywords)?;
    let [mut body, mut rescue, mut always] = [Program::default(), Program::default(), Program::default()];
    c.entries(&block.body, &inherited, handlers, &mut body)?;
    c.entries(&block.rescue, &inherited, handlers, &mut rescue)?;
    c.entries(&block.always, &inherited, handlers, &mut always)?;
    lay(body, rescue, always, out);
    Ok(())
}

/// Lays the three sections behind one another.
pub(super) fn lay(body: Program, rescue: Program, always: Program, out: &mut Program) {
    if rescue.instructions.is_empty() && always.instructions.is_empty() {
        append(out, body);
        return;
    }
    let enter = out.instructions.len();
    let has_rescue = !rescue.instructions.is_empty();
    let has_always = !always.instructions.is_empty();
    out.instructions.push(Instruction::Enter(BlockPlaces::default()));
    append(out, body);
    out.instructions.push(Instruction::EndBody);
    let rescue_at = out.instructions.len();
    if has_rescue {
        append(out, rescue);
        out.instructions.push(Instruction::Rescued);
    }
    let always_at = out.instructions.len();
    append(out, always);
    out.instructions.push(Instruction::Leave);
    let places = BlockPlaces { rescue: has_rescue.then_some(rescue_at), always: always_at, has_always };
    out.instructions[enter] = Instruction::Enter(places);
}

/// Appends a program; places in its blocks move with it.
pub(super) fn append(out: &mut Program, more: Program) {
    let by = out.instructions.len();
    out.instructions.extend(more.instructions.into_iter().map(|instruction| match instruction {
        Instruction::Enter(places) => {
            Instruction::Enter(BlockPlaces { rescue: places.rescue.map(|at| at + by), always: places.always + by, has_always: places.has_always })
        }
        other => other,
    }));
}
