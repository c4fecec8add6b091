//! Explains a finding in the language of the reader. The checks explain it in English. The French
//! sentence is made from the fields of the finding.

use std::borrow::Cow;

use super::words;
use crate::model::{Field, Finding, Flag, Lang, Problem, Row, Severity};

/// Characters of a quoted text. The texts may be whole sentences, which the outputs show elsewhere.
const QUOTED: usize = 160;
/// Findings of a row that are listed.
const LISTED: usize = 12;

/// The findings of a row, one on each line.
pub(super) fn lines(row: &Row, lang: Lang) -> String {
    let mut lines: Vec<String> = row.findings.iter().take(LISTED).map(|finding| line(finding, lang)).collect();
    if row.findings.len() > LISTED {
        lines.push(format!("… + {}", row.findings.len() - LISTED));
    }
    lines.join("\n")
}

/// A finding in one line: the check's name, the text, and what is wrong.
pub(super) fn line(finding: &Finding, lang: Lang) -> String {
    let word = |kind: &str, code: &str| words::of(lang, &format!("{kind}-{code}")).to_owned();
    let (name, colon) = (word("flag", finding.check.code()), if lang == Lang::FR { "\u{a0}: " } else { ": " });
    let text = if finding.field == Field::Article { String::new() } else { format!(" ({})", word("field", finding.field.code())) };
    format!("{name}{text}{colon}{}", shorten(&explanation(finding, lang), 2 * QUOTED))
}

/// What is wrong, in a sentence.
pub(super) fn explanation(finding: &Finding, lang: Lang) -> Cow<'_, str> {
    if lang == Lang::FR { Cow::Owned(french(finding)) } else { Cow::Borrowed(&finding.explanation) }
}

/// At most this many characters of `text`.
pub(super) fn shorten(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        Some((end, _)) => Cow::Owned(text.get(..end).unwrap_or_default().trim_end().to_owned() + "\u{a0}…"),
        None => Cow::Borrowed(text),
    }
}

fn french(finding: &Finding) -> String {
    let quoted = |text: &str| format!("«\u{a0}{}\u{a0}»", shorten(text.trim(), QUOTED));
    let (found, expected) = (quoted(&finding.found), quoted(&finding.expected));
    let (has_found, has_expected) = (!finding.found.is_empty(), !finding.expected.is_empty());
    match finding.check {
        Flag::Number if has_found && has_expected && finding.severity == Severity::Warning => {
            format!("{found} et {expected} semblent échangés par rapport à la source")
        }
        Flag::Number | Flag::Date | Flag::Name if has_found && has_expected => {
            format!("{found} ne correspond pas à la source, qui donne {expected}")
        }
        Flag::Number | Flag::Date | Flag::Name if has_found => format!("{found} ne figure pas dans la source"),
        Flag::Number | Flag::Date | Flag::Name => format!("{expected}, qui est dans la source, manque"),
        Flag::Negation if has_found => format!("{found} nie ce que la source affirme"),
        Flag::Negation => format!("la source nie ({expected}), ce texte affirme"),
        Flag::Missing if has_found && has_expected => {
            format!("texte trop court\u{a0}: {}, attendu {}", measure(&finding.found), measure(&finding.expected))
        }
        Flag::Missing if has_expected => format!("il manque au moins cette phrase de la source\u{a0}: {expected}"),
        Flag::Missing if finding.span.is_some() => format!("cette phrase n’est pas dans la source\u{a0}: {found}"),
        Flag::Missing => "il manque presque tout le texte de la source".into(),
        Flag::Length => {
            let expected = if has_expected { format!(", attendu {}", measure(&finding.expected)) } else { String::new() };
            format!("trop long\u{a0}: {}{expected}", measure(&finding.found))
        }
        Flag::Language if finding.span.is_some() => format!("{found} n’est pas dans la langue du texte"),
        Flag::Language => "le texte n’est pas dans la langue attendue".into(),
        Flag::Glossary => format!("le glossaire traduit ce terme par {expected}"),
        Flag::Quote => format!("{found} est entre guillemets, mais n’est pas une citation de la source"),
        Flag::Loop => format!("{found} répète ce qui précède"),
        Flag::Instruction => format!("le texte parle de la consigne, ou suit un ordre donné dans l’article\u{a0}: {found}"),
        Flag::Echo => "identique à la source\u{a0}: pas traduit".into(),
        Flag::Encoding if finding.field == Field::Article => "certains octets du fichier, illisibles, ont été remplacés".into(),
        Flag::Encoding => format!("des caractères sont abîmés\u{a0}: {found}"),
        Flag::Draft => "traduction de brouillon\u{a0}: pour trier, pas pour publier".into(),
        Flag::NoTitle => "pas de titre trouvé\u{a0}: la première phrase en tient lieu".into(),
        Flag::Copy => "même texte qu’un autre article, parfois abrégé".into(),
        Flag::Mojibake => "texte décodé puis enregistré avec le mauvais codage\u{a0}: il a été réparé".into(),
        Flag::Teaser => "peut-être le début seul de l’article\u{a0}: extrait d’un flux, ou partie avant un péage".into(),
        Flag::Review => {
            let what = match finding.problem {
                Some(Problem::Unsupported) => "l’article ne le dit pas",
                Some(Problem::Contradicted) => "l’article dit le contraire",
                Some(Problem::Mistranslated) => "mal traduit",
                Some(Problem::Omitted) | None => "il manque quelque chose",
            };
            format!("selon le relecteur, {what}\u{a0}: {}", if has_found { found } else { expected })
        }
        Flag::Unreviewed => "le relecteur n’a pas répondu\u{a0}: ligne non relue".into(),
        Flag::Several => "le fichier semble contenir plusieurs articles\u{a0}: à séparer".into(),
    }
}

/// A measure of the checks in French: `about 60 words` is `environ 60 mots`.
fn measure(english: &str) -> String {
    english.replace("about ", "environ ").replace(" words", " mots").replace(" characters", " caractères")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(check: Flag, found: &str, expected: &str) -> Finding {
        Finding::new(check, Severity::Error, Field::SummaryEn, "in English").found(found, None).expected(expected)
    }

    #[test]
    fn every_finding_has_a_sentence_in_both_languages() {
        for check in Flag::ALL {
            for (found, expected) in [("", ""), ("20", ""), ("", "2"), ("20", "2")] {
                let finding = finding(check, found, expected);
                assert_eq!(explanation(&finding, Lang::EN), "in English");
                assert!(explanation(&finding, Lang::FR).chars().count() > 10, "{finding:?}");
            }
        }
        assert_eq!(
            line(&finding(Flag::Number, "20 000", "2 000"), Lang::FR),
            "nombre (résumé anglais)\u{a0}: «\u{a0}20 000\u{a0}» ne correspond pas à la source, qui donne «\u{a0}2 000\u{a0}»"
        );
        let length = finding(Flag::Length, "130 words", "about 60 words");
        assert_eq!(explanation(&length, Lang::FR), "trop long\u{a0}: 130 mots, attendu environ 60 mots");
    }

    #[test]
    fn long_texts_and_long_lists_are_shortened() {
        let row = Row { findings: vec![finding(Flag::Loop, &"bla ".repeat(400), ""); 30], ..Row::default() };
        let lines = lines(&row, Lang::FR);
        assert_eq!(lines.lines().count(), LISTED + 1);
        assert!(lines.ends_with("… + 18") && lines.len() < LISTED * 500, "{}", lines.len());
    }
}
