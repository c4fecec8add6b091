//! Exports of `LexisNexis` as text: an article between «3 of 10 DOCUMENTS» and the next such line,
//! or (in newer exports) before a line «End of Document».

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::extract::date;
use crate::extract::draft::Draft;
use crate::extract::key::Key;
use crate::extract::word_list::entries;
use crate::extract::wrapped_lines::unwrapped;
use crate::model::fold;

/// What each field holds.
static FIELDS: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| entries(include_str!("nexis_fields.tsv")).filter_map(|line| line.split_once('\t')).collect());
/// The longest name of a field.
const LONGEST_NAME: usize = 24;

pub(super) fn drafts(text: &str) -> Option<Vec<Draft>> {
    let chunks = chunks(text)?;
    let drafts: Vec<Draft> = chunks.iter().filter_map(|chunk| draft(chunk)).collect();
    // Without these fields, the marks are part of an ordinary text.
    (!drafts.is_empty()).then_some(drafts)
}

/// The pieces of a text that hold one article each. Returns `None` if no mark divides it.
fn chunks(text: &str) -> Option<Vec<String>> {
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    if !has("ocument") && !has("DOCUMENT") && !has("okument") {
        return None;
    }
    let is_end = |line: &str| matches!(line.trim(), "End of Document" | "Fin du document");
    let mut chunks: Vec<Vec<&str>> = vec![Vec::new()];
    if has("DOCUMENT") || has("Document ") || has("Dokument ") {
        for line in text.lines() {
            if is_count(line) {
                chunks.push(Vec::new());
            } else if let Some(chunk) = chunks.last_mut() {
                chunk.push(line);
            }
        }
        // The first piece is a cover sheet.
        chunks.remove(0);
    }
    if chunks.iter().all(Vec::is_empty) && (has("End of Document") || has("Fin du document")) {
        let lines: Vec<&str> = text.lines().collect();
        chunks = lines.split(|line| is_end(line)).map(<[&str]>::to_vec).collect();
    }
    let chunks: Vec<String> = chunks.into_iter().map(|lines| lines.join("\n")).filter(|chunk| !chunk.trim().is_empty()).collect();
    (!chunks.is_empty()).then_some(chunks)
}

/// Whether a line is «3 of 10 DOCUMENTS», «Document 3 de 10» or the like.
fn is_count(line: &str) -> bool {
    let words: Vec<String> = line.trim().trim_start_matches("FOCUS - ").split_whitespace().take(5).map(str::to_lowercase).collect();
    let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let of = |word: &str| matches!(word, "of" | "de" | "sur" | "von" | "van");
    let document = |word: &str| word.trim_end_matches(['s', 'e']) == "document" || word.trim_end_matches('e') == "dokument";
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [first, between, all, noun] => {
            number(first) && of(between) && number(all) && document(noun) || document(first) && number(between) && of(all) && number(noun)
        }
        _ => false,
    }
}

/// The field that a line starts, and its value.
fn field(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim();
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    if name.len() > LONGEST_NAME || !name.starts_with(char::is_uppercase) {
        return None;
    }
    let role = *FIELDS.get(fold(name).as_str())?;
    // `Body` and `Classification` have no value; the others have one.
    (line.contains(':') || matches!(name, "Body" | "Corps" | "Classification")).then_some((role, value.trim()))
}

fn draft(chunk: &str) -> Option<Draft> {
    let lines: Vec<&str> = chunk.lines().map(str::trim).filter(|line| !is_page_number(line)).collect();
    let roles: Vec<Option<(&str, &str)>> = lines.iter().map(|line| field(line)).collect();
    let has_role = |role: &str| roles.iter().flatten().any(|(known, _)| *known == role);
    // The text starts after the last such field: `Length`, and then `Body` if there is one.
    let start = roles.iter().take_while(|role| !matches!(role, Some(("end", _)))).collect::<Vec<_>>();
    let start = start.iter().rposition(|role| matches!(role, Some(("start", _))))? + 1;
    if !has_role("end") && !has_role("start") {
        return None;
    }
    let value = |role: &str| {
        let at = roles.iter().position(|known| known.is_some_and(|(known, _)| known == role))?;
        let rest = lines.iter().skip(at + 1).take_while(|line| !line.is_empty());
        let first = roles.get(at).copied().flatten().map_or("", |(_, value)| value);
        Some(std::iter::once(first).chain(rest.copied()).collect::<Vec<_>>().join(" ").trim().to_owned()).filter(|value| !value.is_empty())
    };
    let head = paragraphs(lines.get(..start).unwrap_or_default());
    let date_at = head.iter().position(|paragraph| date::find(paragraph, true).is_some() && field(paragraph).is_none());
    // The title comes after the newspaper and the date, or (in newer exports) first.
    let is_plain = |paragraph: &&String| field(paragraph).is_none() && !is_copyright(paragraph);
    let is_new = roles.iter().flatten().any(|(role, value)| *role == "start" && value.is_empty());
    let behind = date_at.filter(|_| !is_new).and_then(|at| head.iter().skip(at + 1).find(is_plain));
    let title = value("title").or_else(|| behind.or_else(|| head.iter().find(is_plain)).cloned());
    let lead = value("lead");
    let body = body(lines.get(start..).unwrap_or_default());
    (!body.is_empty()).then(|| Draft {
        key: Key::Content,
        title,
        body: lead.map_or(body.clone(), |lead| format!("{lead}\n\n{body}")),
        published: date_at.and_then(|at| head.get(at)).map(|paragraph| paragraph.lines().next().unwrap_or_default().to_owned()),
        author: value("author"),
        section: value("section").map(|section| section.split(';').next().unwrap_or_default().to_owned()),
        ..Draft::default()
    })
}

