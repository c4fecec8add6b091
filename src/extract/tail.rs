//! Removes the words that agencies, feeds and services put after a text: initials of the editors,
//! `(Reuters)`, «L'article … est apparu en premier sur …», `[+2345 chars]`.
//!
//! Only whole paragraphs at the end of a text count: in a sentence, the same words are part of it.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::word_list::entries;
use crate::model::fold;

static AGENCIES: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("tail/agencies.txt")).collect());

/// The longest paragraph that is looked at (in bytes).
const LONGEST: usize = 300;
/// Whole paragraphs, folded, without brackets and dashes.
const ENDS: &[&str] = &["nnnn", "fin", "end", "ends", "30", "###", "fin de citation"];
/// First words of remarks in brackets about who wrote a report.
const REMARKS: &[&str] = &[
    "rédigé par",
    "rédaction",
    "reportage",
    "avec la contribution",
    "édité par",
    "version française",
    "traduit par",
    "propos recueillis",
    "reporting by",
    "writing by",
    "additional reporting",
    "editing by",
    "compiled by",
    "with ",
    "avec ",
];
/// Words of `WordPress` at the end of a feed's entries: the first words, and words that follow.
const FEED_ENDS: &[(&str, &str)] = &[
    ("l'article ", " est apparu en premier sur "),
    ("cet article ", " est apparu en premier sur "),
    ("the post ", " appeared first on "),
    ("the post ", " first appeared on "),
];

/// The text without the number of characters that a service cut off (`[+2345 chars]`), and whether
/// there was such a number.
pub(super) fn without_count(text: String) -> (String, bool) {
    let Some((before, count)) = text.trim_end().strip_suffix(" chars]").and_then(|text| text.rsplit_once("[+")) else {
        return (text, false);
    };
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return (text, false);
    }
    (before.trim_end().to_owned(), true)
}

/// The body without the paragraphs at its end that sign it. The first paragraph always stays.
pub(super) fn without_sign_off(mut body: String) -> String {
    while let Some((before, _)) = body.rsplit_once("\n\n").filter(|(_, last)| is_sign_off(last.trim())) {
        body.truncate(before.trim_end().len());
    }
    body
}

fn is_sign_off(paragraph: &str) -> bool {
    if paragraph.len() > LONGEST {
        return false;
    }
    let is_rule = paragraph.len() > 2 && paragraph.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '–' | '—' | ' '));
    if is_rule || is_initials(paragraph) {
        return true;
    }
    let folded = fold(paragraph);
    let bracketed = folded.strip_prefix('(').and_then(|inside| inside.strip_suffix(')'));
    let bare = folded.trim_matches(|c: char| matches!(c, '(' | ')' | '[' | ']' | '-' | '–' | '—' | '=' | '.' | ' ' | '©'));
    ENDS.contains(&bare)
        || folded == "###"
        || is_agencies(bare)
        || is_credit(bare)
        || is_companies(paragraph)
        || bracketed.is_some_and(|inside| REMARKS.iter().any(|start| inside.starts_with(start)))
        || is_about_agency(&folded)
        || FEED_ENDS.iter().any(|(start, words)| folded.starts_with(start) && folded.contains(words))
}

/// Whether a paragraph is the initials of those who wrote and edited a report: `ppy/cbn/ao`,
/// `bur-jld/mba`, `gr/bp`, `dpa tt xx n1`.
fn is_initials(paragraph: &str) -> bool {
    let is_initial =
        |part: &str| (2..=5).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let signature = paragraph.strip_suffix(" eva").unwrap_or(paragraph);
    let slashed = signature.contains('/')
        && signature.len() <= 40
        && signature.split(['/', '-']).all(|part| is_initial(part) || AGENCIES.contains(fold(part).as_str()));
    let spaced = paragraph.strip_prefix("dpa ").is_some_and(|rest| rest.len() <= 30 && rest.split(' ').all(is_initial));
    slashed || spaced
}

/// Whether a paragraph only names other authors of an AP report, or points to more reports.
fn is_about_agency(folded: &str) -> bool {
    folded.ends_with("contributed to this report.") || (folded.starts_with("follow ") && folded.contains("ap's "))
}

