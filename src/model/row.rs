//! A row of the table.

use serde::{Deserialize, Serialize};

use super::{Digest, Finding};

/// Something that a check or an earlier stage found, and a reader of the row should know. The
/// column `flags` has its code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// The text repeats another article, possibly trimmed; the column `copy_of` names it.
    Copy,
    /// A date, weekday or year is not in the source.
    Date,
    /// The translation is a draft: good enough to sort articles, not to publish.
    Draft,
    /// A translation is the same as its source.
    Echo,
    /// A text is damaged: it has invalid bytes, or was decoded with the wrong encoding.
    Encoding,
    /// A translation does not use a term of the glossary.
    Glossary,
    /// A text talks about the task, or follows an instruction in the article.
    Instruction,
    /// A text is not in the language of its column.
    Language,
    /// A summary is longer than requested, or than its article.
    Length,
    /// A text repeats itself.
    Loop,
    /// A translation lacks a sentence.
    Missing,
    /// Double-encoded text («Ã©») was repaired.
    Mojibake,
    /// The name of a person, place or organisation is not in the source.
    Name,
    /// A translation negates what its source affirms, or the reverse.
    Negation,
    /// The article has no title; its first sentence is used.
    NoTitle,
    /// A number is not in the source, or is missing.
    Number,
    /// Words in quotation marks are not in the article.
    Quote,
    /// A reviewer reports a problem.
    Review,
    /// The file seems to hold several articles, which could not be separated.
    Several,
    /// The source has only the beginning of the article, e.g. in a feed.
    Teaser,
    /// The row was to be reviewed, but the review failed.
    Unreviewed,
}

impl Flag {
    /// All flags, sorted by code.
    pub const ALL: [Self; 21] = [
        Self::Copy,
        Self::Date,
        Self::Draft,
        Self::Echo,
        Self::Encoding,
        Self::Glossary,
        Self::Instruction,
        Self::Language,
        Self::Length,
        Self::Loop,
        Self::Missing,
        Self::Mojibake,
        Self::Name,
        Self::Negation,
        Self::NoTitle,
        Self::Number,
        Self::Quote,
        Self::Review,
        Self::Several,
        Self::Teaser,
        Self::Unreviewed,
    ];

    /// The code in the column `flags`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Date => "date",
            Self::Draft => "draft",
            Self::Echo => "echo",
            Self::Encoding => "encoding",
            Self::Glossary => "glossary",
            Self::Instruction => "instruction",
            Self::Language => "language",
            Self::Length => "length",
            Self::Loop => "loop",
            Self::Missing => "missing",
            Self::Mojibake => "mojibake",
            Self::Name => "name",
            Self::Negation => "negation",
            Self::NoTitle => "no-title",
            Self::Number => "number",
            Self::Quote => "quote",
            Self::Review => "review",
            Self::Several => "several",
            Self::Teaser => "teaser",
            Self::Unreviewed => "unreviewed",
        }
    }

    /// Whether it only remarks on the article. The others are doubts: warnings or errors.
    pub fn is_remark(self) -> bool {
        matches!(self, Self::Copy | Self::Draft | Self::Mojibake | Self::NoTitle | Self::Teaser)
    }

    /// The flag with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.code() == code)
    }
}

/// How an article ended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Status {
    /// Title and summary exist in both languages.
    Done,
    /// They do not; the column `error` has the reason.
    #[default]
    Failed,
    /// They do, but a check with the action `quarantine` moved the row to `quarantine.csv`.
    Quarantined,
    /// Excluded by a rule, which the column `error` names; no action needed.
    Skipped,
}

impl Status {
    /// The code in the column `status`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
            Self::Skipped => "skipped",
        }
    }

    /// The status with this code; failed if there is none.
    pub fn of_code(code: &str) -> Self {
        [Self::Done, Self::Quarantined, Self::Skipped].into_iter().find(|status| status.code() == code).unwrap_or(Self::Failed)
    }
}

/// A row of the table: an article and its outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// See [`super::Article::id`].
    pub id: String,
    /// See [`super::Article::source`].
    pub source: String,
    /// Titles and summaries; empty if the article failed.
    pub digest: Digest,
    /// ISO 639-1 code of the article's language; empty if unknown.
    pub language: String,
    /// Date of publication in ISO 8601; empty if unknown.
    pub published: String,
    /// Where it was published; empty if unknown.
    pub url: String,
    /// How the article ended.
    pub status: Status,
    /// The codes of the flags: sorted, unique, separated by spaces.
    pub flags: String,
    /// The findings behind the flags.
    pub findings: Vec<Finding>,
    /// `code: reason` if the article failed or was skipped.
    pub error: String,
    /// Number of words in the article's body.
    pub words: usize,
    /// The endpoint that wrote the summary.
    pub summary_endpoint: String,
    /// The endpoint that wrote the translation.
    pub translation_endpoint: String,
    /// Cost of the row's calls in the currency of the config's prices; `None` if a price is
    /// unknown.
    pub cost: Option<f64>,
    /// When the row was written: ISO 8601, UTC, to the second.
    pub processed_at: String,
    /// The whole article in French, if the config keeps it.
    pub text_fr: String,
    /// The whole article in English, if the config keeps it.
    pub text_en: String,
    /// The author; empty if unknown.
    pub author: String,
    /// The section of the newspaper; empty if unknown.
    pub section: String,
    /// The source that this article repeats; empty if it is an original.
    pub copy_of: String,
    /// See [`super::Article::signature`].
    pub signature: Vec<u8>,
}

impl Row {
    /// Whether the row is in quarantine instead of the table.
    pub fn quarantined(&self) -> bool {
        self.status == Status::Quarantined
    }

    /// Sets the findings, and the flags to their codes.
    #[must_use]
    pub fn with_findings(self, findings: Vec<Finding>) -> Self {
        let mut codes: Vec<&str> = findings.iter().map(|finding| finding.check.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        Self { flags: codes.join(" "), findings, ..self }
    }
}
