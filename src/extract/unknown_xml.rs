//! XML in a format that we do not know. It is skipped, and the reason names its root element. If it
//! were read as plain text, its tags would be sent to a service.

use super::draft::Draft;
use super::format::Format;
use super::xml;
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};

pub(super) struct UnknownXml;

impl Format for UnknownXml {
    fn extensions(&self) -> &'static [&'static str] {
        &[]
    }

    fn looks_like(&self, start: &str) -> bool {
        let is_declared = start.get(..5).is_some_and(|mark| mark.eq_ignore_ascii_case("<?xml"));
        // A plain text may start with a word in angle brackets, but then no end tag follows.
        let is_closed = || xml::root_name(start).is_some_and(|name| start.contains("</") || start.contains(&format!("<{name}/>")));
        is_declared || (start.starts_with('<') && is_closed())
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let what = xml::root_name(text).map_or_else(|| "no root element".to_owned(), |name| format!("the root `<{name}>`"));
        Err(Reject::new(ErrorCode::UnknownFormat, format!("unknown XML format (with {what}); convert it to NITF, RSS or JSON")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_xml_is_named_by_its_root() {
        for text in ["<?xml version=\"1.0\"?>\n<RBNews><headline>Un</headline></RBNews>", "<x:RBNews a=\"b\"><p>Un</p></x:RBNews>"] {
            assert!(UnknownXml.looks_like(text), "{text}");
            let reject = UnknownXml.drafts(text, &Fields::default()).unwrap_err();
            assert!(reject.code == ErrorCode::UnknownFormat && reject.reason.contains("<RBNews>"), "{reject}");
        }
        for text in ["<Note> Un texte.", "Un < deux", "{\"a\":\"</b>\"}"] {
            assert!(!UnknownXml.looks_like(text), "{text}");
        }
    }
}
