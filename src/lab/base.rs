//! The root file systems that hosts share, built once and cached by a hash of their recipe.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::command::{self, capture};
use super::description::{Host, Kind, Lab};
use super::failure::{Failure, Result};
use super::record::{make, wipe};
use super::stages::Stages;

const DEBIAN: &str = include_str!("../../lab/base.sh");
const BUSYBOX: &str = concat!(include_str!("../../lab/debian.sh"), include_str!("../../lab/busybox.sh"));

/// The folder of the base that a host of this kind and distribution stands on.
pub(crate) fn folder(cache: &Path, lab: &Lab, kind: Kind, distribution: &str) -> PathBuf {
    let recipe = match kind {
        Kind::Systemd => [DEBIAN, distribution, &lab.mirror].join("\0"),
        Kind::Busybox => [DEBIAN, BUSYBOX, distribution, &lab.mirror].join("\0"),
    };
    let hash: String = Sha256::digest(recipe.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let name = match kind {
        Kind::Systemd => distribution.to_string(),
        Kind::Busybox => format!("busybox-{distribution}"),
    };
    cache.join("base").join(format!("{name}-{hash}"))
}

/// Which bases the hosts need, each after the one it is made from.
fn needed(hosts: &[&Host]) -> Vec<(Kind, String)> {
    let mut all: Vec<(Kind, String)> = Vec::new();
    for host in hosts {
        let wanted = match host.kind {
            Kind::Systemd => vec![Kind::Systemd],
            Kind::Busybox => vec![Kind::Systemd, Kind::Busybox],
        };
        for kind in wanted {
            let base = (kind, host.distribution.clone());
            if !all.contains(&base) {
                all.push(base);
            }
        }
    }
    all
}

/// Whether a base must be built first, which takes time and disk.
pub(crate) fn missing(cache: &Path, lab: &Lab, hosts: &[&Host]) -> bool {
    needed(hosts).iter().any(|(kind, distribution)| !folder(cache, lab, *kind, distribution).is_dir())
}

/// Builds what is missing.
pub(crate) fn ensure(cache: &Path, lab: &Lab, hosts: &[&Host], stages: &mut Stages) -> Result<()> {
    make(&cache.join("base"))?;
    for (kind, distribution) in needed(hosts) {
        let target = folder(cache, lab, kind, &distribution);
        if target.is_dir() {
            continue;
        }
        let (script, source, expected) = match kind {
            Kind::Systemd => (DEBIAN, distribution.clone(), "45 to 90 s and 190 MB, once"),
            Kind::Busybox => (BUSYBOX, folder(cache, lab, Kind::Systemd, &distribution).display().to_string(), "about 6 s and 17 MB, once"),
        };
        let began = Instant::now();
        stages.note("base image", &format!("building {} {distribution} from Debian packages: {expected}", kind.word()));
        let building = target.with_extension("building");
        wipe(&building)?;
        let log = target.with_extension("log");
        let outcome = build(script, &source, &building, &lab.mirror, &log, stages);
        if let Err(failure) = outcome {
            wipe(&building)?;
            return Err(failure);
        }
        std::fs::rename(&building, &target).map_err(|error| Failure::io("name", &target, &error))?;
        stages.done("base image", &format!("{} {distribution}, {}", kind.word(), disk(&target)), began);
    }
    Ok(())
}

/// Runs a recipe; the lines by which mmdebstrap says what it does become progress, everything goes to the log.
fn build(script: &str, source: &str, target: &Path, mirror: &str, log: &Path, stages: &mut Stages) -> Result<()> {
    let cannot = |error: std::io::Error| Failure::new(format!("cannot run sh: {error}"));
    let mut child = command::program("sh")
        .args(["-c", script, "base.sh", source])
        .arg(target)
        .arg(mirror)
        .env("LC_ALL", "C")
        .env("LAB_MIRROR", mirror)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    let began = Instant::now();
    let mut lines = Vec::new();
    for line in child.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).lines()).map_while(std::io::Result::ok) {
        if let Some(step) = line.strip_prefix("I: ").filter(|step| step.ends_with("...")) {
            stages.note("", &format!("{:>3.0} s  {step}", began.elapsed().as_secs_f64()));
        }
        lines.push(line);
    }
    let status = child.wait().map_err(cannot)?;
    std::fs::write(log, lines.join("\n")).map_err(|error| Failure::io("write", log, &error))?;
    if status.success() {
        return Ok(());
    }
    let tail = lines[lines.len().saturating_sub(6)..].join("\n    ");
    Err(Failure::new(format!("building the base image failed ({status}); its last lines:\n    {tail}"))
        .help(format!("the whole output is in {}; a mirror that is nearer can be set by `mirror:` in the lab's description", log.display())))
}

/// How much disk a folder takes, for people.
pub(crate) fn disk(folder: &Path) -> String {
    let shown = capture("du", &["-smx", &folder.display().to_string()]).unwrap_or_default();
    shown.split_whitespace().next().map_or_else(|| "size unknown".into(), |megabytes| format!("{megabytes} MB"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::description::Overrides;

    #[test]
    fn a_busybox_host_needs_the_base_it_is_cut_from() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hosts: [{name: a, address: 10.0.0.2, kind: busybox}, {name: b, address: 10.0.0.3}]").unwrap();
        let lab = Lab::read(file.path(), &Overrides::default()).unwrap();
        let hosts = lab.select(&[]).unwrap();
        assert_eq!(needed(&hosts), [(Kind::Systemd, "bookworm".to_string()), (Kind::Busybox, "bookworm".to_string())]);
        let names = [Kind::Systemd, Kind::Busybox].map(|kind| folder(Path::new("/c"), &lab, kind, "bookworm"));
        assert_ne!(names[0], names[1]);
    }
}
