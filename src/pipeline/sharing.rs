//! Keeps a process in step with the others of its run.

use std::sync::Arc;
use std::time::Duration;

use super::Run;
use crate::model::Fault;

/// Time between two exchanges with the other processes.
const EVERY: Duration = Duration::from_millis(400);

/// Exchanges what the processes of a run share, until this is aborted. If the ledger fails, aborts the run.
pub(super) async fn share(run: Arc<Run>) {
    if run.ledger.shared_limits().is_none() {
        return;
    }
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(fault) = exchange(&run).await {
            return run.abort(fault);
        }
    }
}

async fn exchange(run: &Run) -> Result<(), Fault> {
    run.broker.spending().tell().await?;
    run.limits.tell().await
}
