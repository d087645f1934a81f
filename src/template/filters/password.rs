//! `password_hash`: crypt's formats as passlib writes them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use md5::Digest as _;
use sha_crypt::{Sha256Params, Sha512Params, sha256_crypt_b64, sha512_crypt_b64};

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{given, to_index, to_text};
use crate::value::{Fault, Value};

use super::random::Source;

/// What a hash is made with; what is not given is chosen.
#[derive(Default)]
pub struct Choice {
    /// The salt.
    pub salt: Option<String>,
    /// How long a salt that is chosen is.
    pub salt_size: Option<usize>,
    /// How much work.
    pub rounds: Option<u32>,
    /// The variant of bcrypt.
    pub ident: Option<String>,
}

/// `password_hash`.
///
/// # Errors
/// An unknown scheme, a bad salt or number of rounds.
pub fn password_hash(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [scheme, salt, salt_size, rounds, ident] =
        args.bind(signature("get_encrypted_password", 1, 0), ["hashtype", "salt", "salt_size", "rounds", "ident"])?;
    let scheme = scheme.map_or(Ok("sha512".into()), |scheme| to_text(&scheme))?;
    let scheme = match &*scheme {
        "md5" => "md5_crypt",
        "blowfish" => "bcrypt",
        "sha256" => "sha256_crypt",
        "sha512" => "sha512_crypt",
        other => other,
    };
    let text = |value: Option<Value>| given(value).filter(Value::is_true).map(|value| Ok::<String, Fault>(to_text(&value)?.to_string())).transpose();
    let whole = |value: Option<Value>, message: &str| {
        given(value)
            .filter(Value::is_true)
            .map(|value| to_index(&value).ok().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| Fault::error(message)))
            .transpose()
    };
    let choice = Choice {
        salt: text(salt)?,
        salt_size: whole(salt_size, "salt_size must be an integer")?.map(|n| n as usize),
        rounds: whole(rounds, "rounds must be an integer")?,
        ident: text(ident)?,
    };
    let Value::Str(_) = input else {
        return Err(Fault::error(format!("secret must be unicode or bytes, not {}", input.type_name())));
    };
    hash(&to_text(&input)?, scheme, &choice).map(Value::from)
}

/// The hash of a secret under one of passlib's schemes.
///
/// # Errors
/// An unknown scheme, a bad salt or number of rounds.
pub fn hash(secret: &str, scheme: &str, choice: &Choice) -> Result<String, Fault> {
    let could_not = |why: &str| Fault::error(format!("Could not hash the secret: {why}"));
    let (salt_size, most) = match scheme {
        "md5_crypt" => (8, 8),
        "sha256_crypt" | "sha512_crypt" => (16, 16),
        "bcrypt" => (22, 22),
        other => return Err(Fault::error(format!("{other} is not in the list of supported passlib algorithms: md5, blowfish, sha256, sha512"))),
    };
    let salt = choice.salt.clone().unwrap_or_else(|| random_salt(if scheme == "bcrypt" { 22 } else { choice.salt_size.unwrap_or(salt_size) }));
    if let Some(bad) = salt.chars().find(|c| !c.is_ascii_alphanumeric() && !"./".contains(*c)) {
        return Err(could_not(&format!("invalid character in the salt: {bad:?}")));
    }
    if salt.len() > most {
        return Err(could_not(&format!("salt too large ({scheme} requires <= {most} chars)")));
    }
    let rounds = |default: u32| choice.rounds.unwrap_or(default);
    match scheme {
        "md5_crypt" => Ok(md5_crypt(secret.as_bytes(), salt.as_bytes())),
        "sha256_crypt" => {
            let rounds = rounds(535_000) as usize;
            let params = Sha256Params::new(rounds).map_err(|_| could_not(ROUNDS))?;
            let digest = sha256_crypt_b64(secret.as_bytes(), salt.as_bytes(), &params).map_err(|_| could_not(ROUNDS))?;
            Ok(format!("$5${}{salt}${digest}", rounds_shown(rounds)))
        }
        "sha512_crypt" => {
            let rounds = rounds(656_000) as usize;
            let params = Sha512Params::new(rounds).map_err(|_| could_not(ROUNDS))?;
            let digest = sha512_crypt_b64(secret.as_bytes(), salt.as_bytes(), &params).map_err(|_| could_not(ROUNDS))?;
            Ok(format!("$6${}{salt}${digest}", rounds_shown(rounds)))
        }
        _ => bcrypt_hash(secret, &salt, rounds(12), choice.ident.as_deref().unwrap_or("2b")).map_err(|why| could_not(&why)),
    }
}

