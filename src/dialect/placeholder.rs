//! Recognises texts that are only placeholders: "...", "N/A", the name of a field, "Done."

use super::labels::{is_label, words};

/// Texts that mean «nothing».
const NOTHING: &[&str] = &[
    "",
    "string",
    "str",
    "null",
    "nil",
    "none",
    "undefined",
    "nan",
    "na",
    "n a",
    "tbd",
    "todo",
    "placeholder",
    "empty",
    "blank",
    "unknown",
    "not available",
    "not applicable",
    "no summary",
    "no summary available",
    "no title",
    "no translation",
    "no content",
    "no text",
    "aucun",
    "aucune",
    "aucun resume",
    "neant",
    "vide",
    "inconnu",
    "non disponible",
    "non applicable",
    "sans objet",
    "sans titre",
    "pas de resume",
    "indisponible",
    "nd",
    "n d",
    "lorem ipsum",
    "xxx",
    "xx",
    "etc",
    "example",
    "exemple",
    "true",
    "false",
    "object",
    "object object",
    "array",
    "error",
    "erreur",
    "test",
];

/// Answers to the instructions instead of a summary. The translation of a title may be such a word.
const CONSENT: &[&str] = &[
    "ok",
    "okay",
    "done",
    "sure",
    "certainly",
    "of course",
    "understood",
    "d accord",
    "bien sur",
    "entendu",
    "compris",
    "fait",
    "assistant",
];

/// Shorter summaries in Latin letters have no content: "0", "%s".
const MIN_LETTERS: usize = 3;

/// Whether `text` is only a placeholder: it has no letters or digits, means «nothing», or is the
/// name of a field. False if `source` is a placeholder too, because then its translation is right.
pub(crate) fn is_placeholder(text: &str, source: Option<&str>) -> bool {
    let says_nothing = |words: &[String]| NOTHING.contains(&words.join(" ").as_str()) || is_label(words);
    let own = words(text);
    let said = own.join(" ");
    let is_short = text.is_ascii() && text.chars().filter(char::is_ascii_alphanumeric).count() < MIN_LETTERS;
    if source.is_none() && (is_short || CONSENT.contains(&said.as_str()) || said.starts_with("lorem ipsum dolor")) {
        return true;
    }
    says_nothing(&own) && !source.map(words).is_some_and(|source| says_nothing(&source) && source.is_empty() == own.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_recognised() {
        for text in [
            "...",
            "…",
            "-",
            "string",
            "N/A",
            "null",
            "\"\"",
            "« »",
            "Résumé",
            "summary_fr",
            "<summary>",
            "[Your summary here]",
            "The summary in English, about 60 words.",
            "none.",
            "No summary available.",
            "[no output]",
            "Votre résumé ici",
            "[Insérer le résumé ici]",
            "Lorem ipsum dolor sit amet",
            "Bien sûr !",
            "Done.",
            "%s",
            "0",
        ] {
            assert!(is_placeholder(text, None), "{text}");
        }
        for text in ["Un mort à Nice", "La digue a tenu.", "Macron", "Le texte a été adopté.", "OTAN", "2026", "Это да", "停火"]
        {
            assert!(!is_placeholder(text, None), "{text}");
        }
        assert!(!is_placeholder("The summary", Some("Le résumé")));
        assert!(!is_placeholder("Done", Some("C'est fait")));
        assert!(!is_placeholder("No", Some("Non")) && !is_placeholder("5", Some("5")));
        assert!(!is_placeholder("…", Some("...")));
        assert!(is_placeholder("...", Some("Titre")));
    }
}
