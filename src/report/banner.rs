//! `PLAY [name] ****` lines.

/// A banner, filled with stars to the width of the terminal (79 columns elsewhere), at least three.
pub(super) fn banner(text: &str, width: usize) -> String {
    let text = text.trim();
    let used: usize = text.chars().map(columns).sum();
    let stars = width.saturating_sub(used).max(3);
    format!("\n{text} {}", "*".repeat(stars))
}

/// Columns that a character takes on a terminal: two for the wide ones of East Asia and emoji.
fn columns(c: char) -> usize {
    match c as u32 {
        0x300..=0x36f | 0x200b..=0x200f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners_fill_the_line() {
        assert_eq!(banner("PLAY [x]", 79).len(), 1 + 8 + 1 + 71);
        assert!(banner(&"x".repeat(100), 79).ends_with("x ***"));
    }
}
