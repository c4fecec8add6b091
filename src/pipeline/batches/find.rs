//! Finds a batch in the service's list, by its tag or its file. If batches have neither, finds it
//! by the names of its calls, once it has ended.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Batches;
use crate::call::EndpointClient;
use crate::dialect::batch::{BatchStatus, Progress};
use crate::model::{CallError, Fault};
use crate::record::BatchRecord;

/// How often the service's list is read before a batch counts as never created: two minutes at the
/// usual interval, because a new batch may be listed late.
pub(super) const LOOKS: u32 = 5;
/// How far the time of a batch's creation, by the service's clock, may be from `sent_at`. Our clock
/// may be wrong by hours. The names of its calls show whether a batch is ours.
const APART: SignedDuration = SignedDuration::from_hours(24);

/// The result of a search for a batch.
pub(super) enum Found {
    /// The batch.
    Batch(Box<BatchStatus>),
    /// It is not there.
    Nothing,
    /// It is not known yet, for this reason.
    Unclear(String),
}

impl Batches {
    /// Looks for a batch of ours in the service's list.
    pub(super) async fn find(&mut self, client: &EndpointClient, batch: &BatchRecord) -> Result<Found, Fault> {
        let mut unread = None;
        for look in 0..LOOKS {
            let pause = if look > 0 { client.batch_settings().poll } else { Duration::ZERO };
            self.sleep(pause).await;
            if self.stopped() {
                break;
            }
            match client.list_batches().await {
                Ok(listed) => {
                    unread = None;
                    match self.find_in(client, batch, listed).await? {
                        Found::Nothing => {}
                        found => return Ok(found),
                    }
                }
                Err(error) => unread = Some(error),
            }
        }
        Ok(unread.map_or(Found::Nothing, |error| Found::Unclear(format!("the service's list cannot be read: {error}"))))
    }

    async fn find_in(&mut self, client: &EndpointClient, batch: &BatchRecord, listed: Vec<BatchStatus>) -> Result<Found, Fault> {
        if client.batch_files().is_some() {
            let is_ours = |status: &BatchStatus| {
                status.tag.as_ref() == Some(&batch.tag) || status.input_file.is_some() && status.input_file == batch.file
            };
            return Ok(listed.into_iter().find(is_ours).map_or(Found::Nothing, |status| Found::Batch(Box::new(status))));
        }
        let known: HashSet<String> = self.store()?.batches(false)?.into_iter().filter_map(|batch| batch.id).collect();
        let mut running = 0_usize;
        for status in listed.into_iter().filter(|status| could_be(batch, status) && !known.contains(&status.id)) {
            if status.progress == Progress::Running {
                running += 1;
                continue;
            }
            match self.tag_in(client, &status).await {
                Ok(tag) if tag.as_ref() == Some(&batch.tag) => return Ok(Found::Batch(Box::new(status))),
                Ok(_) => {}
                Err(error) => return Ok(Found::Unclear(format!("the results of `{}` cannot be read: {error}", status.id))),
            }
        }
        if running == 0 {
            return Ok(Found::Nothing);
        }
        Ok(Found::Unclear(format!(
            "batches of the same size and time are still running ({running}); when they end, their results show which one is ours"
        )))
    }

    /// The tag in the results of a batch that has ended. The results are read only once in a run.
    pub(super) async fn tag_in(&mut self, client: &EndpointClient, status: &BatchStatus) -> Result<Option<String>, CallError> {
        if let Some(tag) = self.tags.get(&status.id) {
            return Ok(tag.clone());
        }
        let tag = client.tag_in_results(status.output_file.as_deref().unwrap_or_default()).await?;
        self.tags.insert(status.id.clone(), tag.clone());
        Ok(tag)
    }
}

/// Whether the time and size of a listed batch fit the batch whose answer was lost.
fn could_be(batch: &BatchRecord, status: &BatchStatus) -> bool {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let sent = batch.sent_at.as_deref().and_then(time);
    let fits = match (sent, status.created_at.as_deref().and_then(time)) {
        (Some(sent), Some(created)) => created.duration_since(sent).abs() <= APART,
        _ => true,
    };
    fits && status.total.is_none_or(|total| total == batch.lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_the_time_and_size_can_be_ours() {
        let batch = BatchRecord { sent_at: Some("2026-11-29T22:00:00Z".into()), lines: 412, ..BatchRecord::default() };
        let could = |created: &str, total: u64| {
            could_be(&batch, &BatchStatus { created_at: Some(created.into()), total: Some(total), ..BatchStatus::default() })
        };
        assert!(could("2026-11-29T22:04:00Z", 412));
        assert!(could("2026-11-28T22:04:00Z", 412) && could("2026-11-30T21:56:00Z", 412), "our clock is wrong by a day");
        assert!(!could("2026-11-28T21:56:00Z", 412) && !could("2026-11-30T22:04:00Z", 412));
        assert!(!could("2026-11-29T22:04:00Z", 411));
        assert!(could_be(&batch, &BatchStatus::default()), "a service that does not say");
    }
}
