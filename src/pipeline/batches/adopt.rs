//! Finds out whether batches were created if the answer was lost, and takes in batches that the
//! ledger does not know.

use std::sync::Arc;
use std::time::Duration;

use super::{Batches, now};
use crate::call::{EndpointClient, NotCreated};
use crate::config::Late;
use crate::dialect::batch::{self, BatchStatus};
use crate::model::{CallError, Exit, Failure, Fault, Reject};
use crate::record::{BatchRecord, BatchState, BatchWrite};

/// How often the service's list is read before a batch counts as never created: two minutes at the
/// usual interval, because a new batch may be listed late.
const LOOKS: u32 = 5;
/// How long to wait for the answer to a create after a signal.
const PATIENCE: Duration = Duration::from_secs(30);

/// The outcome of creating a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Creation {
    /// The service has it.
    Done,
    /// Not known yet.
    Unknown,
    /// The service refuses it, and its lines are free again.
    Refused,
}

impl Batches {
    /// A batch that was never sent: its file is deleted if it is there, and its lines are free again.
    pub(super) async fn undo(&self, batch: BatchRecord) -> Result<(), Fault> {
        if let Some(client) = self.client_of(&batch) {
            self.delete_orphans(&client, &batch.tag, None).await;
        }
        self.dissolve(batch, false).await
    }

    /// Deletes the files of a batch except the one in use. A file that stays costs nothing.
    pub(super) async fn delete_orphans(&self, client: &EndpointClient, tag: &str, used: Option<&str>) {
        let name = batch::file_name(tag);
        for (id, found) in client.list_batch_files().await.unwrap_or_default() {
            if found == name && used != Some(id.as_str()) {
                let _ = client.delete_file(&id).await;
            }
        }
    }

    /// Frees the lines of a batch that ended without answers. `tried`: whether that counts as a
    /// try.
    pub(super) async fn dissolve(&self, batch: BatchRecord, tried: bool) -> Result<(), Fault> {
        if super::is_of_this_night(&batch) {
            self.broker.spending().add(-batch.cost.unwrap_or_default());
        }
        let batch = BatchRecord { state: BatchState::Dissolved, ended_at: Some(now()), ..batch };
        self.write(BatchWrite::Dissolve { batch, tried }).await
    }

    /// Finds out whether a batch was created. If the service's list certainly lacks it, creates it
    /// again, on the same file.
    pub(super) async fn settle_create(&mut self, batch: BatchRecord) -> Result<(), Fault> {
        let Some(client) = self.client_of(&batch) else {
            say_unreachable(&batch);
            return Ok(());
        };
        match self.find(&client, &batch).await {
            Some(Ok(status)) => self.record_sent(batch, &status).await,
            Some(Err(error)) => {
                tracing::warn!(
                    "batch {}: it is not known whether it was created, because the service's list cannot be read: {error}; the next run looks again",
                    batch.number
                );
                Ok(())
            }
            None if self.stopped() => Ok(()),
            None => {
                tracing::info!("batch {} is not in the service's list: it is created again", batch.number);
                self.create(&client, batch).await.map(drop)
            }
        }
    }

    /// Looks for a batch of ours in the service's list. `None` if it is not there; an error if the list
    /// cannot be read.
    async fn find(&self, client: &EndpointClient, batch: &BatchRecord) -> Option<Result<BatchStatus, CallError>> {
        let is_ours = |status: &BatchStatus| {
            status.tag.as_ref() == Some(&batch.tag) || status.input_file.is_some() && status.input_file == batch.file
        };
        let mut last_error = None;
        for look in 0..LOOKS {
            if look > 0 {
                self.sleep(client.batch_settings().poll).await;
            }
            if self.stopped() {
                return last_error.map(Err);
            }
            match client.list_batches().await {
                Ok(listed) => {
                    last_error = None;
                    if let Some(found) = listed.into_iter().find(is_ours) {
                        return Some(Ok(found));
                    }
                }
                Err(error) => last_error = Some(error),
            }
        }
        last_error.map(Err)
    }

    /// Records that the service has a batch.
    pub(super) async fn record_sent(&self, batch: BatchRecord, status: &BatchStatus) -> Result<(), Fault> {
        let sent_at = batch.sent_at.clone().or_else(|| Some(now()));
        let id = Some(status.id.clone());
        let file = status.input_file.clone().or_else(|| batch.file.clone());
        let batch = BatchRecord { state: BatchState::Sent, id, file, sent_at, ..with_status(batch, status) };
        self.write(BatchWrite::Update(batch)).await
    }

