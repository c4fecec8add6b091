//! The circuit breaker of a line: a service that fails at one call after the other is left in peace, and asked by one call at a time
//! whether it is back. One that stays away longer than the user wants to wait is out for this run.

use std::time::Duration;

use tokio::time::Instant;

use super::retry::jittered;

/// Failures in a row that open it: half of all calls failing by chance seldom does that.
const OPENS_AFTER: u32 = 6;
/// Useless answers in a row after which others are asked instead, where there are any.
const USELESS_AFTER: u32 = 10;
/// The first pause before it is asked again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A service that gives useless answers is asked again after this, where others do its work: such an answer may be billed.
const USELESS_PAUSE: Duration = Duration::from_mins(1);

/// What a call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BreakerDecision {
    /// Ask.
    Go,
    /// Come again then.
    Wait(Instant),
    /// It was away for too long.
    Out,
}

#[derive(Debug)]
pub(super) struct Breaker {
    patience: Duration,
    failures: u32,
    useless: u32,
    /// When a service with too many useless answers is asked again.
    useless_until: Instant,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since: Instant,
    until: Instant,
    pause: Duration,
    /// One call is asking just now.
    asking: bool,
}

impl Breaker {
    /// `patience`: how long a service may be away.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, failures: 0, useless: 0, useless_until: Instant::now(), open: None }
    }

    /// Whether calls have to wait, or go elsewhere.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some() || self.useless >= USELESS_AFTER
    }

    pub(super) fn admit(&mut self, now: Instant) -> BreakerDecision {
        let Some(open) = &mut self.open else { return BreakerDecision::Go };
        if open.asking {
            return BreakerDecision::Wait(now + FIRST_PAUSE / 5);
        }
        let end = open.since + self.patience;
        if now >= end {
            return BreakerDecision::Out;
        }
        if open.until > now {
            return BreakerDecision::Wait(open.until.min(end));
        }
        open.asking = true;
        BreakerDecision::Go
    }

    /// Whether another endpoint should be asked instead: this one is away, or gives nothing that can be used. Now and then one call is
    /// let through all the same, however long it has been so: otherwise it would never be seen that it is back.
    pub(super) fn sends_elsewhere(&mut self, now: Instant) -> bool {
        if let Some(open) = &mut self.open {
            let elsewhere = open.asking || open.until > now;
            open.asking |= !elsewhere;
            return elsewhere;
        }
        if self.useless < USELESS_AFTER || self.useless_until > now {
            return self.useless >= USELESS_AFTER;
        }
        self.useless_until = now + USELESS_PAUSE;
        false
    }

    /// It answered, whatever it said.
    pub(super) fn answered(&mut self, now: Instant, useful: bool) {
        (self.failures, self.open) = (0, None);
        self.useless = if useful { 0 } else { self.useless + 1 };
        if self.useless == USELESS_AFTER {
            self.useless_until = now + USELESS_PAUSE;
        }
    }

    /// The call that was let through ended without showing anything: another one may ask.
    pub(super) fn unasked(&mut self) {
        if let Some(open) = &mut self.open {
            open.asking = false;
        }
    }

    /// It is away, or fails there.
    pub(super) fn failed(&mut self, now: Instant) {
        self.failures += 1;
        match &mut self.open {
            // Calls that were in flight together fail together; only the one that asked makes the pause longer.
            Some(open) if !open.asking => {}
            Some(open) => {
                open.asking = false;
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                open.until = now + jittered(open.pause);
            }
            None if self.failures >= OPENS_AFTER => {
                self.open = Some(Open { since: now, until: now + jittered(FIRST_PAUSE), pause: FIRST_PAUSE, asking: false });
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_asks_alone_and_closes() {
        let mut breaker = Breaker::new(Duration::from_secs(45));
        (0..OPENS_AFTER).for_each(|_| breaker.failed(Instant::now()));
        assert!(breaker.open.is_some() && matches!(breaker.admit(Instant::now()), BreakerDecision::Wait(_)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(breaker.admit(Instant::now()), BreakerDecision::Go);
        assert!(matches!(breaker.admit(Instant::now()), BreakerDecision::Wait(_)), "only one asks");
        breaker.answered(Instant::now(), true);
        assert_eq!((breaker.admit(Instant::now()), breaker.open.is_some()), (BreakerDecision::Go, false));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_has_an_end_and_few_ask_until_then() {
        let mut breaker = Breaker::new(Duration::from_secs(45));
        let start = Instant::now();
        (0..OPENS_AFTER).for_each(|_| breaker.failed(start));
        let mut asked = 0;
        loop {
            match breaker.admit(Instant::now()) {
                BreakerDecision::Go => {
                    asked += 1;
                    breaker.failed(Instant::now());
                }
                BreakerDecision::Wait(until) => tokio::time::advance(until - Instant::now()).await,
                BreakerDecision::Out => break,
            }
        }
        assert!(asked <= 14, "{asked}");
        assert!(start.elapsed() < Duration::from_secs(55), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn where_others_do_its_work_one_call_now_and_then_still_asks() {
        let mut breaker = Breaker::new(Duration::from_secs(45));
        (0..OPENS_AFTER).for_each(|_| breaker.failed(Instant::now()));
        assert!(breaker.sends_elsewhere(Instant::now()));
        let mut asked = 0;
        for _ in 0..600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if !breaker.sends_elsewhere(Instant::now()) {
                asked += 1;
                assert!(breaker.sends_elsewhere(Instant::now()), "only one");
                breaker.failed(Instant::now());
            }
        }
        assert!((70..=150).contains(&asked), "{asked} in ten minutes, long after its time is over");
        tokio::time::advance(LONGEST_PAUSE).await;
        assert!(!breaker.sends_elsewhere(Instant::now()));
        breaker.answered(Instant::now(), true);
        assert!(!breaker.sends_elsewhere(Instant::now()) && !breaker.sends_elsewhere(Instant::now()), "it is back");
    }

    #[tokio::test(start_paused = true)]
    async fn useless_answers_send_calls_elsewhere_until_a_useful_one_comes() {
        let mut breaker = Breaker::new(Duration::from_secs(1));
        (0..USELESS_AFTER).for_each(|_| breaker.answered(Instant::now(), false));
        assert!(breaker.sends_elsewhere(Instant::now()));
        tokio::time::advance(USELESS_PAUSE).await;
        assert!(!breaker.sends_elsewhere(Instant::now()), "one asks");
        assert!(breaker.sends_elsewhere(Instant::now()));
        breaker.answered(Instant::now(), false);
        assert!(breaker.sends_elsewhere(Instant::now()));
        breaker.answered(Instant::now(), true);
        assert!(!breaker.sends_elsewhere(Instant::now()));
    }
}
