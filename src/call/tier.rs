//! Cheaper tiers of a service. If the tier is busy, calls wait for it. Shortly before the run ends,
//! other endpoints take over its calls.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::endpoint_client::EndpointClient;
use crate::model::Usage;

impl EndpointClient {
    /// Sends calls to another endpoint from now on, if there is one. A call in flight is finished.
    pub(crate) fn give_way(&self) {
        tracing::info!("endpoint `{}` no longer gets calls that other endpoints can do, because the run ends soon", self.endpoint.name);
        self.admission.give_way();
    }

    /// Warns once if an answer does not come from the requested cheaper tier.
    pub(super) fn warn_of_tier(&self, used: &Usage) {
        if self.endpoint.options.tier.is_some() && !used.discounted && !self.warned_of_tier.swap(true, Ordering::Relaxed) {
            tracing::warn!("endpoint `{}`: the answer is not from the flex tier, so it costs the full price", self.endpoint.name);
        }
    }

    /// Warns once that the service bills a batch at the full price.
    pub(super) fn warn_of_batch_price(&self) {
        if !self.warned_of_tier.swap(true, Ordering::Relaxed) {
            tracing::warn!("endpoint `{}`: the service says that answers of a batch cost the full price", self.endpoint.name);
        }
    }

    /// How long a cheaper tier may be busy before another endpoint takes over; `None` without a tier.
    pub(super) fn tier_patience(&self) -> Option<Duration> {
        let busy_for = self.admission.refusing_for();
        self.endpoint.options.tier.map(|_| self.endpoint.wait_for.saturating_sub(busy_for))
    }
}
