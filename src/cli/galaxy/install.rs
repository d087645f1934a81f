//! `role install`, `collection install`, `init`.

use std::path::{Path, PathBuf};

use super::flags::{CollectionInit, CollectionInstall, Reach, RoleInit, RoleInstall};
use crate::cli::commands::{self, fail};
use crate::cli::console;
use crate::cli::setup::Surroundings;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::galaxy::{self, Around, CollectionWanted, Collections, Requirements, RoleWanted, Roles, Server, Trouble};
use crate::value::text;

/// Exit code of what cannot be meant.
const BAD_OPTIONS: i32 = 5;

fn trouble(trouble: &Trouble) -> i32 {
    fail(&Diagnostic::error(trouble.to_string()), 1)
}

fn bad(message: impl Into<String>) -> i32 {
    fail(&Diagnostic::error(message), BAD_OPTIONS)
}

/// Lines go to standard output, complaints to standard error.
fn tell(line: &str) {
    if line.starts_with("[WARNING]") || line.starts_with("[ERROR]") { console::tell(&format!("{line}\n")) } else { console::say(&format!("{line}\n")) }
}

/// The servers that are asked, in order.
fn servers(reach: &Reach, config: &Config, around: &Surroundings) -> Result<Vec<Server>, i32> {
    let configured = config.galaxy_servers(&around.env).map_err(|error| fail(&error, BAD_OPTIONS))?;
    let check = !reach.ignore_certs && !config.setting("GALAXY_IGNORE_CERTS").is_some_and(|chosen| chosen.value.is_true());
    let timeout = reach.timeout.unwrap_or_else(|| number(config, "GALAXY_SERVER_TIMEOUT", 60));
    let token = reach.token.clone().or_else(|| token_file(config));
    let plain = |url: String| Server { name: url.clone(), url, token: token.clone(), user: None, validate_certs: check, timeout };
    let mut known = Vec::new();
    for server in configured {
        if let Some(key) = ["auth_url", "client_id", "client_secret"].into_iter().find(|key| server.get(key).is_some()) {
            return Err(bad(format!("the Galaxy server {} has `{key}`: rplay logs in with `token`, or `username` and `password`", server.name)));
        }
        known.push(Server {
            url: server.get("url").unwrap_or_default(),
            token: reach.token.clone().or_else(|| server.get("token")),
            user: server.get("username").map(|user| (user, server.get("password").unwrap_or_default())),
            validate_certs: server.flag("validate_certs").unwrap_or(check),
            timeout: server.get("timeout").and_then(|seconds| seconds.parse().ok()).unwrap_or(timeout),
            name: server.name,
        });
    }
    match &reach.server {
        Some(wanted) => {
            let named = known.into_iter().find(|server| server.name == *wanted || server.url == *wanted);
            Ok(vec![named.unwrap_or_else(|| plain(wanted.clone()))])
        }
        None if known.is_empty() => {
            let url = config.setting("GALAXY_SERVER").map(|chosen| text(&chosen.value)).unwrap_or_default();
            Ok(vec![plain(url)])
        }
        None => Ok(known),
    }
}

fn number(config: &Config, name: &str, usual: u64) -> u64 {
    config.setting(name).and_then(|chosen| u64::try_from(chosen.value.as_int()?).ok()).unwrap_or(usual)
}

/// The token that `ansible-galaxy login` once wrote: `token: ...`.
fn token_file(config: &Config) -> Option<String> {
    let path = text(&config.setting("GALAXY_TOKEN_PATH")?.value);
    let content = std::fs::read_to_string(path).ok()?;
    let value: serde_yaml::Value = serde_yaml::from_str(&content).ok()?;
    value.get("token")?.as_str().filter(|token| !token.is_empty()).map(str::to_string)
}

fn around<'a>(reach: &Reach, config: &Config, around: &'a Surroundings) -> Result<Around<'a>, i32> {
    let servers = servers(reach, config, around)?;
    Ok(Around {
        env: &around.env,
        servers,
        validate_certs: !reach.ignore_certs,
        timeout: reach.timeout.unwrap_or_else(|| number(config, "GALAXY_SERVER_TIMEOUT", 60)),
    })
}

fn requirements(file: &str, config: &Config) -> Result<Requirements, i32> {
    let path = config.places.from_cwd(file);
    if !["yml", "yaml"].iter().any(|ending| path.extension().is_some_and(|found| found == *ending)) {
        return Err(bad("Invalid role requirements file, it must end with a .yml or .yaml extension"));
    }
    Requirements::read(&path).map_err(|error| fail(&error, 1))
}

