//! Which language an article is in. The text decides; a label is a hint.
//!
//! Most articles are plainly French or English, and their small words say so for a fortieth of the detector's time. Whatever is not
//! plain (another language, a mixture, a list of names) is asked of the detector.

mod stop_words;

use whatlang::Detector;

use crate::model::Lang;

/// Below this many letters a text says little and its label more.
const ENOUGH: usize = 200;
/// The beginning of a text (in bytes) is as good as the whole, and costs the same for a book.
const SAMPLE: usize = 1_500;
/// For most, the beginning of that is enough.
const GLANCE: usize = 700;
/// How certain a language is that only a label says.
const LABELLED: u8 = 50;

/// A language, and how certain it is, from 0 to 100: in a plain text the share of its small words that are of this language, else
/// what the detector says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detected {
    /// The language.
    pub lang: Lang,
    /// How certain it is, in percent.
    pub certainty: u8,
}

/// The language of `text`; `label` is what its source claims. None where neither is certain.
pub fn detect(text: &str, label: Option<Lang>) -> Option<Lang> {
    detect_with_certainty(text, label).map(|detected| detected.lang)
}

/// The same, and how certain it is.
pub(super) fn detect_with_certainty(text: &str, label: Option<Lang>) -> Option<Detected> {
    let sample = text.get(..text.floor_char_boundary(SAMPLE)).unwrap_or(text);
    let glance = text.get(..text.floor_char_boundary(GLANCE)).unwrap_or(text);
    if let Some((lang, certainty)) = stop_words::detect(glance).or_else(|| stop_words::detect(sample)) {
        return Some(Detected { lang, certainty });
    }
    let labelled = label.map(|lang| Detected { lang, certainty: LABELLED });
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    if letters >= ENOUGH {
        let found = whatlang::detect(sample)?;
        // Half French, half quotations: the label may break the tie, but never overrules a clear text.
        return if found.is_reliable() { from_detector(&found) } else { labelled.or_else(|| from_detector(&found)) };
    }
    labelled.or_else(|| short(sample))
}

/// A short text is only asked which of the table's two languages it is, and only believed when it is clear.
fn short(text: &str) -> Option<Detected> {
    let detector = Detector::with_allowlist(vec![whatlang::Lang::Fra, whatlang::Lang::Eng]);
    let all = whatlang::detect(text)?;
    let found = detector.detect(text)?;
    let foreign = all.is_reliable() && all.lang() != found.lang();
    from_detector(if foreign { &all } else { &found })
}

fn from_detector(found: &whatlang::Info) -> Option<Detected> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and 1")]
    let certainty = (found.confidence().clamp(0.0, 1.0) * 100.0).round() as u8;
    from_whatlang(found.lang()).map(|lang| Detected { lang, certainty })
}

/// The detector speaks ISO 639-3.
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
    fn a_short_text_believes_its_label_and_else_chooses_between_the_two() {
        assert_eq!(detect_with_certainty("Il pleut.", Some(Lang::EN)), Some(Detected { lang: Lang::EN, certainty: LABELLED }));
        assert_eq!(detect("Les négociations ont repris à Bruxelles.", None), Some(Lang::FR));
        assert_eq!(detect("The talks have resumed in Brussels this week.", None), Some(Lang::EN));
    }
}
