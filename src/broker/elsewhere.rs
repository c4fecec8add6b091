//! Waits for calls that another process makes.

use std::time::Duration;

use crate::call::EndpointClient;
use crate::model::Failure;
use crate::record::{CallStore, Elsewhere};

/// The time between two looks at a call: it grows from `FIRST_LOOK` to `LAST_LOOK`.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Waits until another process has ended a call: it was answered or given up. Returns the failure
/// if it failed for good.
///
/// # Errors
/// If the ledger cannot be read, or the run is being stopped.
pub(super) async fn wait(calls: &dyn CallStore, client: &EndpointClient, key: [u8; 32]) -> Result<Option<Failure>, Failure> {
    let mut pause = FIRST_LOOK;
    loop {
        match calls.look(key).await? {
            Elsewhere::Over => return Ok(None),
            Elsewhere::Failed(reject) => return Ok(Some(reject.into())),
            Elsewhere::UnderWay => {}
        }
        if let Some(failure) = client.disabled_reason() {
            return Err(failure);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LAST_LOOK);
    }
}
