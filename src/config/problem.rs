//! A problem in the config, with its file, line and column.

use std::fmt;
use std::ops::Range;
use std::path::Path;

/// A problem in the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The config file.
    pub file: String,
    /// Line and column, both from 1, with columns in characters; `None` if there is no single
    /// place.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at a byte range of the file's text.
    pub fn at(file: &Path, text: &str, span: &Range<usize>, message: impl Into<String>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = line_of(text, span.start);
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Self { place: Some((line, column)), ..Self::of(file, message) }
    }

    /// A problem with the file as a whole.
    pub fn of(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.display().to_string(), place: None, message: message.into(), hint: None }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Converts an error of the TOML parser, and replaces messages that are too technical.
    pub fn from_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim().replace('\n', ": ");
        let message = message.replace("expected i64", "expected a whole number").replace("expected a sequence", "expected a list");
        let problem = match error.span() {
            Some(span) => Self::at(file, text, &span, message.clone()),
            None => Self::of(file, message.clone()),
        };
        let Some(rest) = message.strip_prefix("unknown field ") else { return problem };
        let mut quoted = rest.split('`').skip(1).step_by(2);
        let Some(unknown) = quoted.next() else { return problem };
        let known: Vec<&str> = quoted.collect();
        let hint = nearest(unknown, known.iter().copied())
            .map_or_else(|| format!("the keys in this section are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
        Self { message: format!("unknown key `{unknown}`"), ..problem }.hint(hint)
    }
}

/// The line of a byte of the text, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// The known name that is most similar to the written name, if it is probably meant.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|name| (strsim::jaro_winkler(written, name), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message)?,
            None => write!(f, "{}: {}", self.file, self.message)?,
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a = 1\nété = x\n";
        let at = text.find('x').unwrap();
        let problem = Problem::at(Path::new("config.toml"), text, &(at..at + 1), "odd");
        assert_eq!(problem.to_string(), "config.toml:2:7: odd");
    }

    #[test]
    fn only_a_similar_name_is_suggested() {
        assert_eq!(nearest("concurency", ["concurrency", "model"].into_iter()), Some("concurrency"));
        assert_eq!(nearest("zzz", ["concurrency", "model"].into_iter()), None);
    }
}
