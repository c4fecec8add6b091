//! Tells the vocabularies of a feed apart: `title` is the article's, `media:title` a picture's.

use quick_xml::events::BytesStart;

/// Where an element's name comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::extract) enum Vocabulary {
    /// RSS, and any format that has its names without a prefix.
    #[default]
    Own,
    Atom,
    /// RSS modules, by the prefix that they usually have.
    Content,
    Dc,
    Media,
    /// `WordPress` exports.
    Wp,
    Excerpt,
    Xhtml,
    /// Any other vocabulary with a prefix.
    Other,
}

/// Namespaces, without scheme, `www.` and the separator at their end.
const NAMESPACES: &[(&str, Vocabulary)] = &[
    ("w3.org/2005/atom", Vocabulary::Atom),
    ("purl.org/atom/ns", Vocabulary::Atom),
    ("purl.org/rss/1.0/modules/content", Vocabulary::Content),
    ("purl.org/dc/elements/1.1", Vocabulary::Dc),
    ("purl.org/dc/elements/1.0", Vocabulary::Dc),
    ("purl.org/dc/terms", Vocabulary::Dc),
    ("search.yahoo.com/mrss", Vocabulary::Media),
    ("w3.org/1999/xhtml", Vocabulary::Xhtml),
    ("purl.org/rss/1.0", Vocabulary::Own),
    ("my.netscape.com/rdf/simple/0.9", Vocabulary::Own),
    ("channel.netscape.com/rdf/simple/0.9", Vocabulary::Own),
    ("backend.userland.com/rss2", Vocabulary::Own),
    ("blogs.law.harvard.edu/tech/rss", Vocabulary::Own),
];

/// Prefixes, for feeds that do not declare them or declare something else.
const PREFIXES: &[(&str, Vocabulary)] = &[
    ("atom", Vocabulary::Atom),
    ("atom10", Vocabulary::Atom),
    ("a10", Vocabulary::Atom),
    ("content", Vocabulary::Content),
    ("dc", Vocabulary::Dc),
    ("dcterms", Vocabulary::Dc),
    ("media", Vocabulary::Media),
    ("wp", Vocabulary::Wp),
    ("excerpt", Vocabulary::Excerpt),
    ("xhtml", Vocabulary::Xhtml),
];

impl Vocabulary {
    fn of(prefix: &str, namespace: Option<&str>) -> Self {
        let known = |list: &[(&str, Self)], name: &str| list.iter().find(|(known, _)| *known == name).map(|(_, vocabulary)| *vocabulary);
        let by_namespace = namespace.and_then(|namespace| {
            let name = bare(namespace);
            match name.strip_prefix("wordpress.org/export/") {
                Some(rest) if rest.ends_with("excerpt") => Some(Self::Excerpt),
                Some(_) => Some(Self::Wp),
                None => known(NAMESPACES, &name),
            }
        });
        let by_prefix = || if prefix.is_empty() { Self::Own } else { known(PREFIXES, prefix).unwrap_or(Self::Other) };
        by_namespace.unwrap_or_else(by_prefix)
    }
}

fn bare(namespace: &str) -> String {
    let lower = namespace.trim().to_ascii_lowercase();
    let name = lower.split_once("://").map_or(lower.as_str(), |(_, name)| name);
    name.strip_prefix("www.").unwrap_or(name).trim_end_matches(['/', '#']).to_owned()
}

/// The prefixes that the open elements declare. The innermost declaration comes last.
#[derive(Default)]
pub(super) struct Scopes(Vec<(usize, String, Vocabulary)>);

impl Scopes {
    /// Adds the declarations of an element at a depth.
    pub(super) fn enter(&mut self, depth: usize, start: &BytesStart) {
        for attribute in start.html_attributes().with_checks(false).flatten() {
            let name: &str = attribute.key.as_ref();
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => rest.trim_start_matches(':'),
                _ => continue,
            };
            let prefix = prefix.to_ascii_lowercase();
            let vocabulary = Vocabulary::of(&prefix, Some(attribute.value.as_ref()));
            self.0.push((depth, prefix, vocabulary));
        }
    }

    /// Forgets the declarations of the elements at `depth` and below.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.0.last().is_some_and(|(declared, ..)| *declared >= depth) {
            self.0.pop();
        }
    }

    pub(super) fn vocabulary(&self, start: &BytesStart) -> Vocabulary {
        let prefix = start.name().prefix().map(|prefix| prefix.as_ref().to_ascii_lowercase()).unwrap_or_default();
        let declared = self.0.iter().rev().find(|(_, declared, _)| *declared == prefix);
        declared.map_or_else(|| Vocabulary::of(&prefix, None), |(.., vocabulary)| *vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn a_namespace_decides_and_a_usual_prefix_where_there_is_none() {
        let root = parse(
            r#"<rss xmlns:m="http://search.yahoo.com/mrss/" xmlns:media="https://exemple.invalid/x"><m:a/><media:a/><dc:a/><x:a/><a/>
            <a xmlns="http://www.w3.org/2005/Atom"><b/><m:b/></a><a/></rss>"#,
        )
        .unwrap();
        let found: Vec<Vocabulary> = root.descendants().iter().map(|element| element.vocabulary).collect();
        let [own, atom, media] = [Vocabulary::Own, Vocabulary::Atom, Vocabulary::Media];
        assert_eq!(found, [media, media, Vocabulary::Dc, Vocabulary::Other, own, atom, atom, media, own]);
    }
}
