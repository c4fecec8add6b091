//! Turns text with markup into plain text, so that no markup reaches a service: HTML, character
//! references, shortcodes, SPIP's marks, Markdown in fields.
//!
//! A field may have several layers: a feed escapes HTML that a database had escaped before.

mod entities;
mod marks;
mod shortcodes;
mod spip;
mod wiki;

use std::borrow::Cow;

use super::draft::Markup;
use super::html::fragment;
use crate::model::Reject;

/// How often a text may have been escaped.
const MAX_LAYERS: usize = 3;

/// The plain text of a body.
///
/// # Errors
/// Fails if its HTML is too deep or too large to parse.
pub(super) fn plain(text: String, markup: Markup) -> Result<String, Reject> {
    let text = edited(edited(text, with_line_breaks), without_bare_addresses);
    if !may_have_marks(&text) {
        return Ok(text);
    }
    let mut text = edited(text, without_cdata);
    text = edited(text, shortcodes::removed);
    text = edited(text, wiki::removed);
    text = edited(text, spip::removed);
    let mut markup = markup;
    for _ in 0..MAX_LAYERS {
        if markup == Markup::Fragment {
            text = fragment::text(&text)?;
            // A text about HTML may have tags in its sentences, but no paragraphs.
            markup = if has_paragraphs(&text) { Markup::Fragment } else { Markup::Plain };
        } else if let Cow::Owned(decoded) = entities::decoded(&text) {
            text = edited(decoded, without_cdata);
            markup = if Markup::of(&text) == Markup::Plain { Markup::Plain } else { Markup::Fragment };
        } else {
            break;
        }
    }
    Ok(edited(edited(text, marks::removed), without_bare_addresses))
}

/// Whether a text has any character of a mark. Most plain texts have none.
#[expect(clippy::needless_bitwise_bool, reason = "the compiler can vectorise it without branches")]
fn may_have_marks(text: &str) -> bool {
    let is_mark =
        |byte: u8| (byte == b'<') | (byte == b'&') | (byte == b'[') | (byte == b'{') | (byte == b'*') | (byte == b'#') | (byte == b'+');
    text.bytes().fold(false, |found, byte| found | is_mark(byte))
}

/// The plain text of a title or a name, one line for each line in it.
pub(super) fn line(text: String) -> String {
    if !may_have_marks(&text) {
        return text;
    }
    let markup = if text.contains('<') { Markup::of(&text) } else { Markup::Plain };
    let markup = if markup == Markup::Page { Markup::Plain } else { markup };
    plain(text.clone(), markup).unwrap_or(text)
}

fn edited(text: String, edit: fn(&str) -> Cow<'_, str>) -> String {
    match edit(&text) {
        Cow::Owned(edited) => edited,
        Cow::Borrowed(_) => text,
    }
}

/// Reads `\n` as a line break where a database escaped all of them.
fn with_line_breaks(text: &str) -> Cow<'_, str> {
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    // A single one may be part of a path.
    if !has("\\n") || text.contains('\n') || !(has("\\n\\n") || has("\\r\\n")) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\\r", "").replace("\\n", "\n"))
}

/// Removes lines that are only an address: a CMS shows a video or a post there.
fn without_bare_addresses(text: &str) -> Cow<'_, str> {
    let is_address = |line: &str| {
        let line = line.trim();
        (line.starts_with("http://") || line.starts_with("https://")) && !line.contains([' ', '<'])
    };
    if memchr::memmem::find(text.as_bytes(), b"://").is_none() || !text.lines().any(is_address) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.lines().filter(|line| !is_address(line)).collect::<Vec<_>>().join("\n"))
}

/// Removes the remains of CDATA sections that were escaped. HTML would read them as comments.
fn without_cdata(text: &str) -> Cow<'_, str> {
    if !text.contains("<![CDATA[") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("<![CDATA[", "").replace("]]>", ""))
}

