//! What a collection says of itself: `MANIFEST.json` and `FILES.json`, checked or made from `galaxy.yml`.

use std::path::Path;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::Trouble;
use super::unpack::{self, Content, Members};
use crate::source::Source;
use crate::yaml;

/// A collection ready to be put in its place.
#[derive(Debug, Clone)]
pub(super) struct Built {
    pub namespace: String,
    pub name: String,
    pub version: String,
    pub dependencies: Vec<(String, String)>,
    pub members: Members,
}

/// The SHA-256 of bytes, in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Files of a folder that never belong to a collection.
const LEAVE: &[&str] = &[".git", "MANIFEST.json", "FILES.json"];

/// A collection from its archive: every file is the one that its lists name.
pub(super) fn archive(bytes: &[u8]) -> Result<Built, Trouble> {
    let members = unpack::read(bytes)?;
    let missing = |file: &str| Trouble::new(format!("the archive has no {file}: it is no collection"));
    let manifest = unpack::file(&members, "MANIFEST.json").ok_or_else(|| missing("MANIFEST.json"))?;
    let manifest: Json = serde_json::from_slice(manifest).map_err(|error| Trouble::new(format!("MANIFEST.json is no JSON: {error}")))?;
    let files = unpack::file(&members, "FILES.json").ok_or_else(|| missing("FILES.json"))?;
    let told = manifest["file_manifest_file"]["chksum_sha256"].as_str().unwrap_or_default();
    if sha256(files) != told.to_lowercase() {
        return Err(Trouble::new("Mismatched artifact hash found: FILES.json is not the one that MANIFEST.json names"));
    }
    let files: Json = serde_json::from_slice(files).map_err(|error| Trouble::new(format!("FILES.json is no JSON: {error}")))?;
    let listed = files["files"].as_array().cloned().unwrap_or_default();
    let mut kept: Members = Vec::new();
    for name in ["MANIFEST.json", "FILES.json"] {
        kept.extend(members.iter().filter(|(path, _)| path == Path::new(name)).cloned());
    }
    for entry in &listed {
        let name = entry["name"].as_str().unwrap_or_default();
        let found = members.iter().find(|(path, _)| path == Path::new(name));
        match (entry["ftype"].as_str(), found) {
            (Some("dir"), _) => kept.extend(unpack::inside(Path::new(name)).filter(|path| !path.as_os_str().is_empty()).map(|path| (path, Content::Folder))),
            (_, None) => return Err(Trouble::new(format!("the archive lacks {name}, which FILES.json names"))),
            (_, Some((path, content))) => {
                if let Content::File(bytes, _) = content
                    && sha256(bytes) != entry["chksum_sha256"].as_str().unwrap_or_default().to_lowercase()
                {
                    return Err(Trouble::new(format!("Mismatched artifact hash found: {name} is not the one that FILES.json names")));
                }
                kept.push((path.clone(), content.clone()));
            }
        }
    }
    described(&manifest["collection_info"], kept)
}

fn described(info: &Json, members: Members) -> Result<Built, Trouble> {
    let field = |name: &str| {
        let value = info[name].as_str().filter(|value| !value.is_empty() && !value.contains('/') && !value.starts_with('.'));
        value.map(str::to_string).ok_or_else(|| Trouble::new(format!("the collection does not tell its {name}")))
    };
    let dependencies = info["dependencies"].as_object();
    Ok(Built {
        namespace: field("namespace")?,
        name: field("name")?,
        version: field("version")?,
        dependencies: dependencies
            .map(|all| all.iter().map(|(name, range)| (name.clone(), range.as_str().unwrap_or("*").into())).collect())
            .unwrap_or_default(),
        members,
    })
}

