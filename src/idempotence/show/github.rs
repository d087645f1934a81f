//! The judgement as annotations of GitHub Actions.

use std::path::Path;

use super::super::cause::Kind;
use super::super::judge::{Judgement, Verdict};
use super::shown;

/// One line for each finding that nobody excuses.
pub fn github(judgement: &Judgement, root: &Path) -> String {
    let open = judgement.findings.iter().filter(|finding| finding.waived.is_none() && finding.cause.kind != Kind::Follows);
    open.map(|finding| {
        let level = if finding.verdict == Verdict::WouldChange { "error" } else { "warning" };
        let kind = finding.cause.kind;
        let others: String = finding.others.iter().map(|other| format!("\nwith {}:{} {}", shown(&other.file, root), other.line, other.name)).collect();
        let hosts: Vec<&str> = finding.hosts.iter().map(|(host, _)| &**host).collect();
        let text = format!("{}: {} (on {}){others}\ncure: {}", finding.place.name, finding.cause.why, hosts.join(", "), kind.help());
        let file = property(&shown(&finding.place.file, root));
        format!("::{level} file={file},line={},title=idempotence: {}::{}\n", finding.place.line, property(kind.title()), data(&text))
    })
    .collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn a_text_stays_on_its_line() {
        assert_eq!(data("a\nb%"), "a%0Ab%25");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
