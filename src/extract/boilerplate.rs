//! Lines that stand in a text but are no part of the article: share links, source lines, comment counts, photo captions.

use super::date;

/// A text without its furniture, and the date that a dropped «Publié le …» line held.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    /// Paragraphs parted by a blank line.
    pub(super) body: String,
    /// ISO 8601.
    pub(super) published: Option<String>,
}

/// Whole lines, in small letters, that are never text.
const LINES: &[&str] = &[
    "lien source",
    "source",
    "lire la suite",
    "lire aussi",
    "à lire aussi",
    "partager",
    "partager cet article",
    "imprimer",
    "envoyer par e-mail",
    "commenter",
    "commentaires",
    "laisser un commentaire",
    "réagir",
    "publicité",
    "s'abonner",
    "se connecter",
    "read more",
    "read also",
    "share",
    "share this article",
    "print",
    "comments",
    "leave a comment",
    "advertisement",
    "subscribe",
    "sign in",
    "source link",
];

/// Beginnings of short lines that are no text.
const BEGINNINGS: &[&str] = &[
    "lire aussi :",
    "à lire aussi :",
    "voir aussi :",
    "lire également :",
    "read also:",
    "see also:",
    "read more:",
    "photo :",
    "photo:",
    "crédit photo",
    "crédits photo",
    "photo credit",
    "légende :",
    "image :",
    "tags :",
    "tags:",
    "mots-clés :",
    "inscrivez-vous à notre newsletter",
    "recevez notre newsletter",
    "suivez-nous sur",
    "follow us on",
    "tous droits réservés",
    "all rights reserved",
];

/// A line longer than this (in characters) is never taken for furniture by its beginning.
const SHORT: usize = 160;
/// Longest caption, in characters.
const CAPTION: usize = 300;

/// Drops the furniture of `text`; every line that is left becomes a paragraph.
pub(super) fn strip(text: &str) -> Stripped {
    let mut published = None;
    let mut paragraphs: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(date) = dateline(line) {
            published.get_or_insert(date);
        } else if !is_furniture(line) {
            paragraphs.push(line);
        }
    }
    Stripped { body: paragraphs.join("\n\n"), published }
}

/// The date of a line that only says when the article was published or changed.
fn dateline(line: &str) -> Option<String> {
    const STARTS: &[&str] = &[
        "publié le",
        "publié :",
        "mis à jour le",
        "modifié le",
        "mis en ligne le",
        "published on",
        "published:",
        "posted on",
        "updated on",
    ];
    let small = line.to_lowercase();
    let starts = STARTS.iter().any(|start| small.starts_with(start));
    (starts && line.chars().count() < 100).then(|| date::parse(line)).flatten()
}

fn is_furniture(line: &str) -> bool {
    let small = line.to_lowercase().replace('’', "'");
    let bare = small.trim_end_matches([':', '.', ' ', '\u{a0}', '>', '»', '→']);
    let length = line.chars().count();
    LINES.contains(&bare)
        || is_comment_count(bare)
        || (length <= SHORT && BEGINNINGS.iter().any(|start| small.replace(['\u{a0}', '\u{202f}'], " ").starts_with(start)))
        || (length <= CAPTION && is_caption(line))
        || is_byline(line)
}

/// «Par Jeanne Exemple», `By Jane Example and John Example`: a few words, every name with a capital, no full stop.
fn is_byline(line: &str) -> bool {
    let Some(names) = ["Par ", "By ", "Propos recueillis par "].iter().find_map(|start| line.strip_prefix(start)) else {
        return false;
    };
    let small = ["et", "and", "avec", "with", "de", "du", "van", "von", "à"];
    let fits = |word: &str| small.contains(&word) || word.starts_with(char::is_uppercase);
    names.chars().count() < 80 && !names.ends_with(['.', '!', '?']) && names.split([' ', ',']).filter(|word| !word.is_empty()).all(fits)
}

/// «Comment (0)», «3 commentaires».
fn is_comment_count(line: &str) -> bool {
    let words: String = line.chars().filter(|c| c.is_alphabetic()).collect();
    line.chars().any(|c| c.is_ascii_digit()) && matches!(words.as_str(), "comment" | "comments" | "commentaire" | "commentaires")
}

/// A photo caption ends with its credit.
fn is_caption(line: &str) -> bool {
    let credit = line.rsplit_once(['©', '®']).is_some_and(|(_, credit)| credit.chars().count() < 80);
    credit || line.ends_with("/AFP") || line.ends_with("/AFP)") || line.ends_with("(Photo d'archives)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_copied_page_goes_and_its_date_is_kept() {
        let text = "Publié le 16 novembre 2026 à 8 h 30\n\nLa trêve tient.\nLes ferrys ont repris.\n\nDes habitants sur le quai. © Agence Littoral\n\nFin.\nLien source\n\n\n\nComment (0)";
        let stripped = strip(text);
        assert_eq!(stripped.body, "La trêve tient.\n\nLes ferrys ont repris.\n\nFin.");
        assert_eq!(stripped.published.as_deref(), Some("2026-11-16"));
    }

    #[test]
    fn bylines_go() {
        assert_eq!(strip("Par Jeanne Exemple et Luc Modèle, à Lyon\nLa digue tient.").body, "La digue tient.");
    }

    #[test]
    fn sentences_that_only_look_like_furniture_stay() {
        for line in [
            "Partager la ville en deux n'est pas une solution, a dit le maire.",
            "Le texte, publié le 3 mars 2026, a été adopté.",
            "Source d'inquiétude pour les riverains, la digue sera refaite.",
            "Les 12 commentaires reçus ont été lus.",
            "Par ailleurs, la mairie a annoncé un plan",
            "Par Paris.",
        ] {
            assert_eq!(strip(line).body, line);
        }
    }
}
