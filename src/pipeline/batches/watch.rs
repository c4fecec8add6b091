//! Looks at open batches, waits for them, and cancels those that are late.

use std::time::Duration;

use super::adopt::{say_unreachable, with_status};
use super::schedule::{LOOKS_AFTER_CANCEL, Moment, is_overdue};
use super::{Batches, now};
use crate::call::EndpointClient;
use crate::config::Batch;
use crate::dialect::batch::{BatchStatus, Progress, Refusal, refusal};
use crate::model::{CallError, ErrorCode, Exit, Fault, Verdict};
use crate::record::{BatchRecord, BatchState, BatchWrite};
use crate::report::human_duration;

/// How often to look for missing result files of a batch that has ended: ten minutes at the usual
/// interval.
const LOOKS_FOR_FILES: u32 = 20;
/// If a batch cannot be looked at for this long, and is not in the service's list, it is gone.
const GONE: Duration = Duration::from_hours(1);
/// The time between two looks grows by this factor, up to this many times the shortest.
const GROWTH: f64 = 1.5;
const LONGEST: u32 = 10;

/// How waiting for batches ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waited {
    /// No batch is open any more.
    Done,
    /// The time for it is over.
    TooLong,
    /// The service refuses to report the state: the user must fix something.
    Refused,
}

impl Batches {
    /// Looks at every open batch once, and collects those that have ended. Returns whether any
    /// batch is still open.
    pub(super) async fn look(&mut self) -> Result<bool, Fault> {
        for batch in self.open()? {
            if self.stopped() {
                break;
            }
            match batch.state {
                BatchState::Sent => self.look_at(batch).await?,
                BatchState::Uploaded => self.settle_create(batch).await?,
                _ => {}
            }
        }
        Ok(!self.open()?.is_empty())
    }

    async fn look_at(&mut self, batch: BatchRecord) -> Result<(), Fault> {
        let Some(client) = self.client_of(&batch) else {
            say_unreachable(&batch);
            return Ok(());
        };
        let number = batch.number;
        let status = match client.batch_status(batch.id.as_deref().unwrap_or_default()).await {
            Ok(status) => status,
            Err(error) => match self.status_in_list(&client, &batch, &error).await? {
                Some(status) => status,
                None => return Ok(()),
            },
        };
        let seen = with_status(batch.clone(), &status);
        if seen != batch {
            self.write(BatchWrite::Update(seen.clone())).await?;
        }
        match status.progress {
            Progress::Running => {
                self.fruitless.remove(&number);
                Ok(())
            }
            Progress::Refused => self.refused(&client, seen, &status).await,
            Progress::Ended if status.lacks_results() && self.is_patient(number) => Ok(()),
            Progress::Ended => match self.collect(&client, &seen, &status).await? {
                Ok(()) => Ok(()),
                Err(error) if error.code == ErrorCode::NotFound => self.results_are_lost(seen).await,
                Err(error) => {
                    tracing::info!("batch {number}: its results cannot be read: {error}");
                    Ok(())
                }
            },
        }
    }

    /// Called if the state of a batch cannot be read. After many such looks, takes the state from
    /// the service's list. A batch that is not in the list either was paid for and is lost.
    async fn status_in_list(
        &mut self,
        client: &EndpointClient,
        batch: &BatchRecord,
        error: &CallError,
    ) -> Result<Option<BatchStatus>, Fault> {
        let number = batch.number;
        if error.verdict == Verdict::Stop {
            tracing::warn!("batch {number}: endpoint `{}` refuses to show it: {error}", client.endpoint.name);
            self.exit = self.exit.worse(Exit::EndpointStop);
            return Ok(None);
        }
        let (looks, time) = self.count_fruitless(number);
        if looks % LOOKS_FOR_FILES != 0 {
            tracing::info!("batch {number}: its state cannot be read: {error}");
            return Ok(None);
        }
        let listed = client.list_batches().await.ok();
        match listed.map(|listed| listed.into_iter().find(|status| Some(&status.id) == batch.id.as_ref())) {
            Some(Some(status)) => return Ok(Some(status)),
            // A gateway may fail for a batch that it does not know.
            Some(None) if error.code == ErrorCode::NotFound || time >= GONE => self.results_are_lost(batch.clone()).await?,
            _ => tracing::warn!("batch {number}: its state could not be read {looks} times: {error}"),
        }
        Ok(None)
    }

    /// Counts a look that showed nothing useful; returns whether another one may follow.
    pub(super) fn is_patient(&mut self, number: i64) -> bool {
        self.count_fruitless(number).0 <= LOOKS_FOR_FILES
    }

    /// Returns how many looks in a row showed nothing useful, and for how long.
    fn count_fruitless(&mut self, number: i64) -> (u32, Duration) {
        let (looks, since) = self.fruitless.entry(number).or_insert_with(|| (0, Moment::now()));
        *looks += 1;
        (*looks, since.elapsed())
    }

