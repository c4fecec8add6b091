//! Detects the language of an article. The text decides; a label is only a hint.
//!
//! For most articles, stop words show that they are French or English. This takes a fortieth of the
//! detector's time. The detector gets the other texts: other languages, mixtures, lists of names.

mod stop_words;

use whatlang::Detector;

use crate::model::Lang;

/// For a text with fewer letters, the label is more reliable.
const ENOUGH_LETTERS: usize = 200;
/// At most this many bytes of a text are examined.
const SAMPLE: usize = 1_500;
/// This many bytes are examined first. They are enough for most texts.
const FIRST_SAMPLE: usize = 700;
/// The certainty of a language that only the label gives, in percent.
const LABEL_CERTAINTY: u8 = 50;

/// A language and how certain it is: the share of the stop words that belong to the language, or
/// the confidence of the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detected {
    pub lang: Lang,
    /// In percent.
    pub certainty: u8,
}

/// Detects the language of `text`; `label` is the language according to its source. Returns `None`
/// if neither is certain.
pub fn detect(text: &str, label: Option<Lang>) -> Option<Lang> {
    detect_with_certainty(text, label).map(|detected| detected.lang)
}

/// Like [`detect`], with the certainty.
pub(super) fn detect_with_certainty(text: &str, label: Option<Lang>) -> Option<Detected> {
    let sample = text.get(..text.floor_char_boundary(SAMPLE)).unwrap_or(text);
    let first_sample = text.get(..text.floor_char_boundary(FIRST_SAMPLE)).unwrap_or(text);
    if let Some((lang, certainty)) = stop_words::detect(first_sample).or_else(|| stop_words::detect(sample)) {
        return Some(Detected { lang, certainty });
    }
    let labelled = label.map(|lang| Detected { lang, certainty: LABEL_CERTAINTY });
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    if letters >= ENOUGH_LETTERS {
        let found = whatlang::detect(sample)?;
        // If a text is half French and half quotations, the label decides. It never overrules a
        // clear text.
        return if found.is_reliable() { from_detector(&found) } else { labelled.or_else(|| from_detector(&found)) };
    }
    labelled.or_else(|| detect_short(sample))
}

/// Detects the language of a short text: French or English, unless the detector is sure of another.
fn detect_short(text: &str) -> Option<Detected> {
    let detector = Detector::with_allowlist(vec![whatlang::Lang::Fra, whatlang::Lang::Eng]);
    let all = whatlang::detect(text)?;
    let found = detector.detect(text)?;
    let foreign = all.is_reliable() && all.lang() != found.lang();
    from_detector(if foreign { &all } else { &found })
}

fn from_detector(found: &whatlang::Info) -> Option<Detected> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is between 0 and 100")]
    let certainty = (found.confidence().clamp(0.0, 1.0) * 100.0).round() as u8;
    from_whatlang(found.lang()).map(|lang| Detected { lang, certainty })
}

/// Converts from the detector's ISO 639-3.
fn from_whatlang(lang: whatlang::Lang) -> Option<Lang> {
    let code = match lang {
        whatlang::Lang::Fra => "fr",
        whatlang::Lang::Eng => "en",
        whatlang::Lang::Deu => "de",
        whatlang::Lang::Spa => "es",
        whatlang::Lang::Ita => "it",
        whatlang::Lang::Por => "pt",
        whatlang::Lang::Cat => "ca",
        whatlang::Lang::Ron => "ro",
        whatlang::Lang::Nld => "nl",
        whatlang::Lang::Rus => "ru",
        whatlang::Lang::Ukr => "uk",
        whatlang::Lang::Ara => "ar",
        whatlang::Lang::Tur => "tr",
        whatlang::Lang::Pol => "pl",
        whatlang::Lang::Ces => "cs",
        whatlang::Lang::Swe => "sv",
        whatlang::Lang::Dan => "da",
        whatlang::Lang::Nob => "nb",
        whatlang::Lang::Fin => "fi",
        whatlang::Lang::Hun => "hu",
        whatlang::Lang::Ell => "el",
        whatlang::Lang::Heb => "he",
        whatlang::Lang::Hye => "hy",
        whatlang::Lang::Kat => "ka",
        whatlang::Lang::Aze => "az",
        whatlang::Lang::Cmn => "zh",
        whatlang::Lang::Jpn => "ja",
        whatlang::Lang::Kor => "ko",
        whatlang::Lang::Lat => "la",
        whatlang::Lang::Epo => "eo",
        whatlang::Lang::Bul => "bg",
        whatlang::Lang::Hrv => "hr",
        whatlang::Lang::Srp => "sr",
        whatlang::Lang::Slk => "sk",
        whatlang::Lang::Slv => "sl",
        whatlang::Lang::Ind => "id",
        whatlang::Lang::Vie => "vi",
        whatlang::Lang::Pes => "fa",
        whatlang::Lang::Hin => "hi",
        _ => return None,
    };
    Lang::parse(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRENCH: &str = "Le conseil municipal a adopté mardi soir, à une large majorité, le budget de la ville pour l'année prochaine. \
        Les dépenses augmentent de 3 %, surtout pour les écoles et les transports, a expliqué le maire devant les élus réunis. \
        L'opposition a critiqué une hausse des impôts locaux.";
    const GERMAN: &str = "Der Stadtrat hat am Dienstagabend mit großer Mehrheit den Haushalt für das kommende Jahr beschlossen. Die Ausgaben \
        steigen um drei Prozent, vor allem für Schulen und den Nahverkehr, erklärte der Bürgermeister vor den Abgeordneten. Die Opposition \
        kritisierte die Erhöhung der Steuern.";

    #[test]
    fn the_text_overrules_its_label() {
        assert_eq!(detect(FRENCH, Some(Lang::EN)), Some(Lang::FR));
        assert_eq!(detect(GERMAN, Some(Lang::FR)), Lang::parse("de"));
        assert!(detect_with_certainty(FRENCH, None).is_some_and(|detected| detected.certainty > 90));
    }

    #[test]
    fn a_short_text_follows_its_label_or_is_french_or_english() {
        assert_eq!(detect_with_certainty("Il pleut.", Some(Lang::EN)), Some(Detected { lang: Lang::EN, certainty: LABEL_CERTAINTY }));
        assert_eq!(detect("Les négociations ont repris à Bruxelles.", None), Some(Lang::FR));
        assert_eq!(detect("The talks have resumed in Brussels this week.", None), Some(Lang::EN));
    }
}
