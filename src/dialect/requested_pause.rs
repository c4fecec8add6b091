//! Reads from an error response when to try again: after a pause, or not today because a daily
//! quota is used up.

use std::time::Duration;

/// The part of a body that is searched.
const SEARCHED: usize = 8 << 10;
/// The words before a pause in a message: "Please try again in 9.3s", "retry after 20 seconds".
const PHRASES: [&str; 7] = ["try again in", "try again after", "retry in", "retry after", "resets in", "available in", "wait"];
/// Words that may follow them.
const FILLERS: [&str; 6] = ["for", "about", "another", "at", "least", "approximately"];

/// The pause that the body of an error response asks for: Gemini's `retryDelay`, or a message.
pub(super) fn requested_pause(body: &[u8]) -> Option<Duration> {
    let text = searched(body);
    let delay = text.split("\"retrydelay\"").skip(1).filter_map(|rest| leading_duration(rest.trim_start_matches([':', ' ', '"'])));
    let said = PHRASES.iter().flat_map(|phrase| text.split(phrase).skip(1)).filter_map(|rest| {
        let mut rest = rest.trim_start_matches([' ', '~']);
        while let Some(after) = FILLERS.iter().find_map(|filler| rest.strip_prefix(filler)?.strip_prefix(' ')) {
            rest = after.trim_start();
        }
        leading_duration(rest)
    });
    // `{"retry_after": 3.1}` is in seconds.
    let number = ["\"retry_after\"", "\"retryafter\"", "\"retry_after_seconds\""].iter().flat_map(|key| text.split(key).skip(1));
    let number = number.filter_map(|rest| {
        let rest = rest.trim_start_matches([':', ' ', '"']);
        let number = rest.get(..rest.find(|c: char| !c.is_ascii_digit() && c != '.')?)?.parse().ok()?;
        Some((Duration::try_from_secs_f64(number).ok()?, ""))
    });
    delay.chain(said).chain(number).map(|(pause, _)| pause).filter(|pause| !pause.is_zero()).max()
}

/// Whether the body of an error response names a daily quota, for which waiting a few minutes does
/// not help.
pub(super) fn is_daily_quota(body: &[u8]) -> bool {
    let text = searched(body);
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // Gemini lists the quotas that are used up by their ids. Other services explain all their
    // limits.
    says(&["perday"]) || says(&["per day", "per-day", "per_day", "daily", "(rpd)", "(tpd)"]) && !says(&["minute", "per second", "hour"])
}

fn searched(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..SEARCHED).unwrap_or(body)).to_lowercase()
}

/// Parses a duration such as `1h2m3.5s` or `250ms`, as Go writes them.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    leading_duration(text).filter(|(_, rest)| rest.is_empty()).map(|(duration, _)| duration)
}

/// Parses the duration at the start of `text`; returns it with the rest. Units may be words.
fn leading_duration(text: &str) -> Option<(Duration, &str)> {
    let (mut rest, mut sum) = (text, None);
    while let Some((seconds, after)) = number_with_unit(rest) {
        sum = Some(sum.unwrap_or(0.0) + seconds);
        rest = after;
    }
    Some((Duration::try_from_secs_f64(sum?).ok()?, rest))
}

fn number_with_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, after) = text.split_at(end);
    let after = after.trim_start();
    let (unit, after) = after.split_at(after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len()));
    let factor = match unit {
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1e-3,
        "us" | "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * factor, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(text: &str) -> Option<u128> {
        requested_pause(text.as_bytes()).map(|pause| pause.as_millis())
    }

    #[test]
    fn reads_the_pause_in_a_body() {
        assert_eq!(pause(r#"[{"error":{"details":[{"@type":"RetryInfo","retryDelay":"34s"}]}}]"#), Some(34_000));
        assert_eq!(pause(r#"{"retryDelay" : "0.250s"}"#), Some(250));
        assert_eq!(pause("Rate limit reached. Please try again in 9.3s. Contact us"), Some(9_300));
        assert_eq!(pause("Please try again in 1m2s."), Some(62_000));
        assert_eq!(pause("Please try again in 250ms"), Some(250));
        assert_eq!(pause("Please retry after 20 seconds."), Some(20_000));
        assert_eq!(pause("Please wait for 1 minute and try again"), Some(60_000));
        assert_eq!(pause("Try again in about 2 hours 5 minutes"), Some(7_500_000));
        assert_eq!(pause("Your rate limit resets in ~3s."), Some(3_000));
        assert_eq!(pause(r#"{"message": "limited", "retry_after": 3.1, "global": false}"#), Some(3_100));
        assert_eq!(pause(r#"Please retry in 9.2s.", "retryDelay": "9s""#), Some(9_200), "the longer one");
        for text in
            ["", "try again later", "try again in a moment", "wait 5 apples", "retry in -3s", "retry in 1.2.3s", "\"retryDelay\": \"soon\""]
        {
            assert_eq!(pause(text), None, "{text}");
        }
    }

    #[test]
    fn knows_a_quota_of_a_day() {
        for text in [
            "Rate limit reached for model `m` on requests per day (RPD): Limit 1000, Used 1000. Please try again in 6s.",
            r#"{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"},{"quotaId":"GenerateRequestsPerMinutePerProject"}"#,
            "Rate limit exceeded: free-models-per-day",
            "You have reached your daily limit",
        ] {
            assert!(is_daily_quota(text.as_bytes()), "{text}");
        }
        for text in
            ["Rate limit reached on requests per min (RPM)", "60 requests per minute, 1000 per day", "Slowdown: 10 per 1 minute", "busy"]
        {
            assert!(!is_daily_quota(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn parses_whole_durations() {
        assert_eq!(duration("1h2m3.5s"), Some(Duration::from_millis(3_723_500)));
        assert_eq!(duration("120ms"), Some(Duration::from_millis(120)));
        for text in ["", "6x", "s", "m5", "5", "3s later"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
