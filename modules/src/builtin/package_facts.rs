//! `package_facts`: the installed packages as facts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct PackageFacts;

impl Module for PackageFacts {
    const SPEC: Spec = Spec::new(
        "package_facts",
        "Tells which packages are installed, as the fact `packages`.",
        &[
            Arg::list("manager", Kind::Str, "Which package managers to ask.").default(Preset::List(&["auto"])),
            Arg::str("strategy", "Ask the first one that answers, or all.").choices(&["first", "all"]).default(Preset::Str("first")),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let asked: Vec<String> = args.texts("manager").iter().map(|name| name.to_lowercase()).collect();
        let managers = managers(&asked)?;
        let mut packages: Map<String, Value> = Map::new();
        let mut found = 0;
        for manager in managers {
            if found > 0 && args.text("strategy") == "first" {
                break;
            }
            if !manager.programs.iter().any(|program| cx.find_program(program).is_some()) {
                continue;
            }
            let listed = (manager.list)(cx)?;
            if listed.is_empty() {
                cx.warn(format!("Found \"{}\" but no associated packages", manager.name));
                continue;
            }
            found += 1;
            for package in listed {
                add(&mut packages, manager.name, package);
            }
        }
        if found == 0 {
            return Err(Failure::new(format!("Could not detect a supported package manager from the following list: {}", asked.join(", "))));
        }
        predict(cx, &mut packages)?;
        Ok(Outcome::new(false).with("ansible_facts", json!({"packages": packages})))
    }
}

type Package = Map<String, Value>;

/// A package manager that can be asked.
struct Manager {
    name: &'static str,
    aliases: &'static [&'static str],
    programs: &'static [&'static str],
    list: fn(&Context<'_>) -> Result<Vec<Package>, Failure>,
}

const MANAGERS: &[Manager] = &[
    Manager { name: "apk", aliases: &[], programs: &["apk"], list: apk },
    Manager { name: "apt", aliases: &[], programs: &["dpkg-query"], list: apt },
    Manager { name: "pacman", aliases: &[], programs: &["pacman"], list: pacman },
    Manager { name: "rpm", aliases: &["dnf", "dnf5", "yum", "zypper"], programs: &["rpm"], list: rpm },
];

/// What Ansible asks and rplay does not.
const OTHERS: &[&str] = &["pkg", "pkg5", "pkgng", "pkg_info", "openbsd_pkg", "portage"];

fn managers(asked: &[String]) -> Result<Vec<&'static Manager>, Failure> {
    let mut chosen: Vec<&'static Manager> = vec![];
    for name in asked {
        let named: Vec<&'static Manager> = match name.as_str() {
            "auto" => MANAGERS.iter().collect(),
            name if OTHERS.contains(&name) => {
                return Err(Failure::new(format!("the package manager {name} is not supported; rplay asks apk, apt, pacman and rpm")));
            }
            name => MANAGERS.iter().filter(|manager| manager.name == name || manager.aliases.contains(&name)).collect(),
        };
        if named.is_empty() {
            return Err(Failure::new(format!("Unsupported package managers requested: {name}")));
        }
        for manager in named {
            if !chosen.iter().any(|have| have.name == manager.name) {
                chosen.push(manager);
            }
        }
    }
    Ok(chosen)
}

fn add(packages: &mut Map<String, Value>, source: &str, mut package: Package) {
    package.insert("source".into(), json!(source));
    let name = package.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    match packages.entry(name).or_insert_with(|| json!([])) {
        Value::Array(list) => list.push(Value::Object(package)),
        other => *other = json!([package]),
    }
}

/// After packages would have been installed nobody knows the list; those that would be removed are gone.
fn predict(cx: &Context<'_>, packages: &mut Map<String, Value>) -> Result<(), Failure> {
    for change in cx.system().noted() {
        let Change::Package { names, present } = change else { continue };
        if let Some(new) = names.iter().find(|name| *present && !packages.contains_key(*name)) {
            return Err(Failure::unknown(format!("the list of packages once {new} is installed")));
        }
        if !present {
            packages.retain(|name, _| !names.contains(name));
        }
    }
    Ok(())
}

fn output(cx: &Context<'_>, name: &str, words: &[&str]) -> Result<String, Failure> {
    let run = cx.probe(&Program::new([cx.require_program(name)?]).args(words).env("LC_ALL", "C"))?;
    if run.ok() { Ok(run.out()) } else { Err(Failure::new(format!("Unable to list packages rc={} : {}", run.rc, run.err()))) }
}

fn package(fields: &[(&str, &str)]) -> Package {
    fields.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
}

fn apt(cx: &Context<'_>) -> Result<Vec<Package>, Failure> {
    let format = "-f=${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${Section}\\n";
    let listed = output(cx, "dpkg-query", &["-W", format])?;
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split('\t').collect()).collect();
    let native = output(cx, "dpkg", &["--print-architecture"])?.trim().to_owned();
    let mut installed = vec![];
    for row in rows {
        let [status, name, version, arch, section] = row[..] else { continue };
        if status != "installed" {
            continue;
        }
        let shown = if arch == native || arch == "all" { name.to_owned() } else { format!("{name}:{arch}") };
        installed.push(package(&[("name", &shown), ("version", version), ("arch", arch), ("category", section)]));
    }
    let origins = origins(cx, &installed)?;
    for package in &mut installed {
        let name = package["name"].as_str().unwrap_or_default();
        package.insert("origin".into(), json!(origins.get(name).map_or("", String::as_str)));
    }
    Ok(installed)
}

