//! Decodes character references (`&amp;`, `&#039;`, `&eacute;`).

use std::borrow::Cow;

/// The longest name of a reference.
const LONGEST: usize = 32;

/// `text` without character references. Borrowed if it has none.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    let (mut decoded, mut rest) = (String::new(), text);
    let mut from = text;
    while let Some(at) = memchr::memchr(b'&', from.as_bytes()) {
        let after = from.get(at + 1..).unwrap_or_default();
        match reference(after) {
            Some((character, length)) => {
                let kept = rest.len() - after.len() - 1;
                decoded.reserve(text.len());
                decoded.push_str(rest.get(..kept).unwrap_or_default());
                decoded.push_str(&character);
                rest = after.get(length..).unwrap_or_default();
                from = rest;
            }
            None => from = after,
        }
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The character of the reference that `text` starts with, after its `&`, and the length of the reference.
fn reference(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = text.get(..end)?;
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            // A control character is cleaned away or translated later.
            Cow::Owned(char::from_u32(code).filter(|c| *c != '\0')?.to_string())
        }
        None => Cow::Borrowed(quick_xml::escape::resolve_html5_entity(name)?),
    };
    Some((character, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_and_other_ampersands_kept() {
        assert_eq!(
            decoded("&Eacute;t&#233; &#xe9; &amp;amp; R&D; & co &; &#; &#x110000; fin"),
            "Été é &amp; R&D; & co &; &#; &#x110000; fin"
        );
        assert!(matches!(decoded("R&D; & co"), Cow::Borrowed(_)));
    }
}
