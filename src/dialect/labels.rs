//! Removes what models put around a requested text: labels («Voici le résumé :», "English:"),
//! headings and notes. Recognises texts that are only placeholders.

use crate::model::without_accent;

/// Other words of labels and placeholders, without accents.
const OTHER_WORDS: &[&str] = &[
    "version",
    "chapo",
    // In which language.
    "language",
    "langue",
    "en",
    "fr",
    "eng",
    // How much of it.
    "about",
    "concise",
    "brief",
    "short",
    "word",
    "words",
    "sentence",
    "sentences",
    "paragraph",
    "bref",
    "breve",
    "court",
    "courte",
    "concis",
    "environ",
    "mot",
    "mots",
    "phrase",
    "phrases",
    "paragraphe",
    // Politeness and small words.
    "sure",
    "certainly",
    "okay",
    "ok",
    "course",
    "absolutely",
    "is",
    "are",
    "s",
    "the",
    "a",
    "an",
    "of",
    "in",
    "into",
    "to",
    "for",
    "from",
    "your",
    "you",
    "requested",
    "following",
    "below",
    "final",
    "this",
    "my",
    "its",
    "and",
    "as",
    "bien",
    "sur",
    "certainement",
    "ci",
    "dessous",
    "demande",
    "demandee",
    "le",
    "la",
    "les",
    "l",
    "un",
    "une",
    "de",
    "du",
    "d",
    "des",
    "et",
    "votre",
    "vous",
    "suivant",
    "suivante",
    "insert",
    "go",
    "goes",
    "would",
    "be",
    "main",
    "original",
    "originale",
];

/// A label has at least one of these words.
const TELLING: &[&str] = &[
    "abstract",
    "answer",
    "article",
    "content",
    "headline",
    "output",
    "response",
    "result",
    "summary",
    "summarized",
    "summarised",
    "text",
    "title",
    "translated",
    "translation",
    "translations",
    "reponse",
    "resultat",
    "resume",
    "texte",
    "titre",
    "traduction",
    "traduit",
    "traduite",
    "synthese",
    "contenu",
    "english",
    "french",
    "anglais",
    "anglaise",
    "francais",
    "francaise",
    "voici",
    "here",
];

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

/// A label has at most this many words.
const MAX_WORDS: usize = 16;

/// Beginnings of notes, without accents.
const NOTES: &[&str] = &[
    "note",
    "n.b",
    "nb",
    "translator",
    "word count",
    "nombre de mots",
    "mots :",
    "remarque",
    "explanation",
    "explication",
    "disclaimer",
    "commentaire",
    "ndt",
    "n.d.t",
];

/// The text without labels before it and notes around it, except those that its `source` has too.
pub(super) fn without_labels(text: &str, source: Option<&str>) -> String {
    let mut text = text.trim();
    // A label, a heading and a note may follow each other.
    for _ in 0..4 {
        let shorter = without_label(without_rules(text), source);
        let shorter = if source.is_none_or(|source| !begins_or_ends_with_note(source)) { without_notes(shorter) } else { shorter };
        if shorter.len() == text.len() {
            break;
        }
        text = shorter;
    }
    text.to_owned()
}

/// Whether `text` is only a placeholder: it has no letters or digits, means «nothing», or is the
/// name of a field. If `source` is one too, `text` is right to be one, and this is false.
pub(crate) fn is_placeholder(text: &str, source: Option<&str>) -> bool {
    let says_nothing = |words: &[String]| NOTHING.contains(&words.join(" ").as_str()) || is_label(words);
    let own = words(text);
    says_nothing(&own) && !source.map(words).is_some_and(|source| says_nothing(&source) && source.is_empty() == own.is_empty())
}

/// Removes Markdown around a whole text: rules, the mark of a quotation, and bold type.
fn without_rules(text: &str) -> &str {
    let is_rule = |line: &str| line.trim().len() > 2 && line.trim().chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | '#'));
    let text = match text.rsplit_once('\n') {
        Some((rest, line)) if is_rule(line) => rest.trim_end(),
        _ => text,
    };
    let text = match text.split_once('\n') {
        Some((line, rest)) if is_rule(line) => rest.trim_start(),
        _ => text,
    };
    let text = text.strip_prefix("> ").unwrap_or(text);
    text.strip_prefix("**").and_then(|text| text.strip_suffix("**")).filter(|text| !text.contains("**")).unwrap_or(text)
}

fn without_label<'t>(text: &'t str, source: Option<&str>) -> &'t str {
    let Some(end) = text.find([':', '\n']) else { return text };
    let (label, rest) = text.split_at(end);
    if !is_label(&words(label)) {
        return text;
    }
    let own = |source: &str| source.find([':', '\n']).is_some_and(|end| source.get(..end).is_some_and(|label| is_label(&words(label))));
    // A sentence in a line of its own, such as «Voici le résumé.», or a heading.
    if source.is_some_and(own) {
        return text;
    }
    let rest = rest.trim_start_matches([':', '*', '_', '#', ' ', '\u{a0}', '\u{202f}', '\n']);
    // A label alone is a placeholder, which the checks of the answer reject.
    if rest.is_empty() { text } else { rest }
}