/// Where the installed versions come from, by package.
fn origins(cx: &Context<'_>, packages: &[Package]) -> Result<BTreeMap<String, String>, Failure> {
    if cx.find_program("apt-cache").is_none() {
        return Ok(BTreeMap::new());
    }
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let archives = output(cx, "apt-cache", &["policy"])?;
    let listed = output(cx, "apt-cache", &[&["policy", "--"], &names[..]].concat())?;
    Ok(origins_in(&archives, &listed))
}

/// The index of an installed version stands below its line `*** VERSION`, and the origin of an index below the index.
fn origins_in(archives: &str, listed: &str) -> BTreeMap<String, String> {
    let index = |line: &str| line.trim().split_once(' ').map(|(_, index)| index.trim().to_owned());
    let mut of_index = BTreeMap::new();
    let mut last = None;
    for line in archives.lines() {
        match line.trim().strip_prefix("release ") {
            Some(release) => {
                let origin = release.split(',').find_map(|field| field.strip_prefix("o="));
                of_index.extend(last.take().zip(origin.map(str::to_owned)));
            }
            None => last = index(line),
        }
    }
    let mut out = BTreeMap::new();
    let (mut name, mut below) = (String::new(), false);
    for line in listed.lines() {
        if !line.starts_with(' ') {
            name = line.trim_end_matches(':').to_owned();
        } else if std::mem::replace(&mut below, line.starts_with(" *** ")) {
            out.extend(index(line).and_then(|index| of_index.get(&index)).map(|origin| (name.clone(), origin.clone())));
        }
    }
    out
}

fn rpm(cx: &Context<'_>) -> Result<Vec<Package>, Failure> {
    let format = "%{NAME}\\t%{VERSION}\\t%{RELEASE}\\t%{EPOCH}\\t%{ARCH}\\n";
    let listed = output(cx, "rpm", &["-qa", "--qf", format])?;
    let rows = listed.lines().filter_map(|line| {
        let row: Vec<&str> = line.split('\t').collect();
        let [name, version, release, epoch, arch] = row[..] else { return None };
        let epoch = if epoch == "(none)" { "None" } else { epoch };
        Some(package(&[("name", name), ("version", version), ("release", release), ("epoch", epoch), ("arch", arch)]))
    });
    Ok(rows.collect())
}

fn apk(cx: &Context<'_>) -> Result<Vec<Package>, Failure> {
    let listed = output(cx, "apk", &["info", "-v"])?;
    let one = |line: &str| {
        let parts: Vec<&str> = line.rsplitn(3, '-').collect();
        match parts[..] {
            [release, version, name] => package(&[("name", name), ("version", version), ("release", release)]),
            _ => package(&[("name", line), ("version", ""), ("release", "")]),
        }
    };
    Ok(listed.lines().map(one).collect())
}

fn pacman(cx: &Context<'_>) -> Result<Vec<Package>, Failure> {
    let listed = output(cx, "pacman", &["-Qi"])?;
    Ok(listed.split("\n\n").filter(|text| !text.trim().is_empty()).map(pacman_package).collect())
}

/// A paragraph of `Name : value` lines; a value goes on in lines that are indented.
fn pacman_package(text: &str) -> Package {
    let mut details: BTreeMap<&str, String> = BTreeMap::new();
    let mut last = "";
    for line in text.lines() {
        match line.split_once(" : ").filter(|_| !line.starts_with(' ')) {
            Some((key, value)) => {
                last = key.trim();
                details.insert(last, value.to_owned());
            }
            None => details.entry(last).or_default().push_str(&format!("  {}", line.trim_start())),
        }
    }
    let get = |key: &str| details.get(key).map_or("", String::as_str);
    let mut package = package(&[("name", get("Name")), ("version", get("Version")), ("arch", get("Architecture"))]);
    let provides: Vec<&str> = get("Provides").split("  ").map(|word| word.split('=').next().unwrap_or(word)).collect();
    package.insert("provides".into(), if get("Provides") == "None" { Value::Null } else { json!(provides) });
    package
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_found_through_the_index() {
        let archives = " 500 http://d/debian bookworm/main amd64 Packages\n     release v=12,o=Debian,a=stable\n     origin d\n";
        let listed = "bash:\n  Installed: 5.2\n  Version table:\n     5.3 500\n        500 http://other Packages\n \
                      *** 5.2 500\n        500 http://d/debian bookworm/main amd64 Packages\n        100 /var/lib/dpkg/status\nown:\n  Version table:\n *** 1 100\n        100 /var/lib/dpkg/status\n";
        assert_eq!(origins_in(archives, listed), BTreeMap::from([("bash".to_owned(), "Debian".to_owned())]));
    }

    #[test]
    fn paragraphs_of_pacman() {
        let package =
            pacman_package("Name            : bash\nVersion         : 5.2-1\nArchitecture    : x86_64\nProvides        : sh=5\n                  other\n");
        assert_eq!((&package["version"], &package["provides"]), (&json!("5.2-1"), &json!(["sh", "other"])));
    }
}
