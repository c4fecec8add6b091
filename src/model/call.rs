//! A call: what an endpoint is asked, and what it answers. No dialect shows here; that is the `dialect` stage's work.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Billing, ErrorCode, Exit, Fault, Lang, Reject};

/// The kinds of work that an endpoint can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A summary in the article's own language.
    Summarise,
    /// A translation.
    Translate,
    /// Titles and summaries in both languages in one answer, from a chat model.
    Digest,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Summarise => "summarise",
            Self::Translate => "translate",
            Self::Digest => "digest",
        })
    }
}

/// How a summary is wished for. Part of every ledger key, so what is not set is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Its length, in words.
    pub words: usize,
    /// Its length in sentences, where the user counts so; `words` is then an estimate for those who count words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentences: Option<usize>,
    /// How it is written, such as "short sentences, present tense"; for chat models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// Its tone, such as "neutral"; for chat models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tone: Option<String>,
}

/// What an endpoint is asked. With the endpoint it decides the answer, so its serialised form is part of the ledger's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum Ask {
    /// Summarise one text in its own language.
    Summarise {
        /// The article's title.
        title: String,
        /// The text, whole or one part of it.
        text: String,
        /// Its language.
        language: Lang,
        /// How it is wished for.
        wish: Wish,
        /// What was wrong with an earlier answer, told to chat models; mostly empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Translate some texts, each by itself.
    Translate {
        /// The texts; never empty.
        texts: Vec<String>,
        /// The language they are in.
        from: Lang,
        /// The language wanted.
        to: Lang,
        /// What was wrong with an earlier answer, told to chat models; mostly empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
        /// What the glossary says of these texts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        terms: Vec<Term>,
    },
    /// Title and summary in both languages at once.
    Digest {
        /// The article's title.
        title: String,
        /// The article's text.
        text: String,
        /// Its language.
        language: Lang,
        /// How each summary is wished for.
        wish: Wish,
        /// What was wrong with an earlier answer; mostly empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
        /// What the glossary says of this article.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        terms: Vec<Term>,
    },
}

/// An entry of the glossary that occurs in a text, turned in the direction of the translation. It is part of the ask, and so of the
/// ledger's key: a changed entry is asked anew just where it occurs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Term {
    /// As it stands in the text's language.
    pub from: String,
    /// As it must stand in the translation; the same where it is not to be translated.
    pub to: String,
}

impl Ask {
    /// Which kind of work this is.
    pub fn task(&self) -> Task {
        match self {
            Self::Summarise { .. } => Task::Summarise,
            Self::Translate { .. } => Task::Translate,
            Self::Digest { .. } => Task::Digest,
        }
    }

    /// Characters (not bytes) of the user's text in this ask: what translators bill by.
    pub fn characters(&self) -> u64 {
        let count = |text: &str| text.chars().count() as u64;
        match self {
            Self::Summarise { title, text, .. } | Self::Digest { title, text, .. } => count(title) + count(text),
            Self::Translate { texts, .. } => texts.iter().map(|text| count(text)).sum(),
        }
    }
}

/// Titles and summaries in the table's two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The title in French.
    pub title_fr: String,
    /// The title in English.
    pub title_en: String,
    /// The summary in French.
    pub summary_fr: String,
    /// The summary in English.
    pub summary_en: String,
}

impl Digest {
    /// Puts title and summary in the columns of `lang`, which is one of the table's two.
    pub fn set(&mut self, lang: Lang, title: String, summary: String) {
        if lang == Lang::EN {
            (self.title_en, self.summary_en) = (title, summary);
        } else {
            (self.title_fr, self.summary_fr) = (title, summary);
        }
    }

    /// Title and summary in `lang`, which is one of the table's two.
    pub fn get(&self, lang: Lang) -> (&str, &str) {
        if lang == Lang::EN { (&self.title_en, &self.summary_en) } else { (&self.title_fr, &self.summary_fr) }
    }
}

/// What an endpoint answered, in the same shape as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Ask::Summarise`].
    Summary(String),
    /// To [`Ask::Translate`]: as many texts as were asked, in their order.
    Translations(Vec<String>),
    /// To [`Ask::Digest`].
    Digest(Digest),
}

