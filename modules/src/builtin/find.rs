//! `find`: files by name, age, size, type, mode and content.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::stat::describe;
use crate::args::Args;
use crate::context::Context;
use crate::glob;
use crate::list::Module;
use crate::mode::{self, Mode};
use crate::outcome::{Failure, Outcome};
use crate::pyre::{self, Flags, Regex};
use crate::spec::{Arg, Kind, Preset, Spec};
use crate::system::{FileKind, Stat};
use crate::text::Text;

/// The module.
pub struct Find;

impl Module for Find {
    const SPEC: Spec = Spec::new(
        "find",
        "Finds files by name, age, size, type, mode and content.",
        &[
            Arg::list("paths", Kind::Path, "Directories to look in.").alias(&["name", "path"]).required(),
            Arg::list("patterns", Kind::Str, "Patterns of names, or expressions with `use_regex`.").alias(&["pattern"]).default(Preset::List(&[])),
            Arg::list("excludes", Kind::Str, "Patterns of names to leave out.").alias(&["exclude"]),
            Arg::str("contains", "Expression that a line of the file must match from its beginning."),
            Arg::flag("read_whole_file", false, "Search `contains` anywhere in the whole file."),
            Arg::str("file_type", "What to find.").choices(&["any", "directory", "file", "link"]).default(Preset::Str("file")),
            Arg::str("age", "At least this old (`2d`), or with a minus at most."),
            Arg::str("age_stamp", "Time that `age` compares.").choices(&["atime", "ctime", "mtime"]).default(Preset::Str("mtime")),
            Arg::str("size", "At least this large (`10m`), or with a minus at most."),
            Arg::flag("recurse", false, "Look in directories below too."),
            Arg::flag("hidden", false, "Find names that begin with a dot too."),
            Arg::flag("follow", false, "Follow links to directories."),
            Arg::flag("get_checksum", false, "Compute checksums."),
            Arg::str("checksum_algorithm", "Algorithm of checksums.")
                .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
                .default(Preset::Str("sha1"))
                .alias(&["checksum", "checksum_algo"]),
            Arg::flag("use_regex", false, "Patterns are regular expressions."),
            Arg::int("depth", "How many levels deep to look."),
            Arg::raw("mode", "Permissions that files must have."),
            Arg::flag("exact_mode", true, "Exactly these permissions, and not only some of them."),
            Arg::str("encoding", "Encoding of files for `contains`; UTF-8 is the only one known."),
            Arg::int("limit", "Stop after so many."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let filter = Filter::new(args)?;
        let mut search = Search { filter, files: vec![], examined: 0, skipped: Map::new(), limited: false };
        let mut warned = false;
        for path in args.texts("paths") {
            if !cx.stat(Path::new(&path))?.is_some_and(|stat| stat.is_dir()) {
                let why = format!("'{path}' is not a directory");
                cx.warn(format!("Skipped '{path}' path due to this access issue: {why}\n"));
                search.skipped.insert(path, json!(why));
                warned = true;
                continue;
            }
            search.walk(cx, Path::new(&path), 1)?;
            if search.limited {
                break;
            }
        }
        let msg = match (warned, search.limited) {
            (true, _) => "Not all paths examined, check warnings for details",
            (false, true) => "Limit of matches reached",
            (false, false) => "All paths examined",
        };
        let matched = search.files.len();
        let outcome = Outcome::new(false).with("files", search.files).msg(msg).with("matched", matched);
        Ok(outcome.with("examined", search.examined).with("skipped_paths", Value::Object(search.skipped)))
    }
}

enum Name {
    Glob(String),
    Regex(Box<Regex>),
}

impl Name {
    fn matches(&self, name: &str) -> Result<bool, Failure> {
        match self {
            Name::Glob(pattern) => Ok(glob::matches(pattern, name)),
            Name::Regex(regex) => Ok(regex.match_start(name)?.is_some()),
        }
    }
}

struct Filter {
    names: Vec<Name>,
    excludes: Vec<Name>,
    contains: Option<Regex>,
    whole: bool,
    kind: String,
    age: Option<i64>,
    stamp: String,
    size: Option<i64>,
    mode: Option<(Mode, bool)>,
    recurse: bool,
    hidden: bool,
    follow: bool,
    checksum: Option<String>,
    depth: Option<i64>,
    limit: Option<usize>,
    now: i64,
}

impl Filter {
    fn new(args: &Args) -> Result<Filter, Failure> {
        if args.str("encoding").is_some_and(|name| !["utf-8", "utf8", "ascii"].contains(&name.to_lowercase().as_str())) {
            return Err(Failure::new(format!("encoding {} is not supported, only utf-8", args.text("encoding"))));
        }
        let regex = args.flag("use_regex");
        let compile =
            |pattern: &str| pyre::compile(pattern, Flags::default()).map_err(|why| Failure::new(format!("bad regular expression '{pattern}': {why}")));
        let names = |texts: Vec<String>| -> Result<Vec<Name>, Failure> {
            texts.into_iter().map(|text| if regex { compile(&text).map(|r| Name::Regex(Box::new(r))) } else { Ok(Name::Glob(text)) }).collect()
        };
        let patterns = match args.texts("patterns") {
            none if none.is_empty() => vec![if regex { ".*".to_owned() } else { "*".to_owned() }],
            some => some,
        };
        let limit = args.int("limit");
        if let Some(limit) = limit.filter(|limit| *limit <= 0) {
            return Err(Failure::new(format!("limit cannot be {limit} (use None for unlimited)")));
        }
        let mode = match args.get("mode") {
            None => None,
            Some(Value::String(text)) => Some((mode::parse(&json!(text)).map_err(Failure::new)?, args.flag("exact_mode"))),
            Some(_) => return Err("argument 'mode' is not a string and conversion is not allowed, value is of type int".into()),
        };
        Ok(Filter {
            names: names(patterns)?,
            excludes: names(args.texts("excludes"))?,
            contains: args.str("contains").map(compile).transpose()?,
            whole: args.flag("read_whole_file"),
            kind: args.text("file_type").to_owned(),
            age: scaled(args, "age", &[('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)])?,
            stamp: args.text("age_stamp").to_owned(),
            size: scaled(args, "size", &[('b', 1), ('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30), ('t', 1 << 40)])?,
            mode,
            recurse: args.flag("recurse"),
            hidden: args.flag("hidden"),
            follow: args.flag("follow"),
            checksum: args.flag("get_checksum").then(|| args.text("checksum_algorithm").to_owned()),
            depth: args.int("depth").filter(|depth| *depth > 0),
            limit: limit.map(|limit| limit as usize),
            now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64,
        })
    }

    fn accepts(&self, cx: &Context<'_>, path: &Path, name: &str, stat: &Stat) -> Result<bool, Failure> {
        let kind = match self.kind.as_str() {
            "directory" => stat.is_dir(),
            "file" => stat.is_file(),
            "link" => stat.is_link(),
            _ => true,
        };
        Ok(kind && self.accepts_name(name)? && self.accepts_stat(stat) && (self.kind != "file" || self.accepts_content(cx, path)?))
    }

    fn accepts_name(&self, name: &str) -> Result<bool, Failure> {
        let any = |names: &[Name]| -> Result<bool, Failure> {
            for one in names {
                if one.matches(name)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        Ok(any(&self.names)? && !any(&self.excludes)?)
    }

    fn accepts_stat(&self, stat: &Stat) -> bool {
        let time = match self.stamp.as_str() {
            "atime" => stat.atime,
            "ctime" => stat.ctime,
            _ => stat.mtime,
        };
        let compare = |wanted: Option<i64>, have: i64| wanted.is_none_or(|wanted| if wanted >= 0 { have >= wanted } else { have <= -wanted });
        let size = stat.kind != FileKind::File || compare(self.size, stat.size as i64);
        let mode = self.mode.as_ref().is_none_or(|(mode, exact)| {
            let wanted = mode.resolve(0, false, 0);
            if *exact { stat.mode == wanted } else { stat.mode & wanted != 0 }
        });
        compare(self.age, self.now - time.0) && size && mode
    }

    fn accepts_content(&self, cx: &Context<'_>, path: &Path) -> Result<bool, Failure> {
        let Some(regex) = &self.contains else { return Ok(true) };
        // what cannot be read does not contain it
        let Ok(bytes) = crate::system::read(cx.system(), path) else { return Ok(false) };
        let text = Text::new(bytes).content;
        if self.whole {
            return Ok(regex.is_match(&text)?);
        }
        for line in text.split_inclusive('\n') {
            if regex.match_start(line)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A number with a unit.
fn scaled(args: &Args, name: &str, units: &[(char, i64)]) -> Result<Option<i64>, Failure> {
    let Some(text) = args.str(name) else { return Ok(None) };
    let lower = text.to_lowercase();
    let (number, unit) = match lower.chars().last().and_then(|last| units.iter().find(|(unit, _)| *unit == last)) {
        Some((_, unit)) => (&lower[..lower.len() - 1], *unit),
        None => (lower.as_str(), 1),
    };
    match number.parse::<i64>() {
        Ok(number) => Ok(Some(number * unit)),
        Err(_) => Err(Failure::new(format!("failed to process {name}")).with(name, text)),
    }
}

struct Search {
    filter: Filter,
    files: Vec<Value>,
    examined: usize,
    skipped: Map<String, Value>,
    limited: bool,
}

impl Search {
    fn walk(&mut self, cx: &mut Context<'_>, dir: &Path, depth: i64) -> Result<(), Failure> {
        cx.control().check()?;
        let names = match cx.system().list(dir) {
            Ok(names) => names,
            Err(error) => {
                self.skipped.insert(dir.to_string_lossy().into_owned(), json!(crate::outcome::describe(&error)));
                return Ok(());
            }
        };
        self.examined += names.len();
        let mut below: Vec<PathBuf> = vec![];
        for name in names {
            let path = dir.join(&name);
            let Some(stat) = cx.lstat(&path)? else { continue };
            if stat.is_dir() || self.filter.follow && stat.is_link() && cx.stat(&path)?.is_some_and(|stat| stat.is_dir()) {
                below.push(path.clone());
            }
            let name = name.to_string_lossy();
            if self.filter.depth.is_some_and(|max| depth > max) || name.starts_with('.') && !self.filter.hidden {
                continue;
            }
            if self.filter.accepts(cx, &path, &name, &stat)? {
                self.add(cx, &path, &stat)?;
            }
            if self.filter.limit == Some(self.files.len()) {
                self.limited = true;
                return Ok(());
            }
        }
        if self.filter.recurse && self.filter.depth.is_none_or(|max| depth < max) {
            for path in below {
                self.walk(cx, &path, depth + 1)?;
                if self.limited {
                    break;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, cx: &Context<'_>, path: &Path, stat: &Stat) -> Result<(), Failure> {
        let mut file = describe(&path.to_string_lossy(), stat);
        for key in ["exists", "blocks", "block_size", "device_type"] {
            file.shift_remove(key);
        }
        file.insert("pw_name".into(), json!(cx.user_by_id(stat.uid).map_or(String::new(), |user| user.name)));
        file.insert("gr_name".into(), json!(cx.group_by_id(stat.gid).map_or(String::new(), |group| group.name)));
        if let Some(algorithm) = self.filter.checksum.as_deref().filter(|_| stat.is_file()) {
            file.insert("checksum".into(), json!(cx.digest(path, algorithm)?));
        }
        self.files.push(Value::Object(file));
        Ok(())
    }
}
