//! A Galaxy server: its API for roles (v1) and collections (v3), and documents at any address.

use rplay_modules::download::{self, Refusal, Wanted};
use serde_json::{Map, Value as Json, json};

use super::{Around, Trouble};

/// Pages that a list may have.
const MAX_PAGES: usize = 200;

/// Where a server is, and who asks.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name in the configuration, else its address.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Sent as `Authorization: Token ...`.
    pub token: Option<String>,
    /// User and password.
    pub user: Option<(String, String)>,
    /// Its certificate is checked.
    pub validate_certs: bool,
    /// Seconds to wait.
    pub timeout: u64,
}

/// Where the parts of a server's API are.
struct Api<'a> {
    server: &'a Server,
    around: &'a Around<'a>,
    root: String,
    versions: Map<String, Json>,
}

/// A collection's version on a server.
#[derive(Debug, Clone)]
pub(super) struct Release {
    pub download_url: String,
    pub sha256: String,
    pub dependencies: Vec<(String, String)>,
}

/// A role on a server: where its archive is.
#[derive(Debug, Clone)]
pub(super) struct RoleRelease {
    pub version: String,
    pub url: String,
}

/// The document at an address that no server is behind.
pub(super) fn document(url: &str, around: &Around) -> Result<Vec<u8>, Trouble> {
    let plain = Server { name: url.into(), url: url.into(), token: None, user: None, validate_certs: around.validate_certs, timeout: around.timeout };
    plain.get(url, around).map_err(|refusal| Trouble::new(format!("failed to download {}: {}", masked(url), told(&refusal))))
}

fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Status(status, reason) => format!("HTTP Error {status}: {reason}"),
        Refusal::NoAnswer(why) | Refusal::Option(why) => why.clone(),
    }
}

/// An address without user and password.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest[..end].rsplit_once('@').map_or_else(|| url.to_string(), |(_, host)| format!("{scheme}://{host}{}", &rest[end..]))
}

/// `a/` and `/b/` joined by one slash.
fn joined(root: &str, rest: &str) -> String {
    format!("{}/{}", root.trim_end_matches('/'), rest.trim_start_matches('/'))
}

/// An address that may be relative to a server's root.
fn absolute(root: &str, url: &str) -> String {
    if url.contains("://") {
        return url.to_string();
    }
    let start = root.find("://").map_or(0, |at| at + 3);
    let host = root[start..].find('/').map_or(root.len(), |at| start + at);
    joined(&root[..host], url)
}

/// The same scheme, host and port.
fn same_host(a: &str, b: &str) -> bool {
    let host = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        Some((scheme.to_lowercase(), rest.rsplit_once('@').map_or(rest, |(_, host)| host).to_lowercase()))
    };
    host(a).is_some() && host(a) == host(b)
}

fn field<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name)?.as_str().filter(|text| !text.is_empty())
}

impl Server {
    /// Gets a document; who asks is only told to the server itself.
    fn get(&self, url: &str, around: &Around) -> Result<Vec<u8>, Refusal> {
        let mut options: Map<String, Json> = Map::new();
        for (name, value) in [("validate_certs", self.validate_certs), ("use_proxy", true), ("use_netrc", true), ("decompress", false)] {
            options.insert(name.into(), json!(value));
        }
        options.insert("http_agent".into(), json!(concat!("rplay/", env!("CARGO_PKG_VERSION"))));
        options.insert("unredirected_headers".into(), json!(["Authorization"]));
        let mut headers = Vec::new();
        if same_host(url, &self.url) {
            if let Some(token) = &self.token {
                headers.push(("Authorization".to_string(), format!("Token {token}")));
            }
            if let Some((user, password)) = &self.user {
                options.insert("url_username".into(), json!(user));
                options.insert("url_password".into(), json!(password));
                options.insert("force_basic_auth".into(), json!(true));
            }
        }
        let environment: Vec<(String, String)> = around.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        download::body(&Wanted { url: url.to_string(), options, headers, follow: "all".into(), timeout: self.timeout }, &environment)
    }

