//! Bytes: encodings, and the methods people call on them.

use std::fmt::Write as _;

use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::str_argument;
use crate::value::{Fault, Value};

/// The bytes of text in one of the encodings we know.
///
/// # Errors
/// An encoding that we do not know, or a character that it lacks.
pub fn encode(text: &str, encoding: &str) -> Result<Vec<u8>, Fault> {
    let single = |limit: u32, name: &str| {
        text.chars()
            .enumerate()
            .map(|(at, c)| {
                u8::try_from(u32::from(c)).ok().filter(|b| u32::from(*b) < limit).ok_or_else(|| {
                    Fault::error(format!("'{name}' codec can't encode character '\\u{:04x}' in position {at}: ordinal not in range({limit})", u32::from(c)))
                })
            })
            .collect()
    };
    let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    match normal(encoding).as_str() {
        "utf8" => Ok(text.as_bytes().to_vec()),
        "ascii" | "usascii" => single(128, "ascii"),
        "latin1" | "iso88591" => single(256, "latin-1"),
        "utf16le" => Ok(wide(u16::to_le_bytes)),
        "utf16be" => Ok(wide(u16::to_be_bytes)),
        "utf16" => Ok([vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat()),
        _ => Err(Fault::error(format!("unknown encoding: {encoding}"))),
    }
}

/// The text of bytes in one of the encodings we know.
///
/// # Errors
/// An encoding that we do not know, or bytes that are not text in it.
pub fn decode(bytes: &[u8], encoding: &str) -> Result<String, Fault> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks(2).map(|pair| unit([pair[0], pair.get(1).copied().unwrap_or(0)])).collect();
        String::from_utf16(&units).map_err(|_| Fault::error("'utf-16' codec can't decode bytes: illegal encoding"))
    };
    match normal(encoding).as_str() {
        "utf8" => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_string()),
            Err(error) => Err(Fault::error(format!(
                "'utf-8' codec can't decode byte 0x{:02x} in position {}: invalid start byte",
                bytes[error.valid_up_to()],
                error.valid_up_to()
            ))),
        },
        "ascii" | "usascii" => match bytes.iter().position(|b| *b > 127) {
            Some(at) => Err(Fault::error(format!("'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)", bytes[at]))),
            None => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        },
        "latin1" | "iso88591" => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        "utf16le" => wide(bytes, u16::from_le_bytes),
        "utf16be" => wide(bytes, u16::from_be_bytes),
        "utf16" => match bytes {
            [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
            [0xff, 0xfe, rest @ ..] | rest => wide(rest, u16::from_le_bytes),
        },
        _ => Err(Fault::error(format!("unknown encoding: {encoding}"))),
    }
}

fn normal(encoding: &str) -> String {
    encoding.to_ascii_lowercase().replace(['-', '_'], "")
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A method of bytes; `None` when there is none of that name.
///
/// # Errors
/// As Python's.
pub fn call(bytes: &[u8], name: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    Ok(Some(match name {
        "decode" => {
            let [encoding, _errors] = args.bind(signature("decode", 0, 0), ["encoding", "errors"])?;
            let encoding = encoding.map_or(Ok("utf-8".into()), |encoding| str_argument(&encoding, "decode() argument 'encoding'"))?;
            decode(bytes, &encoding)?.into()
        }
        "hex" => hex(bytes).into(),
        _ => return Ok(None),
    }))
}
