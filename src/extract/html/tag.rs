//! Splits a tag into name and attributes as the HTML standard does (13.2.5), so that the result is
//! the same as the parser's.

use std::borrow::Cow;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    /// As written, with unresolved character references.
    pub(super) value: &'a str,
    /// The source text of the whole attribute.
    pub(super) source: &'a str,
}

/// Iterates over the attributes of a tag. After that, [`Attributes::rest`] is the text after the
/// tag.
pub(super) struct Attributes<'a> {
    text: &'a str,
    at: usize,
    closed: bool,
    empty: bool,
}

/// The name and the attributes of the tag at the start of `text`.
pub(super) fn tag(text: &str) -> (&str, Attributes<'_>) {
    let end = text.bytes().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), Attributes { text, at: end, closed: false, empty: false })
}

/// A name in lower case, which most are already.
pub(super) fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}

impl<'a> Attributes<'a> {
    /// The text after the tag. Returns `None` if attributes are left or the text ends inside the
    /// tag.
    pub(super) fn rest(&self) -> Option<&'a str> {
        if self.closed { self.text.get(self.at..) } else { None }
    }

    /// Whether the tag ended in `/>`.
    pub(super) fn is_self_closing(&self) -> bool {
        self.empty
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips the bytes that `skips` accepts and returns them.
    fn skip(&mut self, skips: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        self.at += rest.iter().position(|byte| !skips(*byte)).unwrap_or(rest.len());
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn value(&mut self) -> Option<&'a str> {
        self.skip(|byte| byte.is_ascii_whitespace());
        match self.byte()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                let value = self.skip(|byte| byte != quote);
                self.byte()?;
                self.at += 1;
                Some(value)
            }
            _ => Some(self.skip(|byte| !byte.is_ascii_whitespace() && byte != b'>')),
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        if self.closed {
            return None;
        }
        let before = self.skip(|byte| byte.is_ascii_whitespace() || byte == b'/');
        let start = self.at;
        if self.byte()? == b'>' {
            self.at += 1;
            (self.closed, self.empty) = (true, before.ends_with('/'));
            return None;
        }
        // The first character is part of the name, even if it is `=`.
        self.at += 1;
        self.skip(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>' | b'='));
        let name = self.text.get(start..self.at).unwrap_or_default();
        let end = self.at;
        self.skip(|byte| byte.is_ascii_whitespace());
        let value = if self.byte()? == b'=' {
            self.at += 1;
            self.value()?
        } else {
            self.at = end;
            ""
        };
        Some(Attribute { name, value, source: self.text.get(start..self.at).unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (&str, Vec<(&str, &str)>, Option<&str>) {
        let (name, mut attributes) = tag(text);
        let list = attributes.by_ref().map(|attribute| (attribute.name, attribute.value)).collect();
        (name, list, attributes.rest())
    }

    #[test]
    fn a_tag_ends_where_the_parser_ends_it() {
        for (text, name, list, rest) in [
            ("p>un", "p", vec![], Some("un")),
            ("br/>un", "br", vec![], Some("un")),
            ("p a b=1 c = '>' d=\">\">un", "p", vec![("a", ""), ("b", "1"), ("c", ">"), ("d", ">")], Some("un")),
            ("p a=x/>un", "p", vec![("a", "x/")], Some("un")),
            ("p a'>un'>", "p", vec![("a'", "")], Some("un'>")),
            ("p ='>un", "p", vec![("='", "")], Some("un")),
            ("p a==\">un", "p", vec![("a", "=\"")], Some("un")),
            ("p a=>un", "p", vec![("a", "")], Some("un")),
            ("p a/b\u{e9}=\u{e9}>un", "p", vec![("a", ""), ("b\u{e9}", "\u{e9}")], Some("un")),
            ("p='>un", "p='", vec![], Some("un")),
            ("p a='un>", "p", vec![], None),
            ("p a", "p", vec![], None),
            ("p", "p", vec![], None),
        ] {
            assert_eq!(read(text), (name, list, rest), "{text}");
        }
    }

    #[test]
    fn a_self_closing_tag_ends_in_a_slash_outside_values() {
        for (text, empty) in [("svg/>", true), ("svg a/>", true), ("svg a=b/>", false), ("svg a='b'/>", true), ("svg / >", false)] {
            let (_, mut attributes) = tag(text);
            attributes.by_ref().for_each(drop);
            assert_eq!(attributes.is_self_closing(), empty, "{text}");
        }
    }

    #[test]
    fn an_attribute_has_its_source_text() {
        assert_eq!(tag("p a = 'b c'>").1.next().map(|attribute| attribute.source), Some("a = 'b c'"));
    }
}
