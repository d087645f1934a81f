//! Hosts of `rplay lab`: each scenario has a lab of its own, in a network that nobody uses.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use rplay_molecule::config::Platform;
use rplay_molecule::dump;
use rplay_molecule::failure::{Complaint, Failure, Result, code};
use rplay_molecule::provisioner::Outcome;
use rplay_molecule::scenario::{Scenario, short};
use rplay_molecule::state::State;
use serde_json::{Map, Value, json};

use super::Driver;

/// The driver.
pub(crate) struct Lab;

/// The first host's last number.
const FIRST: u8 = 11;

impl Driver for Lab {
    fn create(&self, scenario: &Scenario, state: &mut State, out: &mut dyn Write) -> Result<Outcome> {
        let platforms = scenario.config.platforms();
        if platforms.is_empty() {
            return Ok(Outcome::Skipped("the scenario has no platforms".into()));
        }
        // held until the network is there: two scenarios must not choose the same
        let _lock = lock(&scenario.options.cache)?;
        let described = describe(scenario, &platforms, out)?;
        state.kept = json!({"lab": described});
        // what a crash leaves must be found again
        state.write()?;
        Ok(match lab(scenario, state, &["up"], out)? {
            0 => Outcome::Done,
            failed => Outcome::Failed(code::FAILED, format!("rplay lab up ended with {failed}")),
        })
    }

    fn destroy(&self, scenario: &Scenario, state: &mut State, out: &mut dyn Write) -> Result<Outcome> {
        if state.kept.get("lab").is_none() {
            return Ok(Outcome::Skipped("there are no hosts".into()));
        }
        let status = lab(scenario, state, &["clean"], out)?;
        Ok(Outcome::of(status, "rplay lab clean"))
    }

    fn reach(&self, _: &Scenario, state: &State, host: &str) -> Map<String, Value> {
        let lab = &state.kept["lab"];
        let (Some(address), Some(folder)) = (lab["addresses"][host].as_str(), lab["folder"].as_str()) else { return Map::new() };
        let vars = json!({
            "ansible_host": address,
            "ansible_user": "core",
            "ansible_ssh_private_key_file": format!("{folder}/key"),
            "ansible_ssh_common_args": format!("-F '{folder}/ssh.config'"),
        });
        vars.as_object().cloned().unwrap_or_default()
    }

    fn login(&self, _: &Scenario, state: &State, host: &str) -> Vec<String> {
        let lab = &state.kept["lab"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        vec!["ssh".into(), "-F".into(), format!("{}/ssh.config", text(&lab["folder"])), text(&lab["addresses"][host])]
    }
}

/// Runs `rplay lab` on the scenario's lab.
fn lab(scenario: &Scenario, state: &State, command: &[&str], out: &mut dyn Write) -> Result<i32> {
    let lab = &state.kept["lab"];
    let file = scenario.ephemeral.join("lab.yml");
    fs::write(&file, dump::document(&lab["description"])).map_err(|error| Failure::io("write", &file, &error))?;
    Ok(crate::lab::run(&words(command, &file), out))
}

fn words(command: &[&str], file: &Path) -> Vec<String> {
    let mut words: Vec<String> = command.iter().map(ToString::to_string).collect();
    words.extend(["--file".to_string(), file.display().to_string()]);
    words
}

/// The lab's description, the hosts' addresses, and the folder with its keys.
fn describe(scenario: &Scenario, platforms: &[Platform], out: &mut dyn Write) -> Result<Value> {
    let id = format!("mol-{}", short(&scenario.ephemeral.display().to_string()));
    let network = network(scenario, platforms, out)?;
    let (mut hosts, mut addresses, mut names) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (index, platform) in platforms.iter().enumerate() {
        let name = host_name(&platform.name, &names);
        let address = network.address(platform, index)?;
        let (kind, distribution) = image(platform, out);
        hosts.push(json!({"name": name, "address": address, "kind": kind, "distribution": distribution}));
        addresses.insert(platform.name.clone(), address);
        names.push(name);
    }
    let description = json!({"id": id, "subnet": network.subnet(), "hosts": hosts});
    let file = scenario.ephemeral.join("lab.yml");
    fs::create_dir_all(&scenario.ephemeral).map_err(|error| Failure::io("make", &scenario.ephemeral, &error))?;
    fs::write(&file, dump::document(&description)).map_err(|error| Failure::io("write", &file, &error))?;
    let mut folder = Vec::new();
    if crate::lab::run(&words(&["path"], &file), &mut folder) != 0 {
        return Err(Failure::new("the lab cannot be described; see above"));
    }
    Ok(json!({"description": description, "addresses": addresses, "folder": String::from_utf8_lossy(&folder).trim()}))
}

/// A platform's name as a host may be called.
fn host_name(name: &str, taken: &[String]) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(55).collect();
    if taken.contains(&plain) { format!("{plain}-{}", taken.len()) } else { plain }
}