    /// The service refused a batch as a whole: it made none of its calls.
    async fn refused(&mut self, client: &EndpointClient, batch: BatchRecord, status: &BatchStatus) -> Result<(), Fault> {
        let (number, name) = (batch.number, &client.endpoint.name);
        match refusal(&status.errors) {
            Refusal::QueueFull(limit) => {
                let others: u64 =
                    self.open()?.iter().filter(|other| other.url == batch.url && other.number != number).map(|other| other.tokens).sum();
                // While other batches wait, there is room again when they end.
                let limit = limit.unwrap_or(if others > 0 { others + batch.tokens - 1 } else { batch.tokens / 2 });
                tracing::info!("batch {number}: endpoint `{name}` accepts at most {limit} waiting tokens in batches");
                if batch.lines <= 1 && others == 0 {
                    tracing::warn!("endpoint `{name}` has no room for a batch of one call");
                    self.exit = self.exit.worse(Exit::EndpointStop);
                }
                self.queue.insert(name.clone(), limit);
            }
            // The service may have the file anyway. This counts as a try, so the number of
            // repetitions is limited.
            Refusal::NoFile => tracing::warn!("batch {number}: endpoint `{name}` does not find its file; its calls are sent again"),
            Refusal::Wrong(why) => {
                tracing::warn!("batch {number} was refused by endpoint `{name}`: {why}; this may be a bug in depeche, please report it");
                self.exit = self.exit.worse(Exit::Bug);
                self.batching()?.stop_batches_of(name);
            }
        }
        if let Some(file) = &batch.file {
            let _ = client.delete_file(file).await;
        }
        let tried = matches!(refusal(&status.errors), Refusal::NoFile);
        self.dissolve(batch, tried).await
    }

    /// Waits until no batch is open.
    pub(super) async fn wait(&mut self) -> Result<Waited, Fault> {
        let shortest = self.poll();
        let mut pause = shortest;
        loop {
            let start = Moment::now();
            if !self.look().await? || self.stopped() {
                break;
            }
            if self.exit == Exit::EndpointStop {
                return Ok(Waited::Refused);
            }
            let mut open = self.open()?;
            open.retain(|batch| self.client_of(batch).is_some());
            if open.is_empty() {
                break;
            }
            let lines = open.iter().map(|batch| batch.lines).sum();
            let left = self.schedule.time_left(lines);
            if left.is_some_and(|left| left.is_zero()) {
                tracing::warn!("the time for open batches is over");
                return Ok(Waited::TooLong);
            }
            if open.iter().all(|batch| is_overdue(batch.sent_at.as_deref(), batch.expires_at.as_deref())) {
                tracing::warn!("the service has not ended its batches in its own time");
                return Ok(Waited::TooLong);
            }
            self.say(&open);
            self.sleep_until(start, left.map_or(pause, |left| pause.min(start.elapsed() + left))).await;
            pause = pause.mul_f64(GROWTH).min(shortest * LONGEST);
            if !self.fruitless.is_empty() {
                pause = shortest;
            }
        }
        Ok(Waited::Done)
    }

    /// The shortest time between two looks that every service allows.
    fn poll(&self) -> Duration {
        let configured = self.endpoints.clients().filter_map(|client| client.endpoint.batch.as_ref()).map(|batch| batch.poll);
        configured.max().unwrap_or_else(|| Batch::default().poll)
    }

    /// Shows what the service reports about the open batches, and how long it has reported this.
    /// There is no progress bar, because the counts of a service do not show how much time is left.
    fn say(&mut self, open: &[BatchRecord]) {
        for batch in open {
            let since = self.said.entry(batch.number).or_insert_with(|| (batch.said.clone(), Moment::now()));
            if since.0 != batch.said {
                *since = (batch.said.clone(), Moment::now());
            }
            self.progress.say(&format!("{}, for {}", describe(batch), human_duration(since.1.elapsed())));
        }
    }

    /// Cancels every open batch, and collects what was done until then.
    pub(super) async fn cancel_and_drain(&mut self) -> Result<(), Fault> {
        for batch in self.open()?.into_iter().filter(|batch| batch.state == BatchState::Sent) {
            let Some(client) = self.client_of(&batch) else { continue };
            // If the batch has ended, this fails, and the batch is collected anyway.
            if let Err(error) = client.cancel_batch(batch.id.as_deref().unwrap_or_default()).await {
                tracing::info!("batch {}: it cannot be cancelled: {error}", batch.number);
            }
            self.write(BatchWrite::Update(BatchRecord { cancelled_at: Some(now()), ..batch })).await?;
        }
        for look in 0..LOOKS_AFTER_CANCEL {
            if !self.look().await? || self.stopped() {
                return Ok(());
            }
            if look + 1 < LOOKS_AFTER_CANCEL {
                self.sleep(self.poll()).await;
            }
        }
        for batch in self.open()? {
            tracing::warn!(
                "batch {}: the service has not ended it; its answers will be collected by a later run, and calls that are made again meanwhile are paid twice",
                batch.number
            );
        }
        Ok(())
    }
}

/// The state of an open batch in a few words.
fn describe(batch: &BatchRecord) -> String {
    let said = if batch.said.is_empty() { batch.state.word() } else { &batch.said };
    let counts = match (batch.completed, batch.failed, batch.total) {
        (Some(completed), failed, Some(total)) if total > 0 => {
            let failed = failed.filter(|failed| *failed > 0).map_or_else(String::new, |failed| format!(", {failed} failed"));
            format!(", {completed} of {total} calls{failed}")
        }
        _ => format!(", {} calls", batch.lines),
    };
    format!("batch {} at `{}`: {said}{counts}", batch.number, batch.endpoint)
}