/// The start of a text, in which an opened mark has to be closed. This limit keeps the search
/// linear.
fn near(text: &str) -> &str {
    const REACH: usize = 2_000;
    text.get(..text.floor_char_boundary(REACH)).unwrap_or(text)
}

fn has_paragraphs(text: &str) -> bool {
    ["</p>", "</P>", "<br", "<BR", "</div>", "</li>"].iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_gives_a_text(text in "[\\[\\]{}<>*_~|#+!a-cé/&;:=\"() \n-]{0,120}") {
            let _ = plain(text.clone(), Markup::Plain);
            let _ = plain(text, Markup::Fragment);
        }
    }

    #[test]
    fn marks_that_are_never_closed_take_linear_time() {
        for mark in ["[", "[[", "[caption ", "<", "->", "[a->", "{:", "**a", "[#a: ", "&a", "[a](", "{{{"] {
            let text = format!("{{{{{{a}}}}}} [a->b] ](/ {}", mark.repeat(40_000));
            let _ = plain(text, Markup::Plain);
        }
    }

    fn lines(text: &str) -> Vec<String> {
        let text = plain(text.to_owned(), Markup::of(text)).unwrap();
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn every_layer_of_escaping_is_removed() {
        for text in [
            "L'été &amp; l'hiver\nDeux",
            "L&#039;été &#x26; l&apos;hiver\nDeux",
            "L&amp;#039;été &amp;amp; l'hiver\nDeux",
            "<p>L&rsquo;été &amp; l'hiver</p><p>Deux</p>",
            "<![CDATA[<p>L'été &amp; l'hiver</p><p>Deux</p>]]>",
            "&lt;p&gt;L'été &amp;amp; l'hiver&lt;/p&gt;&lt;p&gt;Deux&lt;/p&gt;",
            "<p>&lt;p&gt;L'été &amp;amp; l'hiver&lt;/p&gt;&lt;p&gt;Deux&lt;/p&gt;</p>",
            "<![CDATA[L'été]]><![CDATA[ & l'hiver\nDeux]]>",
            "<b>L'été</b> & l'hiver\nDeux",
            "<p>L'été &amp; l'hiver</p>\n\nDeux",
        ] {
            assert_eq!(
                lines(&text.replace('’', "'")).iter().map(|line| line.replace('’', "'")).collect::<Vec<_>>(),
                ["L'été & l'hiver", "Deux"],
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_that_only_resembles_markup_is_kept() {
        for text in [
            "Si a < b & c > d, R&D; et AT&T, x&y;.",
            "Il [le maire] a dit [sic] : « […] ». [NDLR : non]",
            "Le prix {hors taxes} passe de 3 -> 5 € [1].",
            "La balise <b> met en gras & c'est tout.",
            "5 * 3 = 15 et 2 * 4 = 8, a_b_c et #budget",
            "Un tiret - et un autre. 1. Un point.",
        ] {
            assert_eq!(plain(text.to_owned(), Markup::Plain).unwrap(), text);
        }
    }

    #[test]
    fn escaped_line_breaks_and_bare_addresses_are_understood() {
        assert_eq!(lines(r"Un.\r\n\r\nDeux."), ["Un.", "Deux."]);
        assert_eq!(lines("Un.\nhttps://a.invalid/video\nVoir https://a.invalid."), ["Un.", "Voir https://a.invalid."]);
        assert_eq!(lines("<p>Un.</p><figure><div>\nhttps://a.invalid/video\n</div></figure><p>Deux.</p>"), ["Un.", "Deux."]);
        assert_eq!(lines(r"Le dossier C:\new est vide."), [r"Le dossier C:\new est vide."]);
    }

    #[test]
    fn titles_are_one_line_of_text() {
        for (title, text) in [
            ("O&#039;Connor &amp; fils", "O'Connor & fils"),
            ("<i>Le Monde</i> ferme", "Le Monde ferme"),
            ("Un < deux", "Un < deux"),
            ("L&lt;em&gt;école&lt;/em&gt;", "Lécole"),
        ] {
            assert_eq!(line(title.to_owned()).trim(), text);
        }
    }
}
