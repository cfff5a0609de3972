//! Drawing in place.
//!
//! The cursor stays below what was drawn, visible, and every line ends in the terminal's own look: however
//! the program ends, nothing has to be put right, and what was seen last stays to be read.

use std::io::{self, Write};

use terminal_size::{Height, Width, terminal_size};

/// Of a terminal that does not say.
const USUAL: Size = Size { width: 80, height: 24 };

/// Columns and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

impl Size {
    /// Of the terminal that this process has.
    #[must_use]
    pub fn of_terminal() -> Self {
        let size = terminal_size().map(|(Width(width), Height(height))| (width.into(), height.into()));
        size.filter(|&(width, height)| width > 0 && height > 0)
            .map_or(USUAL, |(width, height)| Self { width, height })
    }
}

/// What is on the terminal.
#[derive(Debug, Default)]
pub struct Screen {
    drawn: usize,
    size: Option<Size>,
}

impl Screen {
    /// Puts these lines, which must fit, in the place of those before.
    ///
    /// # Errors
    ///
    /// If the terminal is gone.
    pub fn draw(&mut self, lines: &[String], size: Size, out: &mut impl Write) -> io::Result<()> {
        let mut frame = String::new();
        if self.size.is_some_and(|before| before != size) {
            // Terminals break lines anew: where the old ones begin is not known any more.
            frame += "\x1b[H\x1b[2J";
        } else if self.drawn > 0 {
            frame += &format!("\x1b[{}A\r", self.drawn);
        }
        for line in lines.iter().take(size.height.saturating_sub(1)) {
            frame += line;
            frame += "\x1b[K\r\n";
        }
        frame += "\x1b[J";
        // At once, so that no half of it is ever seen.
        out.write_all(frame.as_bytes())?;
        out.flush()?;
        self.drawn = lines.len().min(size.height.saturating_sub(1));
        self.size = Some(size);
        Ok(())
    }
}

impl Screen {
    /// Somebody typed a line, which the terminal showed: the cursor is one line further down.
    pub fn line_typed(&mut self) {
        self.drawn += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(screen: &mut Screen, lines: &[&str], size: Size) -> String {
        let mut out = Vec::new();
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        screen.draw(&lines, size, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_take_the_place_of_those_before() {
        let mut screen = Screen::default();
        let size = Size { width: 20, height: 3 };
        assert_eq!(drawn(&mut screen, &["a"], size), "a\x1b[K\r\n\x1b[J");
        assert_eq!(
            drawn(&mut screen, &["b", "c", "too much"], size),
            "\x1b[1A\rb\x1b[K\r\nc\x1b[K\r\n\x1b[J"
        );
        let other = Size { width: 10, height: 3 };
        assert_eq!(drawn(&mut screen, &["d"], other), "\x1b[H\x1b[2Jd\x1b[K\r\n\x1b[J");
        assert_eq!(drawn(&mut screen, &["e"], other), "\x1b[1A\re\x1b[K\r\n\x1b[J");
    }
}
