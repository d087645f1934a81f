//! What apt and dpkg know of packages: what is installed, which version would be, who provides a virtual one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{program, version};
use crate::change::Change;
use crate::context::Context;
use crate::glob;
use crate::outcome::Failure;

/// What a task asks for of one package: `name`, `name=1.2*` or `name>=1.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted<'w> {
    /// As it is written.
    pub spec: &'w str,
    /// The package.
    pub name: &'w str,
    /// Which version of it.
    pub version: Version<'w>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version<'w> {
    Any,
    /// A pattern as the shell's.
    Like(&'w str),
    AtLeast(&'w str),
}

impl<'w> Wanted<'w> {
    pub(super) fn new(spec: &'w str) -> Wanted<'w> {
        let (name, version) = match spec.split_once('=') {
            None => (spec, Version::Any),
            Some((name, version)) => match name.strip_suffix('>') {
                Some(name) => (name, Version::AtLeast(version)),
                None => (name, Version::Like(version)),
            },
        };
        Wanted { spec, name, version }
    }
}

impl Version<'_> {
    fn accepts(self, version: &str) -> bool {
        match self {
            Version::Any => true,
            Version::Like(pattern) => glob::matches(pattern, version),
            Version::AtLeast(least) => version::compare(version, least) != Ordering::Less,
        }
    }
}

/// How a package stands against what is wanted of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// Some version is installed.
    pub installed: bool,
    /// A version that is wanted is installed.
    pub satisfied: bool,
    /// What would be installed.
    pub installable: Installable,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Installable {
    #[default]
    Nothing,
    /// Apt sorts it out.
    Something,
    Version(String),
}

/// A package as `apt-cache policy` shows it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Policy {
    installed: Option<String>,
    candidate: Option<String>,
    /// Every version, the latest first.
    versions: Vec<String>,
}

/// What is known of the packages that were asked about.
pub(super) struct Known {
    policies: BTreeMap<String, Policy>,
    predicted: BTreeMap<String, bool>,
    release: Option<String>,
}

impl Known {
    /// Asks about packages; `release` is preferred over others.
    pub(super) fn ask(cx: &Context<'_>, names: &[&str], release: Option<&str>) -> Result<Known, Failure> {
        let mut known = Known { policies: BTreeMap::new(), predicted: predicted(cx), release: release.map(str::to_owned) };
        known.add(cx, names)?;
        Ok(known)
    }

    fn add(&mut self, cx: &Context<'_>, names: &[&str]) -> Result<(), Failure> {
        if names.is_empty() {
            return Ok(());
        }
        let mut asking = program(cx, "apt-cache")?.arg("policy");
        if let Some(release) = &self.release {
            asking = asking.args(["-o".to_owned(), format!("APT::Default-Release={release}")]);
        }
        self.policies.extend(parse_policies(&cx.probe(&asking.arg("--").args(names))?.out()));
        Ok(())
    }

    fn policy(&self, name: &str) -> Option<&Policy> {
        let plain = || name.split_once(':').and_then(|(plain, _)| self.policies.get(plain));
        self.policies.get(name).or_else(plain).filter(|policy| !policy.versions.is_empty())
    }

    /// How a package stands, for an installation.
    pub(super) fn status(&mut self, cx: &Context<'_>, wanted: Wanted<'_>) -> Result<Status, Failure> {
        match self.predicted.get(wanted.name) {
            Some(true) if wanted.version == Version::Any => return Ok(Status { installed: true, satisfied: true, installable: Installable::Nothing }),
            Some(true) => return Err(Failure::unknown(format!("which version of {} an earlier task would install", wanted.name))),
            _ => {}
        }
        let gone = self.predicted.get(wanted.name) == Some(&false);
        match self.policy(wanted.name) {
            Some(policy) => Ok(policy.status(wanted.version, gone)),
            None => self.virtual_status(cx, wanted),
        }
    }

    /// A name without versions: provided by others, or nothing at all.
    fn virtual_status(&mut self, cx: &Context<'_>, wanted: Wanted<'_>) -> Result<Status, Failure> {
        let shown = cx.probe(&program(cx, "apt-cache")?.args(["showpkg", "--", wanted.name]))?.out();
        let providers = providers(&shown);
        let names: Vec<&str> = providers.iter().map(String::as_str).collect();
        if let [only] = names[..] {
            self.add(cx, &[only])?;
            let status = self.policy(only).map(|policy| policy.status(wanted.version, false)).unwrap_or_default();
            if status.installed || self.predicted.get(only) == Some(&true) {
                return Ok(Status { installed: true, satisfied: true, ..status });
            }
        }
        if !names.is_empty() {
            return Ok(Status { installable: Installable::Something, ..Status::default() });
        }
        match lists_may_change(cx) {
            Some(why) => Err(Failure::unknown(format!("whether there is a package {}: {why}", wanted.name))),
            None => Err(Failure::new(format!("No package matching '{}' is available", wanted.name))),
        }
    }

    /// Whether a version that is wanted is installed, for a removal.
    pub(super) fn is_there(&self, wanted: Wanted<'_>) -> bool {
        match self.predicted.get(wanted.name) {
            Some(there) => *there,
            None => self.policy(wanted.name).is_some_and(|policy| policy.status(wanted.version, false).satisfied),
        }
    }

    /// The version that is installed.
    pub(super) fn installed(&self, name: &str) -> Option<&str> {
        self.policy(name)?.installed.as_deref()
    }
}

impl Policy {
    fn status(&self, version: Version<'_>, gone: bool) -> Status {
        let best = match version {
            Version::Like(_) => self.versions.iter().find(|have| version.accepts(have)),
            _ => self.candidate.as_ref(),
        };
        let installed = self.installed.as_ref().filter(|_| !gone);
        let installable = match installed {
            None => best,
            Some(now) => best.filter(|best| *best != now && version.accepts(best)),
        };
        Status {
            installed: installed.is_some(),
            satisfied: installed.is_some_and(|now| version.accepts(now)),
            installable: installable.map_or(Installable::Nothing, |version| Installable::Version(version.clone())),
        }
    }
}

/// What check mode predicted of packages.
fn predicted(cx: &Context<'_>) -> BTreeMap<String, bool> {
    let mut all = BTreeMap::new();
    for change in cx.system().noted() {
        if let Change::Package { names, present } = change {
            all.extend(names.iter().map(|name| (name.clone(), *present)));
        }
    }
    all
}

/// Why a package that is not there now may be there then: an earlier task would have had the lists read anew.
pub(super) fn lists_may_change(cx: &Context<'_>) -> Option<String> {
    let changes = cx.system().noted().iter().rev();
    changes.into_iter().find_map(|change| match change {
        Change::PackageLists => Some("the package lists would be read anew".to_owned()),
        Change::Opaque { what, below: None } => Some(format!("{what} may change the package lists")),
        _ => None,
    })
}

fn parse_policies(text: &str) -> BTreeMap<String, Policy> {
    let mut all = BTreeMap::new();
    let mut now: Option<(String, Policy)> = None;
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| text != "(none)");
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            all.extend(now.replace((name.to_owned(), Policy::default())));
            continue;
        }
        let Some((_, policy)) = &mut now else { continue };
        if let Some(version) = line.strip_prefix("  Installed:") {
            policy.installed = given(version);
        } else if let Some(version) = line.strip_prefix("  Candidate:") {
            policy.candidate = given(version);
        } else if let Some(row) = line.strip_prefix(" *** ").or(line.strip_prefix("     ")).filter(|row| !row.starts_with(' ')) {
            policy.versions.extend(row.split_whitespace().next().map(str::to_owned));
        }
    }
    all.extend(now);
    all
}

