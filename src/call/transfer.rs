//! Files to and from a service, in memory that does not grow with them: uploads are streamed from
//! disk, and results are read line by line.

use std::fs::File;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::http::{HttpClient, header_map, read_start};
use super::redact::Redactor;
use super::retry_after::retry_after;
use super::transport_error::transport_error;
use crate::dialect::batch::Upload;
use crate::dialect::{Request, Response};
use crate::model::{CallError, ErrorCode, Verdict};

/// A longer line of results is left out, because no answer may be longer.
const MAX_LINE: usize = 10 << 20;
/// How much of a file is in memory at once.
const PIECE: usize = 256 << 10;
/// An upload may take this long, and a second more for each 64 KiB.
const UPLOAD_TIME: Duration = Duration::from_mins(2);
const UPLOAD_RATE: u64 = 64 << 10;
/// How long a download may go without receiving data, and how long it may take in all.
const IDLE: Duration = Duration::from_mins(2);
const DOWNLOAD_TIME: Duration = Duration::from_hours(6);

/// A file between two other texts, as a request's body.
struct FileBody {
    head: Option<Vec<u8>>,
    file: Option<File>,
    tail: Option<Vec<u8>>,
    left: u64,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    /// Reads from the disk's cache, in small pieces, because the file was just written.
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        let piece = match self.head.take() {
            Some(head) => head,
            None => match self.read() {
                Ok(Some(piece)) => piece,
                Ok(None) => match self.tail.take() {
                    Some(tail) => tail,
                    None => return Poll::Ready(None),
                },
                Err(error) => return Poll::Ready(Some(Err(error))),
            },
        };
        self.left = self.left.saturating_sub(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl FileBody {
    fn read(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece)?;
        piece.truncate(read);
        if read == 0 {
            self.file = None;
            return Ok(None);
        }
        Ok(Some(piece))
    }
}

impl HttpClient {
    /// Uploads `file`, which has `size` bytes and is at its start.
    pub(super) async fn upload(&self, upload: Upload, file: File, size: u64) -> Result<Response, CallError> {
        let headers = header_map(&upload.request)?;
        let left = size + (upload.head.len() + upload.tail.len()) as u64;
        let body = FileBody { head: Some(upload.head), file: Some(file), tail: Some(upload.tail), left };
        let request = self.client.post(&upload.request.url).header("content-type", upload.content_type).headers(headers);
        let request = request.timeout(UPLOAD_TIME + Duration::from_secs(size / UPLOAD_RATE)).body(reqwest::Body::wrap(body));
        self.whole(request.send().await.map_err(|error| transport_error(&error))?).await
    }

    /// Sends a request that deletes something at the service.
    pub(super) async fn delete(&self, request: &Request) -> Result<Response, CallError> {
        let headers = header_map(request)?;
        let answer = self.client.delete(&request.url).headers(headers).send().await;
        self.whole(answer.map_err(|error| transport_error(&error))?).await
    }

    /// Begins to download lines; the response if there are none.
    pub(super) async fn download(&self, request: &Request) -> Result<Result<ResultLines, Response>, CallError> {
        let headers = header_map(request)?;
        let request = self.client.get(&request.url).headers(headers).timeout(DOWNLOAD_TIME);
        let answer =
            tokio::time::timeout(IDLE, request.send()).await.map_err(|_| stands_still())?.map_err(|error| transport_error(&error))?;
        if !answer.status().is_success() {
            return self.whole(answer).await.map(Err);
        }
        Ok(Ok(ResultLines { answer, redactor: self.redactor.clone(), buffer: Vec::new(), read: 0, ended: false, too_long: false }))
    }

    /// A short answer.
    async fn whole(&self, answer: reqwest::Response) -> Result<Response, CallError> {
        if answer.status().is_redirection() {
            return Err(self.redirect_error(&answer));
        }
        let status = answer.status().as_u16();
        let retry_after = retry_after(answer.headers(), !answer.status().is_success(), jiff::Timestamp::now());
        Ok(Response { status, retry_after, body: self.redactor.bytes(read_start(answer).await?) })
    }
}

fn stands_still() -> CallError {
    CallError::new(Verdict::BackOff, ErrorCode::Broken, "the download of results has stalled")
}

/// Lines of results, as they arrive.
pub(crate) struct ResultLines {
    answer: reqwest::Response,
    redactor: Redactor,
    buffer: Vec<u8>,
    /// How much of the buffer has no line feed.
    read: usize,
    ended: bool,
    /// Whether the current line is left out.
    too_long: bool,
}

impl ResultLines {
    /// The next line without its line feed; `None` at the end. The last one may be cut.
    ///
    /// # Errors
    /// If the download breaks off.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        loop {
            let end = self.buffer.get(self.read..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
            if let Some(end) = end {
                let rest = self.buffer.split_off(self.read + end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                self.read = 0;
                if std::mem::take(&mut self.too_long) {
                    continue;
                }
                return Ok(Some(self.redactor.bytes(line)));
            }
            self.read = self.buffer.len();
            if self.ended {
                let line = std::mem::take(&mut self.buffer);
                self.read = 0;
                let whole = !std::mem::take(&mut self.too_long) && !line.is_empty();
                return Ok(whole.then(|| self.redactor.bytes(line)));
            }
            if self.buffer.len() > MAX_LINE {
                (self.buffer, self.read, self.too_long) = (Vec::new(), 0, true);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), CallError> {
        match tokio::time::timeout(IDLE, self.answer.chunk()).await.map_err(|_| stands_still())?.map_err(|error| transport_error(&error))? {
            Some(chunk) => self.buffer.extend_from_slice(&chunk),
            None => self.ended = true,
        }
        Ok(())
    }
}
