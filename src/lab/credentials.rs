//! The lab's throw-away keys, and the files by which ssh, Ansible and rplay find them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use super::command::capture;
use super::description::{Host, Lab};
use super::failure::{Failure, Result};
use super::record::{StateDir, make, write};

/// The users that accept the lab's key: home folder below the layer, user and group.
const USERS: [(&str, u32); 3] = [("root", 0), ("home/core", 1000), ("home/ops", 1001)];

/// Makes the keys when there are none, and the layer that gives them to hosts.
pub(crate) fn ensure_keys(state: &StateDir) -> Result<()> {
    if state.key().exists() && state.layer().is_dir() {
        return Ok(());
    }
    let ssh = state.layer().join("etc/ssh");
    make(&ssh)?;
    let host_key = ssh.join("ssh_host_ed25519_key");
    for (path, comment) in [(&state.key(), "rplay-lab"), (&host_key, "rplay-lab-host")] {
        if !path.exists() {
            capture("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", &path.display().to_string()])?;
        }
    }
    let public = read(&state.key().with_extension("pub"))?;
    for (home, user) in USERS {
        authorize(&state.layer().join(home), user, &public).map_err(|error| Failure::io("write", &state.layer().join(home), &error))?;
    }
    Ok(())
}

fn authorize(home: &Path, user: u32, public: &str) -> std::io::Result<()> {
    let folder = home.join(".ssh");
    fs::create_dir_all(&folder)?;
    let file = folder.join("authorized_keys");
    fs::write(&file, public)?;
    for (path, mode) in [(home, 0o700), (&folder, 0o700), (&file, 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        chown(path, Some(user), Some(user))?;
    }
    Ok(())
}

/// Writes known_hosts, ssh.config and an inventory with absolute paths.
pub(crate) fn write_files(state: &StateDir, lab: &Lab) -> Result<()> {
    let host_key = read(&state.layer().join("etc/ssh/ssh_host_ed25519_key.pub"))?;
    write(&state.known_hosts(), &known_hosts(&lab.hosts, &host_key))?;
    write(&state.ssh_config(), &ssh_config(state, &lab.hosts))?;
    write(&state.inventory(), &inventory(state, &lab.hosts))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))
}

fn known_hosts(hosts: &[Host], public: &str) -> String {
    let key: Vec<&str> = public.split_whitespace().take(2).collect();
    hosts.iter().map(|host| format!("{},{} {}\n", host.name, host.address, key.join(" "))).collect()
}

fn ssh_config(state: &StateDir, hosts: &[Host]) -> String {
    let mut text = String::new();
    for host in hosts {
        text += &format!("Host {} {}\n  HostName {}\n", host.name, host.address, host.address);
    }
    text + &format!(
        "Host *\n  User core\n  IdentityFile \"{}\"\n  IdentitiesOnly yes\n  UserKnownHostsFile \"{}\"\n  StrictHostKeyChecking yes\n",
        state.key().display(),
        state.known_hosts().display()
    )
}

fn inventory(state: &StateDir, hosts: &[Host]) -> String {
    let mut text = String::new();
    let mut groups: Vec<&String> = Vec::new();
    for host in hosts {
        text += &format!("{} ansible_host={}\n", host.name, host.address);
        for group in &host.groups {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    for group in &groups {
        let members = hosts.iter().filter(|host| host.groups.contains(group));
        text += &format!("\n[{group}]\n{}", members.map(|host| format!("{}\n", host.name)).collect::<String>());
    }
    if !groups.is_empty() {
        text += &format!("\n[k8s:children]\n{}", groups.iter().map(|group| format!("{group}\n")).collect::<String>());
    }
    text + &format!(
        "\n[all:vars]\nansible_user=core\nansible_ssh_private_key_file={}\nansible_ssh_common_args=-F '{}'\n",
        state.key().display(),
        state.ssh_config().display()
    )
}

/// Links the files into the project, where the static inventory finds them.
pub(crate) fn link(state: &StateDir, folder: &Path) -> Result<()> {
    make(folder)?;
    for target in [state.key(), state.known_hosts(), state.ssh_config(), state.inventory()] {
        let link = folder.join(target.file_name().unwrap_or_default());
        if fs::read_link(&link).is_ok_and(|current| current == target) {
            continue;
        }
        // absent is fine, and anything else shows in the next line
        let _ = fs::remove_file(&link);
        symlink(&target, &link).map_err(|error| Failure::io("link", &link, &error))?;
    }
    Ok(())
}

/// Removes the links, if they are this lab's.
pub(crate) fn unlink(state: &StateDir, folder: &Path) {
    for target in [state.key(), state.known_hosts(), state.ssh_config(), state.inventory()] {
        let link = folder.join(target.file_name().unwrap_or_default());
        if fs::read_link(&link).is_ok_and(|current| current == target) {
            let _ = fs::remove_file(&link);
        }
    }
    // only goes when nothing else is in it
    let _ = fs::remove_dir(folder);
}

/// Gives what the invoking user must read to the one who called sudo.
pub(crate) fn hand_over(state: &StateDir, link: Option<&Path>, user: u32, group: u32) -> Result<()> {
    let mut paths =
        vec![state.path().to_path_buf(), state.key(), state.key().with_extension("pub"), state.known_hosts(), state.ssh_config(), state.inventory()];
    paths.extend(link.map(Path::to_path_buf));
    for path in paths.iter().filter(|path| path.exists()) {
        chown(path, Some(user), Some(group)).map_err(|error| Failure::io("give away", path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::description::Overrides;

    fn lab() -> Lab {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), include_str!("../../lab/lab.yml")).unwrap();
        Lab::read(file.path(), &Overrides::default()).unwrap()
    }

    #[test]
    fn known_hosts_pin_name_and_address() {
        let text = known_hosts(&lab().hosts[..1], "ssh-ed25519 AAAA rplay-lab-host\n");
        assert_eq!(text, "etcd-01,10.0.0.101 ssh-ed25519 AAAA\n");
    }

    #[test]
    fn the_inventory_has_the_described_groups() {
        let text = inventory(&StateDir::new("/s".into()), &lab().hosts);
        for part in [
            "etcd-01 ansible_host=10.0.0.101\n",
            "\n[kube-worker]\nkube-worker-01\nkube-worker-02\n",
            "[k8s:children]\netcd\nkube-master\nkube-worker\n",
            "ansible_ssh_private_key_file=/s/key\n",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }

    #[test]
    fn links_come_and_go_without_touching_others() {
        let folder = tempfile::tempdir().unwrap();
        let (state, links) = (StateDir::new(folder.path().join("state")), folder.path().join("links"));
        link(&state, &links).unwrap();
        link(&state, &links).unwrap();
        assert_eq!(fs::read_link(links.join("key")).unwrap(), state.key());
        unlink(&StateDir::new("/elsewhere".into()), &links);
        assert!(fs::read_link(links.join("key")).is_ok());
        unlink(&state, &links);
        assert!(!links.exists());
    }
}
