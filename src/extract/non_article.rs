//! Rejects texts that are not articles: notices, error pages, repetition, beginnings before a paywall.

use std::collections::HashSet;

use super::sentences;
use super::word_count::count_words;
use crate::config::Rules;
use crate::model::{ErrorCode, Reject, fold};

/// The longest text of a cookie notice, and of an error page.
const LONGEST_NOTICE: usize = 2_500;
const LONGEST_ERROR: usize = 800;
/// The fewest words before a paywall that make an article.
const FEWEST_WORDS: usize = 80;
/// The longest line that can be the notice of a paywall.
const LONGEST_PAYWALL_LINE: usize = 320;
/// A longer text is searched for repetition, up to twice this length.
const LONG_TEXT: usize = 10_000;

/// Rejects a text that is not an article: an error page, a cookie notice, the beginning of an
/// article behind a paywall, or a few sentences over and over. `raw` is the text with and `body`
/// the text without boilerplate.
///
/// # Errors
/// Fails with `boilerplate` if the text is not an article.
pub(super) fn reject(title: &str, raw: &str, body: &str, paywalled: bool, rules: &Rules) -> Result<(), Reject> {
    let fail = |reason: &str| Err(Reject::new(ErrorCode::Boilerplate, reason));
    if raw.len() <= LONGEST_NOTICE && rules.may_consent(raw) && is_cookie_notice(&fold(raw), rules) {
        return fail("a notice about cookies, not an article");
    }
    if raw.len() <= LONGEST_ERROR && is_error_page(&fold(title), &fold(raw), rules) {
        return fail("an error page, not an article");
    }
    if paywalled && count_words(body) < FEWEST_WORDS {
        return fail("only the beginning of an article for subscribers; the rest is behind a paywall");
    }
    if is_repetitive(body) {
        return fail("the same few sentences over and over, not an article");
    }
    Ok(())
}

/// Whether a paywall cuts off the text, according to the page or to the last lines of the text.
pub(super) fn ends_at_paywall(raw: &str, paid: bool, rules: &Rules) -> bool {
    paid || paywall(raw, rules).is_some()
}

/// The notice of a paywall among the last lines of a text.
pub(super) fn paywall<'a>(raw: &'a str, rules: &Rules) -> Option<&'a str> {
    let mut last_lines = raw.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(6);
    last_lines.find(|line| line.len() <= LONGEST_PAYWALL_LINE && rules.paywall(&fold(line)))
}

/// Whether most sentences are about cookies and consent.
pub(super) fn is_cookie_notice(folded: &str, rules: &Rules) -> bool {
    if rules.consent(folded) < 3 {
        return false;
    }
    // The sentence splitter needs capitals, so lower-case text is split at lines and full stops.
    let pieces: Vec<&str> = folded.split(['\n', '.', '!', '?']).map(str::trim).filter(|piece| piece.len() > 12).collect();
    let about_cookies = pieces.iter().filter(|piece| rules.consent(piece) > 0).count();
    about_cookies >= 2 && about_cookies * 2 >= pieces.len()
}

/// Whether the title is that of an error page. If the title has other words too, the text has to
/// agree.
fn is_error_page(title: &str, folded: &str, rules: &Rules) -> bool {
    const ERROR_WORDS: [&str; 13] = [
        "page",
        "erreur",
        "error",
        "adresse",
        "url",
        "lien",
        "link",
        "serveur",
        "server",
        "navigateur",
        "browser",
        "permission",
        "accueil",
    ];
    rules.missing(title).is_some_and(|whole| whole || ERROR_WORDS.iter().filter(|word| folded.contains(**word)).count() >= 2)
}

fn is_repetitive(body: &str) -> bool {
    if body.len() < LONG_TEXT {
        return false;
    }
    let start = body.get(..body.floor_char_boundary(2 * LONG_TEXT)).unwrap_or(body);
    let all = sentences::sentences(start);
    let different: HashSet<&str> = all.iter().copied().collect();
    all.len() >= 50 && different.len() * 10 <= all.len()
}

#[cfg(test)]
mod tests {
    use super::super::boilerplate::strip;
    use super::*;

    fn rejection(title: &str, text: &str) -> Option<String> {
        let rules = Rules::shipped();
        reject(title, text, &strip(text, &rules).body, ends_at_paywall(text, false, &rules), &rules).err().map(|reject| reject.reason)
    }

    #[test]
    fn notices_error_pages_stubs_and_repetitions_are_rejected() {
        let cookies = "Nous utilisons des cookies pour mesurer notre audience.\nVous pouvez accepter ou retirer votre consentement.\nNos partenaires traitent vos données personnelles.\nTout accepter\nContinuer sans accepter";
        assert!(rejection("Bienvenue", cookies).unwrap().contains("cookies"));
        assert!(rejection("Page introuvable", "La page que vous cherchez n'existe plus.").unwrap().contains("error page"));
        let stub = "Le conseil municipal a voté mardi le budget de la ville.\nIl vous reste 85 % de cet article à lire. La suite est réservée aux abonnés.";
        assert!(rejection("Le budget", stub).unwrap().contains("subscribers"));
        assert!(rejection("Répété", &"Le port a rouvert mardi matin. ".repeat(20_000)).unwrap().contains("over and over"));
    }

    #[test]
    fn articles_about_cookies_and_errors_are_accepted() {
        let law = "La commission a infligé mardi une amende à un éditeur pour ses cookies. Le site déposait des traceurs sans consentement, selon sa décision. L'éditeur, qui emploie trois cents personnes à Lyon, a deux mois pour faire appel. Son directeur a dit regretter la sévérité de la sanction, alors que la concurrence reste impunie. Le tribunal tranchera au printemps.";
        assert_eq!(rejection("Une amende pour des cookies", law), None);
        assert_eq!(
            rejection(
                "404 morts dans un séisme",
                "Le bilan du séisme s'est alourdi mercredi, selon les secours. La région attend de l'aide."
            ),
            None
        );
        assert_eq!(
            rejection("Accès refusé à l'aide humanitaire", "Le convoi a fait demi-tour mercredi à la frontière, selon une porte-parole."),
            None
        );
    }
}
