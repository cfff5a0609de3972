//! A line made of pieces, each with a look of its own, cut to the width that there is.

use unicode_width::UnicodeWidthChar;

/// How a piece of text looks, so that it can be read on any background: in the terminal's own colours, but
/// for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
    Magenta,
}

impl Ink {
    /// The parameters of "select graphic rendition" (ECMA-48, section 8.3.117).
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Green => Some("32"),
            // 33 is so bright in most themes that it cannot be read on white.
            Self::Yellow => Some("38;5;136"),
            Self::Red => Some("31"),
            Self::Magenta => Some("35"),
        }
    }
}

/// A line to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(Vec<(String, Ink)>);

impl Line {
    /// A line in one look.
    pub(crate) fn of(text: impl Into<String>, ink: Ink) -> Self {
        Self(vec![(text.into(), ink)])
    }

    /// The same with one piece more.
    #[must_use]
    pub(crate) fn and(mut self, text: impl Into<String>, ink: Ink) -> Self {
        self.0.push((text.into(), ink));
        self
    }

    /// As text of at most `width` columns; without colours there is nothing in it but the words.
    #[must_use]
    pub fn render(&self, width: Option<usize>, colours: bool) -> String {
        let whole: usize = self.0.iter().map(|(text, _)| columns(text)).sum();
        let is_cut = width.is_some_and(|width| whole > width);
        // The last column is for the mark that something is missing.
        let mut left = width.filter(|_| is_cut).map_or(usize::MAX, |width| width.saturating_sub(1));
        let mut line = String::new();
        for (text, ink) in &self.0 {
            let (kept, used) = head(text, left);
            left = left.saturating_sub(used);
            match ink.code().filter(|_| colours && !kept.trim().is_empty()) {
                Some(code) => line += &format!("\x1b[{code}m{kept}\x1b[0m"),
                None => line += kept,
            }
            if kept.len() < text.len() {
                break;
            }
        }
        if is_cut {
            line.push('…');
            line
        } else {
            line.trim_end().to_owned()
        }
    }
}

/// How wide a text is. Every width is measured by this, character by character: whatever a terminal makes of
/// a sequence of them, a sum of parts is never more than the whole.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// The text and the blanks that fill `width` columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// A sentence in lines of at most `width` columns, broken between words; a longer word is cut when it is
/// shown.
pub(crate) fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width.is_none_or(|width| columns(line) + 1 + columns(word) <= width) => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The longest beginning that fits, and its columns.
fn head(text: &str, width: usize) -> (&str, usize) {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        let more = width_of(character);
        if used + more > width {
            return (&text[..at], used);
        }
        used += more;
    }
    (text, used)
}

fn width_of(character: char) -> usize {
    character.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_columns_and_not_by_bytes_or_escapes() {
        let line = Line::of("Žofie ", Ink::Plain).and("王王", Ink::Red).and("  ", Ink::Plain);
        for (width, colours, expected) in [
            (None, false, "Žofie 王王"),
            (None, true, "Žofie \x1b[31m王王\x1b[0m"),
            (Some(12), false, "Žofie 王王"),
            (Some(10), false, "Žofie 王…"),
            (Some(9), true, "Žofie \x1b[31m王\x1b[0m…"),
            (Some(8), true, "Žofie …"),
            (Some(3), true, "Žo…"),
            (Some(0), true, "…"),
        ] {
            assert_eq!(line.render(width, colours), expected, "{width:?} {colours}");
        }
        assert_eq!(padded("王", 4), "王  ");
        // As a whole these are another number of columns than their characters are.
        for (text, expected) in
            [("#\u{fe0f}", "#\u{fe0f}…"), ("👩\u{200d}👩", "…"), ("🇨🇿", "🇨…"), ("👍🏽", "…")]
        {
            let line = Line::of(text, Ink::Plain).and("xyz", Ink::Red);
            assert_eq!(line.render(Some(2), false), expected, "{text}");
        }
    }

    #[test]
    fn a_sentence_is_broken_between_words() {
        assert_eq!(wrapped("sign in again", Some(7)), ["sign in", "again"]);
        assert_eq!(wrapped("sign in", Some(2)), ["sign", "in"]);
        assert_eq!(wrapped("sign in again", None), ["sign in again"]);
    }
}
