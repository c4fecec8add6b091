//! When to try again: what the service asked for, and our own pauses where it did not say.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// Attempts for one call.
pub(super) const MOST_ATTEMPTS: u32 = 3;
/// A service that asks for a longer pause is away for this run.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The pause that an answer's headers ask for: `retry-after-ms`, or `retry-after` in seconds or as a date. Nonsense (negative,
/// words, a date gone by) is none.
pub(super) fn told(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let milliseconds = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()).map(|number| number / 1000.0);
    let after = text("retry-after");
    #[expect(clippy::cast_precision_loss, reason = "a pause of more than 2^52 ms is no pause")]
    let seconds = milliseconds.or_else(|| after.and_then(|text| text.parse::<f64>().ok())).or_else(|| {
        let date = jiff::fmt::rfc2822::parse(after?).ok()?.timestamp();
        Some((date.as_millisecond() - now.as_millisecond()) as f64 / 1000.0)
    })?;
    Duration::try_from_secs_f64(seconds).ok().filter(|pause| !pause.is_zero())
}

/// Our own pause after the `attempt`-th failure (from 1): a random share of a doubling span, so that calls that failed together
/// do not come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    let span = FIRST_PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(6));
    let mut bytes = [0_u8; 2];
    // Without randomness the full span is a good pause too.
    let share = getrandom::fill(&mut bytes).map_or(1.0, |()| f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX));
    span.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        told(&headers, "2026-11-23T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        assert_eq!(asked("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after", "Mon, 23 Nov 2026 10:00:30 GMT"), Some(Duration::from_secs(30)));
    }

    #[test]
    fn nonsense_is_no_pause() {
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
