//! Digests, base64, UUIDs, URLs, shell quoting.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::Digest as _;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{flag_or, str_argument, to_text};
use crate::template::methods::bytes::{decode, encode, hex};
use crate::value::{Dict, Fault, Value, repr};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The bytes of text or bytes; Ansible's `to_bytes` writes anything else as text first.
fn bytes_of(value: &Value) -> Result<Vec<u8>, Fault> {
    match value {
        Value::Bytes(bytes) => Ok(bytes.to_vec()),
        other => Ok(to_text(other)?.as_bytes().to_vec()),
    }
}

/// `b64encode`.
///
/// # Errors
/// An unknown encoding.
pub fn b64encode(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [encoding, urlsafe] = args.bind(signature("b64encode", 1, 0), ["encoding", "urlsafe"])?;
    let encoding = encoding.as_ref().map_or(Ok("utf-8".into()), to_text)?;
    let raw = match &input {
        Value::Bytes(bytes) => bytes.to_vec(),
        other => encode(&to_text(other)?, &encoding)?,
    };
    let engine = if flag_or(urlsafe.as_ref(), false)? { URL_SAFE } else { STANDARD };
    Ok(engine.encode(raw).into())
}

/// `b64decode`.
///
/// # Errors
/// No base64, or no text in the encoding.
pub fn b64decode(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [encoding, urlsafe] = args.bind(signature("b64decode", 1, 0), ["encoding", "urlsafe"])?;
    let encoding = encoding.as_ref().map_or(Ok("utf-8".into()), to_text)?;
    let urlsafe = flag_or(urlsafe.as_ref(), false)?;
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte) || (urlsafe && b"-_".contains(byte));
    // Python drops what is not in the alphabet before it decodes
    let text: Vec<u8> = bytes_of(&input)?
        .into_iter()
        .filter(known)
        .map(|b| if urlsafe { [b'+', b'/'].get(b"-_".iter().position(|x| *x == b).unwrap_or(9)).copied().unwrap_or(b) } else { b })
        .collect();
    let end = text.iter().position(|b| *b == b'=').unwrap_or(text.len());
    let padded = [&text[..end], vec![b'='; text.len() - end].get(..(4 - end % 4) % 4).unwrap_or(&text[end..])].concat();
    if end % 4 == 1 {
        return Err(Fault::error(format!("Invalid base64-encoded string: number of data characters ({end}) cannot be 1 more than a multiple of 4")));
    }
    let raw = STANDARD.decode(padded).map_err(|_| Fault::error("Incorrect padding"))?;
    decode(&raw, &encoding).map(Value::from)
}

/// The hexadecimal digest of bytes under one of hashlib's names.
///
/// # Errors
/// A name that we do not know.
pub fn digest(name: &str, data: &[u8]) -> Result<String, Fault> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "md5" => hex(&md5::Md5::digest(data)),
        "sha1" => hex(&sha1::Sha1::digest(data)),
        "sha224" => hex(&sha2::Sha224::digest(data)),
        "sha256" => hex(&sha2::Sha256::digest(data)),
        "sha384" => hex(&sha2::Sha384::digest(data)),
        "sha512" => hex(&sha2::Sha512::digest(data)),
        "sha512_256" => hex(&sha2::Sha512_256::digest(data)),
        "sha512_224" => hex(&sha2::Sha512_224::digest(data)),
        _ => return Err(Fault::error(format!("unsupported hash type {name}"))),
    })
}

/// `hash`.
///
/// # Errors
/// An unknown digest.
pub fn hash(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [name] = args.bind(signature("get_hash", 1, 0), ["hashtype"])?;
    let name = name.as_ref().map_or(Ok("sha1".into()), to_text)?;
    digest(&name, &bytes_of(&input)?).map(Value::from)
}

/// `md5`.
///
/// # Errors
/// A part has no value.
pub fn md5(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("md5s")?;
    digest("md5", &bytes_of(&input)?).map(Value::from)
}

/// `sha1`, `checksum`.
///
/// # Errors
/// A part has no value.
pub fn sha1(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("secure_hash_s")?;
    digest("sha1", &bytes_of(&input)?).map(Value::from)
}

/// Ansible's namespace of UUIDs.
const NAMESPACE: uuid::Uuid = uuid::uuid!("361E6D51-FAEC-444A-9079-341386DA8E2E");

/// `to_uuid`.
///
/// # Errors
/// A bad namespace.
pub fn to_uuid(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [namespace] = args.bind(signature("to_uuid", 1, 0), ["namespace"])?;
    let namespace = match namespace.as_ref().map(to_text).transpose()? {
        None => NAMESPACE,
        Some(text) => {
            uuid::Uuid::parse_str(&text).map_err(|_| Fault::error(format!("Invalid value '{text}' for 'namespace': badly formed hexadecimal UUID string")))?
        }
    };
    Ok(uuid::Uuid::new_v5(&namespace, to_text(&input)?.as_bytes()).to_string().into())
}