/// Who provides a virtual package, from `apt-cache showpkg`.
fn providers(text: &str) -> BTreeSet<String> {
    let after = text.lines().skip_while(|line| !line.starts_with("Reverse Provides:")).skip(1);
    after.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Patterns replaced by the names of packages that match.
pub(super) fn expand(cx: &Context<'_>, specs: &[String]) -> Result<Vec<String>, Failure> {
    let is_pattern = |spec: &str| Wanted::new(spec).name.contains(['*', '?', '[', ']', '!']);
    if !specs.iter().any(|spec| is_pattern(spec)) {
        return Ok(specs.to_vec());
    }
    let listed = cx.probe(&program(cx, "apt-cache")?.args(["--no-all-names", "pkgnames"]))?.out();
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    let mut out = vec![];
    for spec in specs {
        if !is_pattern(spec) {
            out.push(spec.clone());
            continue;
        }
        let pattern = Wanted::new(spec).name;
        let before = out.len();
        out.extend(
            names.iter().filter(|name| pattern.contains(':') || !name.contains(':')).filter(|name| glob::matches(pattern, name)).map(|name| (*name).to_owned()),
        );
        if out.len() == before {
            return Err(Failure::new(format!("No package(s) matching '{pattern}' available")));
        }
    }
    Ok(out)
}

/// Which of the packages have left configuration behind.
pub(super) fn with_configuration(cx: &Context<'_>, names: &[&str]) -> Result<BTreeSet<String>, Failure> {
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let asking = program(cx, "dpkg-query")?.args(["-W", "-f=${Package} ${db:Status-Status}\\n", "--"]).args(names);
    let out = cx.probe(&asking)?.out();
    Ok(out.lines().filter_map(|line| line.split_once(' ')).filter(|(_, state)| *state == "config-files").map(|(name, _)| name.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "\
hello:
  Installed: 2.10-2
  Candidate: 2.10-3
  Version table:
     2.10-3 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 2.10-2 100
        100 /var/lib/dpkg/status
mail-transport-agent:
  Installed: (none)
  Candidate: (none)
  Version table:
";

    fn status(spec: &str) -> (bool, bool, Option<String>) {
        let policies = parse_policies(POLICY);
        let status = policies["hello"].status(Wanted::new(spec).version, false);
        let version = match status.installable {
            Installable::Version(version) => Some(version),
            _ => None,
        };
        (status.installed, status.satisfied, version)
    }

    #[test]
    fn versions_wanted_installed_and_installable() {
        assert_eq!(status("hello"), (true, true, Some("2.10-3".into())));
        assert_eq!(status("hello=2.10-2"), (true, true, None));
        assert_eq!(status("hello=2.10-3"), (true, false, Some("2.10-3".into())));
        assert_eq!(status("hello=2.10*"), (true, true, Some("2.10-3".into())));
        assert_eq!(status("hello>=2.10-3"), (true, false, Some("2.10-3".into())));
        assert_eq!(status("hello=9"), (true, false, None));
        assert!(parse_policies(POLICY)["mail-transport-agent"].versions.is_empty());
    }

    #[test]
    fn specifications_are_split() {
        assert_eq!(Wanted::new("a").version, Version::Any);
        assert_eq!((Wanted::new("a>=1").name, Wanted::new("a>=1").version), ("a", Version::AtLeast("1")));
        assert_eq!((Wanted::new("a=1").name, Wanted::new("a=1").version), ("a", Version::Like("1")));
    }

    #[test]
    fn providers_of_a_virtual_package() {
        let text = "Package: awk\nVersions: \n\nReverse Depends: \n  x,awk\nProvides: \nReverse Provides: \nmawk 1.3 (= )\noriginal-awk 2 (= )\n";
        assert_eq!(providers(text).into_iter().collect::<Vec<_>>(), ["mawk", "original-awk"]);
        assert!(providers("").is_empty());
    }
}
