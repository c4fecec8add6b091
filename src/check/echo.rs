//! `echo`: a summary's translation is the same as its source, so it was not translated.

use super::Check;
use crate::model::{Article, Digest, Flag};

pub(super) struct Echo;

impl Check for Echo {
    fn check(&self, _: &Article, digest: &Digest) -> Vec<Flag> {
        let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        let (fr, en) = (plain(&digest.summary_fr), plain(&digest.summary_en));
        let has_letters = fr.chars().any(char::is_alphabetic);
        if has_letters && fr == en { vec![Flag::Echo] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::article;

    fn found(fr: &str, en: &str) -> Vec<Flag> {
        let digest = Digest { summary_fr: fr.into(), summary_en: en.into(), ..Digest::default() };
        Echo.check(&article(), &digest)
    }

    #[test]
    fn an_untranslated_summary_is_flagged_even_with_other_spaces_and_capitals() {
        assert_eq!(found("Il pleut !", "il pleut!"), [Flag::Echo]);
        assert_eq!(found("Il pleut.", "It rains."), []);
        assert_eq!(found("2 000 €", "2,000 €"), [], "figures are the same in both");
    }
}
