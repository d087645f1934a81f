//! `csvfile`: a column of the row whose first column is the key.

use crate::template::coerce::{to_list, to_text};
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value};

use super::inline::Options;
use super::search;

/// `csvfile`.
///
/// # Errors
/// The file is missing, or the column.
pub fn csvfile(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let options = Options::new("csvfile", &["col", "keycol", "default", "delimiter", "file", "encoding"], &args);
    if terms.is_empty() {
        return Err(Fault::error("Search key is required but was not found"));
    }
    let mut out = Vec::new();
    for term in &terms {
        let (options, key) = options.with_term(&to_text(term)?)?;
        if key.is_empty() {
            return Err(Fault::error("Search key is required but was not found"));
        }
        if let Some(value) = look(&options, &key, env)? {
            match to_list(&value)? {
                Some(items) => out.extend(items),
                None => out.push(value),
            }
        }
    }
    Ok(out)
}

fn look(options: &Options, key: &str, env: &dyn Env) -> Result<Option<Value>, Fault> {
    let file = options.text("file", "ansible.csv")?;
    let path = search::find(env, Some("files"), &file).ok_or_else(|| Fault::error(format!("Unable to find '{file}' in expected paths")))?;
    let delimiter = match &*options.text("delimiter", "TAB")? {
        "TAB" | "\\t" => '\t',
        other => match other.chars().collect::<Vec<_>>().as_slice() {
            [one] => *one,
            _ => return Err(Fault::error("\"delimiter\" must be a 1-character string")),
        },
    };
    let column = |name: &str, default: usize| Ok::<usize, Fault>(options.int(name)?.map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX)));
    let (col, keycol) = (column("col", 1)?, column("keycol", 0)?);
    for row in rows(&search::read(env, &path)?, delimiter) {
        if row.is_empty() {
            continue;
        }
        let missing = || Fault::error("list index out of range");
        if row.get(keycol).ok_or_else(missing)? == key {
            return row.get(col).map(|cell| Some(cell.as_str().into())).ok_or_else(missing);
        }
    }
    Ok(options.get("default").cloned())
}

/// The rows of text in Excel's dialect: quotes around a cell keep delimiters and line ends, doubled quotes stand for one.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut cell = String::new();
    let (mut quoted, mut begun) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted => quoted = false,
            c if quoted => cell.push(c),
            '"' if cell.is_empty() => (quoted, begun) = (true, true),
            c if c == delimiter => {
                row.push(std::mem::take(&mut cell));
                begun = true;
            }
            '\r' => {}
            '\n' => {
                if begun || !cell.is_empty() {
                    row.push(std::mem::take(&mut cell));
                }
                rows.push(std::mem::take(&mut row));
                begun = false;
            }
            c => cell.push(c),
        }
    }
    if begun || !cell.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn cells_are_read_as_excel_writes_them() {
        assert_eq!(rows("a,\"b,\"\"c\"\"\nd\",e\n\nf,\n", ','), [vec!["a", "b,\"c\"\nd", "e"], vec![], vec!["f", ""]]);
    }
}
