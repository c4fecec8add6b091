//! The page's texts in French and English. The HTML is in French; the script can switch it to
//! English.

use std::fmt::Write;

use crate::model::Lang;

/// Key, French, English.
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
    ("count-found-one", "trouvé", "found"),
    ("count-done", "traités", "done"),
    ("count-failed", "en échec", "failed"),
    ("count-skipped", "écartés", "skipped"),
    ("count-quarantined", "en quarantaine", "in quarantine"),
    ("count-flagged", "signalés", "flagged"),
    ("count-cost", "coût de la nuit", "cost of the night"),
    ("count-review", "à vérifier", "to review"),
    ("flags", "Signalements", "Flags"),
    ("no-flags", "Rien à signaler.", "Nothing flagged."),
    ("cost-a-day", "Coût par jour", "Cost per day"),
    ("rows-a-day", "Articles par jour", "Articles per day"),
    ("day", "jour", "day"),
    ("cost", "coût", "cost"),
    ("done-and-failed", "articles, dont échoués", "articles, failed articles"),
    ("fold", "Détails", "Details"),
    (
        "drafts",
        "Ces textes sont des traductions de brouillon\u{a0}: pour trier les articles, pas pour publier.",
        "These texts are draft translations: to sort the articles, not to publish them.",
    ),
    ("capped-1", "Cette page montre", "This page shows"),
    ("capped-2", "articles sur", "of"),
    (
        "capped-3",
        "\u{a0}: d’abord ceux à vérifier (échoués, en quarantaine ou signalés par un avertissement ou une erreur), puis les plus récents. Le tableau les contient tous.",
        "articles: first those to review (failed, in quarantine, or flagged with a warning or an error), then the newest. The table has them all.",
    ),
    ("texts-1", "Le texte entier est ici pour", "The whole text is here for"),
    (
        "texts-2",
        "articles\u{a0}: d’abord ceux à vérifier, puis les plus récents. Le tableau les contient tous.",
        "articles: first those to review, then the newest. The table has them all.",
    ),
    ("whole", "Texte entier", "Whole article"),
    ("original", "L’original\u{a0}:", "The original:"),
    ("filter", "Filtrer les articles", "Filter articles"),
    ("search", "Rechercher", "Search"),
    ("filters", "Filtres", "Filters"),
    ("flag", "Signalement", "Flag"),
    ("status", "État", "Status"),
    ("from", "Du", "From"),
    ("to", "Au", "To"),
    ("source", "Source", "Source"),
    ("sort", "Trier", "Sort"),
    ("any", "tous", "all"),
    ("any-flag", "signalés", "flagged"),
    ("without", "sans signalement", "not flagged"),
    ("sort-newest", "plus récents d’abord", "newest first"),
    ("sort-oldest", "plus anciens d’abord", "oldest first"),
    ("sort-gravest", "à vérifier d’abord", "to review first"),
    ("sort-source", "par source", "by source"),
    ("reset", "Tout montrer", "Show all"),
    ("of", "sur", "of"),
    ("articles", "articles", "articles"),
    ("articles-one", "article", "article"),
    ("no-articles", "Aucun article cette fois-ci.", "No articles this time."),
    ("nothing", "Aucun article ne correspond à ces critères.", "No articles match these filters."),
    ("words", "mots", "words"),
    ("words-one", "mot", "word"),
    ("copy-of", "copie de", "copy of"),
    ("made-by", "Page créée par", "Made by"),
    ("keys", "Clavier", "Keyboard"),
    ("single-keys", "Raccourcis d’une seule touche", "Single-key shortcuts"),
    ("close", "Fermer", "Close"),
    ("key-search", "rechercher", "search"),
    ("key-escape", "effacer la recherche et les filtres", "clear search and filters"),
    ("key-next", "article suivant ou précédent", "next or previous article"),
    ("key-doubt", "article à vérifier suivant ou précédent", "next or previous article to review"),
    ("key-original", "ouvrir l’original", "open the original"),
    ("key-whole", "ouvrir ou fermer le texte entier", "show or hide the whole article"),
    ("key-source", "ouvrir le fichier source", "open the source file"),
    ("key-language", "français ou anglais", "French or English"),
    ("key-theme", "clair ou sombre", "light or dark"),
    ("key-help", "cette aide", "this help"),
    ("status-done", "traité", "done"),
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
    ("severity-info", "remarque", "remark"),
    ("severity-warning", "avertissement", "warning"),
    ("severity-error", "erreur", "error"),
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
    ("flag-missing", "phrase manquante", "missing sentence"),
    ("flag-mojibake", "accents réparés", "accents repaired"),
    ("flag-name", "nom", "name"),
    ("flag-negation", "négation", "negation"),
    ("flag-no-title", "sans titre", "no title"),
    ("flag-number", "nombre", "number"),
    ("flag-quote", "citation", "quotation"),
    ("flag-review", "relecture", "review"),
    ("flag-several", "plusieurs articles", "several articles"),
    ("flag-teaser", "début seulement", "beginning only"),
    ("flag-unreviewed", "non relu", "not reviewed"),
    ("sheet-articles", "Articles", "Articles"),
    ("sheet-quarantine", "Quarantaine", "Quarantine"),
    ("sheet-findings", "Signalements", "Findings"),
    ("sheet-figures", "Chiffres", "Figures"),
    ("see", "voir", "view"),
    ("mail-subject", "Dépêches du {}", "Dispatches of {}"),
    ("mail-new", "nouveaux", "new"),
    ("mail-new-one", "nouveau", "new"),
    ("mail-pending", "laissés pour la prochaine fois", "left for the next run"),
    ("mail-pending-one", "laissé pour la prochaine fois", "left for the next run"),
    ("mail-found", "articles au total", "articles in all"),
    ("mail-found-one", "article au total", "article in all"),
    ("mail-review", "À vérifier d’abord", "To review first"),
    ("mail-newest", "Les plus récents", "The newest"),
    ("mail-too-large", "Trop grand pour ce courriel\u{a0}:", "Too large for this mail:"),
    (
        "mail-exit-3",
        "Des articles ont échoué, ou un dossier était vide (code 3).",
        "Some articles failed, or a folder was empty (exit code 3).",
    ),
    (
        "mail-exit-4",
        "Un service refuse les appels\u{a0}: clé, quota, adresse ou modèle (code 4). «\u{a0}depeche doctor\u{a0}» dit lequel.",
        "A service refuses calls: key, quota, URL or model (exit code 4). `depeche doctor` says which.",
    ),
    (
        "mail-exit-5",
        "Un service était indisponible (code 5). La prochaine fois fera le reste.",
        "A service was unavailable (exit code 5). The next run does the rest.",
    ),
    (
        "mail-exit-6",
        "Arrêté par une limite de la configuration (code 6). La prochaine fois fera le reste.",
        "Stopped by a limit in the config (exit code 6). The next run does the rest.",
    ),
    ("mail-exit-signal", "Interrompu avant la fin (code {}).", "Interrupted before the end (exit code {})."),
    ("mail-exit-other", "Terminé par une erreur (code {}). Le journal la nomme.", "Ended with an error (exit code {}). The log names it."),
    ("mail-test-subject", "Dépêches\u{a0}: essai", "Dispatches: test"),
    (
        "mail-test",
        "Ce courriel d’essai de depeche est arrivé\u{a0}: les réglages sont bons.",
        "This test mail of depeche has arrived: the settings work.",
    ),
    (
        "split",
        "{table}\u{a0}: une feuille d’Excel ne tient pas toutes les lignes\u{a0}; elles sont sur {} feuilles.",
        "{table}: an Excel sheet cannot hold all rows; they are on {} sheets.",
    ),
    (
        "unlinked",
        "{table}\u{a0}: une feuille d’Excel ne tient pas plus de 65\u{202f}530 liens\u{a0}; à partir de la {}e ligne, les adresses sont du texte.",
        "{table}: an Excel sheet cannot hold more than 65,530 links; from row {} on, the addresses are text.",
    ),
];

