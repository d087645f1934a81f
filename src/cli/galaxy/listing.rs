//! `role list`, `role remove`, `collection list`.

use std::path::PathBuf;

use super::flags::{CollectionList, ListFormat, RoleList, RoleRemove};
use crate::cli::commands::{self, fail};
use crate::cli::console;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::galaxy::{self, Collection, Role};
use crate::value::{Dict, Key, Value, dumps};
use crate::yaml;

/// Exit code of what cannot be meant.
const BAD_OPTIONS: i32 = 5;

/// The folders of options, then those of the configuration, each once.
fn folders(given: &[String], configured: &[PathBuf], config: &Config) -> Vec<PathBuf> {
    let given = given.iter().flat_map(|paths| paths.split(':')).filter(|path| !path.is_empty()).map(|path| config.places.from_cwd(path));
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in given.chain(configured.iter().cloned()) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn unreadable(folder: &std::path::Path, error: &std::io::Error) -> i32 {
    fail(&Diagnostic::error(format!("cannot read {}: {error}", folder.display())), 1)
}

/// `role list`.
pub(super) fn roles(list: &RoleList, verbose: u8) -> Result<i32, i32> {
    let (_, config) = commands::begin(verbose)?;
    let (mut usable, mut found) = (false, false);
    let mut warnings = Vec::new();
    for folder in folders(&list.roles_path, &config.roles_path, &config) {
        if !folder.is_dir() {
            warnings.push(Diagnostic::warning(format!("- the configured path {} does not exist.", folder.display())));
            continue;
        }
        usable = true;
        let mut roles = galaxy::roles_in(&folder).map_err(|error| unreadable(&folder, &error))?;
        roles.retain(|role| list.role.as_ref().map_or(role.described, |wanted| *wanted == role.name));
        if list.role.is_none() || !roles.is_empty() {
            console::say(&format!("# {}\n", folder.display()));
        }
        found |= !roles.is_empty();
        roles.iter().for_each(|role| console::say(&line(role)));
    }
    if let Some(wanted) = list.role.as_ref().filter(|_| !found) {
        warnings.push(Diagnostic::warning(format!("- the role {wanted} was not found")));
    }
    console::complain(&warnings);
    if !usable {
        return Err(fail(&Diagnostic::error("- None of the provided paths were usable. Please specify a valid path with --roles-path"), BAD_OPTIONS));
    }
    Ok(0)
}

fn line(role: &Role) -> String {
    format!("- {}, {}\n", role.name, role.version.as_deref().unwrap_or("(unknown version)"))
}

/// `role remove`.
pub(super) fn remove(remove: &RoleRemove, verbose: u8) -> Result<i32, i32> {
    let (_, config) = commands::begin(verbose)?;
    let folders = folders(&remove.roles_path, &config.roles_path, &config);
    for role in &remove.roles {
        let mut removed = false;
        for folder in &folders {
            let cannot = |error: std::io::Error| fail(&Diagnostic::error(format!("failed to remove role {role} from {}: {error}", folder.display())), 1);
            removed = galaxy::remove_role(folder, role).map_err(cannot)?;
            if removed {
                break;
            }
        }
        let said = if removed { format!("- successfully removed {role}\n") } else { format!("- {role} is not installed, skipping.\n") };
        console::say(&said);
    }
    Ok(0)
}

/// `collection list`.
pub(super) fn collections(list: &CollectionList, verbose: u8) -> Result<i32, i32> {
    let (_, config) = commands::begin(verbose)?;
    if let Some(name) = list.collection.as_ref().filter(|name| name.split('.').count() != 2) {
        return Err(fail(&Diagnostic::error(format!("Invalid collection name '{name}', name must be in the format <namespace>.<collection>.")), 1));
    }
    let mut found: Vec<(PathBuf, Vec<Collection>)> = Vec::new();
    for folder in folders(&list.collections_path, &config.collections_path, &config) {
        let mut collections = galaxy::collections_in(&folder).map_err(|error| unreadable(&folder, &error))?;
        collections.retain(|collection| list.collection.as_ref().is_none_or(|wanted| *wanted == collection.name));
        if !collections.is_empty() {
            found.push((galaxy::collections_root(&folder), collections));
        }
    }
    console::say(&match list.format {
        ListFormat::Human => tables(&found),
        ListFormat::Json => dumps(&by_folder(&found), false) + "\n",
        ListFormat::Yaml => {
            let options = yaml::DumpOptions { default_flow_style: Some(false), ..yaml::DumpOptions::default() };
            yaml::dump(&by_folder(&found), &options).map_err(|fault| fail(&Diagnostic::error(fault.message), 250))?
        }
    });
    Ok(0)
}

fn by_folder(found: &[(PathBuf, Vec<Collection>)]) -> Value {
    let version = |collection: &Collection| Value::dict([("version".into(), collection.version.as_str().into())].into_iter().collect());
    let each = |collections: &[Collection]| -> Dict { collections.iter().map(|one| (Key::Str(one.name.as_str().into()), version(one))).collect() };
    let all: Dict = found.iter().map(|(folder, each_of)| (Key::Str(folder.to_string_lossy().as_ref().into()), Value::dict(each(each_of)))).collect();
    Value::dict(all)
}

/// The tables of all folders; their columns are as wide everywhere.
fn tables(found: &[(PathBuf, Vec<Collection>)]) -> String {
    let all = || found.iter().flat_map(|(_, collections)| collections);
    let name = all().map(|one| one.name.len()).chain(["Collection".len()]).max().unwrap_or(0);
    let version = all().map(|one| one.version.len()).chain(["Version".len()]).max().unwrap_or(0);
    let table = |(folder, collections): &(PathBuf, Vec<Collection>)| {
        let rows: String = collections.iter().map(|one| format!("{:name$} {:version$}\n", one.name, one.version)).collect();
        format!("\n# {}\n{:name$} {:version$}\n{} {}\n{rows}", folder.display(), "Collection", "Version", "-".repeat(name), "-".repeat(version))
    };
    found.iter().map(table).collect()
}
