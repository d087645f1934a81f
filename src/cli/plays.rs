//! From playbook files to compiled plays: files are found, `import_playbook` is followed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::playbook::{self, ImportPlaybook, PlaybookEntry};
use crate::program::{CompiledPlay, FromImport, Library, TagFilter, compile_play, static_context};
use crate::source::Source;
use crate::template::Templated;
use crate::value::text;
use crate::vars::{Layer, PlayVars, World};
use crate::yaml;

/// Imports deeper than this are taken for a circle.
const MAX_DEPTH: usize = 50;

/// A playbook as given, else in `playbooks/`.
pub(super) fn find(name: &str, config: &Config) -> Result<PathBuf, Diagnostic> {
    let given = config.places.from_cwd(name);
    let below = config.places.from_cwd("playbooks").join(name);
    let found = [given, below].into_iter().find(|path| path.is_file());
    let shown = found.map(|path| path.strip_prefix(config.places.cwd()).map(Path::to_path_buf).unwrap_or(path));
    shown.ok_or_else(|| {
        if config.places.from_cwd(name).is_dir() {
            return Diagnostic::error(format!("the playbook: {name} does not appear to be a file")).note("it is a folder");
        }
        let error = Diagnostic::error(format!("the playbook: {name} could not be found")).note("looked for it as given and in playbooks/");
        let near: Vec<String> = ["", "playbooks"]
            .iter()
            .flat_map(|dir| std::fs::read_dir(config.places.from_cwd(if dir.is_empty() { "." } else { dir })).into_iter().flatten().flatten())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        error.did_you_mean(name, near.iter().map(String::as_str))
    })
}

/// What is gathered while files are read.
pub(super) struct Gathered {
    pub plays: Vec<CompiledPlay>,
    pub warnings: Vec<Diagnostic>,
}

/// All plays of a playbook and of those it imports.
pub(super) fn load(path: &Path, library: &Library, world: &World, filter: &TagFilter) -> Result<Gathered, Vec<Diagnostic>> {
    let mut gathered = Gathered { plays: Vec::new(), warnings: Vec::new() };
    follow(path, &FromImport::default(), library, world, filter, 0, &mut gathered)?;
    Ok(gathered)
}

/// The plays of a text that is no file; `book` is the file that it stands for.
pub(super) fn of_text(book: &Path, source: &Arc<Source>, library: &Library, world: &World, filter: &TagFilter) -> Result<Gathered, Vec<Diagnostic>> {
    let read = yaml::load(source, &yaml::Options::default()).map_err(|error| vec![error])?;
    let loaded = playbook::parse_playbook(&read.node, book, &*library.names)?;
    let mut gathered = Gathered { plays: Vec::new(), warnings: loaded.warnings };
    for entry in loaded.value {
        if let PlaybookEntry::Play(play) = entry {
            let (play, warnings) = compile_play(&Arc::from(play), &FromImport::default(), library, world, filter, "p1")?;
            gathered.plays.push(play);
            gathered.warnings.extend(warnings);
        }
    }
    Ok(gathered)
}

fn follow(
    path: &Path,
    from: &FromImport,
    library: &Library,
    world: &World,
    filter: &TagFilter,
    depth: usize,
    into: &mut Gathered,
) -> Result<(), Vec<Diagnostic>> {
    let loaded = playbook::load_playbook(path, &*library.names)?;
    into.warnings.extend(loaded.warnings);
    let mut errors = Vec::new();
    for entry in loaded.value {
        let done = match entry {
            PlaybookEntry::Play(play) => {
                let id = format!("p{}", into.plays.len() + 1);
                compile_play(&Arc::from(play), from, library, world, filter, &id).map(|(play, warnings)| {
                    into.plays.push(play);
                    into.warnings.extend(warnings);
                })
            }
            PlaybookEntry::Import(import) => imported(path, &import, from, world).and_then(|(file, from)| {
                if depth >= MAX_DEPTH {
                    let error = Diagnostic::error(format!("playbooks import each other more than {MAX_DEPTH} deep: does {} import itself?", file.display()));
                    return Err(vec![error.at(&import.file.span)]);
                }
                follow(&file, &from, library, world, filter, depth + 1, into)
            }),
        };
        errors.extend(done.err().into_iter().flatten());
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn imported(path: &Path, import: &ImportPlaybook, outer: &FromImport, world: &World) -> Result<(PathBuf, FromImport), Vec<Diagnostic>> {
    let mut from = outer.clone();
    if let Some(vars) = &import.vars {
        from.vars.push(Arc::new(Layer::from_node(vars).map_err(|error| vec![error])?));
    }
    from.when.extend(import.when.iter().cloned());
    from.tags.extend(import.tags.iter().cloned());
    let mut layer = Layer::default();
    from.vars.iter().for_each(|vars| layer.extend(vars));
    let cx = static_context(world, &PlayVars { vars: Arc::new(layer), ..PlayVars::default() });
    let name = Templated::compile(&import.file).render(&cx).map_err(|fault| vec![Diagnostic::error(fault.message).at(&import.file.span)])?;
    let file = path.parent().unwrap_or_else(|| Path::new(".")).join(text(&name));
    if !file.is_file() {
        return Err(vec![Diagnostic::error(format!("the playbook {} was not found", file.display())).at(&import.file.span)]);
    }
    Ok((file, from))
}
