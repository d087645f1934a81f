//! The lines of fstab and of the kernel's table of mounts.

/// A line of fstab, as the user writes its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub src: String,
    pub name: String,
    pub fstype: String,
    pub opts: String,
    pub dump: String,
    pub passno: String,
}

/// Fields hold no blanks.
fn escaped(field: &str) -> String {
    field.replace('\\', "\\134").replace(' ', "\\040").replace('&', "\\046")
}

impl Entry {
    fn fields(&self) -> [String; 6] {
        [&self.src, &self.name, &self.fstype, &self.opts, &self.dump, &self.passno].map(|field| escaped(field))
    }
}

/// The fields of a line, the last two being 0 where they are missing; none for a comment.
fn fields(line: &str) -> Option<[String; 6]> {
    let mut words: Vec<String> = line.split('#').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if !(4..=6).contains(&words.len()) {
        return None;
    }
    words.resize(6, "0".into());
    words.try_into().ok()
}

/// Whether a line is the one meant: by its mount point; a line of swap, which has none, by its source.
fn is_meant(line: &[String; 6], wanted: &Entry, by_source: bool) -> bool {
    let swap = line[1] == "none" && line[2] == "swap";
    line[1] == escaped(&wanted.name) && !(by_source && swap && line[0] != wanted.src)
}

/// The text with the entry; `None` when it has it already.
pub(super) fn with(text: &str, wanted: &Entry) -> Option<String> {
    let new = wanted.fields();
    let (mut out, mut exists, mut changed) = (String::new(), false, false);
    for line in text.lines() {
        match fields(line).filter(|have| is_meant(have, wanted, true)) {
            Some(have) => {
                exists = true;
                changed |= have != new;
                out.push_str(&if have == new { format!("{line}\n") } else { format!("{}\n", new.join(" ")) });
            }
            None => out.push_str(&format!("{line}\n")),
        }
    }
    if !exists {
        out.push_str(&format!("{}\n", new.join(" ")));
    }
    (changed || !exists).then_some(out)
}

/// The text without the entry; `None` when it has none.
pub(super) fn without(text: &str, wanted: &Entry, by_source: bool) -> Option<String> {
    let kept: String = text.split_inclusive('\n').filter(|line| !fields(line).is_some_and(|have| is_meant(&have, wanted, by_source))).collect();
    (kept.len() != text.len()).then_some(kept)
}

/// What is mounted at a place, from `/proc/self/mountinfo`: for each mount the names of its source.
pub(super) fn mounted(table: &str, place: &str) -> Vec<Vec<String>> {
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let plain = |field: &str| field.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    let here = rows.iter().filter(|row| row.len() >= 10 && plain(row[4]) == place);
    here.map(|row| {
        let device = row[row.len() - 2];
        let mut names = vec![plain(device)];
        // a bound directory: where its file system is mounted as a whole, and the way from there
        let whole = rows.iter().filter(|other| other.len() >= 10 && other[2] == row[2] && other[4] != row[4]);
        for other in whole {
            if let Some(below) = row[3].strip_prefix(other[3].trim_end_matches('/')) {
                names.push(plain(&format!("{}{below}", other[4].trim_end_matches('/'))));
            }
        }
        names
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let text = str::to_owned;
        Entry { src: text("/dev/a"), name: text("/my data"), fstype: text("ext4"), opts: text("defaults"), dump: text("0"), passno: text("0") }
    }

    #[test]
    fn fstab_is_edited_line_by_line() {
        let line = "/dev/a /my\\040data ext4 defaults 0 0\n";
        assert_eq!(with("# c\n", &entry()).unwrap(), format!("# c\n{line}"));
        assert_eq!(with(line, &entry()), None);
        assert_eq!(with("/dev/a  /my\\040data ext4   defaults\n", &entry()), None);
        assert_eq!(with("/dev/b /my\\040data ext4 ro 0 0\n/dev/c /c x y\n", &entry()).unwrap(), format!("{line}/dev/c /c x y\n"));
        assert_eq!(without(&format!("# c\n{line}"), &entry(), true).unwrap(), "# c\n");
        assert_eq!(without("# c\n", &entry(), true), None);
    }

    #[test]
    fn sources_of_mounts() {
        let table = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 20 0:5 / /tmp rw - tmpfs tmpfs rw\n31 20 8:1 /srv/x /mnt/y rw - ext4 /dev/sda1 rw\n";
        assert_eq!(mounted(table, "/tmp"), [["tmpfs"]]);
        assert_eq!(mounted(table, "/mnt/y"), [["/dev/sda1", "/srv/x"]]);
        assert!(mounted(table, "/mnt").is_empty());
    }
}
