//! Sends the lines that a pass needs: first a single call, then batches. Each step is durable
//! before the next begins: the lines are assigned to their batch, the file is uploaded, the batch
//! is created.

use std::sync::Arc;
use std::time::Duration;

use super::adopt::Creation;
use super::line_file::{Full, LineFile, Room};
use super::{Batches, now};
use crate::call::EndpointClient;
use crate::dialect::batch::{BatchFiles, custom_id};
use crate::model::{CallRequest, ErrorCode, Exit, Failure, Fault, Verdict};
use crate::record::{BatchRecord, BatchState, BatchWrite, Line};

/// How many lines are read from the ledger at once.
const PAGE: usize = 256;
/// How often an upload is tried.
const UPLOADS: u32 = 3;
/// After this many single calls with a refused form, the endpoint is disabled.
const TRIALS: usize = 2;

/// The outcome of one attempt to send a batch.
enum Sent {
    /// It is at the service, or may be: then a later look searches for it.
    Batch,
    /// There was nothing to send.
    Nothing,
    /// No more can be sent now.
    Full,
    /// The endpoint accepts no batches in this run.
    Refused,
}

impl Batches {
    /// Sends the `count` lines that the pass needs. Returns false if the endpoint's calls are
    /// handled in another way from now on, so that another pass is due.
    pub(super) async fn submit(&mut self, client: &Arc<EndpointClient>, count: usize) -> Result<bool, Fault> {
        let settings = client.batch_settings();
        let name = &client.endpoint.name;
        if count < settings.smallest {
            if self.batching()?.stop_batches_of(name) {
                tracing::info!("endpoint `{name}`: {count} calls are too few for a batch, so they are made one by one");
            }
            return Ok(false);
        }
        if !self.search(client).await? {
            self.batching()?.stop_batches_of(name);
            return Ok(false);
        }
        if !self.tried.contains(name) && !self.try_one(client).await? {
            self.batching()?.stop_batches_of(name);
            return Ok(false);
        }
        self.tried.insert(name.clone());
        let mut any = false;
        while !self.stopped() {
            match self.send_batch(client).await? {
                Sent::Batch => {
                    any = true;
                    self.idle.remove(name);
                }
                // All calls were made one by one, and the next pass finds the answers.
                Sent::Nothing if !any => {
                    if !self.idle.insert(name.clone()) {
                        self.batching()?.stop_batches_of(name);
                    }
                    return Ok(false);
                }
                Sent::Nothing => break,
                Sent::Full => {
                    // No open batch could make room.
                    if !any && self.too_dear.is_none() && self.open()?.is_empty() {
                        self.batching()?.stop_batches_of(name);
                        return Ok(false);
                    }
                    break;
                }
                Sent::Refused => {
                    self.batching()?.stop_batches_of(name);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Makes one of the calls without a batch: this shows whether the key works, and settles the
    /// form of the requests. Otherwise a wrong parameter would fail every line of a batch, a day
    /// later.
    async fn try_one(&mut self, client: &Arc<EndpointClient>) -> Result<bool, Fault> {
        let mut refusals = 0;
        let mut after = None;
        while let Some(line) = self.next_asked(client, &mut after)? {
            let Some(ask) = read_ask(&line) else { continue };
            match self.broker.make_now(client, &ask, line.key).await {
                Ok(_) => return Ok(true),
                Err(failure) if failure.reject.code == ErrorCode::RefusedRequest && failure.exit == Exit::SomeFailed => {
                    refusals += 1;
                    if refusals == TRIALS {
                        client.stop_for(&failure);
                        return Ok(false);
                    }
                }
                // Only this article was refused.
                Err(failure) if failure.exit == Exit::SomeFailed && !is_unclear(&failure) => {}
                // Calls without a batch will show what is wrong.
                Err(_) => return Ok(false),
            }
        }
        Ok(false)
    }

    /// The next free line that this pass needs, after the key `after`.
    fn next_asked(&self, client: &EndpointClient, after: &mut Option<[u8; 32]>) -> Result<Option<Line>, Fault> {
        let (name, tries) = (&client.endpoint.name, client.batch_settings().waves);
        loop {
            let page = self.store()?.free_lines(name, tries, after.as_ref(), 1)?;
            let Some(line) = page.into_iter().next() else { return Ok(None) };
            *after = Some(line.key);
            if self.batching()?.was_asked(name, &line.key) {
                return Ok(Some(line));
            }
        }
    }

    /// Sends one batch with as many lines as it may have.
    async fn send_batch(&mut self, client: &Arc<EndpointClient>) -> Result<Sent, Fault> {
        let number = self.store()?.batches(false)?.last().map_or(1, |batch| batch.number + 1);
        let tag = format!("{}-{number}", self.store()?.ledger_id()?);
        let (mut file, full) = self.fill(client, &tag)?;
        if let Some(Full::Cost(most)) = full {
            self.too_dear = Some(most);
        }
        if file.keys.is_empty() {
            return Ok(if full.is_some() { Sent::Full } else { Sent::Nothing });
        }
        let batch = BatchRecord {
            number,
            state: BatchState::Intended,
            endpoint: client.endpoint.name.clone(),
            url: client.endpoint.url.clone(),
            tag,
            lines: file.keys.len() as u64,
            bytes: file.bytes,
            tokens: file.tokens,
            cost: file.cost,
            made_at: now(),
            ..BatchRecord::default()
        };
        self.broker.spending().add(batch.cost.unwrap_or_default());
        self.write(BatchWrite::Begin(batch.clone(), std::mem::take(&mut file.keys))).await?;
        let uploaded = match client.batch_files() {
            Some(files) => match self.upload(client, files, &batch, &mut file).await? {
                Some(id) => Some(id),
                None => return Ok(Sent::Refused),
            },
            None => None,
        };
        // From here on, the batch may exist. Its cost counts for the night in which it is sent.
        let batch = BatchRecord { state: BatchState::Uploaded, file: uploaded, sent_at: Some(now()), ..batch };
        self.write(BatchWrite::Update(batch.clone())).await?;
        let lines = batch.lines;
        let created = self.create(client, batch, Some(&mut file)).await?;
        if created == Creation::Done {
            tracing::info!("batch {number} with {lines} calls was sent to endpoint `{}`", client.endpoint.name);
        }
        Ok(if created == Creation::Refused { Sent::Refused } else { Sent::Batch })
    }

    /// Writes the file of the next batch. Returns why a line did not fit, if one did not.
    fn fill(&self, client: &EndpointClient, tag: &str) -> Result<(LineFile, Option<Full>), Fault> {
        let settings = client.batch_settings();
        let name = &client.endpoint.name;
        let queued: u64 = self.open()?.iter().filter(|batch| batch.url == client.endpoint.url).map(|batch| batch.tokens).sum();
        let most = settings.queued_tokens.into_iter().chain(self.queue.get(name).copied()).min();
        let tokens = most.map_or(u64::MAX, |most| most.saturating_sub(queued));
        let limits = client.batch_api().limits();
        let lines = settings.lines.min(limits.lines);
        let room = Room { lines, bytes: limits.bytes, tokens, cost: self.broker.spending().left() };
        let separator = if client.batch_files().is_some() { "\n" } else { ",\n" };
        let mut file = LineFile::new(&self.folder, room, separator)?;
        let mut after = None;
        loop {
            let page = self.store()?.free_lines(name, settings.waves, after.as_ref(), PAGE)?;
            let Some(last) = page.last() else { return Ok((file, None)) };
            after = Some(last.key);
            for line in page {
                if !self.batching()?.was_asked(name, &line.key) {
                    continue;
                }
                let written = read_ask(&line).and_then(|ask| client.write_line(&custom_id(tag, &line.key), &ask, line.longer).ok());
                // A call that cannot be written as a line is made without a batch, which reports
                // the reason.
                let Some(written) = written else {
                    self.batching()?.make_alone(line.key);
                    continue;
                };
                match file.check(&written) {
                    Ok(()) => file.push(&self.folder, line.key, &written)?,
                    Err(Full::TooLong) => self.batching()?.make_alone(line.key),
                    Err(full) => return Ok((file, Some(full))),
                }
            }
        }
    }

    /// Uploads the file of a batch; `None` if the service refuses it.
    async fn upload(
        &mut self,
        client: &Arc<EndpointClient>,
        files: &'static dyn BatchFiles,
        batch: &BatchRecord,
        file: &mut LineFile,
    ) -> Result<Option<String>, Fault> {
        let mut reason = None;
        for attempt in 0..UPLOADS {
            if attempt > 0 {
                self.sleep(client.batch_settings().poll).await;
            }
            if self.stopped() {
                break;
            }
            let uploaded = tokio::select! {
                uploaded = client.upload_batch(files, file.rewind(&self.folder)?, file.bytes, &batch.tag) => uploaded,
                // An incomplete file is useless.
                () = self.stopped_for(Duration::ZERO) => break,
            };
            match uploaded {
                Ok(id) => {
                    if attempt > 0 {
                        self.delete_orphans(client, &batch.tag, Some(&id)).await;
                    }
                    return Ok(Some(id));
                }
                Err(error) => {
                    tracing::info!("batch {}: its file could not be uploaded: {error}", batch.number);
                    let is_final = matches!(error.verdict, Verdict::Stop | Verdict::Never);
                    reason = Some(error);
                    if is_final {
                        break;
                    }
                }
            }
        }
        if let Some(error) = reason {
            tracing::warn!("endpoint `{}` does not take the file of a batch: {error}; its calls are made one by one", client.endpoint.name);
        }
        self.undo(batch.clone()).await?;
        Ok(None)
    }
}

/// Whether the service may accept another article after this failure.
fn is_unclear(failure: &Failure) -> bool {
    matches!(failure.reject.code, ErrorCode::Timeout | ErrorCode::Broken)
}

pub(super) fn read_ask(line: &Line) -> Option<CallRequest> {
    serde_json::from_str(&line.request).ok()
}
