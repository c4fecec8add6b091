//! Reads word lists: one entry a line, and comments that begin with `#`.

/// The entries of a list, in order.
pub(super) fn entries(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_skipped() {
        assert_eq!(entries("# a comment\none\n\ntwo words\n").collect::<Vec<_>>(), ["one", "two words"]);
    }
}