/// A collection from the files of a folder with `galaxy.yml`.
pub(super) fn source(members: Members, place: &str) -> Result<Built, Trouble> {
    let wrong = |why: String| Trouble::new(format!("{place}: {why}"));
    let bytes = unpack::file(&members, "galaxy.yml").ok_or_else(|| wrong("there is no galaxy.yml".into()))?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| wrong("galaxy.yml is not UTF-8".into()))?;
    let node = yaml::load(&Source::new(Path::new("galaxy.yml"), text), &yaml::Options::default()).map_err(|error| wrong(error.message))?.node;
    let config = crate::value::to_json(&node.to_value());
    if config.get("manifest").is_some_and(|manifest| !manifest.is_null()) {
        return Err(wrong("`manifest` in galaxy.yml is not supported: take `build_ignore`".into()));
    }
    let ignore: Vec<String> =
        config["build_ignore"].as_array().map(|all| all.iter().filter_map(|word| Some(word.as_str()?.to_string())).collect()).unwrap_or_default();
    let own = format!("{}-{}-", config["namespace"].as_str().unwrap_or_default(), config["name"].as_str().unwrap_or_default());
    let mut members: Members = members.into_iter().filter(|(path, _)| !left_out(path, &ignore, &own)).collect();
    let files = files_list(&members);
    let manifest = manifest(&config, &files);
    members.push(("FILES.json".into(), Content::File(files, false)));
    members.push(("MANIFEST.json".into(), Content::File(pretty(&manifest), false)));
    described(&manifest["collection_info"], members).map_err(|error| wrong(error.to_string()))
}

fn left_out(path: &Path, ignore: &[String], own: &str) -> bool {
    let text = path.to_string_lossy();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let usual = LEAVE.iter().any(|left| path.components().any(|part| part.as_os_str() == *left))
        || text == "galaxy.yml"
        || text == "galaxy.yaml"
        || text.starts_with("tests/output")
        || name.ends_with(".pyc")
        || name.ends_with(".retry")
        || (name.starts_with(own) && name.ends_with(".tar.gz"));
    let matches = |pattern: &String| {
        let whole = path.ancestors().filter(|above| !above.as_os_str().is_empty()).any(|above| rplay_modules::glob::matches(pattern, &above.to_string_lossy()));
        whole || rplay_modules::glob::matches(pattern, &name)
    };
    usual || ignore.iter().any(matches)
}

fn files_list(members: &Members) -> Vec<u8> {
    let mut files = vec![json!({"name": ".", "ftype": "dir", "chksum_type": null, "chksum_sha256": null, "format": 1})];
    for (path, content) in members {
        let name = path.to_string_lossy();
        files.push(match content {
            Content::Folder => json!({"name": name, "ftype": "dir", "chksum_type": null, "chksum_sha256": null, "format": 1}),
            Content::File(bytes, _) => json!({"name": name, "ftype": "file", "chksum_type": "sha256", "chksum_sha256": sha256(bytes), "format": 1}),
            Content::Link(target) => {
                json!({"name": name, "ftype": "file", "chksum_type": "sha256", "chksum_sha256": linked(members, path, target), "format": 1})
            }
        });
    }
    pretty(&json!({"files": files, "format": 1}))
}

/// The checksum of what a link leads to.
fn linked(members: &Members, at: &Path, target: &Path) -> Option<String> {
    let whole = crate::config::normal(&at.parent().unwrap_or_else(|| Path::new("")).join(target));
    unpack::file(members, &whole.to_string_lossy()).map(sha256)
}

fn manifest(config: &Json, files: &[u8]) -> Json {
    let list = |name: &str| match &config[name] {
        Json::String(word) => json!([word]),
        Json::Null => json!([]),
        other => other.clone(),
    };
    let plain = |name: &str| if config[name] == json!("") { Json::Null } else { config[name].clone() };
    let info = json!({
        "namespace": config["namespace"], "name": config["name"], "version": plain("version"), "authors": list("authors"), "readme": plain("readme"),
        "tags": list("tags"), "description": plain("description"), "license": list("license"), "license_file": plain("license_file"),
        "dependencies": if config["dependencies"].is_object() { config["dependencies"].clone() } else { json!({}) },
        "repository": plain("repository"), "documentation": plain("documentation"), "homepage": plain("homepage"), "issues": plain("issues"),
    });
    let of_files = json!({"name": "FILES.json", "ftype": "file", "chksum_type": "sha256", "chksum_sha256": sha256(files), "format": 1});
    json!({"collection_info": info, "file_manifest_file": of_files, "format": 1})
}

fn pretty(json: &Json) -> Vec<u8> {
    serde_json::to_vec_pretty(json).unwrap_or_default()
}
