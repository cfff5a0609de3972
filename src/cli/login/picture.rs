//! A QR code that can be read off any terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Black on white, of the colours that themes leave alone: on a dark terminal its own two would make a
/// negative, which not every phone reads.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";

/// The terminal's own colours again, before the line ends: what is beside the picture is not part of it.
const AS_BEFORE: &str = "\x1b[0m";

/// The text as a picture, with the white around it that readers need; nothing if it is too long for one.
pub(super) fn of(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let rows = code.render::<Dense1x2>().build();
    Some(rows.lines().map(|row| format!("{BLACK_ON_WHITE}{row}{AS_BEFORE}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels of a module.
    const SIDE: usize = 4;

    /// What a camera sees of a terminal with these colours, as grey values, two rows of modules for each line
    /// of text.
    fn screen(text: &str, foreground: u8, background: u8) -> Vec<Vec<u8>> {
        let columns = 16 + text.lines().map(|line| line.chars().count()).max().unwrap();
        let blank = || vec![background; columns];
        let mut rows = vec![blank(); 8];
        for line in text.lines() {
            let (mut upper, mut lower) = (blank(), blank());
            let (mut ink, mut paper) = (foreground, background);
            let mut column = 8;
            let mut rest = line;
            while let Some(character) = rest.chars().next() {
                if let Some(after) = rest.strip_prefix(BLACK_ON_WHITE) {
                    (ink, paper, rest) = (0, 255, after);
                    continue;
                }
                if let Some(after) = rest.strip_prefix(AS_BEFORE) {
                    (ink, paper, rest) = (foreground, background, after);
                    continue;
                }
                (upper[column], lower[column]) = match character {
                    ' ' => (paper, paper),
                    '▀' => (ink, paper),
                    '▄' => (paper, ink),
                    '█' => (ink, ink),
                    other => panic!("{other:?}"),
                };
                column += 1;
                rest = &rest[character.len_utf8()..];
            }
            rows.extend([upper, lower]);
        }
        rows.resize_with(rows.len() + 8, blank);
        rows
    }

    fn read(screen: &[Vec<u8>]) -> String {
        let (width, height) = (screen[0].len() * SIDE, screen.len() * SIDE);
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| screen[y / SIDE][x / SIDE]);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_decoder_reads_it_on_a_light_and_on_a_dark_terminal() {
        for address in ["https://microsoft.com/devicelogin", "https://login.microsoft.com/device"] {
            let picture = of(address).unwrap();
            for (name, foreground, background) in
                [("light", 0, 255), ("dark", 255, 0), ("solarized", 0x83, 0x2b)]
            {
                assert_eq!(read(&screen(&picture, foreground, background)), address, "{name}");
            }
        }
    }

    #[test]
    fn the_colours_end_with_each_line() {
        let picture = of("https://microsoft.com/devicelogin").unwrap();
        assert!(picture.lines().count() > 10);
        for line in picture.lines() {
            assert!(line.starts_with(BLACK_ON_WHITE) && line.ends_with(AS_BEFORE), "{line:?}");
        }
        assert_eq!(of(&"x".repeat(10_000)), None);
    }
}
