//! Filters for HTML: escape, striptags, urlize, xmlattr; and wordwrap.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{defined, elements, flag_or, given, index_or, str_argument, to_dict, to_text};
use crate::template::methods::text::splitlines;
use crate::value::{Fault, Value, repr};

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('>', "&gt;").replace('<', "&lt;").replace('\'', "&#39;").replace('"', "&#34;")
}

/// `escape`, `e`, `forceescape`.
///
/// # Errors
/// A part has no value.
pub fn escape(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("escape")?;
    Ok(escaped(&to_text(&input)?).into())
}

/// `striptags`: text without comments and tags, white space squeezed, entities read.
///
/// # Errors
/// A part has no value.
pub fn striptags(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_striptags")?;
    let mut text = to_text(&input)?.to_string();
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        while let Some(start) = text.find(open) {
            let Some(end) = text[start..].find(close) else { break };
            text.replace_range(start..start + end + close.len(), "");
        }
    }
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(unescaped(&squeezed).into())
}

/// The entities that people write.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 10).and_then(|(name, following)| Some((entity(name)?, following)));
        match entity {
            Some((c, following)) => {
                out.push(c);
                rest = following;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = number.strip_prefix(['x', 'X']).map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
        return code.and_then(char::from_u32);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "raquo" => '»',
        "laquo" => '«',
        "mdash" => '—',
        "ndash" => '–',
        "hellip" => '…',
        "euro" => '€',
        _ => return None,
    })
}

/// `xmlattr`.
///
/// # Errors
/// Not a dictionary, or a name that no attribute can have.
pub fn xmlattr(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [autospace] = args.bind(signature("do_xmlattr", 2, 0), ["autospace"])?;
    let Some(dict) = to_dict(&input)? else {
        return Err(Fault::error(format!("'{}' object has no attribute 'items'", input.type_name())));
    };
    let mut parts = Vec::new();
    for (key, value) in dict {
        if matches!(value, Value::Null | Value::Undefined(_)) {
            continue;
        }
        let name = str_argument(&key.to_value(), "the name")?;
        if name.contains(|c: char| " \t\n\r\u{b}\u{c}/>=".contains(c)) {
            return Err(Fault::error(format!("Invalid character in attribute name: {}", repr(&key.to_value()))));
        }
        parts.push(format!("{}=\"{}\"", escaped(&name), escaped(&to_text(&value)?)));
    }
    let joined = parts.join(" ");
    let space = flag_or(autospace.as_ref(), true)? && !joined.is_empty();
    Ok(if space { format!(" {joined}") } else { joined }.into())
}

/// What links of `urlize` look like.
struct Links {
    limit: Option<usize>,
    attributes: String,
    schemes: Vec<String>,
}

/// `urlize`.
///
/// # Errors
/// A scheme that is none.
pub fn urlize(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let [limit, nofollow, target, rel, schemes] = args.bind(signature("do_urlize", 2, 0), ["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"])?;
    let mut relations: Vec<String> = given(rel).map_or(Ok("".into()), |rel| to_text(&rel))?.split_whitespace().map(str::to_owned).collect();
    relations.push("noopener".into());
    if flag_or(nofollow.as_ref(), false)? {
        relations.push("nofollow".into());
    }
    relations.sort();
    relations.dedup();
    let mut attributes = format!(" rel=\"{}\"", escaped(&relations.join(" ")));
    if let Some(target) = given(target) {
        attributes += &format!(" target=\"{}\"", escaped(&to_text(&target)?));
    }
    let schemes: Vec<String> = match given(schemes) {
        None => Vec::new(),
        Some(schemes) => elements(&schemes, env)?.iter().map(|scheme| Ok(to_text(scheme)?.to_string())).collect::<Result<_, Fault>>()?,
    };
    let good = super::regex::compile(r"[\w.+-]{2,}:(/){0,2}", false, false)?;
    for scheme in &schemes {
        if good.fullmatch(scheme).map_err(Fault::error)?.is_none() {
            return Err(Fault::error(format!("{} is not a valid URI scheme prefix.", repr(&scheme.as_str().into()))));
        }
    }
    let limit = given(limit).map(|limit| index_or(Some(&limit), 0)).transpose()?.map(|limit| limit.max(0) as usize);
    let links = Links { limit, attributes, schemes };
    let text = escaped(&to_text(&input)?);
    let words = super::regex::compile(r"\s+|\S+", false, false)?.find_all(&text).map_err(Fault::error)?;
    let mut out = String::new();
    for word in words {
        out += &links.word(word.group(0, &text).unwrap_or_default())?;
    }
    Ok(out.into())
}

