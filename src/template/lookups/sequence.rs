//! `sequence`: numbers from a start to an end, each written in a format.

use crate::template::coerce::{parse_int, to_text};
use crate::template::methods::printf;
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value};

use super::inline::Options;

const KNOWN: &[&str] = &["start", "end", "stride", "count", "format"];

/// `sequence`.
///
/// # Errors
/// Arguments that make no sequence.
pub fn sequence(terms: Vec<Value>, args: Arguments, _: &dyn Env) -> Result<Vec<Value>, Fault> {
    let options = Options::new("sequence", KNOWN, &args);
    let terms = if terms.is_empty() && !args.named.is_empty() { vec!["".into()] } else { terms };
    let mut out = Vec::new();
    for term in &terms {
        let term = to_text(term)?;
        let (options, short) = match shortcut(&term) {
            Some(short) => (options.clone(), Some(short)),
            None => {
                let (options, rest) =
                    options.with_term(&term).map_err(|fault| Fault::error(format!("unrecognized arguments to with_sequence: {}", fault.message)))?;
                if !rest.is_empty() {
                    return Err(Fault::error("unrecognized arguments to with_sequence: ['_raw_params']"));
                }
                (options, None)
            }
        };
        Numbers::new(&options, short)?.write(&mut out)?;
    }
    Ok(out)
}

/// `[start-]end[/stride][:format]`.
struct Shortcut {
    start: Option<i128>,
    end: i128,
    stride: Option<i128>,
    format: Option<String>,
}

fn shortcut(term: &str) -> Option<Shortcut> {
    let number = |text: &str| {
        let good = text.strip_prefix("0x").unwrap_or(text).chars().all(|c| c.is_ascii_hexdigit()) && !text.is_empty();
        if good { parse_int(text, 0).or_else(|| i128::from_str_radix(text.strip_prefix('0')?, 8).ok()) } else { None }
    };
    let (range, format) = term.split_once(':').map_or((term, None), |(range, format)| (range, Some(format.to_string())));
    if format.as_deref() == Some("") {
        return None;
    }
    let (range, stride) = range.split_once('/').map_or((range, None), |(range, stride)| (range, Some(stride)));
    let (start, end) = range.split_once('-').map_or((None, range), |(start, end)| (Some(start), end));
    let optional = |text: Option<&str>| text.map_or(Some(None), |text| number(text).map(Some));
    Some(Shortcut { start: optional(start)?, end: number(end)?, stride: optional(stride)?, format })
}

struct Numbers {
    start: i128,
    end: i128,
    stride: i128,
    format: String,
}

impl Numbers {
    fn new(options: &Options, short: Option<Shortcut>) -> Result<Numbers, Fault> {
        let short = short.map(|short| (short.start, Some(short.end), short.stride, short.format));
        let (start, end, stride, format) = short.unwrap_or_default();
        let start = start.or(options.int("start")?).unwrap_or(1);
        let stride = stride.or(options.int("stride")?).unwrap_or(1);
        let end = end.or(options.int("end")?);
        let format = match format {
            Some(format) => format,
            None => options.text("format", "%d")?.to_string(),
        };
        let end = match (end, options.int("count")?) {
            (None, None) => return Err(Fault::error("must specify count or end in with_sequence")),
            (Some(_), Some(_)) => return Err(Fault::error("can't specify both count and end in with_sequence")),
            (_, Some(0)) => return Ok(Numbers { start, end: start, stride: 0, format }),
            (_, Some(count)) => start + count * stride - 1,
            (Some(end), None) => end,
        };
        if stride > 0 && end < start {
            return Err(Fault::error("to count backwards make stride negative"));
        }
        if stride < 0 && end > start {
            return Err(Fault::error("to count forward don't make stride negative"));
        }
        if stride != 0 && format.matches('%').count() != 1 {
            return Err(Fault::error(format!("bad formatting string: {format}")));
        }
        Ok(Numbers { start, end, stride, format })
    }

    fn write(&self, out: &mut Vec<Value>) -> Result<(), Fault> {
        if self.stride == 0 {
            return Ok(());
        }
        let mut n = self.start;
        while (self.stride > 0 && n <= self.end) || (self.stride < 0 && n >= self.end) {
            let text = printf::percent(&self.format, &Value::Int(n))
                .map_err(|_| Fault::error(format!("problem formatting {n} with {}", crate::value::repr(&self.format.as_str().into()))))?;
            out.push(text.into());
            n += self.stride;
        }
        Ok(())
    }
}