/// What a platform's `image` or `box` means here.
fn image(platform: &Platform, out: &mut dyn Write) -> (&'static str, &'static str) {
    let written = platform.text("image").or_else(|| platform.text("box")).unwrap_or("bookworm");
    let known = [("busybox", ("busybox", "bookworm")), ("trixie", ("systemd", "trixie")), ("debian13", ("systemd", "trixie"))];
    if let Some((_, host)) = known.iter().find(|(word, _)| written.contains(word)) {
        return *host;
    }
    if !["bookworm", "debian12", "debian/bookworm"].iter().any(|word| written.contains(word)) {
        let _ = writeln!(out, "molecule: {}: the lab has no {written}; the host is a Debian bookworm", platform.name);
    }
    ("systemd", "bookworm")
}

/// A network of 254 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network([u8; 3]);

impl Network {
    fn subnet(self) -> String {
        let [a, b, c] = self.0;
        format!("{a}.{b}.{c}.0/24")
    }

    /// The address that the platform asks for, at its place in this network; else one by the order of platforms.
    fn address(self, platform: &Platform, index: usize) -> Result<String> {
        let wanted = platform.text("address").map(|text| {
            let bad = || Failure::from(Complaint::new(format!("platform {}: `{text}` is no IPv4 address", platform.name)));
            text.parse::<Ipv4Addr>().map_err(|_| bad())
        });
        let last = match wanted.transpose()? {
            Some(address) => address.octets()[3],
            None => u8::try_from(index).ok().and_then(|index| FIRST.checked_add(index)).ok_or_else(|| Failure::new("too many platforms for a lab"))?,
        };
        let [a, b, c] = self.0;
        Ok(format!("{a}.{b}.{c}.{last}"))
    }
}

/// The network that platforms ask for by their addresses, else a free one: the same for the same scenario while nobody takes it.
fn network(scenario: &Scenario, platforms: &[Platform], out: &mut dyn Write) -> Result<Network> {
    let free = |network: &Network| Ok::<bool, Failure>(used(*network)?.is_none());
    if let Some(asked) = platforms.iter().find_map(|platform| platform.text("address")?.parse::<Ipv4Addr>().ok()) {
        let [a, b, c, _] = asked.octets();
        let asked = Network([a, b, c]);
        match used(asked)? {
            None => return Ok(asked),
            Some(user) => {
                let _ = writeln!(out, "molecule: {} is in use on this machine ({user}); the hosts keep their last numbers in another network", asked.subnet());
            }
        }
    }
    let digest = u32::from_str_radix(&short(&scenario.ephemeral.display().to_string()), 16).unwrap_or_default();
    for step in 0..64 {
        let [_, _, high, low] = digest.wrapping_add(step * 7).to_be_bytes();
        // 10.96 to 10.127: away from the described labs, and from what clusters take for pods and services
        let network = Network([10, 96 + high % 32, low]);
        if free(&network)? {
            return Ok(network);
        }
    }
    Err(Failure::new("no network from 10.96.0.0 to 10.127.255.0 is free for a lab"))
}

fn used(network: Network) -> Result<Option<String>> {
    crate::lab::user_of(&network.subnet()).map_err(|message| Failure::new(message).code(code::SETUP))
}

/// One scenario at a time chooses a network.
fn lock(cache: &Path) -> Result<fs::File> {
    let path: PathBuf = cache.join("networks.lock");
    let failed = |error: std::io::Error| Failure::io("lock", &path, &error);
    fs::create_dir_all(cache).map_err(failed)?;
    let file = fs::File::create(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(data: Value) -> Platform {
        let data = data.as_object().cloned().unwrap_or_default();
        Platform { name: data["name"].as_str().unwrap_or_default().into(), groups: Vec::new(), children: Vec::new(), data }
    }

    #[test]
    fn names_become_names_of_hosts() {
        assert_eq!(host_name("Web_1.example", &[]), "web-1-example");
        assert_eq!(host_name("a.b", &["a-b".to_string()]), "a-b-1");
    }

    #[test]
    fn images_are_told_by_their_names() {
        let mut out = Vec::new();
        for (written, expected) in
            [("trixie", ("systemd", "trixie")), ("busybox", ("busybox", "bookworm")), ("geerlingguy/docker-debian12", ("systemd", "bookworm"))]
        {
            assert_eq!(image(&platform(json!({"name": "a", "image": written})), &mut out), expected);
        }
        assert!(out.is_empty());
        assert_eq!(image(&platform(json!({"name": "a", "image": "rockylinux9"})), &mut out), ("systemd", "bookworm"));
        assert_eq!(String::from_utf8_lossy(&out), "molecule: a: the lab has no rockylinux9; the host is a Debian bookworm\n");
    }

    #[test]
    fn addresses_keep_their_last_number() {
        let network = Network([10, 96, 3]);
        assert_eq!(network.address(&platform(json!({"name": "a", "address": "10.0.0.101"})), 0).unwrap(), "10.96.3.101");
        assert_eq!(network.address(&platform(json!({"name": "a"})), 2).unwrap(), "10.96.3.13");
        assert!(network.address(&platform(json!({"name": "a", "address": "x"})), 0).is_err());
    }
}
