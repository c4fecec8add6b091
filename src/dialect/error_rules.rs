//! Rules that decide what an error response means. A rule has the statuses to which it applies, the
//! words that it looks for, and the verdict.

use super::error_message::ErrorMessage;
use crate::model::{ErrorCode, Verdict};

/// The statuses to which a rule applies. An error in an answer with status 200 has the status that
/// it names. If it names none, all rules apply but those for certain statuses ([`Statuses::Only`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// Any status of an error.
    Any,
    /// 400 to 499.
    Refusals,
    /// 400 to 499, but not 429, which may be about the number of tokens in a minute.
    RefusalsBut429,
    /// 500 to 599.
    Failures,
    /// These.
    Only(&'static [u16]),
}

/// A kind of error response: what it looks like, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct ErrorRule {
    /// The statuses.
    pub statuses: Statuses,
    /// The phrases to look for in messages and codes; one is enough (see `find`). If there are
    /// none, the status alone decides.
    pub phrases: &'static [&'static str],
    /// What may follow.
    pub verdict: Verdict,
    /// The error code in the row.
    pub error: ErrorCode,
}

/// An error recognised by its words, whatever the status.
pub(super) const fn says(phrases: &'static [&'static str], verdict: Verdict, error: ErrorCode) -> ErrorRule {
    ErrorRule { statuses: Statuses::Any, phrases, verdict, error }
}

/// An error recognised by its words, with any 4xx status.
pub(super) const fn refusal(phrases: &'static [&'static str], verdict: Verdict, error: ErrorCode) -> ErrorRule {
    ErrorRule { statuses: Statuses::Refusals, phrases, verdict, error }
}

/// An error recognised by its words, with any 4xx status but 429.
pub(super) const fn not_busy(phrases: &'static [&'static str], verdict: Verdict, error: ErrorCode) -> ErrorRule {
    ErrorRule { statuses: Statuses::RefusalsBut429, phrases, verdict, error }
}

/// An error recognised by its words, with one of these statuses.
pub(super) const fn on(statuses: &'static [u16], phrases: &'static [&'static str], verdict: Verdict, error: ErrorCode) -> ErrorRule {
    ErrorRule { statuses: Statuses::Only(statuses), phrases, verdict, error }
}

/// An error recognised by its status alone.
pub(super) const fn by_status(statuses: &'static [u16], verdict: Verdict, error: ErrorCode) -> ErrorRule {
    on(statuses, &[], verdict, error)
}

impl Statuses {
    fn contain(self, status: Option<u16>) -> bool {
        match (self, status) {
            (Self::Only(list), Some(status)) => list.contains(&status),
            (Self::Only(_), None) => false,
            (Self::Any, _) | (_, None) => true,
            (Self::Refusals, Some(status)) => (400..500).contains(&status),
            (Self::RefusalsBut429, Some(status)) => (400..500).contains(&status) && status != 429,
            (Self::Failures, Some(status)) => (500..600).contains(&status),
        }
    }
}

impl ErrorRule {
    /// The words that match the rule; empty if the status alone decides. `status` is `None` if
    /// nothing names one.
    pub(super) fn matched<'a>(&self, status: Option<u16>, said: &'a ErrorMessage) -> Option<&'a str> {
        if !self.statuses.contain(status) {
            return None;
        }
        if self.phrases.is_empty() {
            return Some("");
        }
        let mut texts = said.texts.iter().chain(&said.codes);
        let shows = |text: &&String| {
            let words = words(text);
            self.phrases.iter().any(|phrase| find(&words, phrase))
                && (self.error != ErrorCode::MaxTokensLimit || named_limit(text).is_some())
        };
        texts.find(shows).map(String::as_str)
    }
}

/// Normalises a text, so that one phrase fits many services: lower case, no quotes, and spaces
/// instead of `_` and `-` and between the words of `camelCase`.
pub(super) fn words(text: &str) -> String {
    let characters: Vec<char> = text.chars().filter(|c| !"\"'`*“”«»‘’".contains(*c)).collect();
    let mut words = String::with_capacity(text.len());
    for (at, c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        let starts_word = c.is_uppercase()
            && before
                .is_some_and(|before| before.is_lowercase() || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()));
        let is_space = matches!(c, '_' | '-') || c.is_whitespace() || c.is_control();
        if (starts_word || is_space) && !words.ends_with(' ') {
            words.push(' ');
        }
        if !is_space {
            words.extend(c.to_lowercase());
        }
    }
    words
}

/// How far apart the parts of a phrase may be, in bytes.
const MAX_GAP: usize = 100;

/// Whether `phrase` is in a text that [`words`] has normalised. A part after ` + ` must follow at
/// once, a part after ` … ` soon. `/` separates the alternatives of a part. A part begins at the
/// start of a word.
pub(super) fn find(words: &str, phrase: &str) -> bool {
    let groups = phrase.split(" … ").map(|group| group.split(" + ").enumerate());
    let mut parts = groups.flatten().map(|(place, part)| (if place == 0 { MAX_GAP } else { 1 }, part));
    let Some((_, first)) = parts.next() else { return false };
    let starts = first.split('/').flat_map(|start| words.match_indices(start).map(move |(at, start)| (at, at + start.len())));
    let follow = |mut end: usize| {
        parts.clone().all(|(max_gap, part)| {
            let rest = words.get(end..).unwrap_or_default();
            let next = part.split('/').flat_map(|next| rest.match_indices(next)).filter(|(at, _)| begins_word(words, end + at));
            let next = next.min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= max_gap);
            end += next.map_or(0, |(at, next)| at + next.len());
            next.is_some()
        })
    };
    starts.filter(|(at, _)| begins_word(words, *at)).any(|(_, end)| follow(end))
}