/// Whether a text names an agency, perhaps next to others: «AFP», «awp/ats».
pub(super) fn is_agency(names: &str) -> bool {
    let folded = fold(names);
    folded.split(['/', ',', '+']).any(|name| AGENCIES.contains(name.trim()))
}

/// Whether a paragraph is a credit: «Le Journal avec AFP», «Rédaction AFP».
fn is_credit(bare: &str) -> bool {
    const MOST_WORDS: usize = 6;
    let names = bare.rsplit_once("avec ").map(|(_, names)| names);
    let names = names.or_else(|| ["rédaction ", "source ", "source : ", "sources : "].iter().find_map(|start| bare.strip_prefix(start)));
    bare.split_whitespace().count() <= MOST_WORDS && names.is_some_and(|names| is_agencies(names.trim_start_matches("l'")))
}

/// Whether a paragraph is AFP's list of the companies in a report: `<AIR FRANCE-KLM>`.
fn is_companies(paragraph: &str) -> bool {
    let inside = paragraph.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inside.is_some_and(|inside| inside.contains(char::is_uppercase) && !inside.contains(char::is_lowercase) && !inside.contains('/'))
}

/// Whether a text is the names of agencies, with a year or a date: «ats, afp», «2026 AFP».
fn is_agencies(bare: &str) -> bool {
    let mut agencies = 0;
    let is_known = |name: &str| {
        let name = name.trim().trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '©').trim();
        name.is_empty() || AGENCIES.contains(name.strip_prefix("avec ").unwrap_or(name))
    };
    let all = bare.split(['/', ',', '+']).all(|name| {
        agencies += usize::from(name.contains(char::is_alphabetic));
        is_known(name)
    });
    all && agencies > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_offs_at_the_end_are_removed() {
        for end in [
            "ppy/cbn/ao",
            "bur-jld/mba/sr",
            "dpa tt xx n1",
            "==Kyodo",
            "NNNN",
            "(END)",
            "- 30 -",
            "###",
            "(ats/afp)",
            "Keystone-ATS",
            "© 2026 AFP",
            "Avec AFP",
            "(AFP, Reuters)",
            "(Rédigé par Jeanne Exemple, édité par Luc Modèle)",
            "(Reporting by Jane Example; Editing by John Example)",
            "L’article Le budget adopté est apparu en premier sur Le Journal.",
            "The post Budget adopted appeared first on The Paper.",
            "jld/ao\n\n© AFP",
            "Le Journal avec AFP",
            "Le Journal (avec l’AFP)",
            "Rédaction AFP",
            "ATS/ami",
            "bur/lpt\n\n<AIR FRANCE-KLM>",
            "_____\n\nppy/ao\n\n* * *",
            "___\n\nSample reported from London. Associated Press writer Ann Other contributed to this report.\n\n___\n\nFollow AP's coverage of the region at https://a.invalid",
        ] {
            assert_eq!(without_sign_off(format!("Un texte.\n\nFin du texte.\n\n{end}")), "Un texte.\n\nFin du texte.", "{end}");
        }
    }

    #[test]
    fn sentences_and_other_short_lines_are_kept() {
        for end in [
            "La fin.",
            "Le maire a dîné avec AFP et les autres élus.",
            "<b>",
            "et/ou",
            "Le budget a été voté, selon l'AFP. (ats/afp)",
            "(Le maire n'a pas répondu.)",
            "L'article 49 a été utilisé.",
            "Lyon",
            "2026",
            "Un/deux",
        ] {
            let body = format!("Un texte.\n\n{end}");
            // «et/ou» alone has the form of initials.
            let kept = if end == "et/ou" { "Un texte.".to_owned() } else { body.clone() };
            assert_eq!(without_sign_off(body), kept);
        }
        assert_eq!(without_sign_off("AFP".to_owned()), "AFP");
    }

    #[test]
    fn the_count_of_a_cut_text_is_removed() {
        assert_eq!(without_count("Le début… [+2345 chars]".to_owned()), ("Le début…".to_owned(), true));
        for text in ["Le début… [+ chars]", "[+x chars]", "Un [+5 chars] mot", "5 chars]"] {
            assert_eq!(without_count(text.to_owned()), (text.to_owned(), false));
        }
    }
}
