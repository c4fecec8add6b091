//! Reads the data files of the checks: one entry a line, columns separated by a tab, comments that begin with `#`.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// The entries of a file, in order. `read` makes an entry of a line's columns. A line that it cannot
/// read is skipped: the tests find it before a user would.
pub(super) fn entries<'f, T>(file: &'f str, read: impl Fn(&[&'f str]) -> Option<T>) -> impl Iterator<Item = T> {
    rows(file).filter_map(move |row| read(&row))
}

/// The entries of a file with one column.
pub(super) fn words(file: &str) -> impl Iterator<Item = &str> {
    entries(file, |row| if let [word] = row { Some(*word) } else { None })
}

/// The entries of a file with two columns.
pub(super) fn pairs(file: &str) -> impl Iterator<Item = (&str, &str)> {
    entries(file, |row| if let [first, second] = row { Some((*first, *second)) } else { None })
}

/// The columns of each line.
pub(super) fn rows(file: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

/// The number in a column, if it is in `range`.
pub(super) fn number<T: FromStr + PartialOrd>(column: &str, range: RangeInclusive<T>) -> Option<T> {
    column.parse().ok().filter(|number| range.contains(number))
}

/// Fails if a line of the files cannot be read, has spaces around a column, or has the key of another line.
#[cfg(test)]
pub(super) fn assert_entries<'f, K: std::hash::Hash + Eq>(files: &[&'f str], key: impl Fn(&[&'f str]) -> Option<K>) {
    let mut keys = std::collections::HashSet::new();
    for row in files.iter().flat_map(|file| rows(file)) {
        assert!(row.iter().all(|column| !column.is_empty() && column.trim() == *column), "spaces around a column: {row:?}");
        let key = key(&row).unwrap_or_else(|| panic!("cannot be read: {row:?}"));
        assert!(keys.insert(key), "listed twice: {row:?}");
    }
    assert!(!keys.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_empty_lines_and_lines_with_other_columns_are_skipped() {
        let file = "# a comment\none\n\ntwo words\r\ntwo\tcolumns\n";
        assert_eq!(words(file).collect::<Vec<_>>(), ["one", "two words"]);
        assert_eq!(pairs(file).collect::<Vec<_>>(), [("two", "columns")]);
    }

    #[test]
    fn a_number_must_be_in_its_range() {
        assert_eq!((number("12", 1..=12), number("13", 1..=12), number("x", 1..=12)), (Some(12), None, None));
        assert_eq!((number("1e6", 1.0..=1e9), number("NaN", 1.0..=1e9)), (Some(1e6), None));
    }

    #[test]
    #[should_panic(expected = r#"cannot be read: ["b", "c"]"#)]
    fn a_line_that_cannot_be_read_is_named() {
        assert_entries(&["a\nb\tc\n"], |row| (row.len() == 1).then(|| row.to_vec()));
    }

    #[test]
    #[should_panic(expected = r#"listed twice: ["a"]"#)]
    fn a_key_in_two_files_is_named() {
        assert_entries(&["a\n", "b\na\n"], |row| Some(row.to_vec()));
    }
}
