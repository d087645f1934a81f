//! The connection arguments that all modules of the collection share, and what they come to with environment and kubeconfig.

use std::path::Path;

use serde_json::{Value, json};

use super::kubeconfig::{self, Settings};
use crate::args::Args;
use crate::coerce;
use crate::context::Context;
use crate::outcome::Failure;
use crate::spec::{Arg, Kind};

/// The arguments.
pub(super) const CONNECTION: &[Arg] = &[
    Arg::raw("kubeconfig", "Kubeconfig file on the host (several with colons between them), or its content as a dictionary."),
    Arg::str("context", "Context of the kubeconfig, the current one by default."),
    Arg::str("host", "Address of the API server: https://HOST:PORT."),
    Arg::str("api_key", "Token to authenticate with.").secret(),
    Arg::str("username", "User for basic authentication; refused, API servers have none."),
    Arg::str("password", "Password for basic authentication; refused, API servers have none.").secret(),
    Arg::bool("validate_certs", "Check the server's certificate.").alias(&["verify_ssl"]),
    Arg::path("ca_cert", "PEM file with the authority that signed the server's certificate.").alias(&["ssl_ca_cert"]),
    Arg::path("client_cert", "PEM file with the client's certificate.").alias(&["cert_file"]),
    Arg::path("client_key", "PEM file with the client's key.").alias(&["key_file"]),
    Arg::str("proxy", "Proxy to reach the API server by."),
    Arg::str("no_proxy", "Hosts, domains and networks that are reached without the proxy, separated by commas."),
    Arg::dict("proxy_headers", "Headers for the proxy; refused."),
    Arg::bool("persist_config", "Keep renewed tokens in the kubeconfig; refused, there are none to renew."),
    Arg::str("impersonate_user", "User to act as."),
    Arg::list("impersonate_groups", Kind::Str, "Groups to act as."),
];

/// Two tables in one.
pub(super) const fn joined<const N: usize>(own: &[Arg], more: &[Arg]) -> [Arg; N] {
    let mut out = [own[0]; N];
    let mut index = 0;
    while index < N {
        out[index] = if index < own.len() { own[index] } else { more[index - own.len()] };
        index += 1;
    }
    out
}

/// How to reach which API server as whom.
pub(super) struct Connection {
    /// Without a slash at the end.
    pub server: String,
    pub settings: Settings,
    /// The proxy for this server, if any.
    pub proxy: Option<String>,
}

/// Settles the arguments: an argument goes before its variable of the environment, that before the kubeconfig.
///
/// # Errors
/// Something is missing or refused; unknown in check mode where a file is not there yet.
pub(super) fn settle(args: &Args, cx: &Context<'_>) -> Result<Connection, Failure> {
    let given = |name: &str, variable: &str| -> Option<String> {
        let own = args.get(name).map(coerce::text);
        own.or_else(|| cx.variable(&format!("K8S_AUTH_{variable}")).map(str::to_owned)).filter(|text| !text.is_empty())
    };
    refuse(args, &given)?;
    let host = given("host", "HOST");
    let context = given("context", "CONTEXT");
    let mut settings = match kubeconfig(args, host.is_some(), cx)? {
        Some(config) => kubeconfig::read(&config, context.as_deref(), cx)?,
        None => Settings::default(),
    };
    settings.server = host.or(settings.server);
    for (name, variable, slot) in [
        ("ca_cert", "SSL_CA_CERT", &mut settings.authority),
        ("client_cert", "CERT_FILE", &mut settings.certificate),
        ("client_key", "KEY_FILE", &mut settings.key),
    ] {
        if let Some(path) = given(name, variable) {
            *slot = Some(kubeconfig::file(Path::new(&path), name, cx)?);
        }
    }
    if let Some(token) = given("api_key", "API_KEY") {
        settings.token = Some(token);
    }
    if let Some(text) = given("validate_certs", "VERIFY_SSL") {
        settings.insecure = ["false", "no", "0", "off", "n", "f"].contains(&text.to_lowercase().as_str());
    }
    if let Some(user) = given("impersonate_user", "IMPERSONATE_USER") {
        settings.impersonate_user = Some(user);
    }
    let groups = args.texts("impersonate_groups");
    let groups = if groups.is_empty() { cx.variable("K8S_AUTH_IMPERSONATE_GROUPS").map(listed).unwrap_or_default() } else { groups };
    if !groups.is_empty() {
        settings.impersonate_groups = groups;
    }
    let Some(server) = settings.server.clone() else {
        return Err("no API server is named: give `kubeconfig` or `host`".into());
    };
    let server = if server.contains("://") { server } else { format!("https://{server}") };
    let no_proxy = given("no_proxy", "NO_PROXY").map(|text| listed(&text)).unwrap_or_default();
    let host = crate::http::host_of(&server);
    let proxy = given("proxy", "PROXY").or_else(|| settings.proxy.clone()).filter(|_| !exempt(&host, &no_proxy));
    Ok(Connection { server: server.trim_end_matches('/').to_owned(), settings, proxy })
}

fn refuse(args: &Args, given: &dyn Fn(&str, &str) -> Option<String>) -> Result<(), Failure> {
    for (name, variable) in [("username", "USERNAME"), ("password", "PASSWORD")] {
        if given(name, variable).is_some() {
            return Err(format!("{name} is not supported: API servers have had no passwords since Kubernetes 1.19; use a certificate or a token").into());
        }
    }
    if args.has("proxy_headers") {
        return Err("proxy_headers is not supported; user and password of a proxy may stand in its address".into());
    }
    if args.flag("persist_config") {
        return Err("persist_config is not supported: no token is renewed".into());
    }
    Ok(())
}

/// The kubeconfig that is meant: the argument, the environment's, the user's own where no host is given.
fn kubeconfig(args: &Args, host: bool, cx: &Context<'_>) -> Result<Option<Value>, Failure> {
    if let Some(given) = args.get("kubeconfig") {
        return Ok(Some(given.clone()));
    }
    let variable = |name: &str| cx.variable(name).filter(|text| !text.is_empty()).map(|text| json!(text));
    if let Some(given) = variable("K8S_AUTH_KUBECONFIG") {
        return Ok(Some(given));
    }
    if host {
        return Ok(None);
    }
    Ok(Some(variable("KUBECONFIG").unwrap_or_else(|| json!("~/.kube/config"))))
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Whether a host is reached without the proxy: by name, domain, address or network.
fn exempt(host: &str, list: &[String]) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    list.iter().any(|entry| {
        let name = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == "*" || bare == name || bare.ends_with(&format!(".{name}")) || in_network(bare, entry)
    })
}

fn in_network(host: &str, network: &str) -> bool {
    use std::net::IpAddr;
    let Some((base, bits)) = network.split_once('/') else { return false };
    let wide = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()) << 96, true),
        IpAddr::V6(ip) => (ip.to_bits(), false),
    };
    let (Ok(host), Ok(base), Ok(bits)) = (host.parse().map(wide), base.parse().map(wide), bits.parse::<u32>()) else { return false };
    host.1 == base.1 && (bits == 0 || bits <= 128 && (host.0 ^ base.0) >> (128 - bits) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_proxy() {
        let list = listed("localhost, .local,10.0.0.0/8,fd00::/8");
        for host in ["localhost", "a.local", "10.2.3.4", "[fd00::1]"] {
            assert!(exempt(host, &list), "{host}");
        }
        for host in ["11.0.0.1", "example.com", "notlocal", "[fe80::1]"] {
            assert!(!exempt(host, &list), "{host}");
        }
    }
}