/// Whether a line is «Page 1 of 3».
fn is_page_number(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    matches!(words.as_slice(), ["Page", number, _, all] if [number, all].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit())))
}

fn is_copyright(line: &str) -> bool {
    (line.starts_with("Copyright ") || line.starts_with("© ")) && line.len() < 100
}

/// The pieces between blank lines, each on one line.
fn paragraphs(lines: &[&str]) -> Vec<String> {
    lines.split(|line| line.is_empty()).map(|piece| piece.join(" ")).filter(|piece| !piece.trim().is_empty()).collect()
}

/// The text, up to the fields after it. Fields may also come before it.
fn body(lines: &[&str]) -> String {
    let mut text = Vec::new();
    let mut skipping = false;
    for line in lines {
        match field(line) {
            Some(("end", _)) => break,
            Some(_) if text.iter().all(|line: &&str| line.is_empty()) => skipping = true,
            _ if line.is_empty() => skipping = false,
            _ => {}
        }
        if is_copyright(line) {
            break;
        }
        if !skipping {
            text.push(*line);
        }
    }
    unwrapped(text.join("\n").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Le conseil municipal a adopté mardi soir, à une large majorité, le\nbudget de la ville.\n\nLa maire a défendu un effort de solidarité.";

    fn old(number: usize, title: &str) -> String {
        format!(
            "                               {number} of 2 DOCUMENTS\n\n\n                                  Le Journal\n\n                            3 mars 2026 mardi\n                                   Edition 1;\n\n{title}\n\nBYLINE: Jeanne Exemple\n\nSECTION: VILLE; Pg. 6\n\nLENGTH: 355 words\n\nDATELINE: PORT\n\n{TEXT}\n\nLOAD-DATE: March 4, 2026\n\nLANGUAGE: FRENCH\n\n                       Copyright 2026 Le Journal\n                              All Rights Reserved\n\n"
        )
    }

    fn check(drafts: &[Draft]) {
        let titles: Vec<&str> = drafts.iter().filter_map(|draft| draft.title.as_deref()).collect();
        assert_eq!(titles, ["Le budget adopté", "La digue"]);
        for draft in drafts {
            assert_eq!(draft.body, TEXT.replace("le\nbudget", "le budget"));
            assert_eq!((draft.author.as_deref(), draft.section.as_deref()), (Some("Jeanne Exemple"), Some("VILLE")));
            assert_eq!(draft.published.as_deref().and_then(|date| date::parse(date, true)).as_deref(), Some("2026-03-03"));
        }
    }

    #[test]
    fn each_document_of_an_old_export_is_an_article() {
        let cover = "Download Request: Selected Items: 1-2\nTerms: (budget)\n\n";
        check(&drafts(&format!("{cover}{}{}", old(1, "Le budget adopté"), old(2, "La digue"))).unwrap());
        let french = |text: String, number: usize| {
            text.replace(&format!("{number} of 2 DOCUMENTS"), &format!("Document {number} de 2"))
                .replace("BYLINE", "AUTEUR")
                .replace("SECTION", "RUBRIQUE")
                .replace("LENGTH", "LONGUEUR")
                .replace("LOAD-DATE", "DATE-CHARGEMENT")
                .replace("LANGUAGE", "LANGUE")
        };
        check(&drafts(&[french(old(1, "Le budget adopté"), 1), french(old(2, "La digue"), 2)].concat()).unwrap());
    }

    #[test]
    fn each_document_of_a_new_export_is_an_article() {
        let new = |title: &str| {
            format!(
                "Page 1 of 2\n{title}\n\nLe Journal\n\n3 mars 2026 mardi\n\nCopyright 2026 Le Journal All Rights Reserved\n\nSection: VILLE; Pg. 6\nLength: 355 words\nByline: Jeanne Exemple\n\nBody\n\n{TEXT}\n\nLoad-Date: March 4, 2026\n\nEnd of Document\n\n"
            )
        };
        let drafts = drafts(&[new("Le budget adopté"), new("La digue")].concat()).unwrap();
        check(&drafts);
    }

    #[test]
    fn an_ordinary_text_is_not_an_export() {
        for text in ["Un texte.\n\nDocument 1 de 2\n\nSuite.", "Longueur : 3 km.\nDeux.", "3 of 10 DOCUMENTS", "", "Fin du document\n"] {
            assert_eq!(drafts(text), None, "{text}");
        }
    }
}
