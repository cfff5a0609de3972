//! Rows in columns.

use super::line::{Ink, Line, columns, padded};

/// Between two columns.
const GAP: &str = "  ";

/// So many columns are left of the first cell at least.
const LEAST: usize = 8;

/// A text in its place, and how it looks.
pub(crate) type Cell = (String, Ink);

/// How wide each column is. A table that is drawn again keeps its columns at least as wide as they were, so
/// that none of them jumps.
#[derive(Debug, Default)]
pub(crate) struct Widths(Vec<usize>);

/// The titles and the rows, a line each; every row has as many cells as there are titles. Where there is room
/// for so many columns only, those are left out that may be, in this order; then the first one is cut, and at
/// last the line where it is shown.
pub(crate) fn table(
    titles: &[&str],
    rows: &[Vec<Cell>],
    room: Option<usize>,
    may_go: &[usize],
    Widths(widths): &mut Widths,
) -> Vec<Line> {
    let titles: Vec<Cell> = titles.iter().map(|&title| (title.to_owned(), Ink::Bold)).collect();
    let lines = || std::iter::once(&titles).chain(rows);
    widths.resize(titles.len(), 0);
    for (i, width) in widths.iter_mut().enumerate() {
        *width = lines().map(|cells| columns(&cells[i].0)).max().unwrap_or_default().max(*width);
    }
    let mut shown: Vec<(usize, usize)> = widths.iter().copied().enumerate().collect();
    let excess = |shown: &[(usize, usize)]| {
        let whole: usize = shown.iter().map(|(_, width)| width + GAP.len()).sum();
        room.map_or(0, |room| whole.saturating_sub(room + GAP.len()))
    };
    for goes in may_go {
        if excess(&shown) > 0 {
            shown.retain(|(i, _)| i != goes);
        }
    }
    let excess = excess(&shown);
    if let Some((_, first)) = shown.first_mut() {
        *first = first.saturating_sub(excess).max(LEAST.min(*first));
    }
    lines().map(|cells| line(cells, &shown)).collect()
}

fn line(cells: &[Cell], shown: &[(usize, usize)]) -> Line {
    // Blanks at the end would be cut, and look as if something were missing.
    let Some((&(last, _), others)) = shown.split_last() else { return Line::default() };
    let line = others.iter().fold(Line::default(), |line, &(i, width)| {
        let (text, ink) = &cells[i];
        line.and(padded(&Line::of(text, *ink).render(Some(width), false), width), *ink).and(GAP, Ink::Plain)
    });
    let (text, ink) = &cells[last];
    line.and(text, *ink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_as_wide_as_its_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(|text| (text.to_owned(), Ink::Plain)).to_vec();
        let rows = [row(["alice-of-sales", "王王王", "yes"]), row(["b", "", ""])];
        for (room, expected) in [
            (None, ["USER            NAME    OUT", "alice-of-sales  王王王  yes", "b"]),
            (Some(27), ["USER            NAME    OUT", "alice-of-sales  王王王  yes", "b"]),
            (Some(26), ["USER            OUT", "alice-of-sales  yes", "b"]),
            (Some(15), ["USER        OUT", "alice-of-…  yes", "b"]),
            (Some(12), ["USER      O…", "alice-o…  y…", "b"]),
        ] {
            let lines = table(&["USER", "NAME", "OUT"], &rows, room, &[1], &mut Widths::default());
            let lines: Vec<String> = lines.iter().map(|line| line.render(room, false)).collect();
            assert_eq!(lines, expected, "{room:?}");
        }
    }

    #[test]
    fn a_column_stays_where_it_was() {
        let (mut widths, titles) = (Widths::default(), ["USER", "SINCE", "HEALTH"]);
        let mut drawn = |since: &str, health: &str| {
            let row = ["alice", since, health].map(|text| (text.to_owned(), Ink::Plain)).to_vec();
            let lines = table(&titles, &[row], Some(24), &[1], &mut widths);
            lines[1].render(Some(24), false)
        };
        assert_eq!(drawn("1h 05m", "ok"), "alice  1h 05m  ok");
        assert_eq!(drawn("now", "ok"), "alice  now     ok");
        assert_eq!(drawn("now", "in doubt: stale"), "alice  in doubt: stale");
        assert_eq!(drawn("now", "ok"), "alice  ok", "what was left out does not come back");
    }
}
