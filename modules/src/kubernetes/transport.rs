//! The HTTP client for one API server: TLS from a kubeconfig, names without libc, a proxy.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use ureq::http::Uri;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy};

use super::connection::Connection;
use super::kubeconfig::Settings;
use crate::control::Control;
use crate::outcome::Failure;
use crate::resolve;

/// A client and the address that its requests begin with.
pub(super) fn client(connection: &Connection, env: &[(String, String)], control: &Control) -> Result<(Agent, String), Failure> {
    let (base, alias) = named(connection)?;
    let proxy = match &connection.proxy {
        Some(text) => Some(Proxy::new(text).map_err(|error| Failure::new(format!("proxy {text}: {error}")))?),
        None => None,
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .user_agent("rplay")
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(Duration::from_secs(90)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .proxy(proxy)
        .tls_config(tls(&connection.settings)?);
    let resolver = Names { env: env.to_vec(), control: control.clone(), alias };
    Ok((Agent::with_parts(config.build(), DefaultConnector::default(), resolver), base))
}

/// Where the certificate has another name than the address, requests go to the name and the resolver leads it to the address.
pub(super) fn named(connection: &Connection) -> Result<(String, Option<(String, String)>), Failure> {
    let uri: Uri = connection.server.parse().map_err(|_| Failure::new(format!("{} is not an address of an API server", connection.server)))?;
    let Some(host) = uri.host().map(str::to_owned) else { return Err(format!("{} has no host", connection.server).into()) };
    match &connection.settings.server_name {
        Some(name) if *name != host => {
            let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
            let scheme = uri.scheme_str().unwrap_or("https");
            Ok((format!("{scheme}://{name}{port}{}", uri.path().trim_end_matches('/')), Some((name.clone(), host))))
        }
        _ => Ok((connection.server.clone(), None)),
    }
}

fn tls(settings: &Settings) -> Result<TlsConfig, Failure> {
    let mut config = TlsConfig::builder().disable_verification(settings.insecure);
    match (&settings.certificate, &settings.key) {
        (Some(certificate), key) => {
            let chain = certificates(certificate, "the client's certificate")?;
            let pem = key.as_ref().unwrap_or(certificate);
            let key = PrivateKey::from_pem(pem).map_err(|error| Failure::new(format!("the client's key cannot be read: {error}")))?;
            belong_together(&chain, pem)?;
            config = config.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        (None, Some(_)) => return Err("there is a client's key without its certificate".into()),
        (None, None) => {}
    }
    let roots = roots_of(settings)?;
    Ok(config.root_certs(RootCerts::new_with_certs(&roots)).build())
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<Certificate<'static>>, Failure> {
    let items = ureq::tls::parse_pem(pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let all: Vec<_> = items.collect();
    if all.is_empty() { Err(format!("{what} cannot be read: no certificate in PEM").into()) } else { Ok(all) }
}

/// The TLS library takes a key for granted; a wrong one shall be an error with a sentence.
fn belong_together(chain: &[Certificate<'static>], key: &[u8]) -> Result<(), Failure> {
    let chain = chain.iter().map(|cert| CertificateDer::from(cert.der().to_vec())).collect();
    rustls::sign::CertifiedKey::from_der(chain, private_key(key)?, &ring::default_provider())
        .map(drop)
        .map_err(|error| Failure::new(format!("the client's certificate and key cannot be used: {error}")))
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| Failure::new(format!("the client's key cannot be read: {error}")))
}

/// The same settings for a connection of our own.
pub(super) fn rustls_config(settings: &Settings) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let wrong = |error: rustls::Error| Failure::new(format!("TLS: {error}"));
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(wrong)?;
    let builder = if settings.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(roots_of(settings)?.iter().map(|cert| CertificateDer::from(cert.der().to_vec())));
        builder.with_root_certificates(roots)
    };
    let Some(certificate) = &settings.certificate else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(certificate, "the client's certificate")?.iter().map(|cert| CertificateDer::from(cert.der().to_vec())).collect();
    let key = private_key(settings.key.as_ref().unwrap_or(certificate))?;
    builder.with_client_auth_cert(chain, key).map_err(wrong)
}

fn roots_of(settings: &Settings) -> Result<Vec<Certificate<'static>>, Failure> {
    match &settings.authority {
        Some(pem) => certificates(pem, "the authority's certificate"),
        None => Ok(rustls_native_certs::load_native_certs().certs.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect()),
    }
}

/// Takes any certificate: `validate_certs: false`.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(&self, message: &[u8], cert: &CertificateDer<'_>, dss: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(&self, message: &[u8], cert: &CertificateDer<'_>, dss: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Resolves names without libc, and the certificate's name to the server's address.
#[derive(Debug)]
struct Names {
    env: Vec<(String, String)>,
    control: Control,
    alias: Option<(String, String)>,
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _config: &ureq::config::Config, _timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let host = uri.host().unwrap_or_default();
        let host = self.alias.as_ref().filter(|(name, _)| name == host).map_or(host, |(_, real)| real);
        let found = resolve::addresses(host, &self.env, &self.control).map_err(|_| ureq::Error::HostNotFound)?;
        let mut all = self.empty();
        found.into_iter().take(16).for_each(|ip| all.push((ip, port).into()));
        Ok(all)
    }
}
