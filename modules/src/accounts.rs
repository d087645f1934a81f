//! Users and groups by name and number: from passwd and group files, else the target's `getent`; never libc's name service.

use std::path::Path;

use serde_json::Value;

use crate::change::Change;
use crate::context::Context;
use crate::program::Program;
use crate::system;

/// A line of passwd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// The comment field.
    pub gecos: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A line of group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: u32,
    /// Names of its members.
    pub members: Vec<String>,
}

/// Reads a line of passwd.
pub fn parse_user(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, gecos, home, shell] = fields[..] else { return None };
    let text = str::to_owned;
    Some(User { name: text(name), uid: uid.parse().ok()?, gid: gid.parse().ok()?, gecos: text(gecos), home: text(home), shell: text(shell) })
}

/// Reads a line of group.
pub fn parse_group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else { return None };
    let members = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    Some(Group { name: name.to_owned(), gid: gid.parse().ok()?, members })
}

impl Context<'_> {
    fn database(&self, name: &str) -> String {
        let bytes = system::read(self.system(), Path::new("/etc").join(name).as_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether more than the files can know a name (LDAP, SSSD...).
    fn has_other_sources(&self, database: &str) -> bool {
        self.database("nsswitch.conf").lines().any(|line| {
            let line = line.split('#').next().unwrap_or_default();
            line.split_once(':').is_some_and(|(name, sources)| {
                name.trim() == database && sources.split_whitespace().any(|s| !["files", "compat", "systemd", "db"].contains(&s) && !s.starts_with('['))
            })
        })
    }

    fn getent(&self, database: &str, key: &str) -> Option<String> {
        if !self.has_other_sources(database) {
            return None;
        }
        let run = self.probe(&Program::new(["getent", database, key])).ok()?;
        run.ok().then(|| run.out().lines().next().unwrap_or_default().to_owned())
    }

    /// Every user of the passwd file, with what check mode predicted.
    pub fn users(&self) -> Vec<User> {
        let mut users: Vec<User> = self.database("passwd").lines().filter_map(parse_user).collect();
        for change in self.system().noted() {
            if let Change::User { name, present, fields } = change {
                let old = users.iter().find(|user| user.name == *name).cloned();
                users.retain(|user| user.name != *name);
                if *present {
                    users.push(predicted(name, fields, old, &users));
                }
            }
        }
        users
    }

    /// Every group of the group file, with what check mode predicted.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.database("group").lines().filter_map(parse_group).collect();
        for change in self.system().noted() {
            if let Change::Group { name, present, gid } = change {
                let old = groups.iter().find(|group| group.name == *name).cloned();
                groups.retain(|group| group.name != *name);
                if *present {
                    let gid = gid.or(old.as_ref().map(|g| g.gid)).unwrap_or_else(|| next_free(groups.iter().map(|g| g.gid)));
                    groups.push(Group { name: name.clone(), gid, members: old.map(|g| g.members).unwrap_or_default() });
                }
            }
        }
        groups
    }

    /// A user by name.
    pub fn user(&self, name: &str) -> Option<User> {
        let found = self.users().into_iter().find(|user| user.name == name);
        found.or_else(|| self.getent("passwd", name).as_deref().and_then(parse_user))
    }

    /// A user by number.
    pub fn user_by_id(&self, uid: u32) -> Option<User> {
        let found = self.users().into_iter().find(|user| user.uid == uid);
        found.or_else(|| self.getent("passwd", &uid.to_string()).as_deref().and_then(parse_user))
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<Group> {
        let found = self.groups().into_iter().find(|group| group.name == name);
        found.or_else(|| self.getent("group", name).as_deref().and_then(parse_group))
    }

    /// A group by number.
    pub fn group_by_id(&self, gid: u32) -> Option<Group> {
        let found = self.groups().into_iter().find(|group| group.gid == gid);
        found.or_else(|| self.getent("group", &gid.to_string()).as_deref().and_then(parse_group))
    }
}

fn next_free(used: impl Iterator<Item = u32>) -> u32 {
    used.filter(|id| (1000..60000).contains(id)).max().map_or(1000, |max| max + 1)
}

fn predicted(name: &str, fields: &serde_json::Map<String, Value>, old: Option<User>, others: &[User]) -> User {
    let text = |key: &str, old: Option<&String>, default: &str| {
        let given = fields.get(key).and_then(Value::as_str);
        given.map(str::to_owned).or(old.cloned()).unwrap_or_else(|| default.to_owned())
    };
    let number = |key: &str| fields.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let uid = number("uid").or(old.as_ref().map(|u| u.uid)).unwrap_or_else(|| next_free(others.iter().map(|u| u.uid)));
    User {
        name: name.to_owned(),
        uid,
        gid: number("gid").or(old.as_ref().map(|u| u.gid)).unwrap_or(uid),
        gecos: text("comment", old.as_ref().map(|u| &u.gecos), ""),
        home: text("home", old.as_ref().map(|u| &u.home), &format!("/home/{name}")),
        shell: text("shell", old.as_ref().map(|u| &u.shell), "/bin/sh"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let user = parse_user("core:x:500:501:Core,,:/home/core:/bin/bash").unwrap();
        assert_eq!((user.uid, user.gid, user.gecos.as_str(), user.home.as_str()), (500, 501, "Core,,", "/home/core"));
        assert_eq!(parse_group("sudo:x:27:a,b").unwrap().members, ["a", "b"]);
        assert_eq!(parse_user("+::::::"), None);
    }
}
