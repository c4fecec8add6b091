//! Reads from the response headers how long the service asks callers to wait.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// Pairs of headers: what is left of a limit, and when the limit resets.
const LIMITS: [(&str, &str); 7] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
];

/// The wait that the headers ask for: `retry-after-ms`, `retry-after` (seconds or a date), or else
/// the reset time of an exhausted limit. Ignores invalid values: negative numbers, words and past
/// dates. `refused`: the status of the response is an error.
pub(super) fn retry_after(headers: &HeaderMap, refused: bool, now: Timestamp) -> Option<Duration> {
    let milliseconds = header(headers, "retry-after-ms").and_then(|text| text.parse::<f64>().ok()).map(|number| number / 1000.0);
    let text = header(headers, "retry-after");
    let seconds = milliseconds
        .or_else(|| text.and_then(|text| text.parse::<f64>().ok()))
        .or_else(|| text.and_then(|text| seconds_until(jiff::fmt::rfc2822::parse(text).ok()?.timestamp(), now)));
    let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|wait| !wait.is_zero());
    wait.or_else(|| exhausted_limits(headers, refused, now))
}

/// The time until every exhausted limit has reset. Supports the headers of `OpenAI` (duration in
/// Go's format), Anthropic (RFC 3339) and the IETF draft (seconds). If an error response marks no
/// limit as exhausted, all its limits count.
fn exhausted_limits(headers: &HeaderMap, refused: bool, now: Timestamp) -> Option<Duration> {
    let mut exhausted = None;
    let mut any = None;
    for (remaining, reset) in LIMITS {
        let Some(wait) = header(headers, reset).and_then(|text| duration(text, now)) else { continue };
        any = any.max(Some(wait));
        // Some servers send -1 if they do not know the value.
        if header(headers, remaining) == Some("0") {
            exhausted = exhausted.max(Some(wait));
        }
    }
    exhausted.or(any.filter(|_| refused))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// Parses a reset header: a duration (`6m0s`, `120ms`), seconds (`1.5`) or a timestamp.
fn duration(text: &str, now: Timestamp) -> Option<Duration> {
    let seconds = match (text.parse::<f64>(), text.parse::<Timestamp>()) {
        (Ok(seconds), _) => seconds,
        (_, Ok(end)) => seconds_until(end, now)?,
        _ => go_duration(text)?,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|span| !span.is_zero())
}

/// Parses a duration in Go's format, such as `1h2m3.5s`, to seconds.
fn go_duration(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// Returns `None` if `end` is in the past.
#[expect(clippy::cast_precision_loss, reason = "no service asks for a wait of 2^52 ms")]
fn seconds_until(end: Timestamp, now: Timestamp) -> Option<f64> {
    Some((end.as_millisecond() - now.as_millisecond()) as f64 / 1000.0).filter(|seconds| *seconds > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_headers(headers: &[(&'static str, &str)], refused: bool) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        retry_after(&headers.collect(), refused, "2026-11-23T10:00:00Z".parse().unwrap())
    }

    fn with_header(name: &'static str, value: &str) -> Option<Duration> {
        with_headers(&[(name, value)], true)
    }

    #[test]
    fn waits_for_the_reset_of_exhausted_limits() {
        assert_eq!(with_header("x-ratelimit-reset-requests", "6m0s"), Some(Duration::from_mins(6)));
        assert_eq!(with_header("x-ratelimit-reset-tokens", "120ms"), Some(Duration::from_millis(120)));
        assert_eq!(with_header("x-ratelimit-reset-tokens", "1h2m3.5s"), Some(Duration::from_millis(3_723_500)));
        assert_eq!(with_header("anthropic-ratelimit-requests-reset", "2026-11-23T10:00:07Z"), Some(Duration::from_secs(7)));
        assert_eq!(with_header("ratelimit-reset", "12"), Some(Duration::from_secs(12)));
        let both = [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "2s"),
            ("x-ratelimit-remaining-tokens", "900"),
            ("x-ratelimit-reset-tokens", "50s"),
        ];
        assert_eq!(with_headers(&both, true), Some(Duration::from_secs(2)));
        assert_eq!(with_headers(&both, false), Some(Duration::from_secs(2)), "a successful response can exhaust a limit");
        assert_eq!(with_headers(&both[2..], false), None);
        assert_eq!(with_headers(&[("x-ratelimit-remaining-requests", "-1"), ("x-ratelimit-reset-requests", "0")], true), None);
        assert_eq!(with_headers(&[("retry-after", "3"), ("x-ratelimit-reset-requests", "6m0s")], true), Some(Duration::from_secs(3)));
    }

    #[test]
    fn reads_every_form_of_retry_after() {
        assert_eq!(with_header("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(with_header("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(with_header("retry-after", "Mon, 23 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
    }

    #[test]
    fn ignores_invalid_values() {
        for value in ["6x", "s", "m5"] {
            assert_eq!(with_header("x-ratelimit-reset-requests", value), None, "{value}");
        }
        for value in ["-1", "0", "soon", "Mon, 23 Nov 2020 10:00:30 GMT", "NaN", "1e300"] {
            assert_eq!(with_header("retry-after", value), None, "{value}");
        }
    }
}
