//! Pauses of our own, for a service that does not say when to try again.

use std::time::Duration;

/// The first pause; each later one is twice as long, up to nine minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The pause after the given failed attempt, counted from 1.
pub(super) fn backoff(attempt: u32) -> Duration {
    jittered(FIRST_PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(10)))
}

/// A random duration between half of `span` and `span`, so that calls that failed together do not
/// come back together.
pub(super) fn jittered(span: Duration) -> Duration {
    let mut bytes = [0_u8; 2];
    // Without randomness, use the full span.
    let share = getrandom::fill(&mut bytes).map_or(1.0, |()| f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX));
    span.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_each_attempt() {
        assert!(backoff(1) >= Duration::from_millis(250) && backoff(1) <= Duration::from_millis(500));
        assert!(backoff(3) >= Duration::from_secs(1) && backoff(3) <= Duration::from_secs(2));
    }
}
