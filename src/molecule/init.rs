//! Writes a new scenario for the lab: settings, the role, a check of it.

use std::fs;
use std::io::Write;
use std::path::Path;

use rplay_molecule::discover;
use rplay_molecule::failure::{Failure, Result};

/// Writes the files of a scenario that is not there yet.
pub(crate) fn scenario(project: &Path, name: &str, out: &mut dyn Write) -> Result<i32> {
    if name.is_empty() || name.contains("..") || name.starts_with('/') {
        return Err(Failure::new(format!("`{name}` cannot be a scenario's name")));
    }
    let folder = discover::layout(project).root.join(name);
    if folder.is_dir() {
        return Err(Failure::new(format!("{} exists", folder.display())));
    }
    let role = project.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::create_dir_all(&folder).map_err(|error| Failure::io("make", &folder, &error))?;
    for (file, text) in [("molecule.yml", settings()), ("converge.yml", converge(&role)), ("verify.yml", verify())] {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| Failure::io("write", &path, &error))?;
    }
    let _ = writeln!(out, "molecule: {} is written; `rplay molecule test -s {name}` runs it", folder.display());
    Ok(0)
}

fn settings() -> String {
    "---\n# No driver and no create.yml: the hosts are the lab's (rplay lab).\nplatforms:\n  - name: instance\n    groups: [instances]\n".into()
}

fn converge(role: &str) -> String {
    format!("---\n- name: Apply the role\n  hosts: all\n  become: true\n  roles:\n    - role: {role}\n")
}

fn verify() -> String {
    "---\n- name: See that the role did its work\n  hosts: all\n  gather_facts: false\n  tasks:\n    - name: Look at the host\n      ansible.builtin.command: hostname\n      register: verify_hostname\n      changed_when: false\n\n    - name: See that it answers\n      ansible.builtin.assert:\n        that: verify_hostname.stdout | length > 0\n".into()
}