    /// Creates a batch on its uploaded file.
    pub(super) async fn create(&mut self, client: &Arc<EndpointClient>, batch: BatchRecord) -> Result<Creation, Fault> {
        let file = batch.file.clone().unwrap_or_default();
        for _ in 0..LOOKS {
            // After a signal, waits for the id, but not for long.
            let created = tokio::select! {
                created = client.create_batch(&file, &batch.tag) => created,
                () = self.stopped_for(PATIENCE) => break,
            };
            match created {
                Ok(status) => {
                    self.record_sent(batch, &status).await?;
                    return Ok(Creation::Done);
                }
                Err(NotCreated::Unknown(error)) => {
                    tracing::info!("batch {}: the answer to its creation was lost: {error}", batch.number);
                    match self.find(client, &batch).await {
                        Some(Ok(status)) => {
                            self.record_sent(batch, &status).await?;
                            return Ok(Creation::Done);
                        }
                        Some(Err(_)) => break,
                        None if self.stopped() => break,
                        None => {}
                    }
                }
                // Nothing was made, and a later attempt may succeed.
                Err(NotCreated::Refused(error)) if is_passing(&error) => {
                    tracing::info!("batch {}: {error}; trying again", batch.number);
                    self.sleep(client.batch_settings().poll).await;
                }
                Err(NotCreated::Refused(error)) => {
                    tracing::warn!("endpoint `{}` does not take batch {}: {error}", client.endpoint.name, batch.number);
                    self.exit = self.exit.worse(Exit::EndpointStop);
                    let _ = client.delete_file(&file).await;
                    self.dissolve(batch, false).await?;
                    return Ok(Creation::Refused);
                }
            }
            if self.stopped() {
                break;
            }
        }
        // It stays uploaded: the next run looks for it first.
        tracing::warn!("batch {}: it is not known whether it was created; it will be looked for", batch.number);
        Ok(Creation::Unknown)
    }

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
        for status in listed {
            let Some(tag) = status.tag.clone().filter(|tag| tag.strip_prefix(&ledger).is_some_and(|rest| rest.starts_with('-'))) else {
                continue;
            };
            if ids.contains(&status.id) {
                continue;
            }
            ids.push(status.id.clone());
            let twin = known.iter().find(|batch| batch.tag == tag);
            if twin.is_some_and(|twin| matches!(twin.state, BatchState::Intended | BatchState::Uploaded)) {
                continue;
            }
            // A copy of the ledger elsewhere gives its batches the same names; only one on the same file
            // repeats ours, and only that one is cancelled.
            let repeats = twin.is_some_and(|twin| twin.file.is_some() && twin.file == status.input_file);
            let number = tag.rsplit('-').next().and_then(|number| number.parse().ok()).filter(|number| *number > last).unwrap_or(last + 1);
            last = number;
            self.take_in(client, &status, tag, number, repeats).await?;
        }
        Ok(true)
    }

    /// The service's list; asks again if the service is briefly unavailable.
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

    /// Records a batch of ours that the ledger does not know. `again`: it repeats a batch that it
    /// does.
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
            // Its results are collected all the same, so it does not matter whether this succeeds.
            let _ = client.cancel_batch(&status.id).await;
        }
        Ok(())
    }

    /// The keys of the calls in a batch, from its file.
    async fn keys_in(&self, client: &EndpointClient, status: &BatchStatus, tag: &str) -> Vec<[u8; 32]> {
        let Some(file) = &status.input_file else { return Vec::new() };
        let Ok(mut lines) = client.batch_results(file).await else { return Vec::new() };
        let mut keys = Vec::new();
        while let Ok(Some(line)) = lines.next().await {
            keys.extend(batch::custom_id_in(&line).and_then(|id| batch::key_of(&id, tag)));
        }
        keys
    }
}

/// Whether a refusal may be temporary.
fn is_passing(error: &CallError) -> bool {
    use crate::model::Verdict::{BackOff, MaybeBilled, Wait};
    matches!(error.verdict, BackOff | Wait(_) | MaybeBilled)
}

/// The batch with what the service says of it.
pub(super) fn with_status(batch: BatchRecord, status: &BatchStatus) -> BatchRecord {
    BatchRecord {
        said: status.said.clone(),
        completed: status.completed,
        failed: status.failed,
        total: status.total,
        expires_at: status.expires_at.clone().or(batch.expires_at),
        ..batch
    }
}

/// Warns that no endpoint can reach a batch any more.
pub(super) fn say_unreachable(batch: &BatchRecord) {
    tracing::warn!(
        "batch {} was sent to {}, which no endpoint of the config has any more: its results cannot be collected",
        batch.number,
        batch.url
    );
}
