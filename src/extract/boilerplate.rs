//! Removes the lines that are not part of an article: share links, source lines, comment counts,
//! photo captions.

mod caption;
pub(super) mod sentence;

use super::date::{self, Label};
use super::non_article;
use crate::config::Rules;
use crate::model::fold;

/// A text without boilerplate, and the metadata and captions from the lines that were removed («Publié le …»,
/// «Par …»).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stripped {
    /// Paragraphs, separated by blank lines.
    pub(super) body: String,
    /// In ISO 8601.
    pub(super) published: Option<String>,
    pub(super) author: Option<String>,
    /// The captions of photos.
    pub(super) captions: Vec<String>,
}

/// The longest line (in bytes, like all lengths here) that can be boilerplate because of its first
/// words.
const LONGEST_LINE: usize = 170;
/// The longest line that is only a date.
const LONGEST_DATELINE: usize = 110;
/// The most words in such a line that are unusual next to a date.
const MAX_STRANGE_WORDS: usize = 2;
/// A caption without a credit is between the lead and the text, so it has at most this many
/// paragraphs before it.
const LAST_CAPTION: usize = 2;

/// Removes the boilerplate of `text`. Every line that is left becomes a paragraph.
pub(super) fn strip(text: &str, rules: &Rules) -> Stripped {
    let mut stripped = Stripped { body: String::with_capacity(text.len() + 16), ..Stripped::default() };
    let mut date: Option<(Label, String)> = None;
    let mut paragraphs = 0;
    let is_notice = |line: &&str| !line.contains(['«', '“', '"']) && rules.speaks_to_reader(&fold(line));
    let paywall = non_article::paywall(text, rules).filter(is_notice);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && Some(*line) != paywall) {
        // A longer line is always text. Skipping it halves the time that plain text takes.
        if line.len() <= caption::LONGEST {
            let folded = fold(line);
            if let Some(found) = dateline(line, &folded) {
                if date.as_ref().is_none_or(|(label, _)| found.0 < *label) {
                    date = Some(found);
                }
                continue;
            }
            // A date alone, before the text.
            if let Some(iso) = date_alone(line, &folded).filter(|_| paragraphs == 0) {
                date.get_or_insert((Label::Published, iso));
                continue;
            }
            if let Some(names) = byline(line) {
                stripped.author.get_or_insert_with(|| names.trim().to_owned());
                continue;
            }
            if is_boilerplate(line, &folded, rules) {
                continue;
            }
            let after_lead = (1..=LAST_CAPTION).contains(&paragraphs);
            if caption::has_credit(line, &folded, rules) || (after_lead && caption::describes_picture(line)) {
                stripped.captions.push(line.to_owned());
                continue;
            }
        }
        if !stripped.body.is_empty() {
            stripped.body.push_str("\n\n");
        }
        stripped.body.push_str(line);
        paragraphs += 1;
    }
    stripped.published = date.map(|(_, iso)| iso);
    stripped
}

/// The date in a line that only says when the article was published or changed.
fn dateline(line: &str, folded: &str) -> Option<(Label, String)> {
    const STARTS: &[&str] = &[
        "publié",
        "mis à jour",
        "mise à jour",
        "modifié",
        "mis en ligne",
        "paru ",
        "posté ",
        "published",
        "posted ",
        "updated",
        "last updated",
    ];
    const BARE_STARTS: &[&str] = &["date :", "date:"];
    let starts = |starts: &[&str]| starts.iter().any(|start| folded.starts_with(start));
    if line.len() >= LONGEST_DATELINE {
        return None;
    }
    let strange = date::strange_words(line);
    let is_label = || strange == 0 && date::starts_with_label(line);
    if strange > MAX_STRANGE_WORDS {
        None
    } else if starts(STARTS) || is_label() || folded.starts_with("date de publication") {
        date::labelled(line, true).map(|found| (found.label, found.iso))
    } else if starts(BARE_STARTS) {
        date::parse(line, true).map(|iso| (Label::Published, iso))
    } else {
        None
    }
}

/// The date in a line that has only names and the like besides: «Brennec, le 3 mars 2026».
fn date_alone(line: &str, folded: &str) -> Option<String> {
    let short = line.len() < LONGEST_DATELINE && folded.contains(|c: char| c.is_ascii_digit()) && !sentence::ends_like_sentence(line);
    date::find(line, true).filter(|_| short && date::strange_words(line) == 0).map(|found| found.iso)
}

