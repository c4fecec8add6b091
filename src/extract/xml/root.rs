//! Finds the root element in the first bytes of a document, without parsing it.

/// The text from the name of the root element on, without its prefix. Returns `None` if `start` is
/// not the start of an XML document, or of HTML.
pub(in crate::extract) fn root(start: &str) -> Option<&str> {
    let mut rest = start.trim_start_matches('\u{feff}').trim_start();
    loop {
        let tag = rest.strip_prefix('<')?;
        rest = match tag.as_bytes() {
            [b'?', ..] => tag.split_once("?>")?.1,
            [b'!', b'-', b'-', ..] => tag.get(3..)?.split_once("-->")?.1,
            [b'!', ..] => after_doctype(tag)?,
            _ => break,
        }
        .trim_start();
    }
    let tag = rest.strip_prefix('<')?;
    let name_end = tag.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
    let prefix = tag.get(..name_end)?.find(':').map_or(0, |colon| colon + 1);
    tag.get(prefix..).filter(|tag| tag.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// The name of the root element, without its prefix.
pub(in crate::extract) fn root_name(start: &str) -> Option<&str> {
    root(start)?.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next()
}

/// The text after a document type, which may have declarations of its own in brackets.
fn after_doctype(tag: &str) -> Option<&str> {
    let end = tag.find('>')?;
    match tag.find('[').filter(|bracket| *bracket < end) {
        Some(bracket) => tag.get(bracket..)?.split_once(']')?.1.split_once('>').map(|(_, rest)| rest),
        None => tag.get(end + 1..),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_behind_declarations_and_comments() {
        for (start, name) in [
            ("\u{feff}<?xml version=\"1.0\"?>\n<!-- <a> --><!DOCTYPE nitf [<!ENTITY % x \"y\">]>\n<nitf version=\"3\">", Some("nitf")),
            ("<rdf:RDF xmlns:rdf=\"x\">", Some("RDF")),
            ("<!DOCTYPE html><html>", Some("html")),
            ("<?xml version=\"1.0\"?><a/>", Some("a")),
            ("Un < deux > trois", None),
            ("< a>", None),
            ("<3 fois>", None),
            ("<a", None),
        ] {
            assert_eq!(root_name(start), name, "{start}");
        }
    }
}
