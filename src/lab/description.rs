//! The lab's description (`lab/lab.yml`) and the settings of the command line that go over it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::{Failure, Result};
use super::subnet::Subnet;

/// The mirror that Debian's own documentation names.
const MIRROR: &str = "http://deb.debian.org/debian";

/// What a host runs as its init.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A Debian without Python, systemd as PID 1.
    #[default]
    Systemd,
    /// Nothing but busybox and sshd.
    Busybox,
}

impl Kind {
    /// The word used in files and on the screen.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Systemd => "systemd",
            Kind::Busybox => "busybox",
        }
    }
}

/// The file as written; every key but `hosts` has a default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "default_id")]
    id: String,
    #[serde(default = "default_subnet")]
    subnet: String,
    bridge: Option<String>,
    #[serde(default = "default_distribution")]
    distribution: String,
    mirror: Option<String>,
    link: Option<PathBuf>,
    hosts: Vec<WrittenHost>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHost {
    name: String,
    address: Ipv4Addr,
    #[serde(default)]
    kind: Kind,
    distribution: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
}

fn default_id() -> String {
    "lab".into()
}

fn default_subnet() -> String {
    "10.0.0.0/24".into()
}

fn default_distribution() -> String {
    "bookworm".into()
}

/// What the command line changes.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) id: Option<String>,
    pub(crate) subnet: Option<String>,
    pub(crate) bridge: Option<String>,
    /// `name=address` pairs that replace the described hosts.
    pub(crate) hosts: Vec<String>,
}

/// One host of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) kind: Kind,
    pub(crate) distribution: String,
    pub(crate) groups: Vec<String>,
}

/// A lab that can be made.
#[derive(Debug, Clone)]
pub(crate) struct Lab {
    pub(crate) id: String,
    pub(crate) subnet: Subnet,
    pub(crate) bridge: String,
    pub(crate) mirror: String,
    /// Where the links to the credentials go; none for a lab under another id than the described one.
    pub(crate) link: Option<PathBuf>,
    pub(crate) hosts: Vec<Host>,
}

impl Lab {
    /// Reads a description and applies the command line's settings.
    pub(crate) fn read(file: &Path, overrides: &Overrides) -> Result<Lab> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::io("read", file, &error).help("run it from the root of the project, or name the lab's description with --file"))?;
        let mut lab = Lab::parse(&text, overrides).map_err(|failure| Failure::new(format!("{}: {failure}", file.display())))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        lab.link = lab.link.map(|link| folder.join(link));
        Ok(lab)
    }

    fn parse(text: &str, overrides: &Overrides) -> Result<Lab> {
        let written: Written = serde_yaml::from_str(text).map_err(|error| Failure::new(error.to_string()))?;
        let described = Subnet::for_lab(&written.subnet)?;
        let subnet = overrides.subnet.as_deref().map_or(Ok(described), Subnet::for_lab)?;
        let id = overrides.id.clone().unwrap_or_else(|| written.id.clone());
        check_id(&id)?;
        let bridge = overrides.bridge.clone().or(written.bridge).unwrap_or_else(|| bridge_name(&id));
        check_bridge(&bridge)?;
        let hosts = if overrides.hosts.is_empty() {
            written.hosts.iter().map(|host| host.settle(described, subnet, &written.distribution)).collect()
        } else {
            overrides.hosts.iter().map(|pair| parse_pair(pair, &written.distribution)).collect::<Result<Vec<_>>>()?
        };
        check_hosts(&hosts, subnet)?;
        let link = written.link.filter(|_| id == written.id);
        Ok(Lab { id, subnet, bridge, mirror: written.mirror.unwrap_or_else(|| MIRROR.into()), link, hosts })
    }

    /// The hosts named, or all of them when no name is given.
    pub(crate) fn select(&self, names: &[String]) -> Result<Vec<&Host>> {
        if names.is_empty() {
            return Ok(self.hosts.iter().collect());
        }
        names.iter().map(|name| self.host(name)).collect()
    }

    /// The host of that name.
    pub(crate) fn host(&self, name: &str) -> Result<&Host> {
        self.hosts.iter().find(|host| host.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.hosts.iter().map(|host| host.name.as_str()).collect();
            Failure::new(format!("the lab has no host `{name}`")).help(format!("it has {}", known.join(", ")))
        })
    }
}

impl WrittenHost {
    fn settle(&self, described: Subnet, subnet: Subnet, distribution: &str) -> Host {
        let address = if described.contains(self.address) { described.translate(self.address, subnet) } else { self.address };
        Host {
            name: self.name.clone(),
            address,
            kind: self.kind,
            distribution: self.distribution.clone().unwrap_or_else(|| distribution.into()),
            groups: self.groups.clone(),
        }
    }
}

