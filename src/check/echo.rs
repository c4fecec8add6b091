//! `echo`: a translation is the same as its source.

use super::Check;
use super::context::{Context, Pair};
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

pub(super) struct Echo;

/// A title with fewer words without a capital may be a name, which stays the same.
const MIN_WORDS: usize = 3;

impl Check for Echo {
    fn flag(&self) -> Flag {
        Flag::Echo
    }

    fn check(&self, context: &Context) -> Vec<Finding> {
        context.translations().filter(is_echo).map(|pair| finding(&pair)).collect()
    }
}

fn is_echo(pair: &Pair) -> bool {
    let length = |text: &Text| text.as_str().len();
    // The lengths usually differ, which is cheaper to compare.
    if length(pair.source).abs_diff(length(pair.target)) * 10 > length(pair.source) || !words(pair.source).eq(words(pair.target)) {
        return false;
    }
    // Names and figures are the same in both languages; words in lower case are to be translated.
    let words = pair.target.tokens().iter().filter(|token| token.kind == Kind::Word);
    words.filter(|token| pair.target.word(token).starts_with(char::is_lowercase)).count() >= MIN_WORDS
}

/// Its words and figures, in lower case.
fn words<'t>(text: &'t Text) -> impl Iterator<Item = &'t str> {
    text.tokens().iter().filter(|token| token.kind != Kind::Mark).map(|token| text.lower_word(token))
}

fn finding(pair: &Pair) -> Finding {
    let expected = pair.target.lang.map_or("a translation", |lang| lang.name());
    let explanation = format!("the same text as its source; expected {expected}");
    Finding::new(Flag::Echo, Severity::Error, pair.target.field, explanation)
        .found(pair.target.as_str(), Some(0..pair.target.as_str().len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    #[test]
    fn spaces_and_capitals_do_not_hide_an_echo() {
        let found = |fr: &str, en: &str| in_translation(&Echo, fr, en).len();
        assert_eq!(found("Il pleut sur la ville !", "il pleut sur la ville!"), 1);
        assert_eq!(found("Il pleut sur la ville.", "It rains on the town."), 0);
        assert_eq!(found("2 000 €", "2,000 €"), 0, "figures are the same in both");
        assert_eq!(found("Nikol Pachinian", "Nikol Pachinian"), 0, "so are names");
    }
}
