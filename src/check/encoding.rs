//! `encoding`: a text is damaged: replacement characters, text decoded with the wrong encoding, HTML
//! entities.

use std::ops::Range;

use super::Check;
use super::context::Context;
use super::text::Text;
use crate::model::{Finding, Flag, Severity};

pub(super) struct Encoding;

impl Check for Encoding {
    fn flag(&self) -> Flag {
        Flag::Encoding
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.written().filter_map(damaged).collect()
    }
}

/// The first damage. Entities are looked for in ASCII text only.
fn damaged(text: &Text) -> Option<Finding> {
    let content = text.as_str();
    if content.is_ascii() {
        return entity(text);
    }
    let place = replacement(content).or_else(|| mojibake(content))?;
    let explanation = if content.get(place.clone()) == Some("\u{fffd}") {
        "a character was lost and replaced by �".to_owned()
    } else {
        format!("“{}” is UTF-8 decoded with another encoding", around(content, &place))
    };
    Some(finding(text, place, explanation))
}

fn finding(text: &Text, place: Range<usize>, explanation: String) -> Finding {
    Finding::new(Flag::Encoding, Severity::Error, text.field, explanation).found(around(text.as_str(), &place), Some(place))
}

fn replacement(text: &str) -> Option<Range<usize>> {
    text.find('\u{fffd}').map(|at| at..at + '\u{fffd}'.len_utf8())
}

/// `Ã©`, `â€™`, `Â«`: sequences that no language writes.
fn mojibake(text: &str) -> Option<Range<usize>> {
    let mut last: Option<(usize, char)> = None;
    for (at, c) in text.char_indices() {
        if let Some((start, before)) = last {
            // The second byte of a character in UTF-8, decoded as Windows-1252.
            let second = matches!(c, '\u{a0}'..='\u{bf}' | '€' | '‚' | 'ƒ' | '„' | '…' | '†' | '‡' | 'ˆ' | '‰' | '‹' | 'Œ' | '‘' | '’' | '“' | '”' | '•' | '–' | '—' | '˜' | '™' | '›' | 'œ' | 'š' | 'Š' | 'ž' | 'Ž' | 'Ÿ' | '\u{80}'..='\u{9f}');
            let pair = match before {
                'Ã' | 'Å' => second,
                'Â' => {
                    matches!(c, '\u{a0}'..='\u{bf}') && c != '\u{a0}'
                        || c == '\u{a0}' && text.get(at + 2..).is_some_and(|rest| rest.starts_with(|c: char| ":;?!»%€".contains(c)))
                }
                'â' => matches!(c, '€' | '„' | '‚' | '\u{80}'),
                _ => false,
            };
            if pair {
                return Some(start..at + c.len_utf8());
            }
        }
        last = Some((at, c));
    }
    None
}

/// `&eacute;`, `&#39;`: an HTML entity that was not decoded.
fn entity(text: &Text) -> Option<Finding> {
    let content = text.as_str();
    let mut from = 0;
    while let Some(at) = content.get(from..)?.find('&').map(|at| from + at) {
        let name: String = content.get(at + 1..)?.chars().take(12).take_while(|c| c.is_ascii_alphanumeric() || *c == '#').collect();
        let end = at + 1 + name.len();
        let closed = content.get(end..)?.starts_with(';') && name.len() > 1;
        if closed {
            let explanation = format!("“&{name};” is an HTML entity");
            return Some(finding(text, at..end + 1, explanation));
        }
        from = at + 1;
    }
    None
}

/// The word around `place`.
fn around<'t>(text: &'t str, place: &Range<usize>) -> &'t str {
    let start = text.get(..place.start).and_then(|before| before.rfind(char::is_whitespace)).map_or(0, |at| at + 1);
    let start = (start..=place.start).find(|at| text.is_char_boundary(*at)).unwrap_or(place.start);
    let end = text.get(place.end..).and_then(|rest| rest.find(char::is_whitespace)).map_or(text.len(), |at| place.end + at);
    text.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    #[test]
    fn damaged_text_is_found_and_correct_french_is_not() {
        let found = |text: &str| {
            in_translation(&Encoding, "", text).into_iter().chain(in_translation(&Encoding, "x", text)).map(|one| one.found).next()
        };
        assert_eq!(found("Un Ã©tÃ© chaud").as_deref(), Some("Ã©tÃ©"));
        assert_eq!(found("lâ€™Ã©tÃ©").as_deref(), Some("lâ€™Ã©tÃ©"));
        assert_eq!(found("Il a dit Â« non Â»").as_deref(), Some("Â«"));
        assert_eq!(found("un mot perd\u{fffd}").as_deref(), Some("perd\u{fffd}"));
        assert_eq!(found("Jack &amp; Jones").as_deref(), Some("&amp;"));
        assert_eq!(found("PÂTES, ÂNE, CHÂTEAU «ÂGE» À 30 °C, A & B; Ångström, São Paulo, l’œuvre"), None);
    }
}