impl Answer {
    /// The same with every text edited.
    #[must_use]
    pub fn map(self, edit: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Summary(text) => Self::Summary(edit(&text)),
            Self::Translations(texts) => Self::Translations(texts.iter().map(|text| edit(text)).collect()),
            Self::Digest(digest) => Self::Digest(Digest {
                title_fr: edit(&digest.title_fr),
                title_en: edit(&digest.title_en),
                summary_fr: edit(&digest.summary_fr),
                summary_en: edit(&digest.summary_en),
            }),
        }
    }
}

/// What a call used up, as the service counted it; none where it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub tokens_in: Option<u64>,
    /// Tokens of the answer.
    pub tokens_out: Option<u64>,
    /// Characters billed.
    #[serde(default)]
    pub characters: Option<u64>,
}

/// An answer with what came along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer itself.
    pub answer: Answer,
    /// What it used up.
    pub usage: Usage,
    /// Whether the service says of itself that this is gist quality (Apertium).
    #[serde(default)]
    pub draft: bool,
}

/// What a service takes in one call, of the user's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Characters (not bytes).
    pub characters: usize,
    /// Texts of a translation.
    pub texts: usize,
    /// Bytes, as [`wire_bytes`] counts them.
    pub bytes: usize,
}

impl CallLimits {
    /// Whether `texts` fit into one call.
    pub fn hold(&self, texts: &[String]) -> bool {
        let characters: usize = texts.iter().map(|text| text.chars().count()).sum();
        let bytes: usize = texts.iter().map(|text| wire_bytes(text)).sum();
        texts.len() <= self.texts && characters <= self.characters && bytes <= self.bytes
    }
}

/// Bytes of a text in a JSON body: UTF-8, and one more for each character that is escaped there.
pub fn wire_bytes(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t')).count()
}

/// What may be done after a failed attempt. Decided by the status first, then by the service's code, never by its prose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This article cannot be done there; asking again would be the same.
    Never,
    /// The service said when to come again.
    Wait(Duration),
    /// It failed before any work was done, or said so: asked again after a growing pause.
    BackOff,
    /// An answer came, but no usable one: asked once more.
    Once,
    /// The answer was lost on its way: it may have been billed, so it is asked once more at most, and counted.
    MaybeBilled,
    /// Every article would fail like this: the endpoint is left alone for the rest of the run.
    Stop,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// What may be done next.
    pub verdict: Verdict,
    /// A short stable word for the row: `refused`, `truncated`, `timeout` …
    pub code: ErrorCode,
    /// What went wrong, without any part of a key.
    pub message: String,
}

impl CallError {
    /// A failed attempt with its verdict, code and message.
    pub fn new(verdict: Verdict, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { verdict, code, message: message.into() }
    }
}

/// An article's work ended without a row's texts: its reason, and what that means for the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the row says.
    pub reject: Reject,
    /// `SomeFailed`, `EndpointStop` or `EndpointAway`.
    pub exit: Exit,
}

impl Failure {
    /// Whether the next endpoint may take the work over: the service is away or says stop, or gave nothing that can be used. Not where the
    /// call may have been billed (that would be a third payment) and not where the run itself ends.
    pub fn elsewhere(&self) -> bool {
        match self.exit {
            Exit::EndpointStop | Exit::EndpointAway => true,
            Exit::SomeFailed => self.reject.code.is_for_another_endpoint(),
            _ => false,
        }
    }
}

/// The attempts of a call that may have been billed with nothing to show for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnusableSpend {
    /// No whole answer came.
    pub lost: u32,
    /// An answer came that was none.
    pub unusable: u32,
}

impl UnusableSpend {
    /// Counts a failed attempt.
    pub fn add(&mut self, error: &CallError) {
        match error.code.billing() {
            Billing::Lost => self.lost += 1,
            Billing::Unusable => self.unusable += 1,
            Billing::None => {}
        }
    }

    /// These and others.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, unusable: self.unusable + other.unusable }
    }

    /// How many they are.
    pub fn attempts(self) -> u32 {
        self.lost + self.unusable
    }

    /// The ledger's word for them; none where there are none.
    pub fn outcome(self) -> Option<&'static str> {
        let word = if self.lost > 0 { "lost" } else { "unusable" };
        (self.attempts() > 0).then_some(word)
    }
}

/// The run cannot go on: the article is neither done nor failed.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { reject: Reject::new(ErrorCode::BrokenOff, fault.message), exit: fault.exit }
    }
}

impl From<Reject> for Failure {
    fn from(reject: Reject) -> Self {
        Self { reject, exit: Exit::SomeFailed }
    }
}
