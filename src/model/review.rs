//! The findings of a reviewer: a model that compares a row with its article.

use serde::{Deserialize, Serialize};

use super::{Field, Severity};

/// The kind of a problem, in a word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The article does not say this.
    Unsupported,
    /// The article says something else.
    Contradicted,
    /// The translation does not say what its source says.
    Mistranslated,
    /// Something is omitted, so that the text misleads.
    Omitted,
}

impl Problem {
    /// Every problem.
    pub const ALL: [Self; 4] = [Self::Unsupported, Self::Contradicted, Self::Mistranslated, Self::Omitted];

    /// The word in prompts, answers and outputs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Contradicted => "contradicted",
            Self::Mistranslated => "mistranslated",
            Self::Omitted => "omitted",
        }
    }

    /// The same in a few words of our own, about the text.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Unsupported => "the article does not say this",
            Self::Contradicted => "the article says something else",
            Self::Mistranslated => "the translation does not say what its source says",
            Self::Omitted => "something is left out, so that the text misleads",
        }
    }
}

/// One problem that a reviewer reports. It has not been compared with the row yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The text with the error or the omission.
    pub field: Field,
    /// The wrong words, or the words that are left out, as the reviewer copied them.
    pub quote: String,
    /// What is wrong.
    pub problem: Problem,
    /// How severe the reviewer finds it.
    pub severity: Severity,
    /// What is wrong, in the reviewer's words.
    pub explanation: String,
}

impl Remark {
    /// Applies `edit` to every text.
    #[must_use]
    pub(super) fn map(self, edit: &impl Fn(&str) -> String) -> Self {
        Self { quote: edit(&self.quote), explanation: edit(&self.explanation), ..self }
    }
}
