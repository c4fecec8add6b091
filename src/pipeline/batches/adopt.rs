//! Creates batches, and finds out whether one was created if the answer was lost.

use std::sync::Arc;
use std::time::Duration;

use super::find::{Found, LOOKS};
use super::line_file::LineFile;
use super::{Batches, now};
use crate::call::{Calls, EndpointClient, NotCreated};
use crate::dialect::batch::{self, BatchStatus};
use crate::model::{CallError, Exit, Fault};
use crate::record::{BatchRecord, BatchState, BatchWrite};

/// After a signal: how long to wait for the answer to the creation of a batch.
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
    /// Drops a batch that was never sent: deletes its file, if it exists, and frees its lines.
    pub(super) async fn undo(&self, batch: BatchRecord) -> Result<(), Fault> {
        if let Some(client) = self.client_of(&batch) {
            self.delete_orphans(&client, &batch.tag, None).await;
        }
        self.dissolve(batch, false).await
    }

    /// Deletes the files of a batch except the one in use. A file that stays costs nothing.
    pub(super) async fn delete_orphans(&self, client: &EndpointClient, tag: &str, used: Option<&str>) {
        let Some(files) = client.batch_files() else { return };
        let name = batch::file_name(tag);
        for (id, found) in client.list_batch_files(files).await.unwrap_or_default() {
            if found == name && used != Some(id.as_str()) {
                let _ = client.delete_file(&id).await;
            }
        }
    }

    /// Frees the lines of a batch that ended without answers. `tried`: whether the batch counts as
    /// a try for them.
    pub(super) async fn dissolve(&self, batch: BatchRecord, tried: bool) -> Result<(), Fault> {
        if super::is_of_this_night(&batch) {
            self.broker.spending().add(-batch.cost.unwrap_or_default());
        }
        let batch = BatchRecord { state: BatchState::Dissolved, ended_at: Some(now()), ..batch };
        self.write(BatchWrite::Dissolve { batch, tried }).await
    }

    /// Finds out whether a batch was created. If the service's list certainly lacks it, creates it
    /// again from its file. A batch without a file is dropped, and its lines are free again.
    pub(super) async fn settle_create(&mut self, batch: BatchRecord) -> Result<(), Fault> {
        let Some(client) = self.client_of(&batch) else {
            say_unreachable(&batch);
            return Ok(());
        };
        match self.find(&client, &batch).await? {
            Found::Batch(status) => self.record_sent(batch, &status).await,
            Found::Unclear(why) => {
                self.say_unclear(&batch, &why);
                Ok(())
            }
            Found::Nothing if self.stopped() => Ok(()),
            Found::Nothing if batch.file.is_some() => {
                tracing::info!("batch {} is not in the service's list: it is created again", batch.number);
                self.create(&client, batch, None).await.map(drop)
            }
            Found::Nothing => {
                tracing::info!("batch {} is not in the service's list: its calls are sent again", batch.number);
                self.dissolve(batch, false).await
            }
        }
    }

    /// Warns once that a batch may or may not have been created. The next look, or the next run,
    /// searches for it first.
    fn say_unclear(&mut self, batch: &BatchRecord, why: &str) {
        if self.unclear.insert(batch.number) {
            tracing::warn!("batch {}: it is not known whether it was created: {why}; it will be looked for", batch.number);
        }
    }

    /// Records that the service has a batch.
    pub(super) async fn record_sent(&self, batch: BatchRecord, status: &BatchStatus) -> Result<(), Fault> {
        let sent_at = batch.sent_at.clone().or_else(|| Some(now()));
        let id = Some(status.id.clone());
        let file = status.input_file.clone().or_else(|| batch.file.clone());
        let batch = BatchRecord { state: BatchState::Sent, id, file, sent_at, ..with_status(batch, status) };
        self.write(BatchWrite::Update(batch)).await
    }

    /// Creates a batch from its uploaded file, or with the calls in `inline`.
    pub(super) async fn create(
        &mut self,
        client: &Arc<EndpointClient>,
        batch: BatchRecord,
        mut inline: Option<&mut LineFile>,
    ) -> Result<Creation, Fault> {
        for _ in 0..LOOKS {
            let calls = match (&batch.file, inline.as_mut()) {
                (Some(file), _) => Calls::Uploaded(file),
                (None, Some(lines)) => Calls::Inline(lines.rewind(&self.folder)?, lines.bytes),
                (None, None) => break,
            };
            // After a signal, waits for the id, but not for long.
            let created = tokio::select! {
                created = client.create_batch(calls, &batch.tag) => created,
                () = self.stopped_for(PATIENCE) => break,
            };
            match created {
                Ok(status) => {
                    self.record_sent(batch, &status).await?;
                    return Ok(Creation::Done);
                }
                Err(NotCreated::Unknown(error)) => {
                    tracing::info!("batch {}: the answer to its creation was lost: {error}", batch.number);
                    match self.find(client, &batch).await? {
                        Found::Batch(status) => {
                            self.record_sent(batch, &status).await?;
                            return Ok(Creation::Done);
                        }
                        Found::Unclear(why) => {
                            self.say_unclear(&batch, &why);
                            return Ok(Creation::Unknown);
                        }
                        Found::Nothing if self.stopped() => break,
                        Found::Nothing => {}
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
                    if let Some(file) = &batch.file {
                        let _ = client.delete_file(file).await;
                    }
                    self.dissolve(batch, false).await?;
                    return Ok(Creation::Refused);
                }
            }
            if self.stopped() {
                break;
            }
        }
        // The state stays `uploaded`, so the next run searches for the batch first.
        tracing::warn!("batch {}: it is not known whether it was created; it will be looked for", batch.number);
        Ok(Creation::Unknown)
    }
}

/// Whether a refusal is temporary.
pub(super) fn is_passing(error: &CallError) -> bool {
    use crate::model::Verdict::{BackOff, MaybeBilled, Wait};
    matches!(error.verdict, BackOff | Wait(_) | MaybeBilled)
}

/// The batch, updated with the service's report.
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
