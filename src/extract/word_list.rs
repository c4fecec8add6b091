//! Word lists in data files: one entry per line; `#` starts a comment line.

/// The entries of a list, in the order of the file.
pub(super) fn entries(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_are_not_entries() {
        assert_eq!(entries("# Titles\nM\n\n  Mme \n").collect::<Vec<_>>(), ["M", "Mme"]);
    }
}
