//! Decides what an error response means: finds its messages, however deeply they are nested, and
//! applies the rules to them.

use super::common_errors::COMMON;
use super::error_message::ErrorMessage;
use super::error_rules::{ErrorRule, find, named_limit, words};
use super::requested_pause::{is_daily_quota, requested_pause};
use super::{Response, excerpt};
use crate::model::{CallError, ErrorCode, Verdict};

/// How many characters of a message to keep before the words that matched a rule.
const BEFORE_MATCH: usize = 60;

/// Classifies an error response by the service's own `rules`, then by the common ones. A response
/// with status 200 has an error in its body: then the status that the body names counts.
pub(super) fn classify(response: &Response, rules: &[ErrorRule]) -> CallError {
    let said = ErrorMessage::read(&response.body);
    let first = said.texts.first().map_or("", String::as_str);
    if (300..400).contains(&response.status) {
        return CallError::new(Verdict::Stop, ErrorCode::Redirect, message(response.status, first));
    }
    let status = if response.status < 300 { said.status } else { Some(response.status) };
    let rule = rules.iter().chain(COMMON).find_map(|rule| Some((rule, rule.matched(status, &said)?)));
    let (verdict, error) = match (rule, status) {
        (Some((rule, _)), _) => (rule.verdict, rule.error),
        (None, Some(_)) => (Verdict::Never, ErrorCode::RefusedRequest),
        // A router failed without a reason.
        (None, None) => (Verdict::BackOff, ErrorCode::Unavailable),
    };
    let shown = match rule {
        // A code is less specific than a message.
        Some((rule, text)) if said.texts.iter().any(|message| message == text) => shown(text, rule),
        _ => excerpt(first.as_bytes()),
    };
    // Gemini names the quotas that are used up by their ids.
    let is_daily = error == ErrorCode::Busy && is_daily_quota(&response.body);
    let (verdict, error) = if is_daily { (Verdict::Stop, ErrorCode::Quota) } else { (verdict, error) };
    let verdict = match (verdict, response.retry_after.or_else(|| requested_pause(&response.body))) {
        (Verdict::BackOff, Some(pause)) => Verdict::Wait(pause),
        (verdict, _) => verdict,
    };
    let limit =
        (error == ErrorCode::MaxTokensLimit).then(|| said.texts.iter().chain(&said.codes).find_map(|text| named_limit(text))).flatten();
    CallError { limit, ..CallError::new(verdict, error, message(response.status, &shown)) }
}

fn message(status: u16, said: &str) -> String {
    let said = excerpt(said.as_bytes());
    match (status, said.as_str()) {
        (407, _) => format!("status 407: the proxy requires a user name and password: {said}").trim_end_matches([':', ' ']).to_owned(),
        (_, "") => format!("status {status}"),
        _ => format!("status {status}: {said}"),
    }
}

/// The part of a message that matched a rule: its beginning, if that is enough to match.
fn shown(text: &str, rule: &ErrorRule) -> String {
    let decides = |text: &str| rule.phrases.iter().any(|phrase| find(&words(text), phrase));
    let whole = excerpt(text.as_bytes());
    if decides(&whole) {
        return whole;
    }
    // The last position from which the rest still matches.
    let starts: Vec<usize> = text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at).collect();
    let last = starts.partition_point(|at| text.get(*at..).is_some_and(decides));
    let Some(at) = last.checked_sub(1).and_then(|last| starts.get(last)) else { return whole };
    let before = text.get(..*at).unwrap_or_default();
    let from = before.char_indices().rev().nth(BEFORE_MATCH).map_or(0, |(from, _)| from);
    format!("…{}", excerpt(text.get(from..).unwrap_or_default().as_bytes()))
}

#[cfg(test)]
mod tests;
