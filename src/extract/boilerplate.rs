//! Removes the lines that are not part of an article: share links, source lines, comment counts,
//! photo captions.

use super::date;
use crate::config::Rules;
use crate::model::fold;

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

/// Whether a line is a photo caption. It ends with the credit.
fn is_caption(line: &str) -> bool {
    line.rsplit_once(['©', '®']).is_some_and(|(_, credit)| credit.chars().count() < 80)
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
}