    fn api<'a>(&'a self, around: &'a Around<'a>) -> Result<Api<'a>, Trouble> {
        let tried = [self.url.clone(), joined(&self.url, "api/")];
        let mut last = Trouble::new(format!("the Galaxy server {} does not tell its versions", self.name));
        for root in tried {
            match self.get(&root, around) {
                Ok(body) => {
                    let versions = serde_json::from_slice::<Json>(&body).ok().and_then(|json| json.get("available_versions")?.as_object().cloned());
                    if let Some(versions) = versions {
                        return Ok(Api { server: self, around, root, versions });
                    }
                }
                Err(refusal) => last = Trouble::new(format!("Unknown error when attempting to call Galaxy at '{}': {}", masked(&root), told(&refusal))),
            }
        }
        Err(last)
    }

    /// The versions of a collection; `None` where the server does not have it.
    pub(super) fn versions(&self, namespace: &str, name: &str, around: &Around) -> Result<Option<Vec<String>>, Trouble> {
        let api = self.api(around)?;
        let first = api.part("v3", &format!("collections/{namespace}/{name}/versions/?limit=100"))?;
        let Some(entries) = api.list(&first, "data")? else { return Ok(None) };
        Ok(Some(entries.iter().filter_map(|entry| Some(field(entry, "version")?.to_string())).collect()))
    }

    /// A version of a collection.
    pub(super) fn release(&self, namespace: &str, name: &str, version: &str, around: &Around) -> Result<Release, Trouble> {
        let api = self.api(around)?;
        let url = api.part("v3", &format!("collections/{namespace}/{name}/versions/{version}/"))?;
        let gone = || Trouble::new(format!("{} does not have {namespace}.{name}:{version}", self.name));
        let json = api.json(&url)?.ok_or_else(gone)?;
        let missing = |what: &str| Trouble::new(format!("{} tells no {what} of {namespace}.{name}:{version}", self.name));
        let metadata = json.get("metadata").and_then(|metadata| metadata.get("dependencies")).and_then(Json::as_object);
        Ok(Release {
            download_url: absolute(&api.root, field(&json, "download_url").ok_or_else(|| missing("download_url"))?),
            sha256: json.get("artifact").and_then(|artifact| field(artifact, "sha256")).ok_or_else(|| missing("sha256"))?.to_lowercase(),
            dependencies: metadata
                .map(|all| all.iter().map(|(name, range)| (name.clone(), range.as_str().unwrap_or("*").to_string())).collect())
                .unwrap_or_default(),
        })
    }

    /// The archive of a release.
    pub(super) fn archive(&self, url: &str, around: &Around) -> Result<Vec<u8>, Trouble> {
        self.get(url, around).map_err(|refusal| Trouble::new(format!("failed to download {}: {}", masked(url), told(&refusal))))
    }

    /// A role by its name; `None` where the server does not have it.
    pub(super) fn role(&self, owner: &str, name: &str, version: Option<&str>, around: &Around) -> Result<Option<RoleRelease>, Trouble> {
        let api = self.api(around)?;
        let found = api.list(&api.part("v1", &format!("roles/?owner__username={owner}&name={name}"))?, "results")?;
        let Some(role) = found.and_then(|found| found.into_iter().next()) else { return Ok(None) };
        let id = role.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_string)).unwrap_or_default();
        let known = api.list(&api.part("v1", &format!("roles/{id}/versions/?page_size=50"))?, "results")?.unwrap_or_default();
        let names: Vec<&str> = known.iter().filter_map(|entry| field(entry, "name")).collect();
        let version = match version {
            Some(wanted) if wanted != "master" && !names.is_empty() && !names.contains(&wanted) => {
                return Err(Trouble::new(format!(
                    "- the specified version ({wanted}) of {owner}.{name} was not found in the list of available versions ({}).",
                    names.join(", ")
                )));
            }
            Some(wanted) => wanted,
            None => names.iter().copied().max_by(|a, b| super::version::loosely(a, b)).or_else(|| field(&role, "github_branch")).unwrap_or("master"),
        };
        let entry = known.iter().find(|entry| field(entry, "name") == Some(version));
        let url = entry.and_then(|entry| field(entry, "download_url").or_else(|| field(entry, "source"))).map(|url| absolute(&api.root, url));
        let github = || Some(format!("https://github.com/{}/{}/archive/{version}.tar.gz", field(&role, "github_user")?, field(&role, "github_repo")?));
        let url = url.or_else(github).ok_or_else(|| Trouble::new(format!("{} does not tell where {owner}.{name} is", self.name)))?;
        Ok(Some(RoleRelease { version: version.to_string(), url }))
    }
}

impl Api<'_> {
    fn part(&self, version: &str, rest: &str) -> Result<String, Trouble> {
        let place = self.versions.get(version).and_then(Json::as_str);
        let place = place.ok_or_else(|| Trouble::new(format!("the Galaxy server {} does not have API {version}", self.server.name)))?;
        Ok(joined(&joined(&self.root, place), rest))
    }

    /// `None` for what the server does not have.
    fn json(&self, url: &str) -> Result<Option<Json>, Trouble> {
        match self.server.get(url, self.around) {
            Ok(body) => serde_json::from_slice(&body).map(Some).map_err(|error| Trouble::new(format!("{} does not answer in JSON: {error}", masked(url)))),
            Err(Refusal::Status(404, _)) => Ok(None),
            Err(refusal) => Err(Trouble::new(format!("{}: {}", masked(url), told(&refusal)))),
        }
    }

    /// A list over all its pages.
    fn list(&self, first: &str, key: &str) -> Result<Option<Vec<Json>>, Trouble> {
        let mut entries = Vec::new();
        let mut next = Some(first.to_string());
        for page in 0..MAX_PAGES {
            let Some(url) = next.take() else { break };
            let Some(json) = self.json(&url)? else {
                if page == 0 {
                    return Ok(None);
                }
                break;
            };
            entries.extend(json.get(key).and_then(Json::as_array).cloned().unwrap_or_default());
            let link = json.get("links").and_then(|links| field(links, "next")).or_else(|| field(&json, "next_link")).or_else(|| field(&json, "next"));
            next = link.map(|link| absolute(&self.root, link)).filter(|link| same_host(link, &self.root));
        }
        Ok(Some(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(absolute("http://h:1/api/", "/d/x.tar.gz"), "http://h:1/d/x.tar.gz");
        assert_eq!(absolute("http://h:1/api/", "https://o/x"), "https://o/x");
        assert_eq!(joined("http://h/api/", "/v3/"), "http://h/api/v3/");
        assert!(same_host("http://u:p@H:1/a", "http://h:1/b") && !same_host("http://h:1/a", "http://h:2/a") && !same_host("https://h/a", "http://h/a"));
        assert_eq!(masked("http://u:p@h/a@b"), "http://h/a@b");
    }
}
