//! The page's own words in French and English. The French ones stand in the page; its script changes them.

use std::fmt::Write;

/// A word by its key, in French and in English.
const WORDS: &[(&str, &str, &str)] = &[
    ("title", "Dépêches", "Dispatches"),
    ("skip", "Aller aux articles", "Skip to the articles"),
    ("night", "La nuit en chiffres", "The night in figures"),
    ("theme-auto", "Thème\u{a0}: auto", "Theme: auto"),
    ("theme-light", "Thème\u{a0}: clair", "Theme: light"),
    ("theme-dark", "Thème\u{a0}: sombre", "Theme: dark"),
    ("found", "trouvé\u{a0}:", "found:"),
    ("expected", "attendu\u{a0}:", "expected:"),
    ("count-found", "trouvés", "found"),
    ("count-done", "faits", "done"),
    ("count-failed", "échoués", "failed"),
    ("count-skipped", "écartés", "skipped"),
    ("count-quarantined", "en quarantaine", "in quarantine"),
    ("count-flagged", "signalés", "flagged"),
    ("count-cost", "coût de la nuit", "cost of the night"),
    ("flags", "Signalements", "Flags"),
    ("no-flags", "Rien à signaler.", "Nothing was flagged."),
    ("cost-a-day", "Coût par jour", "Cost a day"),
    ("rows-a-day", "Articles par jour", "Articles a day"),
    ("no-history", "Pas encore d’autre nuit.", "No other night yet."),
    ("day", "jour", "day"),
    ("cost", "coût", "cost"),
    ("done-and-failed", "articles, dont échoués", "articles, failed among them"),
    ("capped-1", "Cette page montre", "This page shows"),
    ("capped-2", "articles sur", "of"),
    (
        "capped-3",
        "\u{a0}: d’abord ceux qu’il faut regarder (échoués, en quarantaine, ou dont un contrôle doute), puis les plus récents. Le tableau les a tous.",
        "articles: first those to be looked at (failed, in quarantine, or doubted by a check), then the newest. The table has them all.",
    ),
    ("filter", "Choisir les articles", "Choose articles"),
    ("search", "Rechercher", "Search"),
    ("filters", "Filtres", "Filters"),
    ("flag", "Signalement", "Flag"),
    ("status", "État", "Status"),
    ("from", "Du", "From"),
    ("to", "Au", "To"),
    ("source", "Source", "Source"),
    ("sort", "Ordre", "Order"),
    ("any", "tous", "all"),
    ("any-flag", "signalés", "flagged"),
    ("without", "sans signalement", "not flagged"),
    ("sort-newest", "récents d’abord", "newest first"),
    ("sort-oldest", "anciens d’abord", "oldest first"),
    ("sort-gravest", "à vérifier d’abord", "doubtful first"),
    ("sort-source", "par source", "by source"),
    ("reset", "Tout montrer", "Show all"),
    ("of", "sur", "of"),
    ("articles", "articles", "articles"),
    ("no-articles", "Aucun article cette fois.", "No articles this time."),
    ("nothing", "Aucun article ne répond à ces critères.", "No article fits these filters."),
    ("words", "mots", "words"),
    ("copy-of", "copie de", "copy of"),
    ("made-by", "Page faite par", "Made by"),
    ("keys", "Clavier", "Keyboard"),
    ("single-keys", "Raccourcis d’une seule touche", "Single-key shortcuts"),
    ("close", "Fermer", "Close"),
    ("key-search", "rechercher", "search"),
    ("key-escape", "vider la recherche et les filtres", "clear the search and the filters"),
    ("key-next", "article suivant, précédent", "next, previous article"),
    ("key-doubt", "suivant, précédent à vérifier", "next, previous doubtful one"),
    ("key-original", "ouvrir l’original", "open the original"),
    ("key-source", "ouvrir le fichier source", "open the source file"),
    ("key-language", "français ou anglais", "French or English"),
    ("key-theme", "clair ou sombre", "light or dark"),
    ("key-help", "cette aide", "this help"),
    ("status-done", "fait", "done"),
    ("status-failed", "échec", "failed"),
    ("status-skipped", "écarté", "skipped"),
    ("status-quarantined", "quarantaine", "quarantine"),
    ("field-article", "article", "article"),
    ("field-title_fr", "titre français", "French title"),
    ("field-title_en", "titre anglais", "English title"),
    ("field-summary_fr", "résumé français", "French summary"),
    ("field-summary_en", "résumé anglais", "English summary"),
    ("field-text_fr", "texte français", "French text"),
    ("field-text_en", "texte anglais", "English text"),
    ("flag-copy", "copie", "copy"),
    ("flag-date", "date", "date"),
    ("flag-draft", "brouillon", "draft"),
    ("flag-echo", "non traduit", "not translated"),
    ("flag-encoding", "texte abîmé", "damaged text"),
    ("flag-glossary", "glossaire", "glossary"),
    ("flag-instruction", "consigne", "instruction"),
    ("flag-language", "langue", "language"),
    ("flag-length", "longueur", "length"),
    ("flag-loop", "répétition", "repetition"),
    ("flag-missing", "phrase perdue", "lost sentence"),
    ("flag-mojibake", "accents réparés", "accents repaired"),
    ("flag-name", "nom", "name"),
    ("flag-negation", "négation", "negation"),
    ("flag-no-title", "sans titre", "no title"),
    ("flag-number", "chiffre", "figure"),
    ("flag-quote", "citation", "quotation"),
    ("flag-teaser", "début seul", "beginning only"),
];

