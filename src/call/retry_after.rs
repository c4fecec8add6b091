//! Reads from the response headers how long the service asks callers to wait.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::dialect::duration;

/// Larger numbers of seconds are Unix time.
const UNIX_TIME: f64 = 1e9;
const FURTHEST_UNIX_TIME: Duration = Duration::from_hours(1);

/// The wait that the headers ask for: `retry-after-ms`, `retry-after` (seconds or a date), or else
/// the reset time of an exhausted limit. Ignores invalid values: negative numbers, words and past
/// dates. `refused`: the status of the response is an error.
pub(super) fn retry_after(headers: &HeaderMap, refused: bool, now: Timestamp) -> Option<Duration> {
    let milliseconds = header(headers, "retry-after-ms")
        .or_else(|| header(headers, "x-ms-retry-after-ms"))
        .and_then(|text| text.parse::<f64>().ok())
        .map(|number| number / 1000.0);
    let text = header(headers, "retry-after").or_else(|| header(headers, "x-retry-after"));
    let seconds = milliseconds
        .or_else(|| text.and_then(|text| text.parse::<f64>().ok()))
        .or_else(|| text.and_then(|text| seconds_until(jiff::fmt::rfc2822::parse(text).ok()?.timestamp(), now)));
    let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|wait| !wait.is_zero());
    wait.or_else(|| exhausted_limits(headers, refused, now))
        .or_else(|| header(headers, "ratelimit").filter(|_| refused).and_then(exhausted_policy))
}

/// The wait that the headers of another service ask for, which a router repeats in the body of its
/// own response (`error.metadata.headers` of `OpenRouter`).
pub(super) fn retry_after_in_body(body: &[u8], now: Timestamp) -> Option<Duration> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let headers = body.pointer("/error/metadata/headers")?.as_object()?;
    let header = |(name, value): (&String, &serde_json::Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value).ok()?))
    };
    retry_after(&headers.iter().filter_map(header).collect(), true, now)
}

/// The time until an exhausted limit has reset, from the IETF draft's header in one piece:
/// `"default";r=0;t=3`, or `limit=10, remaining=0, reset=3` in its older versions.
fn exhausted_policy(text: &str) -> Option<Duration> {
    let value = |names: [&str; 2]| {
        let mut parameters = text.split([';', ',']).filter_map(|parameter| parameter.trim().split_once('='));
        parameters.find(|(name, _)| names.contains(name)).and_then(|(_, value)| value.parse::<f64>().ok())
    };
    value(["r", "remaining"]).filter(|remaining| *remaining < 1.0).and_then(|_| positive(value(["t", "reset"])?))
}

