//! `pprint`: Python's `pprint.pformat`. Ansible's containers write themselves on one line, so only long text is broken.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::value::{Fault, Value, repr};

const WIDTH: usize = 80;

/// `pprint`.
///
/// # Errors
/// A part has no value.
pub fn pprint(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [] = args.bind(signature("do_pprint", 1, 0), [])?;
    let resolved = input.resolve()?;
    let Value::Str(text) = &resolved else { return Ok(repr(&resolved).into()) };
    let shown = repr(&resolved);
    if shown.chars().count() <= WIDTH {
        return Ok(shown.into());
    }
    let pieces = pieces(text);
    Ok(if pieces.len() == 1 { pieces[0].as_str().into() } else { format!("({})", pieces.join("\n ")).into() })
}

/// Long text as quoted pieces, each on its line, broken behind line ends and white space.
fn pieces(text: &str) -> Vec<String> {
    // a column for the parenthesis that opens, and on the last line one for the one that closes
    let room = WIDTH - 1;
    let quoted = |text: &str| repr(&text.into());
    let mut pieces: Vec<String> = Vec::new();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (i, line) in lines.iter().enumerate() {
        let last_line = i + 1 == lines.len();
        if quoted(line).chars().count() <= room - usize::from(last_line) {
            pieces.push(quoted(line));
            continue;
        }
        let words = words(line);
        let mut current = String::new();
        for (j, word) in words.iter().enumerate() {
            let longer = format!("{current}{word}");
            let last = last_line && j + 1 == words.len();
            if quoted(&longer).chars().count() > room - usize::from(last) {
                pieces.extend((!current.is_empty()).then(|| quoted(&current)));
                current = word.clone();
            } else {
                current = longer;
            }
        }
        pieces.extend((!current.is_empty()).then(|| quoted(&current)));
    }
    pieces
}

/// Words with the white space that follows each.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for c in line.chars() {
        match words.last_mut() {
            Some(last) if c.is_whitespace() || !last.ends_with(char::is_whitespace) => last.push(c),
            _ => words.push(c.to_string()),
        }
    }
    words
}
