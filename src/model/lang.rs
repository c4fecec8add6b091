//! A language, identified by its ISO 639-1 code.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A language known to the program. The table has French and English; the others are recognised so
/// that an article in one of them is not taken for French.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lang(&'static str);

/// The code and English name of each language that the detector or a service may report.
const NAMES: &[(&str, &str)] = &[
    ("fr", "French"),
    ("en", "English"),
    ("af", "Afrikaans"),
    ("ar", "Arabic"),
    ("az", "Azerbaijani"),
    ("be", "Belarusian"),
    ("bg", "Bulgarian"),
    ("bn", "Bengali"),
    ("ca", "Catalan"),
    ("cs", "Czech"),
    ("cy", "Welsh"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("eo", "Esperanto"),
    ("es", "Spanish"),
    ("et", "Estonian"),
    ("fa", "Persian"),
    ("fi", "Finnish"),
    ("gu", "Gujarati"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("hy", "Armenian"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ka", "Georgian"),
    ("ko", "Korean"),
    ("la", "Latin"),
    ("lt", "Lithuanian"),
    ("lv", "Latvian"),
    ("mk", "Macedonian"),
    ("nb", "Norwegian"),
    ("nl", "Dutch"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("sr", "Serbian"),
    ("sv", "Swedish"),
    ("th", "Thai"),
    ("tl", "Tagalog"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
    ("zh", "Chinese"),
];

impl Lang {
    /// French.
    pub const FR: Self = Self("fr");
    /// English.
    pub const EN: Self = Self("en");
    /// The two languages of the table, in the order of the columns.
    pub const TABLE: [Self; 2] = [Self::FR, Self::EN];

    /// Parses a tag such as `fr`, `fr-CA`, `en_GB` or `FR`. Returns `None` if the language is not
    /// known.
    pub fn parse(tag: &str) -> Option<Self> {
        let code = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
        NAMES.iter().find(|(known, _)| *known == code).map(|(known, _)| Self(known))
    }

    /// The ISO 639-1 code: two lower-case letters.
    pub fn code(self) -> &'static str {
        self.0
    }

    /// The English name, for prompts and messages.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(code, _)| *code == self.0).map_or(self.0, |(_, name)| name)
    }

    /// The languages of the table into which an article in this language is translated.
    pub fn targets(self) -> Vec<Self> {
        Self::TABLE.into_iter().filter(|target| *target != self).collect()
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Lang {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Lang {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = String::deserialize(deserializer)?;
        Self::parse(&tag).ok_or_else(|| D::Error::custom(format!("unknown language code `{tag}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_with_regions_are_parsed() {
        assert_eq!(Lang::parse("fr-CA"), Some(Lang::FR));
        assert_eq!(Lang::parse(" EN_gb "), Some(Lang::EN));
        assert_eq!(Lang::parse("klingon"), None);
    }

    #[test]
    fn the_other_language_is_the_target() {
        assert_eq!(Lang::FR.targets(), [Lang::EN]);
        assert_eq!(Lang::EN.targets(), [Lang::FR]);
        assert_eq!(Lang::parse("de").map(Lang::targets), Some(vec![Lang::FR, Lang::EN]));
    }
}
