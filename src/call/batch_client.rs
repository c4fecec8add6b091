//! The client's functions for batches: upload, create, list, cancel and download them, write their
//! lines, and read their answers. The pipeline decides when to call them.

use std::collections::HashSet;
use std::fs::File;

use super::endpoint_client::EndpointClient;
use super::transfer::ResultLines;
use crate::config::{Batch, Endpoint};
use crate::dialect::batch::{self, BatchApi, BatchFiles, BatchStatus, Creation, Page};
use crate::dialect::{Request, Response};
use crate::model::{Billing, CallError, CallRequest, ErrorCode, Exit, Failure, Reply, Usage, Verdict};
use crate::plan::{cost, expected_usage};

/// The most pages of a list that are read.
const MAX_PAGES: usize = 20;

/// A batch was not created, or may not have been created.
pub(crate) enum NotCreated {
    /// It was not created.
    Refused(CallError),
    /// The answer was lost: the batch may exist.
    Unknown(CallError),
}

/// A line of a batch, ready to be uploaded.
pub(crate) struct WrittenLine {
    /// The line, without a line feed.
    pub(crate) bytes: Vec<u8>,
    /// Tokens of its prompt, at most.
    pub(crate) tokens: u64,
    /// The most that it can cost; `None` if the price is unknown.
    pub(crate) cost: Option<f64>,
}

/// An unusable answer.
pub(crate) struct UnusableLine {
    /// Why.
    pub(crate) error: CallError,
    /// What it cost, if it was billed.
    pub(crate) cost: Option<f64>,
    /// Whether it was billed.
    pub(crate) billed: bool,
}

/// The calls of a batch, for the request that creates it.
pub(crate) enum Calls<'a> {
    /// The service has them in the file with this id.
    Uploaded(&'a str),
    /// They are in this file of this many bytes. The file is at its start.
    Inline(File, u64),
}

impl EndpointClient {
    /// The endpoint's settings for batches, or the defaults if it has none.
    pub(crate) fn batch_settings(&self) -> Batch {
        self.endpoint.batch.clone().unwrap_or_default()
    }

