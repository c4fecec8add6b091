//! Removes the words that models put around a requested text: labels («Voici le résumé :»,
//! "English:"), headings and notes.

use crate::model::without_accent;

/// Other words of labels and placeholders, without accents.
const OTHER_WORDS: &[&str] = &[
    "version",
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
    "no",
    "empty",
    "accord",
    "ici",
    "available",
    "provided",
    "disponible",
    "inserer",
    "aucun",
    "aucune",
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
    "assistant",
    "content",
    "headline",
    "output",
    "response",
    "result",
    "chapo",
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

/// Beginnings of a last line in which the model talks to its user, without accents.
const CLOSING_TALK: &[&str] = &[
    "let me know",
    "please let me know",
    "feel free to",
    "i hope this",
    "is there anything",
    "would you like",
    "if you would like",
    "if you need",
    "n hesitez pas",
    "j espere que cela",
    "j espere que ce",
    "si vous souhaitez",
    "si vous avez besoin",
    "souhaitez vous",
    "voulez vous que je",
    "dites moi si",
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
        let shorter = if source.is_none() { without_closing_talk(shorter) } else { shorter };
        if shorter.len() == text.len() {
            break;
        }
        text = shorter;
    }
    text.to_owned()
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
    // A quotation, or a list of one item.
    let text = ["> ", "- ", "* ", "• "].iter().find_map(|mark| text.strip_prefix(mark)).filter(|rest| !rest.contains('\n')).unwrap_or(text);
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

/// Whether these words are a label, such as "the summary in French".
pub(super) fn is_label(words: &[String]) -> bool {
    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    // "Article 49" belongs to the article.
    let of_words = || words.iter().any(|word| ["word", "words", "mot", "mots", "sentences", "phrases"].contains(&word.as_str()));
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

/// Removes a last line in which the model talks to its user.
fn without_closing_talk(text: &str) -> &str {
    let is_talk = |line: &str| {
        let words = words(line).join(" ");
        CLOSING_TALK.iter().any(|start| words.starts_with(start))
    };
    text.rsplit_once('\n').filter(|(_, line)| is_talk(line)).map_or(text, |(rest, _)| rest.trim_end())
}

fn is_note(text: &str) -> bool {
    let text: String = text.trim_start_matches(['\n', ' ', '*', '_', '-']).chars().take(40).map(plain).collect();
    let counts_words = text.split_once(' ').is_some_and(|(number, unit)| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && ["words", "mots"].iter().any(|word| unit.starts_with(word))
    });
    let goes_on = |rest: &str| rest.starts_with(char::is_alphabetic) && !rest.starts_with('s');
    // "(noté 12 sur 20)" belongs to the text.
    let tells = text.contains(':') || text.starts_with("note that");
    counts_words || tells && NOTES.iter().any(|note| text.strip_prefix(note).is_some_and(|rest| !goes_on(rest)))
}

fn begins_or_ends_with_note(text: &str) -> bool {
    let text = text.trim();
    without_notes(text).len() < text.len()
}

/// The first words of a text, in lower case and without accents: one more than a label has. The
/// names of our fields (`summary_fr`) are words too.
pub(super) fn words(text: &str) -> Vec<String> {
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
            "Chapô : La digue a tenu.",
            "Assistant: Here's a 60-word summary in French:\n\nLa digue a tenu.",
            "D'accord, voici le résumé demandé :\n\nLa digue a tenu.",
            "- La digue a tenu.",
            "La digue a tenu.\n\nN'hésitez pas à me demander une autre version.",
            "La digue a tenu.\n\nLet me know if you'd like a shorter version!",
            "La digue a tenu.\n\n---\n\nJ'espère que cela vous aide !",
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
            "- La digue a tenu.\n- Elle a résisté à la tempête.",
            "Si vous souhaitez aider, la mairie ouvre mardi.",
        ] {
            assert_eq!(without_labels(text, None), text);
        }
        assert_eq!(without_labels("Title: a text", Some("Titre : un texte")), "Title: a text");
    }
}