/// `role install`. Called without `role`, the collections of a file are installed too.
pub(super) fn roles(install: &RoleInstall, both: bool, verbose: u8) -> Result<i32, i32> {
    let (surroundings, config) = commands::begin(verbose)?;
    if install.roles.is_empty() && install.role_file.is_none() {
        return Err(bad("- you must specify a user/role name or a roles file"));
    }
    if !install.roles.is_empty() && install.role_file.is_some() {
        return Err(bad("The positional roles and --role-file cannot be used together"));
    }
    let mut wanted = Requirements::default();
    if let Some(file) = &install.role_file {
        wanted = requirements(file, &config)?;
    }
    for word in &install.roles {
        wanted.roles.push(RoleWanted::word(word).map_err(|error| fail(&error, 1))?);
    }
    let given: Vec<PathBuf> = install.roles_path.iter().flat_map(|paths| paths.split(':')).map(|path| config.places.from_cwd(path)).collect();
    let own = !given.is_empty();
    let folders = if own { given } else { config.roles_path.clone() };
    let around = around(&install.reach, &config, &surroundings)?;
    if wanted.roles.is_empty() {
        tell(if both && !wanted.collections.is_empty() { "Skipping install, no roles found" } else { "Skipping install, no requirements found" });
    } else {
        tell("Starting galaxy role install process");
    }
    let roles = Roles {
        folders,
        force: install.force || install.force_with_deps,
        force_deps: install.force_with_deps,
        no_deps: install.no_deps,
        ignore_errors: install.ignore_errors,
        keep_scm: install.keep_scm_meta,
        base: config.places.cwd().to_path_buf(),
    };
    if !roles.install(wanted.roles, &around, &mut tell) {
        return Ok(1);
    }
    if wanted.collections.is_empty() {
        return Ok(0);
    }
    if !both || own {
        let why = "The requirements file contains collections which will be ignored. To install these collections run 'ansible-galaxy collection install -r' or to install both at the same time run 'ansible-galaxy install -r' without a custom install path.";
        console::complain(&[Diagnostic::warning(why)]);
        return Ok(0);
    }
    tell("Starting galaxy collection install process");
    let collections = Collections {
        folder: first(&config)?,
        known: config.collections_path.clone(),
        force: install.force,
        force_deps: install.force_with_deps,
        no_deps: install.no_deps,
        upgrade: false,
        pre: false,
        offline: false,
    };
    collections.install(&wanted.collections, &around, &mut tell).map_err(|error| trouble(&error))?;
    Ok(0)
}

fn first(config: &Config) -> Result<PathBuf, i32> {
    config.collections_path.first().cloned().ok_or_else(|| bad("no folder of collections is configured: take --collections-path"))
}

/// `collection install`.
pub(super) fn collections(install: &CollectionInstall, verbose: u8) -> Result<i32, i32> {
    let (surroundings, config) = commands::begin(verbose)?;
    let mut wanted: Vec<CollectionWanted> = Vec::new();
    match (&install.requirements_file, install.collections.is_empty()) {
        (None, true) => return Err(bad("You must specify a collection name or a requirements file.")),
        (Some(_), false) => return Err(bad("The positional collection_name arg and --requirements-file are mutually exclusive.")),
        (Some(file), true) => wanted = requirements(file, &config)?.collections,
        (None, false) => {
            for word in &install.collections {
                wanted.push(CollectionWanted::word(word, config.places.cwd()).map_err(|error| fail(&error, 1))?);
            }
        }
    }
    let folder = match &install.collections_path {
        Some(path) => config.places.from_cwd(path),
        None => first(&config)?,
    };
    if !config.collections_path.contains(&folder) {
        let paths = config.collections_path.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":");
        let why = format!(
            "The specified collections path '{}' is not part of the configured Ansible collections paths '{paths}'. The installed collection will not be picked up in a run, unless within a playbook-adjacent collections directory.",
            folder.display()
        );
        console::complain(&[Diagnostic::warning(why)]);
    }
    let around = around(&install.reach, &config, &surroundings)?;
    tell("Starting galaxy collection install process");
    let mut collections = Collections {
        known: if install.collections_path.is_some() { vec![folder.clone()] } else { config.collections_path.clone() },
        folder,
        force: install.force || install.force_with_deps,
        force_deps: install.force_with_deps,
        no_deps: install.no_deps,
        upgrade: install.upgrade,
        pre: install.pre,
        offline: install.offline,
    };
    if !install.ignore_errors {
        return collections.install(&wanted, &around, &mut tell).map(|()| 0).map_err(|error| trouble(&error));
    }
    collections.force_deps &= install.force_with_deps;
    for one in &wanted {
        if let Err(error) = collections.install(std::slice::from_ref(one), &around, &mut tell) {
            console::complain(&[Diagnostic::warning(format!(
                "Failed to install collection {} but skipping due to --ignore-errors being set. Error: {error}",
                one.name
            ))]);
        }
    }
    Ok(0)
}

/// `role init`.
pub(super) fn new_role(init: &RoleInit, verbose: u8) -> Result<i32, i32> {
    let (_, config) = commands::begin(verbose)?;
    galaxy::new_role(&place(init.init_path.as_deref(), &config), &init.name, init.force).map_err(|error| trouble(&error))?;
    tell(&format!("- Role {} was created successfully", init.name));
    Ok(0)
}

/// `collection init`.
pub(super) fn new_collection(init: &CollectionInit, verbose: u8) -> Result<i32, i32> {
    let (_, config) = commands::begin(verbose)?;
    galaxy::new_collection(&place(init.init_path.as_deref(), &config), &init.name, init.force).map_err(|error| trouble(&error))?;
    tell(&format!("- Collection {} was created successfully", init.name));
    Ok(0)
}

fn place(path: Option<&str>, config: &Config) -> PathBuf {
    path.map_or_else(|| Path::new(config.places.cwd()).to_path_buf(), |path| config.places.from_cwd(path))
}
