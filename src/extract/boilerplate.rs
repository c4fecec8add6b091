//! Removes the lines that are not part of an article (share links, source lines, comment counts,
//! photo captions), and rejects texts that are not articles at all.

use std::collections::HashSet;

use super::word_count::count_words;
use super::{date, sentences};
use crate::config::Rules;
use crate::model::{ErrorCode, Reject, fold};

/// A text without boilerplate, and the metadata from the lines that were removed («Publié le …»,
/// «Par …»).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    /// Paragraphs, separated by blank lines.
    pub(super) body: String,
    /// In ISO 8601.
    pub(super) published: Option<String>,
    pub(super) author: Option<String>,
}

/// The longest line (in bytes, like all lengths here) that can be boilerplate because of its first
/// words.
const LONGEST_LINE: usize = 170;
/// The longest caption.
const LONGEST_CAPTION: usize = 320;
/// The longest line that is only a date.
const LONGEST_DATELINE: usize = 110;

/// Removes the boilerplate of `text`. Every line that is left becomes a paragraph.
pub(super) fn strip(text: &str, rules: &Rules) -> Stripped {
    let (mut published, mut author) = (None, None);
    let mut body = String::with_capacity(text.len() + 16);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        // A longer line is always text. Skipping it halves the time that plain text takes.
        if line.len() <= LONGEST_CAPTION {
            let folded = fold(line);
            if let Some(date) = dateline(line, &folded) {
                published.get_or_insert(date);
                continue;
            }
            if let Some(names) = byline(line) {
                author.get_or_insert_with(|| names.trim().to_owned());
                continue;
            }
            if is_boilerplate(line, &folded, rules) {
                continue;
            }
        }
        if !body.is_empty() {
            body.push_str("\n\n");
        }
        body.push_str(line);
    }
    Stripped { body, published, author }
}

/// The date in a line that only says when the article was published or changed.
fn dateline(line: &str, folded: &str) -> Option<String> {
    const STARTS: &[&str] = &[
        "publié le",
        "publié :",
        "publié à",
        "publiée le",
        "mis à jour le",
        "mis à jour à",
        "modifié le",
        "mis en ligne le",
        "paru le",
        "posté le",
        "date :",
        "date de publication",
        "published on",
        "published:",
        "published ",
        "posted on",
        "updated on",
        "updated:",
        "last updated",
    ];
    let starts = line.len() < LONGEST_DATELINE && STARTS.iter().any(|start| folded.starts_with(start));
    if starts { date::parse(line, true) } else { None }
}

fn is_boilerplate(line: &str, folded: &str, rules: &Rules) -> bool {
    let unmarked = folded.trim_start_matches(['>', '»', '→', '►', '▶', '➡', '👉', '-', '•', ' ']);
    let bare = unmarked.trim_end_matches([':', '.', ' ', '>', '»', '→', '…']);
    (line.len() <= LONGEST_LINE && (rules.is_line(bare) || is_comment_count(bare) || rules.begins(unmarked)))
        || rules.ends(folded)
        || is_caption(line)
}

/// The names in a byline: «Par Jeanne Exemple», `By Jane Example and John Example`. A byline is
/// short, capitalises every name and does not end in a full stop.
pub(super) fn byline(line: &str) -> Option<&str> {
    let names =
        ["Par ", "par ", "PAR ", "By ", "by ", "BY ", "Propos recueillis par "].iter().find_map(|start| line.strip_prefix(start))?;
    let small = ["et", "and", "avec", "with", "de", "du", "van", "von", "à"];
    let fits = |word: &str| small.contains(&word) || word.starts_with(char::is_uppercase);
    let right = names.len() < 90 && !names.ends_with(['.', '!', '?']) && names.split([' ', ',']).filter(|word| !word.is_empty()).all(fits);
    right.then_some(names)
}

/// Whether a line is a comment count: «Comment (0)», «3 commentaires».
fn is_comment_count(line: &str) -> bool {
    if !line.contains("comment") || !line.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let words: String = line.chars().filter(|c| c.is_alphabetic()).collect();
    matches!(words.as_str(), "comment" | "comments" | "commentaire" | "commentaires")
}

/// Whether a line is a photo caption. It ends with the credit.
fn is_caption(line: &str) -> bool {
    line.rsplit_once(['©', '®']).is_some_and(|(_, credit)| credit.chars().count() < 80)
}

/// The longest text of a cookie notice, and of an error page.
const LONGEST_NOTICE: usize = 2_500;
const LONGEST_ERROR: usize = 800;
/// The fewest words before a paywall that make an article.
const FEWEST_WORDS: usize = 120;
/// A longer text is searched for repetition, up to twice this length.
const LONG_TEXT: usize = 10_000;

/// Rejects a text that is not an article: an error page, a cookie notice, the beginning of an
/// article behind a paywall, or a few sentences over and over. `raw` is the text with and `body`
/// the text without boilerplate.
///
/// # Errors
/// Fails with `boilerplate` if the text is not an article.
pub(super) fn refuse(title: &str, raw: &str, body: &str, paywalled: bool, rules: &Rules) -> Result<(), Reject> {
    let reject = |reason: &str| Err(Reject::new(ErrorCode::Boilerplate, reason));
    if raw.len() <= LONGEST_NOTICE && rules.may_consent(raw) && is_cookie_notice(&fold(raw), rules) {
        return reject("a notice about cookies, not an article");
    }
    if raw.len() <= LONGEST_ERROR && is_error_page(&fold(title), &fold(raw), rules) {
        return reject("an error page, not an article");
    }
    if paywalled && count_words(body) < FEWEST_WORDS {
        return reject("only the beginning of an article for subscribers; the rest is behind a paywall");
    }
    if is_repetitive(body) {
        return reject("the same few sentences over and over, not an article");
    }
    Ok(())
}

