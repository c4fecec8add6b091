//! The user's glossary: how names and terms stand in the two languages.

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As it stands in French.
    pub fr: String,
    /// As it must stand in English; the same where it is not to be translated.
    pub en: String,
}
