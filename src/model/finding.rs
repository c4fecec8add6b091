//! What a check found: enough for a person to see what is wrong without opening the article.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Action, Flag, Lang};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know; the text may be right all the same.
    Info,
    /// Probably wrong: to be looked at.
    Warning,
    /// Wrong: not to be published as it is.
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

/// Which text a finding is about, by the name of its column.
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
    /// What a text of `depeche check` was made from.
    Source,
    /// The text that `depeche check` looks at.
    Target,
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
            Self::Source => "source",
            Self::Target => "target",
        }
    }

    /// The column of titles in `lang`, which is one of the table's two.
    pub fn title(lang: Lang) -> Self {
        if lang == Lang::EN { Self::TitleEn } else { Self::TitleFr }
    }

    /// The column of summaries in `lang`, which is one of the table's two.
    pub fn summary(lang: Lang) -> Self {
        if lang == Lang::EN { Self::SummaryEn } else { Self::SummaryFr }
    }

    /// The column of whole texts in `lang`, which is one of the table's two.
    pub fn text(lang: Lang) -> Self {
        if lang == Lang::EN { Self::TextEn } else { Self::TextFr }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check, by its flag.
    pub check: Flag,
    /// How bad it is.
    pub severity: Severity,
    /// The text that it was found in, or that it is missing from.
    pub field: Field,
    /// What stands there; empty where something is missing.
    pub found: String,
    /// What should stand there, as the other text has it; empty where nothing should.
    pub expected: String,
    /// Both in a sentence.
    pub explanation: String,
    /// Where `found` stands in the field, in bytes; none where no single place is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// What was done about it, as the config had it; where the row was done once more, the finding has outlived that.
    #[serde(default, skip_serializing_if = "Action::is_usual")]
    pub action: Action,
}

impl Finding {
    /// A finding without the particulars.
    pub fn new(check: Flag, severity: Severity, field: Field, explanation: impl Into<String>) -> Self {
        let (found, expected) = (String::new(), String::new());
        Self { check, severity, field, found, expected, explanation: explanation.into(), span: None, action: Action::Flag }
    }

    /// The same with what stands there, and where.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>, span: Option<Range<usize>>) -> Self {
        (self.found, self.span) = (found.into(), span);
        self
    }

    /// The same with what should stand there.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// What a stage before the checks noticed: said of the article, and nobody's mistake.
    pub fn of_article(flag: Flag) -> Self {
        let explanation = match flag {
            Flag::Draft => "the translator is gist quality: good to sort by, not to publish",
            Flag::NoTitle => "the article has no title of its own; its beginning stands in",
            Flag::Copy => "the text is that of another article, at most trimmed",
            Flag::Mojibake => "text that was read in the wrong encoding and saved again was mended",
            Flag::Encoding => "some bytes of the file fit no encoding and were replaced",
            Flag::Teaser => "this is perhaps only the beginning of the article: a feed's excerpt, or what stands before a paywall",
            _ => "noticed when the article was read",
        };
        let severity = if flag == Flag::Encoding { Severity::Warning } else { Severity::Info };
        Self::new(flag, severity, Field::Article, explanation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_comes_back_from_json_and_its_words_are_those_of_the_outputs() {
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