/// Keyboard shortcuts, and the key of the text that explains each.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("/", "key-search"),
    ("Esc", "key-escape"),
    ("j k", "key-next"),
    ("n p", "key-doubt"),
    ("o", "key-original"),
    ("e", "key-whole"),
    ("s", "key-source"),
    ("l", "key-language"),
    ("t", "key-theme"),
    ("?", "key-help"),
];

/// The text in this language; the part of the key after its hyphen if there is none.
pub(super) fn of(lang: Lang, key: &str) -> &str {
    let text = |(_, fr, en): &(_, &'static str, &'static str)| if lang == Lang::FR { *fr } else { *en };
    WORDS.iter().find(|(known, ..)| *known == key).map_or_else(|| key.split_once('-').map_or(key, |(_, code)| code), text)
}

/// The text in this language for `count` things; `KEY-one` for one thing, and in French also for
/// none.
pub(super) fn plural(lang: Lang, key: &'static str, count: u64) -> &'static str {
    let one = if lang == Lang::FR { count < 2 } else { count == 1 };
    let single = WORDS.iter().find(|(known, ..)| one && known.strip_suffix("-one") == Some(key));
    single.map_or_else(|| of(lang, key), |(_, fr, en)| if lang == Lang::FR { fr } else { en })
}

/// The French text; the key itself if there is none.
pub(super) fn fr(key: &str) -> &str {
    WORDS.iter().find(|(known, ..)| *known == key).map_or(key, |(_, fr, _)| fr)
}

/// The French text in an element that the script can translate. `key` is not escaped.
pub(super) fn span(key: &str) -> String {
    format!("<span data-w=\"{key}\">{}</span>", fr(key))
}

/// The text for the code of a flag.
pub(super) fn flag(code: &str) -> String {
    self::code("flag", code)
}

/// The code of a flag, as the table has it. The style hides it beside a word that is the same.
pub(super) fn flag_code(code: &str) -> String {
    let key = format!("flag-{code}");
    let same = Lang::TABLE.into_iter().filter(|lang| of(*lang, &key) == code).map(|lang| format!(" same-{}", lang.code()));
    format!(" <code class=\"code{}\">{}</code>", same.collect::<String>(), escape(code))
}

/// The text for the code of a status.
pub(super) fn status(code: &str) -> String {
    self::code("status", code)
}

/// The text for the code of a field.
pub(super) fn field(code: &str) -> String {
    self::code("field", code)
}

/// The text for a code, or the code itself if it is unknown. Codes come from the ledger, so unknown
/// ones are escaped.
fn code(kind: &str, code: &str) -> String {
    let key = format!("{kind}-{code}");
    if WORDS.iter().any(|(known, ..)| *known == key) { span(&key) } else { escape(code) }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Formats a whole number in French: `12 345`, with narrow no-break spaces.
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

/// Both languages as JSON for the script, escaped so that it cannot close the `script` element.
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
    use crate::model::{Field, Flag, Severity};

    #[test]
    fn keys_are_unique_and_translated_and_every_code_has_one() {
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
        for severity in [Severity::Info, Severity::Warning, Severity::Error] {
            assert!(keys.contains(&format!("severity-{}", severity.code()).as_str()));
        }
        assert!(KEYS.iter().all(|(_, word)| keys.contains(word)));
    }

    #[test]
    fn every_key_in_the_templates_and_the_script_exists() {
        let sources = [
            include_str!("page/head.html"),
            include_str!("page/article.html"),
            include_str!("page/pair.html"),
            include_str!("page/tail.html"),
            include_str!("page/page.js"),
        ]
        .concat();
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
    fn an_unknown_code_is_escaped() {
        assert_eq!(flag("number"), "<span data-w=\"flag-number\">nombre</span>");
        assert_eq!(flag("<new>"), "&lt;new&gt;");
        assert_eq!(number(&1_234_567_u64), "1\u{202f}234\u{202f}567");
        assert_eq!(number(&123_u64), "123");
    }
}