fn is_boilerplate(line: &str, folded: &str, rules: &Rules) -> bool {
    let unmarked = folded.trim_start_matches(['>', '»', '→', '►', '▶', '➡', '👉', '-', '•', ' ']);
    let bare = unmarked.trim_end_matches([':', '.', ' ', '>', '»', '→', '…']);
    if line.len() > LONGEST_LINE {
        return false;
    }
    let begins = || rules.begins(unmarked).is_some_and(|length| !is_text(line, folded, unmarked.get(..length).unwrap_or_default(), rules));
    rules.is_line(bare) || is_comment_count(bare) || begins()
}

/// Whether a line that begins like boilerplate (with `beginning`) is part of the text. It must be a
/// sentence, must not address the reader, and must not name another article.
fn is_text(line: &str, folded: &str, beginning: &str, rules: &Rules) -> bool {
    let names_title = beginning.ends_with([':', '»']) && {
        let title = line.split_once([':', '»']).map_or("", |(_, title)| title.trim_start());
        title.starts_with(|c: char| !c.is_lowercase())
    };
    sentence::is_sentence(line, folded) && !names_title && !rules.speaks_to_reader(folded)
}

/// The names in a byline: «Par Jeanne Exemple», `By Jane Example and John Example`. A byline is
/// short, capitalises every name and does not end in a full stop.
pub(super) fn byline(line: &str) -> Option<&str> {
    let names =
        ["Par ", "par ", "PAR ", "By ", "by ", "BY ", "Propos recueillis par "].iter().find_map(|start| line.strip_prefix(start))?;
    let lower_case_words = ["et", "and", "avec", "with", "de", "du", "van", "von", "à"];
    let fits = |word: &str| lower_case_words.contains(&word) || word.starts_with(char::is_uppercase);
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
    fn the_date_of_publication_counts_before_that_of_a_change() {
        let text = "Mis à jour le 5 mars 2026 à 10h12\nPublié le 3 mars 2026 à 8h30\nLa digue tient.";
        assert_eq!(strip(text).published.as_deref(), Some("2026-03-03T08:30:00"));
        let text = "Mis à jour le 5 mars 2026 - Publié le 3 mars 2026\nLa digue tient.";
        assert_eq!((strip(text).published.as_deref(), strip(text).body.as_str()), (Some("2026-03-03"), "La digue tient."));
        for changed in ["Actualisé le 5 mars 2026", "Last modified on 5 March 2026", "MAJ : 05/03/2026 10:12"] {
            let text = format!("{changed}\nFirst published: 3 mars 2026\nLa digue tient.");
            assert_eq!(
                (strip(&text).published.as_deref(), strip(&text).body.as_str()),
                (Some("2026-03-03"), "La digue tient."),
                "{changed}"
            );
        }
    }

    #[test]
    fn boilerplate_that_is_a_sentence_is_removed_if_it_speaks_to_the_reader_or_names_an_article() {
        for line in [
            "Abonnez-vous à notre lettre et recevez chaque matin l'essentiel de l'actualité.",
            "Toute reproduction, même partielle, est interdite sans autorisation de l'éditeur.",
            "Lire aussi : La digue a cédé, la mairie promet des travaux avant l'été.",
            "Sign up for our newsletter: it is free and comes every morning.",
        ] {
            assert_eq!(strip(line).body, "", "{line}");
        }
    }

    #[test]
    fn a_caption_without_a_credit_is_removed_after_the_lead_and_kept_apart() {
        let caption = "Des soldats escortent un convoi vers la frontière en septembre 2023.";
        let (lead, rest) = ("La force a commencé à se retirer, a dit lundi son porte-parole.", "Elle comptait 2 000 hommes.");
        let stripped = strip(&format!("{lead}\n\n{caption}\n{rest}"));
        assert_eq!((stripped.body, stripped.captions), (format!("{lead}\n\n{rest}"), vec![caption.to_owned()]));
        assert_eq!(strip(&format!("{caption}\n{rest}")).body, format!("{caption}\n\n{rest}"), "a lead");
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
            "Publication du rapport le 3 mars 2026",
            "Il vous reste deux jours pour voter.",
            "Publié dans « La Revue », l'essai porte sur 12 000 patients suivis pendant neuf ans.",
            "Publié le 3 mars 2026 dans une revue, l'essai portait sur des milliers de patients.",
            "Classée en catégorie 4, la tempête a fait douze morts sur la côte.",
            "Toute reproduction du tableau est interdite, a jugé la cour d'appel.",
            "Voir aussi loin que les autres reste le rêve des astronomes amateurs.",
            "Photo : un art que la plupart des jeunes pratiquent avec leur téléphone.",
            "Le jugement est attendu mardi devant la cour d'appel de Brennec. (ats/afp)",
        ] {
            assert_eq!(strip(line).body, line);
        }
    }
}
