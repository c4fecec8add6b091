//! The user's glossary: names and terms in both languages.

/// A glossary entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlossaryEntry {
    /// The French term.
    pub fr: String,
    /// The English term; the same as the French one if it is not to be translated.
    pub en: String,
}
