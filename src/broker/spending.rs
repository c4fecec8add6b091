//! The cost limit (`max_cost`): money is reserved before each attempt at a call, and settled when
//! the call has ended.

use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};

use super::purse::{NotTaken, Purse};
use crate::model::{ErrorCode, Exit, Failure, Fault, Reject};
use crate::record::{Budget, Ledger};

/// Costs count towards the limit for this long. So the limit covers one night, even if the run is
/// killed and started again.
const NIGHT_HOURS: u32 = 12;

/// What was spent and reserved this night.
#[derive(Default)]
pub struct Spending {
    /// The cap, and the money under it.
    capped: Option<(f64, Purse)>,
    reached: OnceLock<String>,
}

impl Spending {
    /// The spending of this night under `cap`, starting from what the ledger says. `alone`: no
    /// other process can work on the run, so this process may use all that is left.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn new(cap: Option<f64>, ledger: &Arc<dyn Ledger>, alone: bool) -> Result<Self, Fault> {
        let Some(cap) = cap else { return Ok(Self::default()) };
        let spent = ledger.reader().spent(NIGHT_HOURS)?;
        Ok(Self {
            capped: Some((cap, Purse::new(Budget::Money, cap, spent, ledger.shared_limits().filter(|_| !alone)))),
            ..Self::default()
        })
    }

    /// Spending under `cap`, with nothing spent yet.
    #[cfg(test)]
    pub(super) fn with_cap(cap: f64) -> Self {
        Self { capped: Some((cap, Purse::new(Budget::Money, cap, 0.0, None))), ..Self::default() }
    }

    /// Reservations that are not settled.
    #[cfg(test)]
    pub(super) fn open(&self) -> u32 {
        self.capped.as_ref().map_or(0, |(_, purse)| purse.open())
    }

    /// The limit, if it was reached.
    pub fn reached(&self) -> Option<&str> {
        self.reached.get().map(String::as_str)
    }

    pub(super) fn has_cap(&self) -> bool {
        self.capped.is_some()
    }

    /// Reserves the most that an attempt can cost. If too little is left while other calls hold
    /// reservations, waits until they are settled. Most answers cost far less than was reserved, so
    /// failing at once would end a run that has spent only half of its cap. The caller must hold no
    /// other reservation, or two calls would wait for each other.
    ///
    /// # Errors
    /// If the cap leaves too little, or the ledger failed.
    pub(super) async fn reserve(&self, at_most: Option<f64>) -> Result<(), Failure> {
        let Some((cap, purse)) = &self.capped else { return Ok(()) };
        // With a cap, the config requires prices.
        let at_most = at_most.unwrap_or(0.0);
        purse.take(at_most).await.map_err(|why| match why {
            NotTaken::Empty(spent) => {
                self.end(format!("max_cost: {} of {cap} is spent, and the next call may cost up to {}", amount(spent), amount(at_most)))
            }
            NotTaken::Fault(fault) => fault.into(),
        })
    }

    /// What the cap leaves; `None` without a cap.
    pub fn left(&self) -> Option<f64> {
        self.capped.as_ref().map(|(_, purse)| purse.left())
    }

    /// Adds to the spending the most that a batch can cost. A negative `cost` takes back the part
    /// that it did not cost.
    pub fn add(&self, cost: f64) {
        if let Some((_, purse)) = &self.capped {
            purse.add(cost);
        }
    }

    /// Whether a cost of this time (UTC, ISO 8601) counts towards the limit.
    pub fn counts(made_at: &str) -> bool {
        let night = SignedDuration::from_hours(NIGHT_HOURS.into());
        let since = Timestamp::now().checked_sub(night).unwrap_or(Timestamp::UNIX_EPOCH);
        made_at >= format!("{since:.0}").as_str()
    }

    /// Ends the run: the next line of a batch may cost `at_most`, and the limit leaves less than
    /// that.
    pub fn end_for_line(&self, at_most: f64) -> Failure {
        let (cap, spent) = self.capped.as_ref().map_or((0.0, 0.0), |(cap, purse)| (*cap, purse.used()));
        let (spent, at_most) = (amount(spent), amount(at_most));
        self.end(format!("max_cost: {spent} of {cap} is spent, and the next call of a batch may cost up to {at_most}"))
    }

    /// Settles an attempt that has cost `cost`, and for which `reserved` was reserved.
    pub(super) fn settle(&self, reserved: f64, cost: f64) {
        if let Some((_, purse)) = &self.capped {
            purse.settle(reserved, cost);
        }
    }

    /// See [`Purse::tell`].
    ///
    /// # Errors
    /// If the ledger failed.
    pub async fn tell(&self) -> Result<(), Fault> {
        match &self.capped {
            Some((_, purse)) => purse.tell().await,
            None => Ok(()),
        }
    }

    fn end(&self, limit: String) -> Failure {
        let limit = self.reached.get_or_init(|| limit);
        Failure { reject: Reject::new(ErrorCode::Limit, format!("the run reached a limit: {limit}")), exit: Exit::Limit }
    }
}

/// An amount of money with four decimals, or more if it is small.
fn amount(money: f64) -> String {
    let decimals = if money > 0.0 && money < 0.001 { 8 } else { 4 };
    format!("{money:.decimals$}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spending() -> Spending {
        Spending::with_cap(1.0)
    }

    #[tokio::test]
    async fn money_is_reserved_before_a_call_and_settled_after_it() {
        let spending = spending();
        spending.reserve(Some(0.6)).await.unwrap();
        spending.settle(0.6, 0.5);
        spending.reserve(Some(0.4)).await.unwrap();
        spending.settle(0.4, 0.0);
        assert_eq!(spending.reserve(Some(0.6)).await.unwrap_err().exit, Exit::Limit);
        assert_eq!(spending.reached(), Some("max_cost: 0.5000 of 1 is spent, and the next call may cost up to 0.6000"));
    }

    #[tokio::test]
    async fn a_cap_below_one_call_says_so_at_once() {
        let spending = Spending::with_cap(0.0001);
        assert!(spending.reserve(Some(0.00025)).await.is_err());
        assert_eq!(spending.reached(), Some("max_cost: 0.0000 of 0.0001 is spent, and the next call may cost up to 0.00025000"));
    }

    #[tokio::test]
    async fn a_call_waits_for_money_that_other_calls_return() {
        let spending = spending();
        spending.reserve(Some(0.6)).await.unwrap();
        spending.reserve(Some(0.3)).await.unwrap();
        let wait = spending.reserve(Some(0.5));
        tokio::pin!(wait);
        assert!(is_pending(wait.as_mut()).await);
        spending.settle(0.3, 0.2);
        assert!(is_pending(wait.as_mut()).await, "still too little");
        spending.settle(0.6, 0.1);
        wait.await.unwrap();
        assert!(spending.reached().is_none());
        spending.settle(0.5, 0.5);
        // No other call holds a reservation that could be released.
        assert!(spending.reserve(Some(0.5)).await.is_err());
    }

    async fn is_pending(future: std::pin::Pin<&mut impl Future<Output = Result<(), Failure>>>) -> bool {
        tokio::time::timeout(Duration::ZERO, future).await.is_err()
    }
}
