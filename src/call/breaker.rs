//! The circuit breaker of an endpoint. Several failures in a row open it; then one probe at a time
//! checks whether the service is back, with growing pauses between probes. If the outage lasts
//! longer than the user's `wait_for`, the endpoint is disabled for the run.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::jittered;

/// Consecutive failures that open the breaker. A service that fails half of its calls at random
/// rarely reaches it.
const FAILURES_TO_OPEN: u32 = 6;
/// Consecutive unusable answers after which calls go to another endpoint, if there is one.
const MAX_UNUSABLE: u32 = 10;
/// The pause before the first probe; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The pause before the next probe of a service whose answers are unusable. It is long because such
/// answers may be billed.
const UNUSABLE_PAUSE: Duration = Duration::from_mins(1);

/// Whether a call may be sent to an endpoint that has no alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BreakerDecision {
    Allow,
    WaitUntil(Instant),
    /// The outage has lasted longer than the user wants to wait.
    OutageTooLong,
}

#[derive(Debug)]
pub(super) struct Breaker {
    max_outage: Duration,
    /// Consecutive failures.
    failures: u32,
    /// Consecutive unusable answers.
    unusable: u32,
    /// When to probe a service whose answers are unusable.
    next_unusable_probe: Instant,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since: Instant,
    next_probe: Instant,
    pause: Duration,
    /// A probe is in flight.
    probing: bool,
}

impl Breaker {
    pub(super) fn new(max_outage: Duration) -> Self {
        Self { max_outage, failures: 0, unusable: 0, next_unusable_probe: Instant::now(), open: None }
    }

    /// Whether calls have to wait or go to another endpoint.
    pub(super) fn restricts_calls(&self) -> bool {
        self.open.is_some() || self.unusable >= MAX_UNUSABLE
    }

    /// Decides whether a call may be sent that no other endpoint can do.
    pub(super) fn admit(&mut self, now: Instant) -> BreakerDecision {
        let Some(open) = &mut self.open else { return BreakerDecision::Allow };
        if open.probing {
            return BreakerDecision::WaitUntil(now + FIRST_PAUSE / 5);
        }
        let end = open.since + self.max_outage;
        if now >= end {
            return BreakerDecision::OutageTooLong;
        }
        if open.next_probe > now {
            return BreakerDecision::WaitUntil(open.next_probe.min(end));
        }
        open.probing = true;
        BreakerDecision::Allow
    }

    /// Whether a call should go to another endpoint, because this one is down or its answers are
    /// unusable. Probes are still let through, however long the outage lasts: otherwise nothing
    /// would show that the service is back.
    pub(super) fn fails_over(&mut self, now: Instant) -> bool {
        if let Some(open) = &mut self.open {
            let fails_over = open.probing || open.next_probe > now;
            open.probing |= !fails_over;
            return fails_over;
        }
        if self.unusable < MAX_UNUSABLE || self.next_unusable_probe > now {
            return self.unusable >= MAX_UNUSABLE;
        }
        self.next_unusable_probe = now + UNUSABLE_PAUSE;
        false
    }

    /// The service answered. `usable`: the answer was usable, or the service rejected only this call.
    pub(super) fn answered(&mut self, now: Instant, usable: bool) {
        (self.failures, self.open) = (0, None);
        self.unusable = if usable { 0 } else { self.unusable + 1 };
        if self.unusable == MAX_UNUSABLE {
            self.next_unusable_probe = now + UNUSABLE_PAUSE;
        }
    }

    /// The probe ended without showing whether the service is back, so another call may probe.
    pub(super) fn probe_aborted(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }

    /// The service cannot be reached, or failed.
    pub(super) fn failed(&mut self, now: Instant) {
        self.failures += 1;
        match &mut self.open {
            // Calls in flight together fail together; only a failed probe makes the pause longer.
            Some(open) if !open.probing => {}
            Some(open) => {
                open.probing = false;
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                open.next_probe = now + jittered(open.pause);
            }
            None if self.failures >= FAILURES_TO_OPEN => {
                self.open = Some(Open { since: now, next_probe: now + jittered(FIRST_PAUSE), pause: FIRST_PAUSE, probing: false });
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_OUTAGE: Duration = Duration::from_secs(45);

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(MAX_OUTAGE);
        (0..FAILURES_TO_OPEN).for_each(|_| breaker.failed(Instant::now()));
        assert!(breaker.open.is_some());
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn sends_one_probe_and_closes_when_it_succeeds() {
        let mut breaker = opened();
        assert!(matches!(breaker.admit(Instant::now()), BreakerDecision::WaitUntil(_)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(breaker.admit(Instant::now()), BreakerDecision::Allow);
        assert!(matches!(breaker.admit(Instant::now()), BreakerDecision::WaitUntil(_)), "only one probe");
        breaker.answered(Instant::now(), true);
        assert_eq!((breaker.admit(Instant::now()), breaker.open.is_some()), (BreakerDecision::Allow, false));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_calls_in_flight_do_not_delay_the_probe() {
        let mut breaker = opened();
        (0..20).for_each(|_| breaker.failed(Instant::now()));
        tokio::time::advance(FIRST_PAUSE).await;
        assert_eq!(breaker.admit(Instant::now()), BreakerDecision::Allow);
    }

    #[tokio::test(start_paused = true)]
    async fn sends_few_probes_until_the_outage_is_too_long() {
        let mut breaker = opened();
        let start = Instant::now();
        let mut probes = 0;
        loop {
            match breaker.admit(Instant::now()) {
                BreakerDecision::Allow => {
                    probes += 1;
                    breaker.failed(Instant::now());
                }
                BreakerDecision::WaitUntil(until) => tokio::time::advance(until - Instant::now()).await,
                BreakerDecision::OutageTooLong => break,
            }
        }
        assert!(probes <= 14, "{probes}");
        assert!(start.elapsed() < Duration::from_secs(55), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_probing_while_calls_fail_over() {
        let mut breaker = opened();
        assert!(breaker.fails_over(Instant::now()));
        let mut probes = 0;
        for _ in 0..600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if !breaker.fails_over(Instant::now()) {
                probes += 1;
                assert!(breaker.fails_over(Instant::now()), "only one probe at a time");
                breaker.failed(Instant::now());
            }
        }
        assert!((70..=150).contains(&probes), "{probes} in ten minutes, long after the maximum outage");
        tokio::time::advance(LONGEST_PAUSE).await;
        assert!(!breaker.fails_over(Instant::now()));
        breaker.answered(Instant::now(), true);
        assert!(!breaker.fails_over(Instant::now()) && !breaker.fails_over(Instant::now()), "the service is back");
    }

    #[tokio::test(start_paused = true)]
    async fn fails_over_after_unusable_answers_until_a_usable_one() {
        let mut breaker = Breaker::new(Duration::from_secs(1));
        (0..MAX_UNUSABLE).for_each(|_| breaker.answered(Instant::now(), false));
        assert!(breaker.fails_over(Instant::now()));
        tokio::time::advance(UNUSABLE_PAUSE).await;
        assert!(!breaker.fails_over(Instant::now()), "one probe");
        assert!(breaker.fails_over(Instant::now()));
        breaker.answered(Instant::now(), false);
        assert!(breaker.fails_over(Instant::now()));
        breaker.answered(Instant::now(), true);
        assert!(!breaker.fails_over(Instant::now()));
    }
}
