//! When to try again: what the service asked for, and our own pauses where it did not say.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// Attempts for one call.
pub(super) const MOST_ATTEMPTS: u32 = 3;
/// Times that a call is refused as one too many: the gate goes slower meanwhile.
pub(super) const MOST_REFUSALS: u32 = 12;
/// A service that asks for a longer pause is away for this run.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The pause that an answer's headers ask for: `retry-after-ms`, `retry-after` in seconds or as a date, else the time at which an
/// exhausted limit is full again. Nonsense (negative, words, a date gone by) is none.
pub(super) fn told(headers: &HeaderMap, refused: bool, now: Timestamp) -> Option<Duration> {
    let milliseconds = text(headers, "retry-after-ms").and_then(|text| text.parse::<f64>().ok()).map(|number| number / 1000.0);
    let after = text(headers, "retry-after");
    let seconds = milliseconds
        .or_else(|| after.and_then(|text| text.parse::<f64>().ok()))
        .or_else(|| after.and_then(|text| until(jiff::fmt::rfc2822::parse(text).ok()?.timestamp(), now)));
    let pause = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|pause| !pause.is_zero());
    pause.or_else(|| exhausted(headers, refused, now))
}

/// When the limits that are used up are full again: `x-ratelimit-{remaining,reset}-{requests,tokens}` (`OpenAI`, the time as Go writes a
/// span), `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{remaining,reset}` (RFC 3339), and the IETF draft's
/// `ratelimit-{remaining,reset}` (seconds). A refused call that names no limit as used up is taken to mean them all.
fn exhausted(headers: &HeaderMap, refused: bool, now: Timestamp) -> Option<Duration> {
    let mut used_up = None;
    let mut any = None;
    for (remaining, reset) in LIMITS {
        let Some(pause) = text(headers, reset).and_then(|text| span(text, now)) else { continue };
        any = any.max(Some(pause));
        // -1 and other nonsense is what servers write that do not know.
        if text(headers, remaining) == Some("0") {
            used_up = used_up.max(Some(pause));
        }
    }
    used_up.or(any.filter(|_| refused))
}

const LIMITS: [(&str, &str); 7] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
];

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// A span as these headers write it: `6m0s`, `120ms`, `1.5` (seconds), or the moment of its end.
fn span(text: &str, now: Timestamp) -> Option<Duration> {
    let seconds = match (text.parse::<f64>(), text.parse::<Timestamp>()) {
        (Ok(seconds), _) => seconds,
        (_, Ok(end)) => until(end, now)?,
        _ => go_span(text)?,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|span| !span.is_zero())
}

/// Seconds of a span as Go writes it: numbers, each with its unit.
fn go_span(text: &str) -> Option<f64> {
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

/// Seconds from now to `end`.
#[expect(clippy::cast_precision_loss, reason = "a pause of more than 2^52 ms is no pause")]
fn until(end: Timestamp, now: Timestamp) -> Option<f64> {
    Some((end.as_millisecond() - now.as_millisecond()) as f64 / 1000.0).filter(|seconds| *seconds > 0.0)
}

/// Our own pause after the `attempt`-th failure (from 1): a random share of a doubling span, so that calls that failed together
/// do not come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    jittered(FIRST_PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(6)))
}

/// Between half of `span` and all of it.
pub(super) fn jittered(span: Duration) -> Duration {
    let mut bytes = [0_u8; 2];
    // Without randomness the full span is a good pause too.
    let share = getrandom::fill(&mut bytes).map_or(1.0, |()| f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX));
    span.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_asked(headers: &[(&'static str, &str)], refused: bool) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        told(&headers.collect(), refused, "2026-11-23T10:00:00Z".parse().unwrap())
    }

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        all_asked(&[(name, value)], true)
    }

    #[test]
    fn limits_that_are_used_up_say_when_to_come_again() {
        assert_eq!(asked("x-ratelimit-reset-requests", "6m0s"), Some(Duration::from_mins(6)));
        assert_eq!(asked("x-ratelimit-reset-tokens", "120ms"), Some(Duration::from_millis(120)));
        assert_eq!(asked("x-ratelimit-reset-tokens", "1h2m3.5s"), Some(Duration::from_millis(3_723_500)));
        assert_eq!(asked("anthropic-ratelimit-requests-reset", "2026-11-23T10:00:07Z"), Some(Duration::from_secs(7)));
        assert_eq!(asked("ratelimit-reset", "12"), Some(Duration::from_secs(12)));
        let both = [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "2s"),
            ("x-ratelimit-remaining-tokens", "900"),
            ("x-ratelimit-reset-tokens", "50s"),
        ];
        assert_eq!(all_asked(&both, true), Some(Duration::from_secs(2)));
        assert_eq!(all_asked(&both, false), Some(Duration::from_secs(2)), "an answer can be the last for a while");
        assert_eq!(all_asked(&both[2..], false), None);
        assert_eq!(all_asked(&[("x-ratelimit-remaining-requests", "-1"), ("x-ratelimit-reset-requests", "0")], true), None);
        assert_eq!(all_asked(&[("retry-after", "3"), ("x-ratelimit-reset-requests", "6m0s")], true), Some(Duration::from_secs(3)));
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        assert_eq!(asked("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after", "Mon, 23 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
    }

    #[test]
    fn nonsense_is_no_pause() {
        for value in ["6x", "s", "m5"] {
            assert_eq!(asked("x-ratelimit-reset-requests", value), None, "{value}");
        }
        for value in ["-1", "0", "soon", "Mon, 23 Nov 2020 10:00:30 GMT", "NaN", "1e300"] {
            assert_eq!(asked("retry-after", value), None, "{value}");
        }
    }

    #[test]
    fn pauses_grow() {
        assert!(pause(1) >= Duration::from_millis(250) && pause(1) <= Duration::from_millis(500));
        assert!(pause(3) >= Duration::from_secs(1) && pause(3) <= Duration::from_secs(2));
    }
}
