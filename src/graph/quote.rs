//! Words of others inside our own sentences, which end up in a line of a log and in a payload.

/// Characters of a quotation.
const LONGEST_QUOTATION: usize = 300;

/// `text` on one line, cut where it would make the sentence around it unreadable.
pub(super) fn quote(text: &str) -> String {
    let mut characters = text.trim().chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c });
    let mut quoted: String = characters.by_ref().take(LONGEST_QUOTATION).collect();
    if characters.next().is_some() {
        quoted.push('…');
    }
    quoted
}

/// Whether a character turns the direction in which a line is read, and so what it seems to say (Unicode, UAX 9).
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_that_ends() {
        for (text, quoted) in [
            ("", ""),
            (" Insufficient privileges.\r\n", "Insufficient privileges."),
            ("a\nb\u{0}c\u{1b}[31m", "a b c [31m"),
            ("a\u{202e}b\u{2066}c", "a b c"),
        ] {
            assert_eq!(quote(text), quoted);
        }
        let whole = "ä".repeat(LONGEST_QUOTATION);
        assert_eq!(quote(&whole), whole);
        assert_eq!(quote(&format!("{whole}ä")), format!("{whole}…"));
    }
}
