//! Counts the endpoints' answers in this run, for the report. It counts them as they arrive, so
//! that the ledger need not read every reply again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{EndpointUsage, Waste};
use crate::record::AnsweredCall;

/// What a run used.
#[derive(Debug)]
pub struct RunUsage {
    cached: AtomicU64,
    paid: AtomicU64,
    estimated: AtomicU64,
    /// `None` as soon as one price is unknown.
    cost: Mutex<Option<f64>>,
    by_endpoint: Mutex<BTreeMap<String, EndpointUsage>>,
}

impl Default for RunUsage {
    fn default() -> Self {
        let [cached, paid, estimated] = [const { AtomicU64::new(0) }; 3];
        Self { cached, paid, estimated, cost: Mutex::new(Some(0.0)), by_endpoint: Mutex::default() }
    }
}

impl RunUsage {
    /// Counts a reply that the ledger had.
    pub(super) fn count_cached(&self) {
        self.cached.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts unusable answers, which are billed too. `is_priced`: their cost is known or
    /// estimated.
    pub(super) fn count_waste(&self, waste: Waste, is_priced: bool) {
        if waste.unusable > 0 && !(is_priced && waste.cost == 0.0) {
            self.paid.fetch_add(waste.unusable.into(), Ordering::Relaxed);
            self.estimated.fetch_add(waste.estimated.into(), Ordering::Relaxed);
            self.add_cost(is_priced.then_some(waste.cost));
        }
    }

    /// Counts an answer. `is_estimate`: the service did not report its usage.
    pub(super) fn count_answer(&self, call: &AnsweredCall, is_estimate: bool) {
        self.count_paid(call.cost);
        self.estimated.fetch_add(u64::from(is_estimate), Ordering::Relaxed);
        let mut endpoints = lock(&self.by_endpoint);
        let unused = || EndpointUsage { endpoint: call.endpoint.clone(), cost: Some(0.0), ..EndpointUsage::default() };
        let usage = endpoints.entry(call.endpoint.clone()).or_insert_with(unused);
        usage.calls += 1;
        usage.tokens_in += call.usage.tokens_in.unwrap_or(0);
        usage.tokens_out += call.usage.tokens_out.unwrap_or(0);
        usage.characters += call.characters;
        usage.cost = usage.cost.zip(call.cost).map(|(sum, cost)| sum + cost);
        // The sum here; `by_endpoint` returns the mean.
        #[expect(clippy::cast_precision_loss, reason = "no call takes 2^52 milliseconds")]
        let milliseconds = call.milliseconds as f64;
        usage.milliseconds += milliseconds;
    }

    fn count_paid(&self, cost: Option<f64>) {
        self.paid.fetch_add(u64::from(cost != Some(0.0)), Ordering::Relaxed);
        self.add_cost(cost);
    }

    fn add_cost(&self, cost: Option<f64>) {
        let mut sum = lock(&self.cost);
        *sum = sum.zip(cost).map(|(sum, cost)| sum + cost);
    }

    /// Cached replies, paid answers, paid answers with an estimated cost, and the cost of all;
    /// `None` if a price is unknown.
    pub(super) fn totals(&self) -> (u64, u64, u64, Option<f64>) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (count(&self.cached), count(&self.paid), count(&self.estimated), *lock(&self.cost))
    }

    /// The usage of each endpoint that answered, by name.
    pub fn by_endpoint(&self) -> Vec<EndpointUsage> {
        #[expect(clippy::cast_precision_loss, reason = "a count of calls is far below 2^52")]
        let mean = |usage: &EndpointUsage| EndpointUsage { milliseconds: usage.milliseconds / usage.calls as f64, ..usage.clone() };
        lock(&self.by_endpoint).values().map(mean).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Task, Usage};

    #[test]
    fn calls_add_up_and_an_unknown_price_leaves_the_cost_unknown() {
        let call = |endpoint: &str, cost, milliseconds| AnsweredCall {
            key: [0; 32],
            task: Task::Summarise,
            endpoint: endpoint.into(),
            dialect: "openai".into(),
            model: None,
            reply_json: String::new(),
            usage: Usage { tokens_in: Some(10), ..Usage::default() },
            characters: 5,
            cost,
            milliseconds,
            made_at: String::new(),
        };
        let usage = RunUsage::default();
        for call in [call("a", Some(0.5), 100), call("a", Some(0.25), 200)] {
            usage.count_answer(&call, false);
        }
        usage.count_waste(Waste { unusable: 2, estimated: 1, cost: 0.5, ..Waste::default() }, true);
        usage.count_cached();
        assert_eq!(usage.totals(), (1, 4, 1, Some(1.25)));
        for call in [call("b", None, 7), call("b", Some(1.0), 7)] {
            usage.count_answer(&call, true);
        }
        assert_eq!(usage.totals(), (1, 6, 3, None));
        let endpoints = usage.by_endpoint();
        let [a, b] = endpoints.as_slice() else { panic!("{endpoints:?}") };
        assert_eq!((a.endpoint.as_str(), a.calls, a.tokens_in, a.tokens_out, a.characters), ("a", 2, 20, 0, 10));
        assert_eq!((a.cost, a.milliseconds), (Some(0.75), 150.0));
        assert_eq!((b.calls, b.cost, b.milliseconds), (2, None, 7.0));
    }
}
