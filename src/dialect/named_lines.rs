//! Reads a digest that a model wrote as lines with the fields' names instead of as JSON:
//! `summary_fr: …`, `**Title (English):** …`, or a heading with the text below it.

use serde_json::{Map, Value};

use super::shapes::names_digest_text;

/// A name has at most this many bytes.
const MAX_NAME: usize = 40;

/// The texts by their names; `None` if there are none, or if a name comes twice, since nothing says
/// which text counts. Lines before the first name are the model's introduction.
pub(super) fn named_lines(content: &str) -> Option<Value> {
    let mut texts = Map::new();
    let mut current: Option<String> = None;
    for line in content.lines() {
        match name_of(line) {
            Some((name, rest)) => {
                if texts.insert(name.clone(), rest.into()).is_some() {
                    return None;
                }
                current = Some(name);
            }
            None => {
                if let Some(Value::String(text)) = current.as_ref().and_then(|name| texts.get_mut(name)) {
                    text.push('\n');
                    text.push_str(line);
                }
            }
        }
    }
    texts.values_mut().for_each(|text| *text = text.as_str().unwrap_or_default().trim().into());
    (!texts.is_empty()).then_some(Value::Object(texts))
}

/// The name at the beginning of a line, and the rest of the line. A name in a line of its own is a
/// heading if Markdown marks it as a heading.
fn name_of(line: &str) -> Option<(String, &str)> {
    let is_mark = |c: char| matches!(c, '*' | '#' | '`' | '-' | '>' | '"' | ' ');
    let begin = line.trim_start_matches(is_mark);
    let is_heading = line.trim_start().starts_with('#') || line.trim().starts_with("**") && line.trim().ends_with("**");
    let (name, rest) = match begin.split_once(':') {
        Some((name, rest)) => (name, rest.trim_start_matches(['*', '`']).trim()),
        None if is_heading => (begin, ""),
        None => return None,
    };
    let name = name.trim_end_matches(is_mark).to_owned();
    let rest = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(rest);
    (name.len() <= MAX_NAME && names_digest_text(&name)).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::shapes::digest;
    use crate::model::Lang;

    #[test]
    fn lines_with_the_fields_names_are_a_digest() {
        for content in [
            "title_en: The dyke holds\nsummary_fr: La digue a tenu : tout va bien.\nsummary_en: \"The dyke held.\"",
            "Here you are.\n\n**Title (English):** The dyke holds\n\n**Résumé français :** La digue a tenu : tout va bien.\n\n**English summary:** The dyke held.",
            "## Title EN\nThe dyke holds\n\n## Summary FR\nLa digue a tenu : tout va bien.\n\n## Summary EN\nThe dyke held.\n",
        ] {
            let found = digest(&[named_lines(content).unwrap()], Lang::FR).unwrap();
            assert_eq!(found.title_en, "The dyke holds", "{content}");
            assert_eq!((found.summary_fr.as_str(), found.summary_en.as_str()), ("La digue a tenu : tout va bien.", "The dyke held."));
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_no_digest() {
        assert_eq!(named_lines("summary_fr: A.\nsummary_fr: B."), None);
        let prose = named_lines("La digue a tenu.\nLe résumé en français : rien.").unwrap();
        assert!(digest(&[prose], Lang::FR).is_err());
    }
}
