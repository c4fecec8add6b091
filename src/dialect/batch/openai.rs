//! `OpenAI`'s batches, which Azure, Groq, `LiteLLM`, OGX and others also offer: a file of calls is
//! uploaded, a batch is created on it, and its answers are files too
//! (<https://platform.openai.com/docs/api-reference/batch>).

use serde_json::{Value, json};

use super::files::{self, CALLS, get, id_and_name, post};
use super::{
    BatchApi, BatchFiles, BatchLimits, BatchStatus, Creation, Page, Progress, Request, ResultLine, TAG, number, segment, text, time,
};
use crate::config::{Batch, Endpoint};
use crate::model::CallError;

pub(super) struct OpenAi;

impl BatchApi for OpenAi {
    /// The services allow 200 MB; Groq's reference says 100.
    fn limits(&self) -> BatchLimits {
        BatchLimits { lines: 50_000, bytes: 95 << 20 }
    }

    fn creation(&self) -> Creation {
        Creation::OnFile(&Self)
    }

    fn line(&self, custom_id: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("{{\"custom_id\":\"{custom_id}\",\"method\":\"POST\",\"url\":\"{CALLS}\",\"body\":");
        [head.as_bytes(), body, b"}"].concat()
    }

    fn status(&self, endpoint: &Endpoint, id: &str) -> Request {
        get(endpoint, &format!("/batches/{}", segment(id)))
    }

    fn list(&self, endpoint: &Endpoint, cursor: Option<&str>) -> Request {
        get(endpoint, &format!("/batches?limit=100{}", after(cursor)))
    }

    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Request {
        post(endpoint, &format!("/batches/{}/cancel", segment(id)), &json!({}))
    }

    fn content(&self, endpoint: &Endpoint, file: &str) -> Request {
        files::content(endpoint, file)
    }

    fn file(&self, endpoint: &Endpoint, file: &str) -> Request {
        files::file(endpoint, file)
    }

    fn read_batch(&self, value: &Value) -> Option<BatchStatus> {
        let count = |name: &str| number(&value["request_counts"][name]);
        let said = text(&value["status"])?.to_lowercase();
        let (output_file, error_file) = (text(&value["output_file_id"]), text(&value["error_file_id"]));
        Some(BatchStatus {
            id: text(&value["id"])?,
            progress: match said.as_str() {
                "failed" if output_file.is_none() && error_file.is_none() => Progress::Refused,
                "completed" | "expired" | "cancelled" | "canceled" | "failed" => Progress::Ended,
                _ => Progress::Running,
            },
            said,
            tag: text(&value["metadata"][TAG]),
            input_file: text(&value["input_file_id"]),
            output_file,
            error_file,
            completed: count("completed"),
            failed: count("failed"),
            total: count("total"),
            created_at: time(&value["created_at"]),
            expires_at: time(&value["expires_at"]),
            errors: files::faults(value.pointer("/errors/data")),
        })
    }

    fn read_list(&self, _: Option<&str>, body: &[u8]) -> Result<Page<BatchStatus>, CallError> {
        files::list(body, "batches", |item| self.read_batch(item), next)
    }

    fn read_result(&self, line: &[u8]) -> Option<ResultLine> {
        files::read_result(line)
    }
}

impl BatchFiles for OpenAi {
    fn create(&self, endpoint: &Endpoint, batch: &Batch, file: &str, tag: &str) -> Request {
        let body = json!({"input_file_id": file, "endpoint": CALLS, "completion_window": batch.window, "metadata": files::metadata(tag)});
        post(endpoint, "/batches", &body)
    }

    fn list(&self, endpoint: &Endpoint, cursor: Option<&str>) -> Request {
        get(endpoint, &format!("/files?purpose=batch&limit=100{}", after(cursor)))
    }

    fn read_list(&self, _: Option<&str>, body: &[u8]) -> Result<Page<(String, String)>, CallError> {
        files::list(body, "files", id_and_name, next)
    }
}

fn after(cursor: Option<&str>) -> String {
    cursor.map_or_else(String::new, |cursor| format!("&after={}", segment(cursor)))
}

/// The cursor of a list's next page: the id of its last item.
fn next(list: &Value, _: usize) -> Option<String> {
    let of_last_item = || text(&list["data"].as_array()?.last()?["id"]);
    text(&list["last_id"]).or_else(of_last_item).filter(|_| list["has_more"] == true)
}
