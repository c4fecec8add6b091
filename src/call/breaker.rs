//! The circuit breaker of an endpoint. Several failures in a row open it; then one probe at a time
//! checks whether the service is back, with growing pauses between probes. If nothing has succeeded
//! for the user's `wait_for`, the endpoint is disabled for the run.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::jittered;

/// Consecutive failures that open the breaker. A service that fails half of its calls at random
/// rarely reaches it.
const FAILURES_TO_OPEN: u32 = 6;
/// Fewer consecutive failures do not count as an outage, however long ago the first of them was.
const FEW_FAILURES: u32 = 3;
/// Consecutive unusable answers after which calls go to another endpoint, if there is one.
const MAX_UNUSABLE: u32 = 10;
/// The pause before the first probe; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The pause before the next probe of a service whose answers are unusable. It is long because such
/// answers may be billed.
const UNUSABLE_PAUSE: Duration = Duration::from_mins(1);

/// Whether a call may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BreakerDecision {
    /// `probe`: its outcome shows whether the service is back.
    Allow { probe: bool },
    /// `None`: until the probe in flight has ended.
    WaitUntil(Option<Instant>),
    /// Another endpoint should do it.
    FailOver,
    /// The outage has lasted longer than the user wants to wait.
    OutageTooLong,
}

#[derive(Debug)]
pub(super) struct Breaker {
    max_outage: Duration,
    /// Consecutive failures.
    failures: u32,
    /// When the first of them was.
    failing_since: Option<Instant>,
    outage_too_long: bool,
    /// Consecutive unusable answers.
    unusable: u32,
    /// When to probe a service whose answers are unusable.
    next_unusable_probe: Instant,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    next_probe: Instant,
    pause: Duration,
    /// A probe is in flight.
    probing: bool,
}

impl Breaker {
    pub(super) fn new(max_outage: Duration) -> Self {
        Self {
            max_outage,
            failures: 0,
            failing_since: None,
            outage_too_long: false,
            unusable: 0,
            next_unusable_probe: Instant::now(),
            open: None,
        }
    }

    /// Whether calls have to wait or go to another endpoint.
    pub(super) fn restricts_calls(&self) -> bool {
        self.open.is_some() || self.unusable >= MAX_UNUSABLE
    }

    /// Decides whether a call may be sent. `last`: no other endpoint can do it.
    ///
    /// If another endpoint can do it, probes are always allowed, however long the outage lasts.
    /// Otherwise nothing would show that the service is back.
    pub(super) fn decide(&self, now: Instant, last: bool) -> BreakerDecision {
        if last && self.outage_too_long {
            return BreakerDecision::OutageTooLong;
        }
        let Some(open) = &self.open else {
            let unusable = !last && self.unusable >= MAX_UNUSABLE && self.next_unusable_probe > now;
            return if unusable { BreakerDecision::FailOver } else { BreakerDecision::Allow { probe: false } };
        };
        let wait = if open.probing { Some(None) } else { Some(open.next_probe).filter(|probe| *probe > now).map(Some) };
        match wait {
            None => BreakerDecision::Allow { probe: true },
            Some(until) if last => BreakerDecision::WaitUntil(until),
            Some(_) => BreakerDecision::FailOver,
        }
    }

    /// An allowed call is sent. `probe`: what the decision said.
    pub(super) fn sent(&mut self, now: Instant, probe: bool) {
        if self.unusable >= MAX_UNUSABLE {
            self.next_unusable_probe = now + UNUSABLE_PAUSE;
        }
        if let Some(open) = self.open.as_mut().filter(|_| probe) {
            open.probing = true;
        }
    }

