//! From minijinja's syntax tree to ours: statements.

use std::sync::Arc;

use minijinja::machinery::ast;

use super::lower::{Lowering, at};
use super::tree::{At, Call, Expr, ForLoop, FromImport, Import, Include, Macro, Stmt, Target};

impl Lowering<'_> {
    pub(super) fn body(&mut self, stmts: &[ast::Stmt<'_>]) -> Vec<Stmt> {
        stmts.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &ast::Stmt<'_>) -> Stmt {
        match stmt {
            ast::Stmt::Template(template) => Stmt::Scoped(self.body(&template.children)),
            ast::Stmt::EmitExpr(emit) => Stmt::Emit(self.expr(&emit.expr)),
            ast::Stmt::EmitRaw(raw) => Stmt::Text(normal_newlines(raw.raw)),
            ast::Stmt::ForLoop(each) => Stmt::For(Arc::new(self.for_loop(each))),
            ast::Stmt::IfCond(choice) => {
                let test = self.expr(&choice.expr);
                Stmt::If(test, self.body(&choice.true_body), self.body(&choice.false_body))
            }
            ast::Stmt::WithBlock(with) => {
                let assignments = with.assignments.iter().map(|(target, e)| (self.target(target), self.expr(e))).collect();
                Stmt::With(assignments, self.body(&with.body))
            }
            ast::Stmt::Set(set) => Stmt::Set(self.target(&set.target), self.expr(&set.expr)),
            ast::Stmt::SetBlock(set) => {
                let filter = set.filter.as_ref().map(|e| self.expr(e));
                Stmt::SetBlock(self.target(&set.target), filter, self.body(&set.body))
            }
            // nothing is ever escaped
            ast::Stmt::AutoEscape(block) => Stmt::Scoped(self.body(&block.body)),
            ast::Stmt::FilterBlock(block) => Stmt::FilterBlock(self.expr(&block.filter), self.body(&block.body)),
            ast::Stmt::Block(block) => {
                let body = Arc::new(self.body(&block.body));
                let name: Arc<str> = block.name.into();
                self.blocks.push((name.clone(), body));
                Stmt::Block(name)
            }
            ast::Stmt::Extends(extends) => Stmt::Extends(self.expr(&extends.name)),
            ast::Stmt::Include(include) => Stmt::Include(Box::new(Include {
                name: self.expr(&include.name),
                ignore_missing: include.ignore_missing,
                with_context: self.with_context(at(include.span())).unwrap_or(true),
            })),
            ast::Stmt::Import(import) => Stmt::Import(Box::new(Import {
                file: self.expr(&import.expr),
                name: assigned(&import.name),
                with_context: self.with_context(at(import.span())).unwrap_or(false),
            })),
            ast::Stmt::FromImport(import) => Stmt::FromImport(Box::new(FromImport {
                file: self.expr(&import.expr),
                names: import.names.iter().map(|(name, alias)| (assigned(name), assigned(alias.as_ref().unwrap_or(name)))).collect(),
                with_context: self.with_context(at(import.span())).unwrap_or(false),
            })),
            ast::Stmt::Macro(declared) => Stmt::Macro(Arc::new(self.macro_(declared))),
            ast::Stmt::CallBlock(block) => {
                let call: Call = self.call(&block.call);
                let span = call.callee.at.to(at(block.call.span()));
                Stmt::CallBlock(call, span, Arc::new(self.macro_(&block.macro_decl)))
            }
            ast::Stmt::Continue(_) => Stmt::Continue,
            ast::Stmt::Break(_) => Stmt::Break,
            ast::Stmt::Do(statement) => {
                let call = self.call(&statement.call);
                let span = call.callee.at.to(at(statement.call.span()));
                Stmt::Do(Expr { kind: super::tree::ExprKind::Call(Box::new(call)), at: span })
            }
        }
    }

    /// What the scan saw behind the keyword at that place: `with context` or `without context`.
    fn with_context(&self, span: At) -> Option<bool> {
        self.scan.context.iter().find(|(keyword, _)| *keyword == span.start).map(|(_, with)| *with)
    }

    fn for_loop(&mut self, each: &ast::ForLoop<'_>) -> ForLoop {
        let iter = self.expr(&each.iter);
        let outer = std::mem::take(&mut self.names);
        let filter = each.filter_expr.as_ref().map(|e| self.expr(e));
        let body = self.body(&each.body);
        let reads_loop = self.names.iter().any(|name| &**name == "loop");
        self.names.extend(outer);
        let otherwise = self.body(&each.else_body);
        ForLoop { target: self.target(&each.target), iter, filter, recursive: each.recursive, body, otherwise, reads_loop }
    }

    fn macro_(&mut self, declared: &ast::Macro<'_>) -> Macro {
        let outer = std::mem::take(&mut self.names);
        let defaults = declared.defaults.iter().map(|e| self.expr(e)).collect();
        let body = self.body(&declared.body);
        let reads = |name: &str| self.names.iter().any(|read| &**read == name);
        let lowered = Macro {
            name: declared.name.into(),
            params: declared.args.iter().map(assigned).collect(),
            defaults,
            body,
            reads_varargs: reads("varargs"),
            reads_kwargs: reads("kwargs"),
            reads_caller: reads("caller"),
        };
        self.names.extend(outer);
        lowered
    }

    fn target(&mut self, target: &ast::Expr<'_>) -> Target {
        match target {
            ast::Expr::GetAttr(get) => Target::Attr(assigned(&get.expr), get.name.into()),
            ast::Expr::List(list) => Target::Tuple(list.items.iter().map(|item| self.target(item)).collect()),
            ast::Expr::Tuple(tuple) => Target::Tuple(tuple.items.iter().map(|item| self.target(item)).collect()),
            name => Target::Name(assigned(name)),
        }
    }
}

/// The name in a place where the grammar allows only a name.
fn assigned(expr: &ast::Expr<'_>) -> Arc<str> {
    match expr {
        ast::Expr::Var(var) => var.id.into(),
        _ => "".into(),
    }
}

fn normal_newlines(raw: &str) -> Arc<str> {
    if raw.contains('\r') { raw.replace("\r\n", "\n").replace('\r', "\n").into() } else { raw.into() }
}