fn parse_pair(pair: &str, distribution: &str) -> Result<Host> {
    let parsed = pair.split_once('=').and_then(|(name, address)| Some((name, address.parse().ok()?)));
    let (name, address) = parsed.ok_or_else(|| Failure::new(format!("`{pair}` is not NAME=ADDRESS")))?;
    let (name, kind) = match name.strip_suffix(":busybox") {
        Some(name) => (name, Kind::Busybox),
        None => (name, Kind::Systemd),
    };
    Ok(Host { name: name.into(), address, kind, distribution: distribution.into(), groups: Vec::new() })
}

fn check_id(id: &str) -> Result<()> {
    let plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain && !id.is_empty() && id.len() <= 24 && !id.starts_with('-') {
        return Ok(());
    }
    Err(Failure::new(format!("`{id}` cannot be a lab's id")).help("use up to 24 of a-z, 0-9 and -"))
}

fn check_bridge(name: &str) -> Result<()> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if plain && (1..=15).contains(&name.len()) {
        return Ok(());
    }
    Err(Failure::new(format!("`{name}` cannot be the name of a bridge")).help("an interface name has at most 15 letters, digits, - and _"))
}

fn check_hosts(hosts: &[Host], subnet: Subnet) -> Result<()> {
    for (index, host) in hosts.iter().enumerate() {
        let plain = host.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain || host.name.is_empty() || host.name.len() > 63 {
            return Err(Failure::new(format!("`{}` cannot be the name of a host", host.name)));
        }
        if !host.distribution.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err(Failure::new(format!("`{}` is not a Debian suite", host.distribution)).help("bookworm or trixie"));
        }
        if !subnet.usable(host.address) {
            return Err(Failure::new(format!("host {}: {} is not an address for a host in {subnet}", host.name, host.address)));
        }
        if let Some(twin) = hosts[..index].iter().find(|twin| twin.name == host.name || twin.address == host.address) {
            return Err(Failure::new(format!("hosts {} and {} share a name or an address", twin.name, host.name)));
        }
    }
    Ok(())
}

/// The bridge of a lab: its id where that fits into an interface name, else a digest of it.
fn bridge_name(id: &str) -> String {
    let plain = format!("rplab-{id}");
    if plain.len() <= 15 { plain } else { format!("rplab-{}", short_hash(id)) }
}

/// Eight hexadecimal digits that stand for a text in names of limited length.
pub(crate) fn short_hash(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: &str = include_str!("../../lab/lab.yml");

    #[test]
    fn the_shipped_descriptions_are_valid() {
        let lab = Lab::parse(LAB, &Overrides::default()).unwrap();
        let hosts: Vec<String> = lab.hosts.iter().map(|host| format!("{} {}", host.name, host.address)).collect();
        assert_eq!(hosts, ["etcd-01 10.0.0.101", "kube-master-01 10.0.0.111", "kube-worker-01 10.0.0.121", "kube-worker-02 10.0.0.122"]);
        assert_eq!(lab.bridge, "rplab-lab");
        let small = Lab::parse(include_str!("../../lab/small.yml"), &Overrides::default()).unwrap();
        assert_eq!(small.hosts[2].kind, Kind::Busybox);
        assert_eq!(small.hosts[1].distribution, "trixie");
    }

    #[test]
    fn another_id_and_subnet_move_everything() {
        let overrides = Overrides { id: Some("other-lab-with-a-long-id".into()), subnet: Some("10.77.1.0/24".into()), ..Overrides::default() };
        let lab = Lab::parse(LAB, &overrides).unwrap();
        assert_eq!(lab.hosts[0].address.to_string(), "10.77.1.101");
        assert_eq!(lab.link, None, "another lab must not take the described one's links");
        assert!(lab.bridge.len() <= 15 && lab.bridge != "rplab-lab", "{}", lab.bridge);
    }

    #[test]
    fn refusals_name_the_culprit() {
        for (text, expected) in [
            ("hosts: [{name: a, address: 10.0.0.1}]", "host a: 10.0.0.1 is not an address for a host in 10.0.0.0/24"),
            ("hosts: [{name: a, address: 10.0.0.2}, {name: b, address: 10.0.0.2}]", "hosts a and b share a name or an address"),
            ("id: Bad/Id\nhosts: []", "`Bad/Id` cannot be a lab's id"),
            ("hosts: [{name: a, address: 10.0.0.2, kind: vm}]", "unknown variant `vm`"),
            ("host: []", "unknown field `host`"),
        ] {
            let failure = Lab::parse(text, &Overrides::default()).unwrap_err().to_string();
            assert!(failure.contains(expected), "{failure}");
        }
    }

    #[test]
    fn pairs_replace_the_hosts() {
        let overrides = Overrides { hosts: vec!["one=10.0.0.5".into(), "two:busybox=10.0.0.6".into()], ..Overrides::default() };
        let lab = Lab::parse(LAB, &overrides).unwrap();
        assert_eq!(lab.hosts.iter().map(|host| (host.name.as_str(), host.kind)).collect::<Vec<_>>(), [("one", Kind::Systemd), ("two", Kind::Busybox)]);
    }
}