/// `quote`: as Python's `shlex.quote`.
///
/// # Errors
/// A part has no value.
pub fn quote(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("quote")?;
    let text = if matches!(input, Value::Null) { "".into() } else { to_text(&input)? };
    Ok(shell_quote(&text).into())
}

/// Text as one word of a POSIX shell.
pub fn shell_quote(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(harmless) { text.to_string() } else { format!("'{}'", text.replace('\'', "'\"'\"'")) }
}

/// `urldecode`.
///
/// # Errors
/// A part has no value.
pub fn urldecode(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [_encoding, _errors] = args.bind(signature("unquote_plus", 1, 0), ["encoding", "errors"])?;
    let text = str_argument(&input, "")
        .map_err(|fault| if fault.is_undefined() { fault } else { Fault::error(format!("'{}' object has no attribute 'replace'", input.type_name())) })?;
    let text = text.replace('+', " ");
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let coded = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(coded.unwrap_or(bytes[at]));
        at += if coded.is_some() { 3 } else { 1 };
    }
    Ok(String::from_utf8_lossy(&out).into_owned().into())
}

/// The five parts of a URL that `urllib.parse.urlsplit` gives.
pub struct Url {
    /// In lower case.
    pub scheme: String,
    /// Between `//` and the path.
    pub netloc: String,
    /// The path.
    pub path: String,
    /// Without `?`.
    pub query: String,
    /// Without `#`.
    pub fragment: String,
}

/// Splits a URL as Python does.
///
/// # Errors
/// A bracket of an IPv6 address without its partner.
pub fn split_url(text: &str) -> Result<Url, Fault> {
    let text = text.trim_start_matches(|c: char| u32::from(c) <= 0x20).replace(['\t', '\n', '\r'], "");
    let mut rest = text.as_str();
    let mut scheme = String::new();
    if let Some((head, after)) = rest.split_once(':') {
        let fits = head.starts_with(|c: char| c.is_ascii_alphabetic()) && head.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if fits {
            scheme = head.to_ascii_lowercase();
            rest = after;
        }
    }
    let mut netloc = "";
    if let Some(after) = rest.strip_prefix("//") {
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        (netloc, rest) = after.split_at(end);
        if netloc.contains('[') != netloc.contains(']') {
            return Err(Fault::error("Invalid IPv6 URL"));
        }
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Ok(Url { scheme, netloc: netloc.into(), path: path.into(), query: query.into(), fragment: fragment.into() })
}

impl Url {
    fn user(&self) -> (Option<&str>, Option<&str>) {
        match self.netloc.rsplit_once('@') {
            None => (None, None),
            Some((user, _)) => user.split_once(':').map_or((Some(user), None), |(user, password)| (Some(user), Some(password))),
        }
    }

    fn host(&self) -> (Option<String>, Option<&str>) {
        let host = self.netloc.rsplit_once('@').map_or(self.netloc.as_str(), |(_, host)| host);
        let (name, port) = match host.split_once(']') {
            Some((name, after)) => (name.trim_start_matches('['), after.strip_prefix(':')),
            None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
        };
        ((!name.is_empty()).then(|| name.to_lowercase()), port.filter(|port| !port.is_empty()))
    }
}

/// `urlsplit`.
///
/// # Errors
/// An unknown component, or no URL.
pub fn urlsplit(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [query, alias] = args.bind(signature("split_url", 1, 0), ["query", "alias"])?;
    let url = split_url(&str_argument(&input, "urlsplit argument")?)?;
    let (hostname, port) = url.host();
    let port = match port.map(str::parse::<i128>) {
        None => Value::Null,
        Some(Ok(port)) if (0..=65535).contains(&port) => Value::Int(port),
        Some(Ok(_)) => return Err(Fault::error("Port out of range 0-65535")),
        Some(Err(_)) => return Err(Fault::error(format!("Port could not be cast to integer value as {}", repr(&port.unwrap_or_default().into())))),
    };
    let (username, password) = url.user();
    let optional = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let parts: Dict = [
        ("fragment", Value::from(url.fragment.as_str())),
        ("hostname", optional(hostname.as_deref())),
        ("netloc", url.netloc.as_str().into()),
        ("password", optional(password)),
        ("path", url.path.as_str().into()),
        ("port", port),
        ("query", url.query.as_str().into()),
        ("scheme", url.scheme.as_str().into()),
        ("username", optional(username)),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value))
    .collect();
    let wanted = query.as_ref().map_or(Ok("".into()), to_text)?;
    if wanted.is_empty() {
        return Ok(Value::dict(parts));
    }
    let alias = alias.as_ref().map_or(Ok("urlsplit".into()), to_text)?;
    parts.get(&*wanted).cloned().ok_or_else(|| Fault::error(format!("{alias}: unknown URL component: {wanted}")))
}
