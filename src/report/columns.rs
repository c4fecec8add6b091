//! Lines up text in columns.

/// The alignment of the cells in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// For text.
    Left,
    /// For numbers.
    Right,
}

/// Formats each row as a line, with its cells in columns that are two spaces apart.
pub fn columns<const N: usize>(aligns: [Align; N], rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).zip(aligns).map(|((cell, width), align)| match align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The same, below a line with the names of the columns.
pub fn columns_with_head<const N: usize>(head: [&str; N], aligns: [Align; N], rows: impl IntoIterator<Item = [String; N]>) -> Vec<String> {
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    columns(aligns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["été", "1", "x"], ["a", "1000", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(columns([Align::Left, Align::Right, Align::Left], &rows), ["été     1  x", "a    1000"]);
    }
}
