//! One line of the table.

use serde::{Deserialize, Serialize};

use super::{Digest, Finding};

/// What a check or a stage found, that a reader of the row should know. Written to the column `flags` by its code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// The text is another row's, at most trimmed; the column `copy_of` names it.
    Copy,
    /// A date, a weekday or a year is not that of the source.
    Date,
    /// The translation is gist quality (Apertium through Spanish): good to sort by, not to publish.
    Draft,
    /// A translation is the same as its source.
    Echo,
    /// A text is damaged: bytes that fit no encoding, or letters that were read in the wrong one.
    Encoding,
    /// A translation misses a term of the glossary.
    Glossary,
    /// A text talks about the task, or obeys the article.
    Instruction,
    /// A field is not in the language of its column.
    Language,
    /// A summary is longer than asked, or than its article.
    Length,
    /// A text repeats itself.
    Loop,
    /// A translation lost a sentence.
    Missing,
    /// Double-encoded text («Ã©») was mended.
    Mojibake,
    /// A person, place or organisation is not in the source.
    Name,
    /// A translation says yes where its source says no, or the other way round.
    Negation,
    /// The article has no title of its own; its beginning stands in.
    NoTitle,
    /// A figure is not in the source, or was lost.
    Number,
    /// Words in quotation marks are not in the article.
    Quote,
    /// The source gives the beginning of the article only, as feeds do.
    Teaser,
}

impl Flag {
    /// Every flag, in the order of their codes.
    pub const ALL: [Self; 18] = [
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
        Self::Teaser,
    ];

    /// The word in the column `flags`.
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
            Self::Teaser => "teaser",
        }
    }

    /// The flag of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.code() == code)
    }
}

/// How an article ended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Status {
    /// Title and summary stand in both languages.
    Done,
    /// They do not; the column `error` says why.
    #[default]
    Failed,
    /// They do, and a check whose action is `quarantine` keeps them out of the table: they stand in `quarantine.csv`.
    Quarantined,
    /// It is no article, or none that can be used; the column `error` names the rule. Nothing has to be mended.
    Skipped,
}

impl Status {
    /// The word in the column `status`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
            Self::Skipped => "skipped",
        }
    }

    /// The status of that word; failed, where it is none.
    pub fn of_code(code: &str) -> Self {
        [Self::Done, Self::Quarantined, Self::Skipped].into_iter().find(|status| status.code() == code).unwrap_or(Self::Failed)
    }
}

/// One row of the table: an article that was found, done or failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// See [`super::Article::id`].
    pub id: String,
    /// See [`super::Article::source`].
    pub source: String,
    /// Titles and summaries; empty where the article failed.
    pub digest: Digest,
    /// ISO 639-1 code of the article's language; empty where unknown.
    pub language: String,
    /// Date of publication, ISO 8601; empty where unknown.
    pub published: String,
    /// Where it was published; empty where unknown.
    pub url: String,
    /// How the article ended.
    pub status: Status,
    /// Codes of the flags, sorted, each once, parted by a space.
    pub flags: String,
    /// What the flags stand for, in full.
    pub findings: Vec<Finding>,
    /// `code: reason` where the article failed.
    pub error: String,
    /// Words in the article's body.
    pub words: usize,
    /// Name of the endpoint that made the summary.
    pub summary_endpoint: String,
    /// Name of the endpoint that made the translation.
    pub translation_endpoint: String,
    /// What the row's calls cost, in the currency of the config's prices; none where a price is unknown.
    pub cost: Option<f64>,
    /// When the row was made: UTC, to the second, ISO 8601.
    pub processed_at: String,
    /// The whole article in French, where the config keeps it.
    pub text_fr: String,
    /// The same in English.
    pub text_en: String,
    /// Who wrote it; empty where unknown.
    pub author: String,
    /// The part of the paper it stood in; empty where unknown.
    pub section: String,
    /// The source whose article this one repeats; empty where it is its own.
    pub copy_of: String,
    /// See [`super::Article::signature`].
    pub signature: Vec<u8>,
}

impl Row {
    /// Whether the row is kept out of the table.
    pub fn quarantined(&self) -> bool {
        self.status == Status::Quarantined
    }

    /// The same with these findings, and their codes as flags: sorted, each once.
    #[must_use]
    pub fn with_findings(self, findings: Vec<Finding>) -> Self {
        let mut codes: Vec<&str> = findings.iter().map(|finding| finding.check.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        Self { flags: codes.join(" "), findings, ..self }
    }
}
