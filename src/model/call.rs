//! A call: the request to an endpoint and its answer, independent of any wire format.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Field, Lang, Remark};

/// The kinds of work an endpoint can do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A summary in the article's own language.
    Summarise,
    /// A translation.
    Translate,
    /// Titles and summaries in both languages in one answer, from a chat model.
    Digest,
    /// A list of the problems of a row, from a chat model.
    Review,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Summarise => "summarise",
            Self::Translate => "translate",
            Self::Digest => "digest",
            Self::Review => "review",
        })
    }
}

/// Length and style of a summary. Part of every ledger key, so unset fields are not serialised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummarySpec {
    /// Its length, in words.
    pub words: usize,
    /// Its length in sentences, if the user sets that; `words` is then an estimate for endpoints
    /// that only count words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentences: Option<usize>,
    /// Its style, such as "short sentences, present tense"; for chat models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// Its tone, such as "neutral"; for chat models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tone: Option<String>,
}

/// A request to an endpoint. Its serialised form is part of the ledger key, so a change to that
/// form discards paid answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum CallRequest {
    /// Summarise one text in its own language.
    Summarise {
        /// The article's title.
        title: String,
        /// The text, or one part of it.
        text: String,
        /// The language of title and text.
        language: Lang,
        /// Length and style of the summary.
        #[serde(rename = "wish")]
        spec: SummarySpec,
        /// For chat models: what was wrong with an earlier answer; usually empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Translate several texts.
    Translate {
        /// The texts; never empty.
        texts: Vec<String>,
        /// The source language.
        from: Lang,
        /// The target language.
        to: Lang,
        /// For chat models: what was wrong with an earlier answer; usually empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
        /// The glossary terms in these texts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        terms: Vec<Term>,
    },
    /// Write titles and summaries in both languages.
    Digest {
        /// The article's title.
        title: String,
        /// The article's text.
        text: String,
        /// The language of title and text.
        language: Lang,
        /// Length and style of each summary.
        #[serde(rename = "wish")]
        spec: SummarySpec,
        /// What was wrong with an earlier answer; usually empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
        /// The glossary terms in this article.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        terms: Vec<Term>,
    },
    /// Say what is wrong with a row.
    Review {
        /// The article's title.
        title: String,
        /// The article's text.
        text: String,
        /// The language of title and text.
        language: Lang,
        /// The row's texts. The title in the article's language is the article's own.
        digest: Digest,
    },
}

/// A glossary entry that occurs in a text, in the direction of the translation. It is part of the
/// request and so of the ledger key: changing an entry repeats only the calls whose text contains
/// it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Term {
    /// The term in the source language.
    pub from: String,
    /// Its required translation; the same as `from` if it is not to be translated.
    pub to: String,
}

impl CallRequest {
    /// The kind of work requested.
    pub fn task(&self) -> Task {
        match self {
            Self::Summarise { .. } => Task::Summarise,
            Self::Translate { .. } => Task::Translate,
            Self::Digest { .. } => Task::Digest,
            Self::Review { .. } => Task::Review,
        }
    }

    /// Characters (not bytes) of the user's text: the unit in which translators bill.
    pub fn characters(&self) -> u64 {
        let count = |text: &str| text.chars().count() as u64;
        match self {
            Self::Summarise { title, text, .. } | Self::Digest { title, text, .. } => count(title) + count(text),
            Self::Translate { texts, .. } => texts.iter().map(|text| count(text)).sum(),
            Self::Review { title, text, language, digest } => {
                let written = digest.written(*language).map(|(_, text)| count(text));
                count(title) + count(text) + written.sum::<u64>()
            }
        }
    }
}

#[cfg(test)]
impl CallRequest {
    /// A digest for tests.
    pub(crate) fn sample_digest() -> Self {
        Self::Digest {
            title: "Titre".into(),
            text: "Texte.".into(),
            language: Lang::FR,
            spec: SummarySpec { words: 60, ..SummarySpec::default() },
            note: String::new(),
            terms: vec![],
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
    /// Sets title and summary in `lang`, which must be French or English.
    pub fn set(&mut self, lang: Lang, title: String, summary: String) {
        if lang == Lang::EN {
            (self.title_en, self.summary_en) = (title, summary);
        } else {
            (self.title_fr, self.summary_fr) = (title, summary);
        }
    }

    /// The texts that are not the article's own, if it is in the language `own`.
    pub fn written(&self, own: Lang) -> impl Iterator<Item = (Field, &str)> {
        let titles = Lang::TABLE.into_iter().filter(move |lang| *lang != own).map(|lang| (Field::title(lang), self.get(lang).0));
        titles.chain(Lang::TABLE.into_iter().map(|lang| (Field::summary(lang), self.get(lang).1)))
    }

    /// Title and summary in `lang`, which must be French or English.
    pub fn get(&self, lang: Lang) -> (&str, &str) {
        if lang == Lang::EN { (&self.title_en, &self.summary_en) } else { (&self.title_fr, &self.summary_fr) }
    }
}

/// An endpoint's answer; its variant matches that of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`CallRequest::Summarise`].
    Summary(String),
    /// To [`CallRequest::Translate`]: one translation for each text, in the same order.
    Translations(Vec<String>),
    /// To [`CallRequest::Digest`].
    Digest(Digest),
    /// To [`CallRequest::Review`]; empty if nothing is wrong.
    Review(Vec<Remark>),
}

impl Answer {
    /// Applies `edit` to every text.
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
            Self::Review(remarks) => Self::Review(remarks.into_iter().map(|remark| remark.map(&edit)).collect()),
        }
    }
}

/// The usage of a call, as the service counted it; `None` if the service does not report it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub tokens_in: Option<u64>,
    /// Tokens of the answer.
    pub tokens_out: Option<u64>,
    /// Characters billed.
    #[serde(default)]
    pub characters: Option<u64>,
    /// Whether the service states that it bills this at the discount of a cheaper tier.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discounted: bool,
}

impl Usage {
    /// Whether the service counted anything.
    pub fn is_counted(&self) -> bool {
        Self { discounted: false, ..*self } != Self::default()
    }
}

/// An answer with its metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer itself.
    pub answer: Answer,
    /// What the call used.
    pub usage: Usage,
    /// Whether the service declares its translation a draft (Apertium).
    #[serde(default)]
    pub draft: bool,
}

/// How much of the user's text a service accepts in one call.
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

/// Bytes of a text in a JSON body: its UTF-8, plus one for each character that JSON escapes.
pub fn wire_bytes(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t')).count()
}
