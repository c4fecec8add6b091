//! What each endpoint answered in this run, for the report. Counted as the answers come: to add them up from the ledger would be to read
//! every reply again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::model::EndpointUsage;
use crate::record::RecordedCall;

/// Sums by endpoint.
#[derive(Debug, Default)]
pub struct UsageByEndpoint(Mutex<BTreeMap<String, EndpointUsage>>);

impl UsageByEndpoint {
    /// Counts an answer.
    pub fn add(&self, call: &RecordedCall) {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let none = || EndpointUsage { endpoint: call.endpoint.clone(), cost: Some(0.0), ..EndpointUsage::default() };
        let share = shares.entry(call.endpoint.clone()).or_insert_with(none);
        share.calls += 1;
        share.tokens_in += call.usage.tokens_in.unwrap_or(0);
        share.tokens_out += call.usage.tokens_out.unwrap_or(0);
        share.characters += call.characters;
        share.cost = share.cost.zip(call.cost).map(|(sum, cost)| sum + cost);
        // A sum until it is told.
        #[expect(clippy::cast_precision_loss, reason = "no call takes 2^52 milliseconds")]
        let milliseconds = call.milliseconds as f64;
        share.milliseconds += milliseconds;
    }

    /// What was counted, by name.
    pub fn told(&self) -> Vec<EndpointUsage> {
        let shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_precision_loss, reason = "a count of calls is far below 2^52")]
        let on_average = |share: &EndpointUsage| EndpointUsage { milliseconds: share.milliseconds / share.calls as f64, ..share.clone() };
        shares.values().map(on_average).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Task, Usage};

    #[test]
    fn calls_add_up_and_one_without_a_price_leaves_none() {
        let call = |endpoint: &str, cost, milliseconds| RecordedCall {
            key: [0; 32],
            task: Task::Summarise,
            endpoint: endpoint.into(),
            dialect: "openai".into(),
            model: None,
            reply_json: String::new(),
            usage: Usage { tokens_in: Some(10), tokens_out: None, characters: None },
            characters: 5,
            cost,
            milliseconds,
            made_at: String::new(),
        };
        let shares = UsageByEndpoint::default();
        for call in [call("a", Some(0.5), 100), call("a", Some(0.25), 200), call("b", None, 7), call("b", Some(1.0), 7)] {
            shares.add(&call);
        }
        let told = shares.told();
        let [a, b] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((a.endpoint.as_str(), a.calls, a.tokens_in, a.tokens_out, a.characters), ("a", 2, 20, 0, 10));
        assert_eq!((a.cost, a.milliseconds), (Some(0.75), 150.0));
        assert_eq!((b.calls, b.cost, b.milliseconds), (2, None, 7.0));
    }
}