impl Links {
    fn word(&self, word: &str) -> Result<String, Fault> {
        let mut rest = word;
        while let Some(after) = ["(", "<", "&lt;"].into_iter().find_map(|open| rest.strip_prefix(open)) {
            rest = after;
        }
        let head = &word[..word.len() - rest.len()];
        let mut middle = rest;
        while let Some(before) = [")", ">", ".", ",", "\n", "&gt;"].into_iter().find_map(|close| middle.strip_suffix(close)) {
            middle = before;
        }
        let mut middle = middle.to_string();
        let mut tail = rest[middle.len()..].to_string();
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let opened = middle.matches(open).count();
            if opened <= middle.matches(close).count() {
                continue;
            }
            for _ in 0..opened.min(tail.matches(close).count()) {
                let end = tail.find(close).map_or(0, |at| at + close.len());
                middle += &tail[..end];
                tail = tail[end..].to_string();
            }
        }
        Ok(format!("{head}{}{tail}", self.link(&middle)?))
    }

    fn link(&self, text: &str) -> Result<String, Fault> {
        let is = |pattern: &str, text: &str| Ok::<bool, Fault>(super::regex::compile(pattern, true, false)?.match_start(text).map_err(Fault::error)?.is_some());
        let web = r"^((https?://|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\])))(?::[\d]{1,5})?(?:[/?#]\S*)?$";
        let mail = r"^\S+@\w[\w.-]*\.\w+$";
        let shown = |text: &str| match self.limit {
            Some(limit) if text.chars().count() > limit => format!("{}...", text.chars().take(limit).collect::<String>()),
            _ => text.to_string(),
        };
        let anchor = |href: &str, text: &str| format!("<a href=\"{href}\"{}>{text}</a>", self.attributes);
        if is(web, text)? {
            let address = if text.starts_with("https://") || text.starts_with("http://") { text.to_string() } else { format!("https://{text}") };
            return Ok(anchor(&address, &shown(text)));
        }
        if let Some(address) = text.strip_prefix("mailto:")
            && is(mail, address)?
        {
            return Ok(format!("<a href=\"{text}\">{address}</a>"));
        }
        if text.contains('@') && !text.starts_with("www.") && !text.starts_with('@') && !text.contains(':') && is(mail, text)? {
            return Ok(format!("<a href=\"mailto:{text}\">{text}</a>"));
        }
        let known = self.schemes.iter().any(|scheme| text != scheme && text.starts_with(scheme.as_str()));
        Ok(if known { anchor(text, text) } else { text.to_string() })
    }
}

/// `wordwrap`.
///
/// # Errors
/// The input is not text, or no width.
pub fn wordwrap(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [width, long_words, wrap, hyphens] = args.bind(signature("do_wordwrap", 2, 0), ["width", "break_long_words", "wrapstring", "break_on_hyphens"])?;
    let width = index_or(width.as_ref(), 79)?;
    let wrap = given(wrap).map_or(Ok("\n".into()), |wrap| to_text(&wrap))?;
    let (long_words, hyphens) = (flag_or(long_words.as_ref(), true)?, flag_or(hyphens.as_ref(), true)?);
    defined(&input)?;
    let Value::Str(text) = &input else { return Err(Fault::error(format!("'{}' object has no attribute 'splitlines'", input.type_name()))) };
    if width <= 0 {
        return Err(Fault::error(format!("invalid width {width} (must be > 0)")));
    }
    let lines: Vec<String> = splitlines(text, false).into_iter().map(|line| wrapped(line, width as usize, long_words, hyphens).join(&wrap)).collect();
    Ok(lines.join(&wrap).into())
}

/// One line as `textwrap.wrap` breaks it, with white space kept inside lines.
fn wrapped(line: &str, width: usize, long_words: bool, hyphens: bool) -> Vec<String> {
    let mut chunks: std::collections::VecDeque<String> = chunks(line, hyphens).into();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        let is_space = |chunk: &String| chunk.trim().is_empty();
        if !lines.is_empty() && chunks.front().is_some_and(is_space) {
            chunks.pop_front();
        }
        let mut current: Vec<String> = Vec::new();
        let mut used = 0;
        while let Some(chunk) = chunks.front() {
            let len = chunk.chars().count();
            if used + len > width {
                break;
            }
            used += len;
            current.extend(chunks.pop_front());
        }
        if let Some(long) = chunks.front().filter(|chunk| chunk.chars().count() > width).cloned() {
            if long_words {
                let room = width - used;
                let cut = if hyphens { hyphen_cut(&long, room) } else { room };
                let cut = long.char_indices().nth(cut).map_or(long.len(), |(at, _)| at);
                current.push(long[..cut].to_string());
                chunks[0] = long[cut..].to_string();
            } else if current.is_empty() {
                current.extend(chunks.pop_front());
            }
        }
        if current.last().is_some_and(is_space) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// Where a long word is cut: behind its last hyphen that fits, when something stands before it.
fn hyphen_cut(word: &str, room: usize) -> usize {
    let head: Vec<char> = word.chars().take(room).collect();
    let hyphen = head.iter().rposition(|c| *c == '-').filter(|at| *at > 0 && head[..*at].iter().any(|c| *c != '-'));
    hyphen.map_or(room, |at| at + 1)
}

/// White space, and words broken behind hyphens between letters.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let chars: Vec<char> = line.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let space = c.is_whitespace();
        let letter = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphabetic());
        let behind_hyphen =
            hyphens && i >= 2 && chars[i - 1] == '-' && letter(Some(i)) && letter(i.checked_sub(2)) && (letter(Some(i + 1)) || chars.get(i + 1) == Some(&'-'));
        match chunks.last_mut() {
            Some(last) if last.ends_with(char::is_whitespace) == space && !behind_hyphen => last.push(*c),
            _ => chunks.push(c.to_string()),
        }
    }
    chunks
}
