//! A finding of a check, with everything that a person needs to judge it without opening the
//! article.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Action, Flag, Lang, Problem};

/// How severe a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know; the text may be correct.
    Info,
    /// Probably wrong; someone should look at it.
    Warning,
    /// Wrong; do not publish it as it is.
    Error,
}

impl Severity {
    /// The word in the outputs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The text that a finding is about, by the name of its column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The article itself: its title and body.
    Article,
    /// The title in French.
    TitleFr,
    /// The title in English.
    TitleEn,
    /// The summary in French.
    SummaryFr,
    /// The summary in English.
    SummaryEn,
    /// The whole text in French.
    TextFr,
    /// The whole text in English.
    TextEn,
    /// The source column of `depeche check`.
    #[serde(rename = "source")]
    SourceColumn,
    /// The target column of `depeche check`.
    #[serde(rename = "target")]
    TargetColumn,
}

impl Field {
    /// The column's name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::TitleFr => "title_fr",
            Self::TitleEn => "title_en",
            Self::SummaryFr => "summary_fr",
            Self::SummaryEn => "summary_en",
            Self::TextFr => "text_fr",
            Self::TextEn => "text_en",
            Self::SourceColumn => "source",
            Self::TargetColumn => "target",
        }
    }

    /// The title in `lang`, one of the table's two languages.
    pub fn title(lang: Lang) -> Self {
        if lang == Lang::EN { Self::TitleEn } else { Self::TitleFr }
    }

    /// The summary in `lang`, one of the table's two languages.
    pub fn summary(lang: Lang) -> Self {
        if lang == Lang::EN { Self::SummaryEn } else { Self::SummaryFr }
    }

    /// The whole text in `lang`, one of the table's two languages.
    pub fn text(lang: Lang) -> Self {
        if lang == Lang::EN { Self::TextEn } else { Self::TextFr }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One problem that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The flag of the check.
    pub check: Flag,
    /// How severe it is.
    pub severity: Severity,
    /// The text with the error or the omission.
    pub field: Field,
    /// The wrong part of the text; empty if something is missing.
    pub found: String,
    /// What the text should say instead, in the words of the source; may be empty.
    pub expected: String,
    /// What is wrong, in a sentence.
    pub explanation: String,
    /// What is wrong, in a word; only if a reviewer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// Where `found` is in the field, in bytes. `None` if no single place is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// The configured action. After a retry or a failover, a row has the findings of the text that was
    /// kept.
    #[serde(default, skip_serializing_if = "Action::is_default")]
    pub action: Action,
}

impl Finding {
    /// A finding without `found`, `span` and `expected`.
    pub fn new(check: Flag, severity: Severity, field: Field, explanation: impl Into<String>) -> Self {
        let (found, expected) = (String::new(), String::new());
        let explanation = explanation.into();
        Self { check, severity, field, found, expected, explanation, problem: None, span: None, action: Action::Flag }
    }

    /// Sets the wrong part of the text, and where it is.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>, span: Option<Range<usize>>) -> Self {
        (self.found, self.span) = (found.into(), span);
        self
    }

    /// Sets what the text should say instead.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// A flag that an earlier stage set on the article. It is not an error of an endpoint.
    pub fn of_article(flag: Flag) -> Self {
        let explanation = match flag {
            Flag::Draft => "the translation is a draft: good enough to sort articles, not to publish",
            Flag::NoTitle => "no title found; first sentence used",
            Flag::Copy => "same text as another article, perhaps shortened",
            Flag::Mojibake => "repaired text that was decoded with the wrong encoding and saved",
            Flag::Encoding => "some bytes of the file are not valid in any encoding and were replaced",
            Flag::Teaser => "may be only the beginning of the article: an excerpt from a feed, or the part before a paywall",
            Flag::Several => "the file seems to hold several articles; split it",
            _ => "found when the article was read",
        };
        let severity = if flag.is_remark() { Severity::Info } else { Severity::Warning };
        Self::new(flag, severity, Field::Article, explanation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_round_trip_through_json_with_the_codes_of_the_outputs() {
        let finding =
            Finding::new(Flag::Number, Severity::Error, Field::SummaryEn, "20,000 is not in the source").found("20,000", Some(3..9));
        let json = serde_json::to_string(&finding).unwrap();
        assert_eq!(
            json,
            r#"{"check":"number","severity":"error","field":"summary_en","found":"20,000","expected":"","explanation":"20,000 is not in the source","span":{"start":3,"end":9}}"#
        );
        assert_eq!(serde_json::from_str::<Finding>(&json).unwrap(), finding);
        for flag in Flag::ALL {
            assert_eq!(serde_json::to_value(flag).unwrap(), flag.code());
        }
    }
}