    /// The endpoint's batches on the wire.
    pub(crate) fn batch_api(&self) -> &'static dyn BatchApi {
        batch::api(self.endpoint.batch_form.unwrap_or_default())
    }

    /// The files on which its batches are created; `None` if they have their calls inline.
    pub(crate) fn batch_files(&self) -> Option<&'static dyn BatchFiles> {
        match self.batch_api().creation() {
            Creation::OnFile(files) => Some(files),
            Creation::Inline(_) => None,
        }
    }

    /// Uploads a file of calls for `files`; returns its id.
    pub(crate) async fn upload_batch(&self, files: &dyn BatchFiles, file: File, size: u64, tag: &str) -> Result<String, CallError> {
        let response = self.http.upload(files.upload(&self.endpoint, tag), file, size).await?;
        files.read_upload(&self.success(response)?.body)
    }

    /// Creates a batch. It is never repeated blindly.
    pub(crate) async fn create_batch(&self, calls: Calls<'_>, tag: &str) -> Result<BatchStatus, NotCreated> {
        let api = self.batch_api();
        let sent = match (api.creation(), calls) {
            (Creation::OnFile(files), Calls::Uploaded(file)) => {
                self.http.send(files.create(&self.endpoint, &self.batch_settings(), file, tag)).await
            }
            (Creation::Inline(upload), Calls::Inline(file, size)) => self.http.upload(upload(&self.endpoint), file, size).await,
            _ => Err(CallError::new(Verdict::Never, ErrorCode::Internal, "the form of the endpoint's batches has changed")),
        };
        let response = sent.map_err(|error| match error.code {
            // The request never arrived.
            ErrorCode::Away | ErrorCode::Tls | ErrorCode::KeyRefused | ErrorCode::Redirect | ErrorCode::Internal => {
                NotCreated::Refused(error)
            }
            _ => NotCreated::Unknown(error),
        })?;
        match response.status {
            200..300 => api.read_status(&response.body).map_err(NotCreated::Unknown),
            400..500 if response.status != 408 => Err(NotCreated::Refused(self.dialect.classify_error(&self.endpoint, &response))),
            _ => Err(NotCreated::Unknown(self.dialect.classify_error(&self.endpoint, &response))),
        }
    }

    /// The batch with this id.
    pub(crate) async fn batch_status(&self, id: &str) -> Result<BatchStatus, CallError> {
        let response = self.http.send(self.batch_api().status(&self.endpoint, id)).await?;
        self.batch_api().read_status(&self.success(response)?.body)
    }

    /// The batches of the account that the service lists.
    pub(crate) async fn list_batches(&self) -> Result<Vec<BatchStatus>, CallError> {
        let api = self.batch_api();
        self.pages(|cursor| api.list(&self.endpoint, cursor), |cursor, body| api.read_list(cursor, body)).await
    }

    /// The files of calls of the account, among `files`: ids and names.
    pub(crate) async fn list_batch_files(&self, files: &dyn BatchFiles) -> Result<Vec<(String, String)>, CallError> {
        self.pages(|cursor| files.list(&self.endpoint, cursor), |cursor, body| files.read_list(cursor, body)).await
    }

    async fn pages<T>(
        &self,
        request: impl Fn(Option<&str>) -> Request,
        read: impl Fn(Option<&str>, &[u8]) -> Result<Page<T>, CallError>,
    ) -> Result<Vec<T>, CallError> {
        let (mut items, mut seen, mut cursor) = (Vec::new(), HashSet::new(), None);
        for _ in 0..MAX_PAGES {
            let response = self.http.send(request(cursor.as_deref())).await?;
            let page = read(cursor.as_deref(), &self.success(response)?.body)?;
            items.extend(page.items);
            match page.next {
                // Some servers ignore the cursor and send the first page again.
                Some(next) if seen.insert(next.clone()) => cursor = Some(next),
                _ => break,
            }
        }
        Ok(items)
    }

    /// Asks the service to cancel a batch. Most services refuse it for one that has ended.
    pub(crate) async fn cancel_batch(&self, id: &str) -> Result<(), CallError> {
        let response = self.http.send(self.batch_api().cancel(&self.endpoint, id)).await?;
        self.success(response).map(drop)
    }

    /// The lines of a file of results.
    pub(crate) async fn batch_results(&self, file: &str) -> Result<ResultLines, CallError> {
        match self.http.download(&self.batch_api().content(&self.endpoint, file)).await? {
            Ok(lines) => Ok(lines),
            Err(refused) => Err(self.dialect.classify_error(&self.endpoint, &refused)),
        }
    }

    /// Our tag of a batch, from the first line of its results; `None` if the batch is not ours.
    pub(crate) async fn tag_in_results(&self, file: &str) -> Result<Option<String>, CallError> {
        let line = self.batch_results(file).await?.next().await?;
        Ok(line.and_then(|line| batch::tag_of(&batch::custom_id_in(&line)?)))
    }

    /// Deletes a file at the service.
    pub(crate) async fn delete_file(&self, file: &str) -> Result<(), CallError> {
        let response = self.http.delete(&self.batch_api().file(&self.endpoint, file)).await?;
        self.success(response).map(drop)
    }

    /// Writes the line for a call; `longer`: its answer may be twice as long as usual.
    pub(crate) fn write_line(&self, custom_id: &str, ask: &CallRequest, longer: bool) -> Result<WrittenLine, CallError> {
        let endpoint = self.endpoint_of_lines();
        let request = self.dialect.request(&endpoint, ask, longer)?;
        let most = Usage { discounted: true, ..self.dialect.most_usage(&endpoint, ask, longer) };
        let body = request.body.map(|body| body.bytes).unwrap_or_default();
        Ok(WrittenLine {
            bytes: self.batch_api().line(custom_id, &body),
            tokens: most.tokens_in.unwrap_or_default(),
            cost: cost(&endpoint, ask, most),
        })
    }

    /// Reads the answer to a line, as strictly as any other. Returns the reply and its cost.
    pub(crate) fn read_line(&self, ask: &CallRequest, status: u16, body: Vec<u8>) -> Result<(Reply, Option<f64>), Box<UnusableLine>> {
        let endpoint = self.endpoint_of_lines();
        let response = Response::new(status, body);
        // At OpenAI, lines name `default` as their tier, but they cost half anyway.
        let is_discounted = !self.batch_api().is_full_price(&response.body);
        if !is_discounted {
            self.warn_of_batch_price();
        }
        let discounted = |usage: Usage| Usage { discounted: is_discounted, ..usage };
        match self.read(&endpoint, ask, &expected_usage(ask), &response) {
            Ok(reply) => {
                let reply = Reply { usage: discounted(reply.usage), ..reply };
                let cost = cost(&endpoint, ask, reply.usage);
                Ok((reply, cost))
            }
            Err(error) => {
                let error = CallError { message: self.http.redact(&error.message), ..error };
                let billed = error.usage.is_counted() || error.code.billing() == Billing::Unusable;
                let cost = if billed { cost(&endpoint, ask, discounted(error.usage)) } else { None };
                Err(Box::new(UnusableLine { error, cost, billed }))
            }
        }
    }

    /// Disables the endpoint for the rest of this run, because the service would refuse every such
    /// call.
    pub(crate) fn stop_for(&self, failure: &Failure) {
        self.disable(Failure { exit: Exit::EndpointStop, ..failure.clone() });
    }

    fn endpoint_of_lines(&self) -> Endpoint {
        batch::endpoint_of_lines(&self.negotiated.current(), &self.batch_settings())
    }

    /// The response, or an error if it is not a success.
    fn success(&self, response: Response) -> Result<Response, CallError> {
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        let error = self.dialect.classify_error(&self.endpoint, &response);
        // A gateway that has no batches says so by the status alone.
        let missing = matches!(response.status, 404 | 405 | 501);
        Err(if missing { CallError { verdict: Verdict::Never, code: ErrorCode::NotFound, ..error } } else { error })
    }
}
