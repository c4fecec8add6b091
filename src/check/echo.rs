//! `echo`: a translation is the same as its source, so it was not translated.

use super::Check;
use super::context::{Context, Pair};
use super::text::{Kind, Text};
use crate::model::{Finding, Flag, Severity};

pub(super) struct Echo;

/// A title of one or two words may be a name, which stays as it is.
const ENOUGH: usize = 3;

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
    // A look at the lengths settles it mostly.
    if length(pair.source).abs_diff(length(pair.target)) * 10 > length(pair.source) || !plain(pair.source).eq(plain(pair.target)) {
        return false;
    }
    // Names and figures are the same in both languages; a word without a capital is one to translate.
    let words = pair.target.tokens().iter().filter(|token| token.kind == Kind::Word);
    words.filter(|token| pair.target.word(token).starts_with(char::is_lowercase)).count() >= ENOUGH
}

/// Its words and figures, in small letters.
fn plain<'t>(text: &'t Text) -> impl Iterator<Item = &'t str> {
    text.tokens().iter().filter(|token| token.kind != Kind::Mark).map(|token| text.low(token))
}

fn finding(pair: &Pair) -> Finding {
    let what = pair.target.lang.map_or("a translation", |lang| lang.name());
    Finding::new(Flag::Echo, Severity::Error, pair.target.field, format!("the same text as its source; expected it in {what}"))
        .found(pair.target.as_str(), Some(0..pair.target.as_str().len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::in_translation;

    #[test]
    fn an_untranslated_summary_is_flagged_even_with_other_spaces_and_capitals() {
        let found = |fr: &str, en: &str| in_translation(&Echo, fr, en).len();
        assert_eq!(found("Il pleut sur la ville !", "il pleut sur la ville!"), 1);
        assert_eq!(found("Il pleut sur la ville.", "It rains on the town."), 0);
        assert_eq!(found("2 000 €", "2,000 €"), 0, "figures are the same in both");
        assert_eq!(found("Nikol Pachinian", "Nikol Pachinian"), 0, "so are names");
    }
}