/// The time until every exhausted limit has reset. Any header whose name has `ratelimit` and `reset`
/// counts: those of `OpenAI` (duration in Go's format), Anthropic (RFC 3339), the IETF draft (seconds),
/// GitHub and `OpenRouter` (Unix time).
///
/// `refused`: an error response. If it marks no limit as exhausted, every limit without a remaining
/// amount counts. A successful response asks only for the time until one call is allowed again,
/// because many services reset the limit bit by bit.
fn exhausted_limits(headers: &HeaderMap, refused: bool, now: Timestamp) -> Option<Duration> {
    let (mut exhausted, mut unknown) = (None, None);
    for (name, reset) in headers {
        let name = name.as_str();
        if !(name.contains("ratelimit") || name.contains("rate-limit")) || !name.contains("reset") {
            continue;
        }
        let Some(wait) = reset.to_str().ok().and_then(|text| time_until(text.trim(), now)) else { continue };
        let number = |part: &str| header(headers, &name.replacen("reset", part, 1)).and_then(|text| text.parse::<f64>().ok());
        // Some servers send -1 if they do not know the value.
        match number("remaining").filter(|remaining| *remaining >= 0.0) {
            Some(remaining) if remaining < 1.0 => {
                let all = number("limit").filter(|limit| !refused && *limit >= 1.0);
                exhausted = exhausted.max(Some(all.map_or(wait, |limit| wait.div_f64(limit))));
            }
            Some(_) => {}
            None => unknown = unknown.max(Some(wait)),
        }
    }
    exhausted.or(unknown.filter(|_| refused)).filter(|wait| !wait.is_zero())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// Parses a reset header: a duration (`6m0s`, `120ms`), seconds (`1.5`), a timestamp, or Unix time
/// in seconds or milliseconds. The two clocks may differ, so a Unix time more than an hour ahead is
/// ignored.
fn time_until(text: &str, now: Timestamp) -> Option<Duration> {
    let seconds = match (text.parse::<f64>(), text.parse::<Timestamp>()) {
        (Ok(number), _) if number >= UNIX_TIME => {
            let seconds = if number >= UNIX_TIME * 1000.0 { number / 1000.0 } else { number };
            seconds - unix_time(now)
        }
        (Ok(seconds), _) => return positive(seconds),
        (_, Ok(end)) => return positive(seconds_until(end, now)?),
        _ => return duration(text).filter(|wait| !wait.is_zero()),
    };
    positive(seconds).filter(|wait| *wait <= FURTHEST_UNIX_TIME)
}

fn positive(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|span| !span.is_zero())
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^52")]
fn unix_time(now: Timestamp) -> f64 {
    now.as_millisecond() as f64 / 1000.0
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

    #[test]
    fn a_router_repeats_headers_in_the_body() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let reset = now.as_millisecond() + 4_000;
        let body = format!(
            r#"{{"error": {{"code": 429, "metadata": {{"headers": {{"X-RateLimit-Remaining": 0, "X-RateLimit-Reset": "{reset}"}}}}}}}}"#
        );
        assert_eq!(retry_after_in_body(body.as_bytes(), now), Some(Duration::from_secs(4)));
        for body in ["", "{}", r#"{"error": {"metadata": {"headers": ["X-RateLimit-Reset"]}}}"#] {
            assert_eq!(retry_after_in_body(body.as_bytes(), now), None);
        }
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
        assert_eq!(with_header("ratelimit", "\"default\";r=0;t=3"), Some(Duration::from_secs(3)));
        assert_eq!(with_header("ratelimit", "limit=10, remaining=0, reset=3"), Some(Duration::from_secs(3)));
        assert_eq!(with_header("ratelimit", "limit=10, remaining=2, reset=3"), None);
        assert_eq!(with_header("x-retry-after", "3"), Some(Duration::from_secs(3)));
        assert_eq!(with_header("x-ms-retry-after-ms", "2700"), Some(Duration::from_millis(2_700)));
        assert_eq!(with_header("x-ratelimit-reset-requests-minute", "12.5"), Some(Duration::from_millis(12_500)));
        let both = [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "2s"),
            ("x-ratelimit-remaining-tokens", "900"),
            ("x-ratelimit-reset-tokens", "50s"),
        ];
        assert_eq!(with_headers(&both, true), Some(Duration::from_secs(2)));
        assert_eq!(with_headers(&both, false), Some(Duration::from_secs(2)), "a successful response can exhaust a limit");
        let with_limit = [&both[..2], &[("x-ratelimit-limit-requests", "40")]].concat();
        assert_eq!(with_headers(&with_limit, false), Some(Duration::from_millis(50)), "until one call is free again");
        assert_eq!(with_headers(&with_limit, true), Some(Duration::from_secs(2)));
        assert_eq!(with_headers(&both[2..], false), None);
        assert_eq!(with_headers(&[("x-ratelimit-remaining-requests", "-1"), ("x-ratelimit-reset-requests", "0")], true), None);
        assert_eq!(with_headers(&[("retry-after", "3"), ("x-ratelimit-reset-requests", "6m0s")], true), Some(Duration::from_secs(3)));
    }

    #[test]
    fn reads_unix_time_up_to_an_hour_ahead() {
        // 2026-11-23T10:00:00Z.
        for (name, value, seconds) in [
            ("x-ratelimit-reset", "1795428020", Some(20)),
            ("x-ratelimit-reset", "1795428020000", Some(20)),
            ("x-rate-limit-reset", "1795431590", Some(3_590)),
            ("x-ratelimit-reset", "1795431610", None),
            ("x-ratelimit-reset", "1795427990", None),
        ] {
            assert_eq!(with_header(name, value), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_limit_that_is_not_exhausted_asks_for_no_pause() {
        let day = [("x-ratelimit-remaining-requests-day", "12"), ("x-ratelimit-reset-requests-day", "33011.38")];
        assert_eq!(with_headers(&day, true), None);
        let minute = [("x-ratelimit-remaining-tokens-minute", "0"), ("x-ratelimit-reset-tokens-minute", "11.38")];
        assert_eq!(with_headers(&[day, minute].concat(), true), Some(Duration::from_millis(11_380)));
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
