//! The cost limit (`max_cost`): money is reserved before each attempt at a call, and settled when
//! the call has ended.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::model::{ErrorCode, Exit, Failure, Fault, Reject};
use crate::record::LedgerReader;

/// Earlier costs count towards the limit for this long: it is for one night, even if the run is
/// killed and started again.
const NIGHT: SignedDuration = SignedDuration::from_hours(12);

/// What was spent and reserved this night.
#[derive(Debug, Default)]
pub struct Spending {
    cap: Option<f64>,
    money: Mutex<Money>,
    /// Notified when a call has cost less than was reserved for it.
    returned: Notify,
    reached: OnceLock<String>,
}

#[derive(Debug, Default)]
struct Money {
    /// Spent by this run and those before it.
    spent: f64,
    /// Reserved for calls in flight.
    reserved: f64,
    /// Reservations that are not settled.
    open: u32,
}

impl Spending {
    /// The spending of this night under `cap`, starting from what the ledger says.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn new(cap: Option<f64>, ledger: &LedgerReader) -> Result<Self, Fault> {
        let now = Timestamp::now();
        let since = now.checked_sub(NIGHT).unwrap_or(Timestamp::UNIX_EPOCH);
        let spent = if cap.is_some() { ledger.spent(&format!("{since:.0}"), &format!("{now:.0}"))? } else { 0.0 };
        Ok(Self { cap, money: Mutex::new(Money { spent, ..Money::default() }), ..Self::default() })
    }

    /// Which limit was reached, if it was.
    pub fn reached(&self) -> Option<&str> {
        self.reached.get().map(String::as_str)
    }

    pub(super) fn has_cap(&self) -> bool {
        self.cap.is_some()
    }

    /// Reserves the estimated cost of an attempt. If too little is left because of other
    /// reservations, the `first` attempt of a call waits until those are settled: estimates are
    /// high, and the limit must not end a run that has spent only half of it. Later attempts never
    /// wait, because two calls that hold reservations would wait for each other.
    ///
    /// # Errors
    /// If the limit leaves too little.
    pub(super) async fn reserve(&self, cost: Option<f64>, first: bool) -> Result<(), Failure> {
        let Some(cap) = self.cap else { return Ok(()) };
        // With a cap, the config requires prices.
        let cost = cost.unwrap_or(0.0);
        loop {
            let returned = self.returned.notified();
            tokio::pin!(returned);
            returned.as_mut().enable();
            {
                let mut money = self.money();
                if money.spent + money.reserved + cost <= cap {
                    money.reserved += cost;
                    money.open += 1;
                    return Ok(());
                }
                if !first || money.open == 0 || self.reached.get().is_some() {
                    let spent = money.spent + money.reserved;
                    return Err(self.end(format!("max_cost: {spent:.4} of {cap} spent, and the next call costs about {cost:.4}")));
                }
            }
            returned.await;
        }
    }

    /// Settles a call that has cost `cost`, and for which `expected` was reserved this many times.
    pub(super) fn settle(&self, expected: Option<f64>, times: u32, cost: f64) {
        let mut money = self.money();
        money.spent += cost;
        money.reserved -= expected.unwrap_or(0.0) * f64::from(times);
        money.open = money.open.saturating_sub(times);
        if money.open == 0 {
            // Drops rounding errors.
            money.reserved = 0.0;
        }
        drop(money);
        self.returned.notify_waiters();
    }

    fn money(&self) -> MutexGuard<'_, Money> {
        self.money.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, limit: String) -> Failure {
        let limit = self.reached.get_or_init(|| limit);
        Failure { reject: Reject::new(ErrorCode::Limit, format!("the run reached a limit: {limit}")), exit: Exit::Limit }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spending() -> Spending {
        Spending { cap: Some(1.0), ..Spending::default() }
    }

    #[tokio::test]
    async fn money_is_reserved_before_a_call_and_settled_after_it() {
        let spending = spending();
        spending.reserve(Some(0.6), true).await.unwrap();
        spending.settle(Some(0.6), 1, 0.5);
        spending.reserve(Some(0.4), true).await.unwrap();
        assert_eq!(spending.reserve(Some(0.2), false).await.unwrap_err().exit, Exit::Limit);
        spending.settle(Some(0.4), 1, 0.0);
        spending.reserve(Some(0.4), true).await.unwrap();
        assert!(spending.reached().unwrap().starts_with("max_cost: "));
    }

    #[tokio::test]
    async fn a_first_attempt_waits_for_money_that_other_calls_return() {
        let spending = spending();
        spending.reserve(Some(0.6), true).await.unwrap();
        spending.reserve(Some(0.3), true).await.unwrap();
        let wait = spending.reserve(Some(0.5), true);
        tokio::pin!(wait);
        assert!(is_pending(wait.as_mut()).await);
        spending.settle(Some(0.3), 1, 0.2);
        assert!(is_pending(wait.as_mut()).await, "still too little");
        spending.settle(Some(0.6), 1, 0.1);
        wait.await.unwrap();
        assert!(spending.reached().is_none());
        spending.settle(Some(0.5), 1, 0.5);
        // No other call has money to return.
        assert!(spending.reserve(Some(0.5), true).await.is_err());
    }

    async fn is_pending(future: std::pin::Pin<&mut impl Future<Output = Result<(), Failure>>>) -> bool {
        tokio::time::timeout(Duration::ZERO, future).await.is_err()
    }
}
