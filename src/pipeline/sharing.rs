//! Exchanges limits and pauses with the other processes of a run.

use std::sync::Arc;
use std::time::Duration;

use super::Run;
use crate::call::{EndpointClient, ServiceUse};
use crate::model::Fault;
use crate::record::SharedLimits;

/// Time between two exchanges with the other processes. If a service asks one process to pause, all
/// must pause within a second.
const EVERY: Duration = Duration::from_millis(400);

/// Exchanges what the processes of a run share, until this is aborted. If the ledger fails, aborts the run.
pub(super) async fn share(run: Arc<Run>) {
    // A run with batches has the ledger alone, and makes calls between its passes, too.
    let Some(limits) = run.ledger.shared_limits().filter(|_| run.broker.batching().is_none()) else { return };
    let mut is_first = true;
    loop {
        if let Err(fault) = exchange(&run, &*limits, is_first).await {
            return run.abort(fault);
        }
        is_first = false;
        tokio::time::sleep(EVERY).await;
    }
}

async fn exchange(run: &Run, limits: &dyn SharedLimits, is_first: bool) -> Result<(), Fault> {
    run.broker.spending().tell().await?;
    run.limits.tell().await?;
    let mut uses: Vec<ServiceUse> = run.endpoints.clients().map(EndpointClient::service_use).collect();
    // With batches, a pass makes no calls, but then a single call is tried, when nothing is exchanged.
    let calls_soon = is_first || run.broker.batching().is_some();
    for used in &mut uses {
        used.is_active |= calls_soon;
    }
    for (client, share) in run.endpoints.clients().zip(limits.share(&uses).await?) {
        client.take_share(&share);
    }
    Ok(())
}