/// The keys of the keyboard, and what each does.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("/", "key-search"),
    ("Esc", "key-escape"),
    ("j k", "key-next"),
    ("n p", "key-doubt"),
    ("o", "key-original"),
    ("s", "key-source"),
    ("l", "key-language"),
    ("t", "key-theme"),
    ("?", "key-help"),
];

/// The French word; the key itself where there is none.
pub(super) fn fr(key: &str) -> &str {
    WORDS.iter().find(|(known, ..)| *known == key).map_or(key, |(_, fr, _)| fr)
}

/// The word in an element that the script can change. The key is one of ours.
pub(super) fn span(key: &str) -> String {
    format!("<span data-w=\"{key}\">{}</span>", fr(key))
}

/// The word for a flag's code.
pub(super) fn flag(code: &str) -> String {
    known("flag", code)
}

/// The word for a status.
pub(super) fn status(code: &str) -> String {
    known("status", code)
}

/// The word for a field's code.
pub(super) fn field(code: &str) -> String {
    known("field", code)
}

/// The word for a code of the outputs; a code without a word stands for itself. Codes come from the ledger, so they are not trusted.
fn known(kind: &str, code: &str) -> String {
    let key = format!("{kind}-{code}");
    if WORDS.iter().any(|(known, ..)| *known == key) { span(&key) } else { escape(code) }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number as French writes it: `12 345`, with a space that does not break.
pub(super) fn number(number: &impl ToString) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Both languages for the script, as JSON that cannot end its element.
pub(super) fn dictionary() -> String {
    let of = |language: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        WORDS.iter().map(|word| (word.0.to_owned(), language(word).into())).collect::<serde_json::Map<_, _>>()
    };
    let mut json = String::new();
    // Writing to a String cannot fail.
    let _ = write!(json, "{}", serde_json::json!({ "fr": of(|word| word.1), "en": of(|word| word.2) }));
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Field, Flag};

    #[test]
    fn every_key_has_one_word_in_each_language_and_every_code_has_a_key() {
        let mut keys: Vec<&str> = WORDS.iter().map(|(key, ..)| *key).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|two| two[0] != two[1]));
        assert!(WORDS.iter().all(|(_, fr, en)| !fr.is_empty() && !en.is_empty()));
        for flag in Flag::ALL {
            assert!(keys.contains(&format!("flag-{}", flag.code()).as_str()), "{}", flag.code());
        }
        for field in [Field::Article, Field::TitleFr, Field::TitleEn, Field::SummaryFr, Field::SummaryEn, Field::TextFr, Field::TextEn] {
            assert!(keys.contains(&format!("field-{field}").as_str()), "{field}");
        }
        assert!(KEYS.iter().all(|(_, word)| keys.contains(word)));
    }

    #[test]
    fn a_word_that_the_template_or_the_script_names_is_there() {
        let sources =
            [include_str!("head.html"), include_str!("article.html"), include_str!("tail.html"), include_str!("page.js")].concat();
        let named = ["span(\"", "fr(\"", "data-w-label=\"", "word('"].into_iter().flat_map(|call| {
            let end = if call.ends_with('\'') { '\'' } else { '"' };
            sources.split(call).skip(1).filter_map(move |rest| rest.split(end).next())
        });
        let mut count = 0;
        for key in named.filter(|key| !key.ends_with('-')) {
            count += 1;
            assert!(WORDS.iter().any(|(known, ..)| *known == key), "{key}");
        }
        assert!(count > 30, "the search found only {count}");
    }

    #[test]
    fn a_code_that_nobody_knows_is_shown_as_it_is_and_harmless() {
        assert_eq!(flag("number"), "<span data-w=\"flag-number\">chiffre</span>");
        assert_eq!(flag("<new>"), "&lt;new&gt;");
        assert_eq!(number(&1_234_567_u64), "1\u{202f}234\u{202f}567");
        assert_eq!(number(&123_u64), "123");
    }
}