fn is_label(words: &[String]) -> bool {
    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    // "Article 49" is the article's own.
    let of_words = || words.iter().any(|word| ["words", "mots", "sentences", "phrases"].contains(&word.as_str()));
    (1..=MAX_WORDS).contains(&words.len())
        && words.iter().all(|word| [TELLING, OTHER_WORDS].iter().any(|list| list.contains(&word.as_str())) || is_number(word) && of_words())
        && words.iter().any(|word| TELLING.contains(&word.as_str()))
}

fn without_notes(text: &str) -> &str {
    let mut text = text;
    for (open, close) in [('(', ')'), ('[', ']')] {
        if text.starts_with(open)
            && let Some(end) = text.find(close)
            && text.get(1..end).is_some_and(is_note)
        {
            text = text.get(end + 1..).unwrap_or_default().trim_start();
        }
        if text.ends_with(close)
            && let Some(start) = text.rfind(open)
            && text.get(start + 1..).is_some_and(is_note)
        {
            text = text.get(..start).unwrap_or_default().trim_end();
        }
    }
    // A last paragraph.
    match text.rfind('\n') {
        Some(end) if text.get(end..).is_some_and(is_note) => text.get(..end).unwrap_or_default().trim_end(),
        _ => text,
    }
}

fn is_note(text: &str) -> bool {
    let text: String = text.trim_start_matches(['\n', ' ', '*', '_', '-']).chars().take(40).map(plain).collect();
    let counts_words = text.split_once(' ').is_some_and(|(number, unit)| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && ["words", "mots"].iter().any(|word| unit.starts_with(word))
    });
    let goes_on = |rest: &str| rest.starts_with(char::is_alphabetic) && !rest.starts_with('s');
    // "(noté 12 sur 20)" is the text's own.
    let tells = text.contains(':') || text.starts_with("note that");
    counts_words || tells && NOTES.iter().any(|note| text.strip_prefix(note).is_some_and(|rest| !goes_on(rest)))
}

fn begins_or_ends_with_note(text: &str) -> bool {
    let text = text.trim();
    without_notes(text).len() < text.len()
}

/// The first words of a text, in lower case and without accents: one more than a label has. The
/// names of our fields (`summary_fr`) are words too.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(MAX_WORDS + 1).map(|word| word.chars().map(plain).collect()).collect()
}

/// A letter in lower case and without its accent.
pub(super) fn plain(c: char) -> char {
    without_accent(c.to_lowercase().next().unwrap_or(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_notes_are_taken_off() {
        for text in [
            "Voici le résumé :\nLa digue a tenu.",
            "Voici le résumé de l'article en français, en 60 mots environ :\n\nLa digue a tenu.",
            "**Résumé :** La digue a tenu.",
            "# Summary\n\nLa digue a tenu.",
            "Sure! Here is the summary in French:\nLa digue a tenu.",
            "Voici le résumé demandé.\n\nLa digue a tenu.",
            "French: La digue a tenu.",
            "summary_fr: La digue a tenu.",
            "La digue a tenu. (Note: the date was left out.)",
            "La digue a tenu.\n\nNote : la date manque.",
            "(Note: a draft.) La digue a tenu.",
            "La digue a tenu. (60 mots)",
            "**Résumé en français (60 mots) :**\n\nLa digue a tenu.\n\n---\n*Note : aucune*",
            "Here is the summary:\n\n> La digue a tenu.",
            "**La digue a tenu.**",
            "Résumé : La digue a tenu. [Translator's note: « digue » is a dyke]",
        ] {
            assert_eq!(without_labels(text, None), "La digue a tenu.", "{text}");
        }
    }

    #[test]
    fn words_of_the_text_itself_stay() {
        for text in [
            "La mairie : la digue a tenu.",
            "La digue a tenu (noté 12 sur 20)",
            "Le texte adopté mardi prévoit : huit mois de travaux.",
            "La digue a tenu.\nElle a résisté à la tempête.",
        ] {
            assert_eq!(without_labels(text, None), text);
        }
        assert_eq!(without_labels("Title: a text", Some("Titre : un texte")), "Title: a text");
    }

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
        ] {
            assert!(is_placeholder(text, None), "{text}");
        }
        for text in ["Un mort à Nice", "La digue a tenu.", "Macron", "Le texte a été adopté.", "OTAN", "2026", "Это да", "停火"]
        {
            assert!(!is_placeholder(text, None), "{text}");
        }
        assert!(!is_placeholder("The summary", Some("Le résumé")));
        assert!(!is_placeholder("…", Some("...")));
        assert!(is_placeholder("...", Some("Titre")));
    }
}
