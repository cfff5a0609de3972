//! Text from the broker, made harmless: whoever may publish must not move the cursor of whoever watches.

/// Characters of a sentence that are shown at most.
const LONGEST: usize = 400;

/// The text on one line, without characters that a terminal obeys instead of showing them.
pub(super) fn legible(text: &str) -> String {
    text.chars().map(harmless).take(LONGEST).collect::<String>().trim().to_owned()
}

fn harmless(character: char) -> char {
    match character {
        // These turn the direction of writing, so that a line reads other than it is (Unicode Annex 9, section 2).
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ if character.is_control() => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        for (text, expected) in [
            ("Busy", "Busy"),
            (" Žofie 王 ", "Žofie 王"),
            ("\x1b[2J\u{7}x", "\u{fffd}[2J\u{fffd}x"),
            ("a\r\nb\u{9b}c", "a\u{fffd}\u{fffd}b\u{fffd}c"),
            ("\u{202e}ecila", "\u{fffd}ecila"),
        ] {
            assert_eq!(legible(text), expected);
        }
        assert_eq!(legible(&"x".repeat(1000)).len(), LONGEST);
    }
}