fn begins_word(text: &str, at: usize) -> bool {
    let (before, after) = (text.get(..at), text.get(at..));
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    !(is_letter(before.and_then(|text| text.chars().next_back())) && is_letter(after.and_then(|text| text.chars().next())))
}

/// Names of the parameter for the token limit, as `words` has them.
const LIMIT_NAMES: &[&str] =
    &["max tokens", "max completion tokens", "max output tokens", "max new tokens", "maximum tokens", "num predict"];
/// Words before the number of a limit.
const BEFORE_LIMIT: &[&str] = &[
    "at most",
    "<=",
    "≤",
    "<",
    ">",
    "equal to",
    "than",
    "up to",
    "limit",
    "limit of",
    "limit is",
    "maximum",
    "maximum of",
    "maximum is",
    "max",
    "and",
    "to",
    "exceed",
    "exceeds",
    "below",
    "under",
    "value is",
    "limit:",
    "maximum:",
    "max:",
    "is",
];
/// No model has a lower limit.
const LOWEST_LIMIT: u64 = 64;

/// The highest token limit of an answer that the service accepts, if a message names it, such
/// as “at most 4096 completion tokens”.
pub(super) fn named_limit(message: &str) -> Option<u64> {
    let words = words(message);
    let start = LIMIT_NAMES.iter().filter_map(|name| words.find(name)).min()?;
    let text: String = words.get(start..)?.chars().take(300).collect();
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize| {
        let token = tokens.get(at)?.trim_matches(|c: char| !c.is_alphanumeric());
        let number: u64 = token.replace(',', "").parse().ok()?;
        let exclusive = tokens.get(at + 1).is_some_and(|next| next.contains("exclusive"));
        Some(number.saturating_sub(u64::from(exclusive))).filter(|number| *number >= LOWEST_LIMIT)
    };
    let named = |at: usize| {
        let before = tokens.get(at.saturating_sub(2)..at).unwrap_or_default().join(" ");
        let before = before.trim_end_matches(['(', '[', ':']);
        // The end of a range: [1, 8192].
        let in_range = tokens.get(at.saturating_sub(1)).is_some_and(|start| start.contains(['[', '(']) && start.ends_with(','));
        in_range || BEFORE_LIMIT.iter().any(|cue| before == *cue || before.ends_with(&format!(" {cue}")))
    };
    let joined = |at: usize| {
        let token = tokens.get(at)?;
        let rest = ["<=", "<", ">", "≤"].iter().find_map(|sign| token.split_once(sign)).map(|(_, rest)| rest)?;
        rest.trim_matches(|c: char| !c.is_alphanumeric()).replace(',', "").parse().ok().filter(|number| *number >= LOWEST_LIMIT)
    };
    (0..tokens.len()).filter_map(|at| number(at).filter(|_| named(at)).or_else(|| joined(at))).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_however_they_are_written() {
        let found = |text: &str, phrase: &str| find(&words(text), phrase);
        assert!(found("ContextWindowExceededError", "context window"));
        assert!(found("'max_completion_tokens' instead", "max completion tokens"));
        assert!(found("GenerateRequestsPerDayPerProject", "requests per day"));
        assert!(found("API_KEY_INVALID", "api key invalid"));
        assert!(found("The model `x-1` does not exist.", "model … not found/not exist"));
        assert!(found("Incorrect API key provided", "invalid/incorrect + api key/token"));
        assert!(!found("invalid, see the API key page", "invalid/incorrect + api key/token"));
        assert!(!found("today", "day"), "a part begins a word");
        assert!(!found(&format!("model {} does not exist", "x ".repeat(60)), "model … not exist"), "the parts are near each other");
    }

    #[test]
    fn the_limit_of_an_answer_is_read_from_the_refusal() {
        for (message, limit) in [
            ("max_tokens is too large: 8692. This model supports at most 4096 completion tokens, whereas you provided 8692.", Some(4096)),
            ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", Some(8192)),
            (
                "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window`",
                Some(8192),
            ),
            ("max_tokens: 8692 > 4096, which is the maximum allowed number of output tokens for claude-3-haiku-20240307", Some(4096)),
            ("maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 8193 (exclusive).", Some(8192)),
            (
                "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
                Some(4096),
            ),
            ("Range of max_tokens should be [1, 2,048]", Some(2048)),
            ("`max_new_tokens` must be <= 1024. Given: 8692", Some(1024)),
            ("max_tokens (8692) exceeds the maximum (4,096)", Some(4096)),
            ("max_completion_tokens must be between 1 and 16384, got 20000", Some(16384)),
            ("max_tokens is not supported with this model", None),
            ("max_tokens 参数非法，取值范围是：[1, 4095]", Some(4095)),
            ("temperature must be less than 100", None),
        ] {
            assert_eq!(named_limit(message), limit, "{message}");
        }
    }
}