/// Whether a paywall cuts off the text, according to the page or to the last lines of the text.
pub(super) fn ends_at_paywall(raw: &str, paid: bool, rules: &Rules) -> bool {
    let mut last_lines = raw.lines().rev().filter(|line| !line.trim().is_empty()).take(6);
    paid || last_lines.any(|line| line.len() <= LONGEST_CAPTION && rules.paywall(&fold(line)))
}

/// Whether most sentences are about cookies and consent.
fn is_cookie_notice(folded: &str, rules: &Rules) -> bool {
    if rules.consent(folded) < 3 {
        return false;
    }
    // The sentence splitter needs capitals, so lower-case text is split at lines and full stops.
    let pieces: Vec<&str> = folded.split(['\n', '.', '!', '?']).map(str::trim).filter(|piece| piece.len() > 12).collect();
    let speak = pieces.iter().filter(|piece| rules.consent(piece) > 0).count();
    speak >= 2 && speak * 2 >= pieces.len()
}

/// Whether the title is that of an error page. If the title has other words too, the text has to
/// agree.
fn is_error_page(title: &str, folded: &str, rules: &Rules) -> bool {
    let also = [
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
    rules.missing(title).is_some_and(|whole| whole || also.iter().filter(|word| folded.contains(**word)).count() >= 2)
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
    use super::*;

    fn strip(text: &str) -> Stripped {
        super::strip(text, &Rules::shipped())
    }

    #[test]
    fn the_end_of_a_copied_page_is_removed_and_its_date_kept() {
        let text = "Publié le 16 novembre 2026 à 8 h 30\n\nLa trêve tient.\nLes ferrys ont repris.\n\nDes habitants sur le quai. © Agence Littoral\n\nFin.\nLien source\n\n\n\nComment (0)";
        let stripped = strip(text);
        assert_eq!(stripped.body, "La trêve tient.\n\nLes ferrys ont repris.\n\nFin.");
        assert_eq!(stripped.published.as_deref(), Some("2026-11-16T08:30:00"));
    }

    #[test]
    fn bylines_links_and_credits_are_removed() {
        let text = "Par Jeanne Exemple et Luc Modèle, à Lyon\nÀ lire aussi : la digue en dix dates\nLe quai, mardi. JEAN EXEMPLE/AFP\nPhoto : archives\nLa digue tient.";
        assert_eq!(strip(text).body, "La digue tient.");
    }

    #[test]
    fn sentences_that_resemble_boilerplate_are_kept() {
        for line in [
            "Partager la ville en deux n'est pas une solution, a dit le maire.",
            "Le texte, publié le 3 mars 2026, a été adopté.",
            "Source d'inquiétude pour les riverains, la digue sera refaite.",
            "Les 12 commentaires reçus ont été lus.",
            "Par ailleurs, la mairie a annoncé un plan",
            "Par Paris.",
            "Il vous reste deux jours pour voter.",
        ] {
            assert_eq!(strip(line).body, line);
        }
    }

    fn refused(title: &str, text: &str) -> Option<String> {
        let rules = Rules::shipped();
        refuse(title, text, &strip(text).body, ends_at_paywall(text, false, &rules), &rules).err().map(|reject| reject.reason)
    }

    #[test]
    fn notices_error_pages_stubs_and_repetitions_are_rejected() {
        let cookies = "Nous utilisons des cookies pour mesurer notre audience.\nVous pouvez accepter ou retirer votre consentement.\nNos partenaires traitent vos données personnelles.\nTout accepter\nContinuer sans accepter";
        assert!(refused("Bienvenue", cookies).unwrap().contains("cookies"));
        assert!(refused("Page introuvable", "La page que vous cherchez n'existe plus.").unwrap().contains("error page"));
        let stub = "Le conseil municipal a voté mardi le budget de la ville.\nIl vous reste 85 % de cet article à lire. La suite est réservée aux abonnés.";
        assert!(refused("Le budget", stub).unwrap().contains("subscribers"));
        assert!(refused("Répété", &"Le port a rouvert mardi matin. ".repeat(20_000)).unwrap().contains("over and over"));
    }

    #[test]
    fn articles_about_cookies_and_errors_are_accepted() {
        let law = "La commission a infligé mardi une amende à un éditeur pour ses cookies. Le site déposait des traceurs sans consentement, selon sa décision. L'éditeur, qui emploie trois cents personnes à Lyon, a deux mois pour faire appel. Son directeur a dit regretter la sévérité de la sanction, alors que la concurrence reste impunie. Le tribunal tranchera au printemps.";
        assert_eq!(refused("Une amende pour des cookies", law), None);
        assert_eq!(
            refused(
                "404 morts dans un séisme",
                "Le bilan du séisme s'est alourdi mercredi, selon les secours. La région attend de l'aide."
            ),
            None
        );
        assert_eq!(
            refused("Accès refusé à l'aide humanitaire", "Le convoi a fait demi-tour mercredi à la frontière, selon une porte-parole."),
            None
        );
    }
}
