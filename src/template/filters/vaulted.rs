//! `vault` and `unvault`: encrypting and decrypting with a secret of the template's own.

use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{class_of, given, str_argument, to_text};
use crate::template::{Env, coerce};
use crate::value::{Fault, Value};
use crate::vault::{Secrets, is_encrypted};

fn secret_of(secret: Option<Value>) -> Result<Vec<u8>, Fault> {
    match secret.unwrap_or(Value::Null) {
        Value::Str(text) => Ok(text.as_bytes().to_vec()),
        Value::Bytes(bytes) => Ok(bytes.to_vec()),
        other => {
            coerce::defined(&other)?;
            Err(Fault::error(format!("Secret passed is required to be a string, instead we got {}.", class_of(&other))))
        }
    }
}

/// `vault`.
///
/// # Errors
/// No text, no secret.
pub fn vault(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [secret, salt, vault_id, wrap, old] = args.bind(signature("do_vault", 1, 1), ["secret", "salt", "vault_id", "wrap_object", "vaultid"])?;
    let secret = secret_of(secret)?;
    let Value::Str(text) = &input else {
        return Err(Fault::error(format!("Can only vault strings, instead we got {}.", class_of(&input))));
    };
    if wrap.is_some_and(|wrap| wrap.is_true()) {
        return Ok(input);
    }
    let salt = given(salt).map(|salt| to_text(&salt)).transpose()?;
    let label = given(old).or(given(vault_id)).map_or(Ok("filter_default".into()), |label| to_text(&label))?;
    let mut secrets = Secrets::new("default", false, salt.as_deref());
    secrets.add(&label, secret);
    secrets.encrypt(text.as_bytes(), Some(&label)).map(Value::from).map_err(|error| Fault::error(format!("Unable to encrypt: {error}")))
}

/// `unvault`: text that is no vault comes back as it is.
///
/// # Errors
/// No text, or the secret does not fit.
pub fn unvault(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [secret, _label, _old] = args.bind(signature("do_unvault", 1, 1), ["secret", "vault_id", "vaultid"])?;
    let secret = secret_of(secret)?;
    let text = str_argument(&input, "").map_err(|fault| {
        if fault.is_undefined() { fault } else { Fault::error(format!("Vault should be in the form of a string, instead we got {}.", class_of(&input))) }
    })?;
    if !is_encrypted(text.as_bytes()) {
        return Ok(input);
    }
    let mut secrets = Secrets::default();
    secrets.add("filter_default", secret);
    secrets.decrypt(&text).map(Value::from).map_err(|error| Fault::error(format!("Unable to decrypt: {error}")))
}
