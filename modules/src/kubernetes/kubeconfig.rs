//! Kubeconfig files: which server, which authority, which user.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::outcome::Failure;
use crate::yaml;

/// What a kubeconfig says about one context.
#[derive(Debug, Default, Clone)]
pub(super) struct Settings {
    pub server: Option<String>,
    /// PEM of the authority that signed the server's certificate.
    pub authority: Option<Vec<u8>>,
    pub insecure: bool,
    /// The name in the server's certificate, where it is another than the address.
    pub server_name: Option<String>,
    pub proxy: Option<String>,
    pub certificate: Option<Vec<u8>>,
    pub key: Option<Vec<u8>>,
    pub token: Option<String>,
    pub impersonate_user: Option<String>,
    pub impersonate_groups: Vec<String>,
}

/// One kubeconfig with the folder that its relative paths begin in.
struct Config {
    data: Value,
    folder: PathBuf,
}

/// Reads what the `kubeconfig` argument gives: a dictionary, or files separated by colons of which the first that knows a name wins.
pub(super) fn read(given: &Value, context: Option<&str>, cx: &Context<'_>) -> Result<Settings, Failure> {
    let configs = match given {
        Value::Object(_) => vec![Config { data: given.clone(), folder: PathBuf::from(".") }],
        Value::String(paths) => {
            let paths: Vec<&str> = paths.split(':').filter(|path| !path.is_empty()).collect();
            let many = paths.len() > 1;
            let mut configs = vec![];
            for path in paths {
                let path = expanded(path, cx);
                if !many || cx.stat(&path)?.is_some() {
                    configs.push(load(&path, cx)?);
                }
            }
            configs
        }
        other => return Err(format!("kubeconfig must be a path or a dictionary, not {other}").into()),
    };
    select(&configs, context, cx)
}

fn expanded(path: &str, cx: &Context<'_>) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => Path::new(cx.variable("HOME").unwrap_or("/root")).join(rest),
        None => PathBuf::from(path),
    }
}

fn load(path: &Path, cx: &Context<'_>) -> Result<Config, Failure> {
    let bytes = file(path, "kubeconfig", cx)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("{} is not UTF-8", path.display())))?;
    let wrong = |why: String| Failure::new(format!("Invalid kube-config file {}: {why}", path.display()));
    let data = yaml::documents(&text).map_err(wrong)?.into_iter().next().unwrap_or(Value::Null);
    if !data.is_object() {
        return Err(wrong("it is no mapping".into()));
    }
    Ok(Config { data, folder: path.parent().map(Path::to_owned).unwrap_or_default() })
}

/// A file of the target; one that is not there yet is unknown in check mode.
pub(super) fn file(path: &Path, what: &str, cx: &Context<'_>) -> Result<Vec<u8>, Failure> {
    if cx.stat(path)?.is_none() {
        let why = format!("there is no {what} {}", path.display());
        return Err(if cx.check() { Failure::unknown(why) } else { Failure::new(why) });
    }
    cx.read(path)
}

fn select(configs: &[Config], context: Option<&str>, cx: &Context<'_>) -> Result<Settings, Failure> {
    let current = configs.iter().find_map(|config| config.data.get("current-context")?.as_str().filter(|name| !name.is_empty()));
    let Some(name) = context.or(current) else {
        return Err("Invalid kube-config: it has no current-context, and `context` is not given".into());
    };
    let missing = |what: &str, name: &str| Failure::new(format!("Invalid kube-config: it has no {what} '{name}'"));
    let (chosen, _) = entry(configs, "contexts", "context", name).ok_or_else(|| missing("context", name))?;
    let mut settings = Settings::default();
    let cluster_name = chosen.get("cluster").and_then(Value::as_str).unwrap_or_default();
    let (cluster, folder) = entry(configs, "clusters", "cluster", cluster_name).ok_or_else(|| missing("cluster", cluster_name))?;
    read_cluster(&mut settings, cluster, folder, cx)?;
    if let Some(user_name) = chosen.get("user").and_then(Value::as_str).filter(|name| !name.is_empty()) {
        let (user, folder) = entry(configs, "users", "user", user_name).ok_or_else(|| missing("user", user_name))?;
        read_user(&mut settings, user, user_name, folder, cx)?;
    }
    Ok(settings)
}

/// The entry of that name in the first file that has it.
fn entry<'a>(configs: &'a [Config], list: &str, key: &str, name: &str) -> Option<(&'a Map<String, Value>, &'a Path)> {
    configs.iter().find_map(|config| {
        let items = config.data.get(list)?.as_array()?;
        let found = items.iter().find(|item| item.get("name").and_then(Value::as_str) == Some(name))?;
        Some((found.get(key)?.as_object()?, config.folder.as_path()))
    })
}

fn read_cluster(settings: &mut Settings, cluster: &Map<String, Value>, folder: &Path, cx: &Context<'_>) -> Result<(), Failure> {
    settings.server = text(cluster, "server");
    settings.server_name = text(cluster, "tls-server-name");
    settings.proxy = text(cluster, "proxy-url");
    settings.insecure = cluster.get("insecure-skip-tls-verify").and_then(Value::as_bool).unwrap_or(false);
    settings.authority = content(cluster, "certificate-authority", folder, cx)?;
    Ok(())
}

fn read_user(settings: &mut Settings, user: &Map<String, Value>, name: &str, folder: &Path, cx: &Context<'_>) -> Result<(), Failure> {
    for (key, instead) in [
        ("exec", "it runs a program for each login"),
        ("auth-provider", "Kubernetes has removed it"),
        ("username", "API servers have had no passwords since Kubernetes 1.19"),
    ] {
        if user.contains_key(key) {
            return Err(format!("kubeconfig user '{name}': `{key}` is not supported ({instead}); use a certificate or a token").into());
        }
    }
    settings.certificate = content(user, "client-certificate", folder, cx)?;
    settings.key = content(user, "client-key", folder, cx)?;
    settings.token = text(user, "token");
    if let (None, Some(path)) = (&settings.token, text(user, "tokenFile")) {
        let bytes = file(&folder.join(path), "token file", cx)?;
        settings.token = Some(String::from_utf8_lossy(&bytes).trim().to_owned());
    }
    settings.impersonate_user = text(user, "as");
    let groups = user.get("as-groups").and_then(Value::as_array).into_iter().flatten();
    settings.impersonate_groups = groups.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(())
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// `KEY-data` in base64, else the file that `KEY` names.
fn content(map: &Map<String, Value>, key: &str, folder: &Path, cx: &Context<'_>) -> Result<Option<Vec<u8>>, Failure> {
    let inline = format!("{key}-data");
    if let Some(data) = text(map, &inline) {
        let clean: String = data.split_whitespace().collect();
        return STANDARD.decode(clean).map(Some).map_err(|error| Failure::new(format!("Invalid kube-config: {inline} is not base64: {error}")));
    }
    match text(map, key) {
        Some(path) => file(&folder.join(expanded(&path, cx)), key, cx).map(Some),
        None => Ok(None),
    }
}
