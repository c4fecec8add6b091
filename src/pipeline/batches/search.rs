//! Finds batches of this ledger that it does not know.

use super::adopt::{is_passing, with_status};
use super::find::LOOKS;
use super::{Batches, now};
use crate::call::EndpointClient;
use crate::config::Late;
use crate::dialect::batch::{self, BatchStatus, Progress};
use crate::model::{CallError, Exit, Failure, Fault, Reject};
use crate::record::{BatchRecord, BatchState, BatchWrite};

/// The results of at most this many batches without metadata are opened, the newest first.
const MAX_READS: usize = 20;

impl Batches {
    /// Searches the service's list for batches of this ledger that it does not know: an older copy of
    /// the ledger was restored, or a create was repeated. Returns whether the service has batches.
    pub(super) async fn search(&mut self, client: &EndpointClient) -> Result<bool, Fault> {
        if !self.searched.insert(client.endpoint.name.clone()) {
            return Ok(true);
        }
        let listed = match self.list(client).await {
            Ok(listed) => listed,
            Err(error) => {
                self.has_no_batches(client, &error);
                return Ok(false);
            }
        };
        let ledger = self.store()?.ledger_id()?;
        let known = self.store()?.batches(false)?;
        let mut last = known.last().map_or(0, |batch| batch.number);
        // Some servers list a batch twice.
        let mut ids: Vec<String> = known.iter().filter_map(|batch| batch.id.clone()).collect();
        let mut reads = MAX_READS;
        for status in listed {
            if ids.contains(&status.id) {
                continue;
            }
            let tag = match status.tag.clone() {
                None if client.batch_files().is_none() => self.tag_of(client, &status, &mut reads).await,
                tag => tag,
            };
            let Some(tag) = tag.filter(|tag| tag.strip_prefix(&ledger).is_some_and(|rest| rest.starts_with('-'))) else {
                continue;
            };
            ids.push(status.id.clone());
            let twin = known.iter().find(|batch| batch.tag == tag);
            if twin.is_some_and(|twin| matches!(twin.state, BatchState::Intended | BatchState::Uploaded)) {
                continue;
            }
            // A copy of the ledger on another machine gives its batches the same names. Only a
            // batch on the same file repeats ours, and only such a batch is cancelled.
            let repeats = twin.is_some_and(|twin| twin.file.is_some() && twin.file == status.input_file);
            let number = tag.rsplit('-').next().and_then(|number| number.parse().ok()).filter(|number| *number > last).unwrap_or(last + 1);
            last = number;
            self.take_in(client, &status, tag, number, repeats).await?;
        }
        Ok(true)
    }

    /// The tag of a batch without metadata, from the names of its calls; `None` before it has ended.
    async fn tag_of(&mut self, client: &EndpointClient, status: &BatchStatus, reads: &mut usize) -> Option<String> {
        if status.progress != Progress::Ended || *reads == 0 {
            return None;
        }
        *reads -= 1;
        // If the results cannot be read now, the next run tries again.
        self.tag_in(client, status).await.ok().flatten()
    }

    /// The service's list. Asks again if the service is unavailable for a moment.
    async fn list(&self, client: &EndpointClient) -> Result<Vec<BatchStatus>, CallError> {
        let mut listed = client.list_batches().await;
        for _ in 1..LOOKS {
            if !listed.as_ref().is_err_and(is_passing) || self.stopped() {
                break;
            }
            self.sleep(client.batch_settings().poll).await;
            listed = client.list_batches().await;
        }
        listed
    }

    /// Says that a service lists no batches. If its calls may not be made at the full price, the
    /// endpoint is disabled.
    fn has_no_batches(&mut self, client: &EndpointClient, error: &CallError) {
        let name = &client.endpoint.name;
        if client.batch_settings().late == Late::Leave {
            let reason = format!("endpoint `{name}`: its batches cannot be listed: {error}");
            client.stop_for(&Failure { reject: Reject::new(error.code, reason), exit: Exit::EndpointStop });
            self.exit = self.exit.worse(Exit::EndpointStop);
        } else {
            tracing::warn!("endpoint `{name}`: its batches cannot be listed, so its calls are made one by one: {error}");
        }
    }

    /// Records a batch of ours that the ledger does not know. `again`: it repeats one that it knows.
    async fn take_in(&self, client: &EndpointClient, status: &BatchStatus, tag: String, number: i64, again: bool) -> Result<(), Fault> {
        let keys = if again { Vec::new() } else { self.keys_in(client, status, &tag).await };
        let batch = BatchRecord {
            number,
            state: BatchState::Sent,
            endpoint: client.endpoint.name.clone(),
            url: client.endpoint.url.clone(),
            tag,
            file: status.input_file.clone(),
            id: Some(status.id.clone()),
            lines: keys.len() as u64,
            made_at: now(),
            sent_at: Some(now()),
            cancelled_at: again.then(now),
            ..BatchRecord::default()
        };
        tracing::warn!(
            "endpoint `{}` has a batch of this ledger that it does not know: {}; it is batch {number} now{}",
            client.endpoint.name,
            status.id,
            if again { ", and is cancelled, because it repeats another" } else { "" }
        );
        self.write(BatchWrite::Begin(with_status(batch, status), keys)).await?;
        if again {
            // Its results are collected in any case, so it does not matter whether this succeeds.
            let _ = client.cancel_batch(&status.id).await;
        }
        Ok(())
    }

    /// The keys of the calls in a batch, from its file of calls, or else from its file of answers.
    async fn keys_in(&self, client: &EndpointClient, status: &BatchStatus, tag: &str) -> Vec<[u8; 32]> {
        let Some(file) = status.input_file.as_ref().or(status.output_file.as_ref()) else { return Vec::new() };
        let Ok(mut lines) = client.batch_results(file).await else { return Vec::new() };
        let mut keys = Vec::new();
        while let Ok(Some(line)) = lines.next().await {
            keys.extend(batch::custom_id_in(&line).and_then(|id| batch::key_of(&id, tag)));
        }
        keys
    }
}
