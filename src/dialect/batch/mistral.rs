//! Mistral's batches: jobs on an uploaded file of calls
//! (<https://docs.mistral.ai/api/#tag/batch>).

use serde_json::{Value, json};

use super::files::{self, CALLS, get, id_and_name, post};
use super::{
    BatchApi, BatchFiles, BatchLimits, BatchStatus, Creation, Page, Progress, Request, ResultLine, TAG, number, segment, text, time,
};
use crate::config::{Batch, Endpoint};
use crate::model::CallError;

/// Items of a page of a list.
const PAGE: usize = 100;
/// The time limit of a job, if the config names none that can be read.
const HOURS: u64 = 24;

pub(super) struct Mistral;

impl BatchApi for Mistral {
    /// The service allows a million lines; smaller batches end sooner.
    fn limits(&self) -> BatchLimits {
        BatchLimits { lines: 100_000, bytes: 95 << 20 }
    }

    fn creation(&self) -> Creation {
        Creation::OnFile(&Self)
    }

    fn line(&self, custom_id: &str, body: &[u8]) -> Vec<u8> {
        [format!("{{\"custom_id\":\"{custom_id}\",\"body\":").as_bytes(), body, b"}"].concat()
    }

    fn status(&self, endpoint: &Endpoint, id: &str) -> Request {
        get(endpoint, &format!("/batch/jobs/{}", segment(id)))
    }

    fn list(&self, endpoint: &Endpoint, cursor: Option<&str>) -> Request {
        get(endpoint, &format!("/batch/jobs?order_by=-created&page_size={PAGE}&page={}", page(cursor)))
    }

    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Request {
        post(endpoint, &format!("/batch/jobs/{}/cancel", segment(id)), &json!({}))
    }

    fn content(&self, endpoint: &Endpoint, file: &str) -> Request {
        files::content(endpoint, file)
    }

    fn file(&self, endpoint: &Endpoint, file: &str) -> Request {
        files::file(endpoint, file)
    }

    fn read_batch(&self, value: &Value) -> Option<BatchStatus> {
        let said = text(&value["status"])?.to_lowercase();
        let (output_file, error_file) = (file_id(&value["output_file"]), file_id(&value["error_file"]));
        Some(BatchStatus {
            id: text(&value["id"])?,
            progress: match said.as_str() {
                "failed" if output_file.is_none() && error_file.is_none() => Progress::Refused,
                "success" | "failed" | "timeout_exceeded" | "cancelled" => Progress::Ended,
                _ => Progress::Running,
            },
            said,
            tag: text(&value["metadata"][TAG]),
            input_file: text(&value["input_files"][0]),
            output_file,
            error_file,
            completed: number(&value["succeeded_requests"]),
            failed: number(&value["failed_requests"]),
            total: number(&value["total_requests"]),
            created_at: time(&value["created_at"]),
            expires_at: None,
            errors: files::faults(value.get("errors")),
        })
    }

    fn read_list(&self, cursor: Option<&str>, body: &[u8]) -> Result<Page<BatchStatus>, CallError> {
        files::list(body, "batch jobs", |item| self.read_batch(item), |list, items| next(cursor, list, items))
    }

    fn read_result(&self, line: &[u8]) -> Option<ResultLine> {
        files::read_result(line)
    }
}

impl BatchFiles for Mistral {
    fn create(&self, endpoint: &Endpoint, batch: &Batch, file: &str, tag: &str) -> Request {
        let model = batch.model.as_ref().or(endpoint.model.as_ref());
        let body = json!({"input_files": [file], "endpoint": CALLS, "model": model, "timeout_hours": hours(&batch.window),
            "metadata": files::metadata(tag)});
        post(endpoint, "/batch/jobs", &body)
    }

    fn list(&self, endpoint: &Endpoint, cursor: Option<&str>) -> Request {
        get(endpoint, &format!("/files?purpose=batch&page_size={PAGE}&page={}", page(cursor)))
    }

    fn read_list(&self, cursor: Option<&str>, body: &[u8]) -> Result<Page<(String, String)>, CallError> {
        files::list(body, "files", id_and_name, |list, items| next(cursor, list, items))
    }
}

/// The id of a file; some servers describe the whole file.
fn file_id(value: &Value) -> Option<String> {
    text(value).or_else(|| text(&value["id"]))
}

/// The number of a page; the first one is 0.
fn page(cursor: Option<&str>) -> usize {
    cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0)
}

/// The page after this one. `items`: how many items this page has.
fn next(cursor: Option<&str>, list: &Value, items: usize) -> Option<String> {
    let next = page(cursor) + 1;
    let is_last = number(&list["total"]).is_none_or(|total| total <= (next * PAGE) as u64);
    (items > 0 && !is_last).then(|| next.to_string())
}

/// "24h" or "7d" in hours.
fn hours(window: &str) -> u64 {
    let days = window.strip_suffix('d').and_then(|days| days.trim().parse::<u64>().ok()).map(|days| days.saturating_mul(24));
    let hours = || window.strip_suffix('h').unwrap_or(window).trim().parse().ok();
    days.or_else(hours).unwrap_or(HOURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_read_as_hours() {
        assert_eq!(["24h", "7d", "48", "soon"].map(hours), [24, 168, 48, 24]);
    }

    #[test]
    fn pages_are_read_until_the_last_one() {
        let list = |total: u64| json!({"data": [], "total": total});
        assert_eq!(next(None, &list(101), 100).as_deref(), Some("1"));
        assert_eq!(next(Some("1"), &list(201), 100).as_deref(), Some("2"));
        assert_eq!(next(Some("1"), &list(200), 100), None);
        assert_eq!(next(None, &list(900), 0), None, "a server that counts what it does not list");
    }

    #[test]
    fn statuses_and_jobs_have_mistrals_names() {
        let job = |status: &str, output: Option<&str>| {
            let value = json!({"id": "j-1", "status": status, "input_files": ["f-1"], "output_file": output, "error_file": null,
                "total_requests": 9, "succeeded_requests": 7, "failed_requests": 0, "created_at": 1_790_000_000,
                "metadata": {"depeche": "9f-1"}, "errors": [{"message": "bad line", "count": 2}]});
            Mistral.read_batch(&value).unwrap()
        };
        assert_eq!(job("RUNNING", None).progress, Progress::Running);
        assert_eq!(job("CANCELLATION_REQUESTED", None).progress, Progress::Running);
        for ended in ["SUCCESS", "TIMEOUT_EXCEEDED", "CANCELLED", "FAILED"] {
            assert_eq!(job(ended, Some("f-2")).progress, Progress::Ended, "{ended}");
        }
        assert!(job("SUCCESS", None).lacks_results());
        let failed = job("FAILED", None);
        assert_eq!((failed.progress, failed.errors[0].message.as_str()), (Progress::Refused, "bad line"));
        assert_eq!((failed.tag.as_deref(), failed.input_file.as_deref(), failed.completed), (Some("9f-1"), Some("f-1"), Some(7)));
        let endpoint = Endpoint { model: Some("m".into()), ..Endpoint::sample("openai", "http://h/v1") };
        let request = Mistral.create(&endpoint, &Batch::default(), "f-1", "9f-1");
        let body: Value = serde_json::from_slice(&request.body.unwrap().bytes).unwrap();
        let wanted = json!({"input_files": ["f-1"], "endpoint": "/v1/chat/completions", "model": "m", "timeout_hours": 24,
            "metadata": {"depeche": "9f-1"}});
        assert_eq!((request.url.as_str(), body), ("http://h/v1/batch/jobs", wanted));
    }
}
