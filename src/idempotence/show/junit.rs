//! The judgement as JUnit XML: a suite for each host, a case for each task and item.

use std::fmt::Write as _;
use std::path::Path;

use super::super::judge::{Judgement, Result, Verdict};
use super::shown;

/// The text.
pub fn junit(judgement: &Judgement, root: &Path) -> String {
    let mut hosts: Vec<&str> = Vec::new();
    for result in &judgement.results {
        if !hosts.contains(&&*result.key.host) {
            hosts.push(&result.key.host);
        }
    }
    let bad = |verdict| move |result: &&&Result| result.verdict == verdict && !excused(judgement, result);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites name=\"idempotence\">\n");
    for host in hosts {
        let own: Vec<&Result> = judgement.results.iter().filter(|result| &*result.key.host == host).collect();
        let failures = own.iter().filter(bad(Verdict::WouldChange)).count();
        let skipped = own.iter().filter(bad(Verdict::Unverifiable)).count();
        let _ = writeln!(out, "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\" errors=\"0\">", escape(host), own.len());
        own.into_iter().for_each(|result| case(&mut out, judgement, result, root));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn excused(judgement: &Judgement, result: &Result) -> bool {
    result.finding.is_some_and(|at| judgement.findings[at].waived.is_some())
}

fn case(out: &mut String, judgement: &Judgement, result: &Result, root: &Path) {
    let file = shown(&result.key.file, root);
    let item = result.key.item.as_ref().map(|(label, _)| format!(" (item={label})")).unwrap_or_default();
    let turn = if result.key.turn > 0 { format!(" #{}", result.key.turn + 1) } else { String::new() };
    let name = format!("{}{item}{turn}", result.name);
    let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"", escape(&file), escape(&name), escape(&file), result.key.line);
    let Some(finding) = result.finding.map(|at| &judgement.findings[at]).filter(|finding| finding.waived.is_none()) else {
        out.push_str("/>\n");
        return;
    };
    let kind = finding.cause.kind;
    let message = escape(&format!("{}: {}", kind.title(), finding.cause.why));
    let others: String = finding.others.iter().map(|other| format!("with {}:{} {}\n", shown(&other.file, root), other.line, other.name)).collect();
    let _ = match result.verdict {
        Verdict::WouldChange => {
            writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{message}\">{}cure: {}</failure>\n    </testcase>",
                kind.name(),
                escape(&others),
                escape(kind.help())
            )
        }
        _ => writeln!(out, ">\n      <skipped message=\"{message}\"/>\n    </testcase>"),
    };
}

/// Text as XML has it; characters that XML does not know become question marks.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_breaks_out_of_an_attribute() {
        assert_eq!(escape("a<b>\"c\"&\u{1}\n"), "a&lt;b&gt;&quot;c&quot;&amp;?&#10;");
    }
}