const ROUNDS: &str = "rounds must be between 1000 and 999999999";

/// 5000 rounds are the format's own default and not written.
fn rounds_shown(rounds: usize) -> String {
    if rounds == 5000 { String::new() } else { format!("rounds={rounds}$") }
}

/// A salt of the characters that crypt knows.
pub fn random_salt(length: usize) -> String {
    const CHARS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./";
    crate::template::active::note("password_hash()");
    let mut source = Source::System;
    (0..length).map(|_| char::from(CHARS[source.below(64) as usize])).collect()
}

fn bcrypt_hash(secret: &str, salt: &str, cost: u32, ident: &str) -> Result<String, String> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let raw = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT)
        .decode(salt)
        .ok()
        .and_then(|raw| <[u8; 16]>::try_from(raw).ok())
        .ok_or("salt must be 22 characters for bcrypt")?;
    let version = match ident.trim_matches('$') {
        "2a" => bcrypt::Version::TwoA,
        "2y" => bcrypt::Version::TwoY,
        "2b" => bcrypt::Version::TwoB,
        other => return Err(format!("unsupported bcrypt variant {other}")),
    };
    let parts = bcrypt::hash_with_salt(secret, cost, raw).map_err(|error| error.to_string())?;
    Ok(parts.format_for_version(version))
}

/// The scheme of FreeBSD, `$1$`.
fn md5_crypt(secret: &[u8], salt: &[u8]) -> String {
    let digest = |parts: &[&[u8]]| md5::Md5::digest(parts.concat());
    let alternate = digest(&[secret, salt, secret]);
    let mut input = [secret, b"$1$", salt].concat();
    input.extend(alternate.iter().cycle().take(secret.len()));
    let mut length = secret.len();
    while length > 0 {
        input.push(if length & 1 == 1 { 0 } else { secret[0] });
        length >>= 1;
    }
    let mut state = digest(&[&input]);
    for round in 0..1000 {
        let odd = round % 2 == 1;
        let mut parts: Vec<&[u8]> = vec![if odd { secret } else { &state }];
        if round % 3 != 0 {
            parts.push(salt);
        }
        if round % 7 != 0 {
            parts.push(secret);
        }
        parts.push(if odd { &state } else { secret });
        state = digest(&parts);
    }
    const CHARS: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = format!("$1${}$", String::from_utf8_lossy(salt));
    let mut write = |bytes: [u8; 3], count: usize| {
        let mut word = u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 8 | u32::from(bytes[2]);
        for _ in 0..count {
            out.push(char::from(CHARS[(word & 63) as usize]));
            word >>= 6;
        }
    };
    for i in 0..5 {
        write([state[i], state[i + 6], state[if i == 4 { 5 } else { i + 12 }]], 4);
    }
    write([0, 0, state[11]], 2);
    out
}

#[cfg(test)]
mod unit {
    use super::*;

    fn with(salt: &str, rounds: Option<u32>) -> Choice {
        Choice { salt: Some(salt.into()), rounds, ..Choice::default() }
    }

    #[test]
    fn hashes_have_cryptic_but_known_values() {
        // what glibc's crypt(3) gives
        assert_eq!(hash("secret", "md5_crypt", &with("saltsalt", None)).unwrap(), "$1$saltsalt$9xy1btjgzLYfb7hivXtC//");
        assert_eq!(
            hash("secret", "sha512_crypt", &with("saltsalt", Some(5000))).unwrap(),
            "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1"
        );
        assert_eq!(
            hash("secret", "sha256_crypt", &with("saltsalt", Some(1000))).unwrap(),
            "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2"
        );
        assert!(hash("x", "sha512_crypt", &with("!", None)).is_err() && hash("x", "des", &with("ab", None)).is_err());
    }

    #[test]
    fn bcrypt_keeps_its_salt() {
        let made = hash("secret", "bcrypt", &with("1234567890123456789012", Some(4))).unwrap();
        assert!(made.starts_with("$2b$04$12345678901234567890"), "{made}");
        assert_eq!(bcrypt::verify("secret", &made).ok(), Some(true));
    }
}
