//! Text of files whose bytes may be anything: edited as characters, written back byte for byte.

/// The content of a file as characters. Bytes that are not UTF-8 as a whole are kept one character per byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The characters.
    pub content: String,
    raw: bool,
}

impl Text {
    /// From a file's bytes.
    pub fn new(bytes: Vec<u8>) -> Text {
        match String::from_utf8(bytes) {
            Ok(content) => Text { content, raw: false },
            Err(error) => Text { content: error.as_bytes().iter().map(|byte| char::from(*byte)).collect(), raw: true },
        }
    }

    /// The user's text (a line, a pattern) in this text's characters.
    pub fn like(&self, text: &str) -> String {
        if self.raw { text.bytes().map(char::from).collect() } else { text.to_owned() }
    }

    /// Other characters of the same kind as bytes.
    pub fn bytes(&self, content: &str) -> Vec<u8> {
        if self.raw { content.chars().map(|c| u8::try_from(c as u32).unwrap_or(b'?')).collect() } else { content.as_bytes().to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        let text = Text::new(b"a\xff\xc3\xa9\n".to_vec());
        assert_eq!(text.bytes(&text.content), b"a\xff\xc3\xa9\n");
        assert!(text.content.contains(&text.like("é")));
        let plain = Text::new("é".into());
        assert_eq!(plain.bytes(&plain.like("é")), "é".as_bytes());
    }
}
