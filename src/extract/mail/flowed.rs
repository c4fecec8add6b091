//! Joins the lines of `format=flowed` (RFC 3676), in which a space at the end of a line means that
//! the line continues.

/// The text, one line for each paragraph. With `delsp`, that space is not part of the text, and a word may go on
/// in the next line.
pub(super) fn joined(text: &str, delsp: bool) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut depth = 0;
    for line in text.lines() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (quotes, rest) = (line.bytes().take_while(|byte| *byte == b'>').count(), line.trim_start_matches('>'));
        // Space-stuffing protects lines that start with a space or `From`.
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let continues = joined.ends_with(FLOWING) && quotes == depth;
        if joined.ends_with(FLOWING) {
            joined.pop();
            if !continues {
                joined.push('\n');
            }
        }
        if !continues && quotes > 0 {
            joined.extend(std::iter::repeat_n('>', quotes).chain([' ']));
        }
        depth = quotes;
        if let Some(flowing) = rest.strip_suffix(' ').filter(|_| rest != "-- ") {
            joined.push_str(if delsp { flowing } else { rest });
            joined.push(FLOWING);
        } else {
            joined.push_str(rest);
            joined.push('\n');
        }
    }
    joined.replace(FLOWING, "\n")
}

/// Marks the end of a line that continues. No text contains this character, because it is removed
/// from all texts.
const FLOWING: char = '\u{0}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_flow_are_joined() {
        assert_eq!(joined("Le conseil \nmunicipal.\n\n  Un.\n-- \nJeanne", false), "Le conseil municipal.\n\n Un.\n-- \nJeanne\n");
        assert_eq!(joined("Le cons \neil muni \ncipal  \na voté.\r\nDeux.", true), "Le conseil municipal a voté.\nDeux.\n");
        assert_eq!(joined("> Un \n> mot.\n>> Deux \nTrois \n", false), "> Un mot.\n>> Deux \nTrois \n");
    }
}
