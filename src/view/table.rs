//! Rows in columns.

use super::line::{Ink, Line, columns, padded};

/// Between two columns.
const GAP: &str = "  ";

/// A text in its place, and how it looks.
pub(crate) type Cell = (String, Ink);

/// The titles and the rows, a line each; every row has as many cells as there are titles.
pub(crate) fn table(titles: &[&str], rows: &[Vec<Cell>]) -> Vec<Line> {
    let titles: Vec<Cell> = titles.iter().map(|&title| (title.to_owned(), Ink::Bold)).collect();
    let lines = || std::iter::once(&titles).chain(rows);
    let width = |i: usize| lines().map(|cells| columns(&cells[i].0)).max().unwrap_or_default();
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    lines().map(|cells| line(cells, &widths)).collect()
}

fn line(cells: &[Cell], widths: &[usize]) -> Line {
    // Blanks at the end would be cut, and look as if something were missing.
    let Some(((last, last_ink), others)) = cells.split_last() else { return Line::default() };
    let line = others.iter().zip(widths).fold(Line::default(), |line, ((text, ink), &width)| {
        line.and(padded(text, width), *ink).and(GAP, Ink::Plain)
    });
    line.and(last, *last_ink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_as_wide_as_its_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(|text| (text.to_owned(), Ink::Plain)).to_vec();
        let rows = [row(["alice", "王王王", "yes"]), row(["b", "", ""])];
        let lines = table(&["USER", "NAME", "OUT"], &rows);
        let lines: Vec<String> = lines.iter().map(|line| line.render(None, false)).collect();
        assert_eq!(lines, ["USER   NAME    OUT", "alice  王王王  yes", "b"]);
    }
}