    /// The service answered. `usable`: the answer was usable, or the service rejected only this call.
    pub(super) fn answered(&mut self, now: Instant, usable: bool) {
        (self.failures, self.failing_since, self.outage_too_long, self.open) = (0, None, false, None);
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

    /// The service cannot be reached, or failed. `probe`: the failed call was the probe. `certain`:
    /// the fault is certainly the service's, not this call's.
    pub(super) fn failed(&mut self, now: Instant, probe: bool, certain: bool) {
        self.failures += 1;
        let end = *self.failing_since.get_or_insert(now) + self.max_outage;
        self.outage_too_long |= now >= end && (certain && self.failures >= FEW_FAILURES || self.failures >= FAILURES_TO_OPEN);
        match &mut self.open {
            // Calls in flight together fail together; only a failed probe makes the pause longer.
            Some(_) if !probe => {}
            Some(open) => {
                open.probing = false;
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                open.next_probe = now + jittered(open.pause);
                if now < end {
                    // The last probe is sent at the end of `wait_for`, not before it.
                    open.next_probe = open.next_probe.min(end);
                }
            }
            None if self.failures >= FAILURES_TO_OPEN => {
                self.open = Some(Open { next_probe: now + jittered(FIRST_PAUSE), pause: FIRST_PAUSE, probing: false });
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
        (0..FAILURES_TO_OPEN).for_each(|_| breaker.failed(Instant::now(), false, true));
        assert!(breaker.open.is_some());
        breaker
    }

    fn admit(breaker: &mut Breaker, last: bool) -> BreakerDecision {
        let decision = breaker.decide(Instant::now(), last);
        if let BreakerDecision::Allow { probe } = decision {
            breaker.sent(Instant::now(), probe);
        }
        decision
    }

    fn fails_over(breaker: &mut Breaker) -> bool {
        admit(breaker, false) == BreakerDecision::FailOver
    }

    #[tokio::test(start_paused = true)]
    async fn sends_one_probe_and_closes_when_it_succeeds() {
        let mut breaker = opened();
        assert!(matches!(admit(&mut breaker, true), BreakerDecision::WaitUntil(Some(_))));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(admit(&mut breaker, true), BreakerDecision::Allow { probe: true });
        assert_eq!(admit(&mut breaker, true), BreakerDecision::WaitUntil(None), "only one probe");
        breaker.answered(Instant::now(), true);
        assert_eq!(admit(&mut breaker, true), BreakerDecision::Allow { probe: false });
    }

    #[tokio::test(start_paused = true)]
    async fn late_failures_of_other_calls_neither_delay_the_probe_nor_end_it() {
        let mut breaker = opened();
        (0..20).for_each(|_| breaker.failed(Instant::now(), false, true));
        tokio::time::advance(FIRST_PAUSE).await;
        assert_eq!(admit(&mut breaker, true), BreakerDecision::Allow { probe: true });
        breaker.failed(Instant::now(), false, true);
        assert_eq!(admit(&mut breaker, true), BreakerDecision::WaitUntil(None), "the probe is still in flight");
    }

    #[tokio::test(start_paused = true)]
    async fn sends_few_probes_until_nothing_has_succeeded_for_too_long() {
        let mut breaker = opened();
        let start = Instant::now();
        let mut probes = 0;
        loop {
            match admit(&mut breaker, true) {
                BreakerDecision::Allow { probe } => {
                    probes += 1;
                    breaker.failed(Instant::now(), probe, true);
                }
                BreakerDecision::WaitUntil(until) => tokio::time::advance(until.unwrap() - Instant::now()).await,
                BreakerDecision::OutageTooLong | BreakerDecision::FailOver => break,
            }
        }
        assert!(probes <= 14, "{probes}");
        assert_eq!(start.elapsed().as_secs(), MAX_OUTAGE.as_secs(), "the last probe is at the end");
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_without_calls_is_no_outage() {
        let mut breaker = Breaker::new(MAX_OUTAGE);
        breaker.failed(Instant::now(), false, false);
        tokio::time::advance(MAX_OUTAGE * 2).await;
        assert_eq!(admit(&mut breaker, true), BreakerDecision::Allow { probe: false });
        breaker.failed(Instant::now(), false, false);
        assert_eq!(admit(&mut breaker, true), BreakerDecision::Allow { probe: false }, "two calls were lost, perhaps by their own fault");
        breaker.failed(Instant::now(), false, true);
        assert_eq!(admit(&mut breaker, true), BreakerDecision::OutageTooLong);
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_probing_while_calls_fail_over() {
        let mut breaker = opened();
        assert!(fails_over(&mut breaker));
        let mut probes = 0;
        for _ in 0..600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if !fails_over(&mut breaker) {
                probes += 1;
                assert!(fails_over(&mut breaker), "only one probe at a time");
                breaker.failed(Instant::now(), true, true);
            }
        }
        assert!((70..=150).contains(&probes), "{probes} in ten minutes, long after the maximum outage");
        tokio::time::advance(LONGEST_PAUSE).await;
        assert!(!fails_over(&mut breaker));
        breaker.answered(Instant::now(), true);
        assert!(!fails_over(&mut breaker) && !fails_over(&mut breaker), "the service is back");
    }

    #[tokio::test(start_paused = true)]
    async fn fails_over_after_unusable_answers_until_a_usable_one() {
        let mut breaker = Breaker::new(Duration::from_secs(1));
        (0..MAX_UNUSABLE).for_each(|_| breaker.answered(Instant::now(), false));
        assert!(fails_over(&mut breaker));
        tokio::time::advance(UNUSABLE_PAUSE).await;
        assert!(!fails_over(&mut breaker), "one probe");
        assert!(fails_over(&mut breaker));
        breaker.answered(Instant::now(), false);
        assert!(fails_over(&mut breaker));
        breaker.answered(Instant::now(), true);
        assert!(!fails_over(&mut breaker));
    }
}
