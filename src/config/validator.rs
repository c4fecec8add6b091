//! Validates values of the config, and collects every problem with its place in the file.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::DialectFacts;
use super::problem::{Problem, nearest};
use super::spanned::Spanned;

/// The span of a value from the command line, which has no place in the file.
const COMMAND_LINE: Range<usize> = usize::MAX..usize::MAX;

/// Validates the config. The files of the sections add methods of their own.
pub(super) struct Validator<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) folder: PathBuf,
    pub(super) dialects: &'a [DialectFacts],
    pub(super) problems: Vec<Problem>,
}

/// The value of a flag if it is set, or else the value in the file.
pub(super) fn flag_or<T>(flag: Option<T>, in_file: Option<Spanned<T>>) -> Option<Spanned<T>> {
    flag.map_or(in_file, |value| Some(Spanned::new(COMMAND_LINE, value)))
}

/// The name of a value that [`Validator::choose`] chose.
pub(super) fn name_of<T: Copy + PartialEq>(choices: &[(&'static str, T)], value: T) -> &'static str {
    choices.iter().find(|(_, choice)| *choice == value).map_or("", |(name, _)| name)
}

impl Validator<'_> {
    /// Adds a problem with the value at `span`.
    pub(super) fn problem(&mut self, span: &Range<usize>, message: impl Into<String>, hint: Option<String>) {
        let mut problem = if *span == COMMAND_LINE {
            Problem { file: "command line".into(), ..Problem::of(self.path, message) }
        } else {
            Problem::at(self.path, self.text, span, message)
        };
        problem.hint = hint;
        self.problems.push(problem);
    }

    /// One of several named choices.
    pub(super) fn choose<T: Copy>(&mut self, written: Option<Spanned<String>>, key: &str, choices: &[(&str, T)], default: T) -> T {
        let Some(written) = written else { return default };
        if let Some((_, value)) = choices.iter().find(|(name, _)| name == written.get_ref()) {
            return *value;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let hint = nearest(written.get_ref(), names.iter().copied())
            .map_or_else(|| format!("use one of {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        self.problem(&written.span(), format!("invalid `{key}`: `{}`", written.get_ref()), Some(hint));
        default
    }

    /// A whole number in a range.
    pub(super) fn number(&mut self, written: Option<Spanned<i64>>, key: &str, default: usize, range: RangeInclusive<i64>) -> usize {
        let Some(written) = written else { return default };
        if range.contains(written.get_ref()) {
            return usize::try_from(*written.get_ref()).unwrap_or(default);
        }
        let (low, high) = (range.start(), range.end());
        self.problem(&written.span(), format!("`{key}` is {}, but must be between {low} and {high}", written.get_ref()), None);
        default
    }

    /// A time between 100 ms and a day.
    pub(super) fn duration(&mut self, written: &Spanned<String>) -> Option<Duration> {
        let parsed = written.get_ref().parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        let valid = parsed.filter(|duration| (Duration::from_millis(100)..=Duration::from_hours(24)).contains(duration));
        if valid.is_none() {
            let hint = "use a time such as \"120s\" or \"2m\", from 100ms to 24h".to_owned();
            self.problem(&written.span(), format!("invalid duration: `{}`", written.get_ref()), Some(hint));
        }
        valid
    }

    /// An http or https URL without a slash at its end.
    pub(super) fn url(&mut self, written: &Spanned<String>) -> Option<String> {
        let message = match reqwest::Url::parse(written.get_ref()) {
            Err(error) => format!("`{}` is not a URL: {error}", written.get_ref()),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                format!("`{}://` is not supported, only http and https", url.scheme())
            }
            Ok(url) if url.host_str().is_none_or(str::is_empty) => "the URL has no host".into(),
            // Does not repeat the URL, which contains a password.
            Ok(url) if !url.username().is_empty() || url.password().is_some() => "the URL contains a user name or password".into(),
            Ok(url) if url.query().is_some() || url.fragment().is_some() => "the URL has a ? or #, but paths are appended to it".into(),
            Ok(url) => return Some(url.as_str().trim_end_matches('/').to_owned()),
        };
        let hint = "use a URL such as \"http://localhost:5000\"; a key belongs in `key = { env = … }`".to_owned();
        self.problem(&written.span(), message, Some(hint));
        None
    }
}
