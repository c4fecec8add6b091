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

/// What a call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
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
        Self { patience, failures: 0, useless: 0, open: None }
    }

    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        let Some(open) = &mut self.open else { return Admission::Go };
        if open.asking {
            return Admission::Wait(now + FIRST_PAUSE / 5);
        }
        let end = open.since + self.patience;
        if now >= end {
            return Admission::Out;
        }
        if open.until > now {
            return Admission::Wait(open.until.min(end));
        }
        open.asking = true;
        Admission::Go
    }

    /// Whether another endpoint should be asked instead: this one is away, or gives nothing that can be used.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some() || self.useless >= USELESS_AFTER
    }

    /// It answered, whatever it said.
    pub(super) fn answered(&mut self, useful: bool) {
        (self.failures, self.open) = (0, None);
        self.useless = if useful { 0 } else { self.useless + 1 };
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
        assert!(breaker.is_open() && matches!(breaker.admit(Instant::now()), Admission::Wait(_)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(breaker.admit(Instant::now()), Admission::Go);
        assert!(matches!(breaker.admit(Instant::now()), Admission::Wait(_)), "only one asks");
        breaker.answered(true);
        assert_eq!((breaker.admit(Instant::now()), breaker.is_open()), (Admission::Go, false));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_has_an_end_and_few_ask_until_then() {
        let mut breaker = Breaker::new(Duration::from_secs(45));
        let start = Instant::now();
        (0..OPENS_AFTER).for_each(|_| breaker.failed(start));
        let mut asked = 0;
        loop {
            match breaker.admit(Instant::now()) {
                Admission::Go => {
                    asked += 1;
                    breaker.failed(Instant::now());
                }
                Admission::Wait(until) => tokio::time::advance(until - Instant::now()).await,
                Admission::Out => break,
            }
        }
        assert!(asked <= 14, "{asked}");
        assert!(start.elapsed() < Duration::from_secs(55), "{:?}", start.elapsed());
    }

    #[test]
    fn useless_answers_send_calls_elsewhere_until_a_useful_one_comes() {
        let mut breaker = Breaker::new(Duration::from_secs(1));
        (0..USELESS_AFTER).for_each(|_| breaker.answered(false));
        assert!(breaker.is_open());
        breaker.answered(true);
        assert!(!breaker.is_open());
    }
}
