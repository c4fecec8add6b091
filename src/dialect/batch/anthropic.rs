//! Anthropic's Message Batches (<https://docs.anthropic.com/en/api/creating-message-batches>). The
//! calls are in the request that creates the batch. The batch has no tag of ours: only the names of
//! its calls, once it has ended, show whether it is ours.

use serde_json::{Value, json};

use super::super::anthropic::{headers, status_of};
use super::files;
use super::{
    BatchApi, BatchLimits, BatchStatus, Creation, LineResult, Page, Progress, Request, ResultLine, Upload, number, segment, text, time,
};
use crate::config::Endpoint;
use crate::model::CallError;

/// The names of the service's counts of calls.
const COUNTS: &[&str] = &["processing", "succeeded", "errored", "canceled", "expired"];

pub(super) struct Anthropic;

impl BatchApi for Anthropic {
    /// The service allows 256 MB.
    fn limits(&self) -> BatchLimits {
        BatchLimits { lines: 100_000, bytes: 230 << 20 }
    }

    fn creation(&self) -> Creation {
        Creation::Inline(create)
    }

    fn line(&self, custom_id: &str, body: &[u8]) -> Vec<u8> {
        [format!("{{\"custom_id\":\"{custom_id}\",\"params\":").as_bytes(), body, b"}"].concat()
    }

    fn status(&self, endpoint: &Endpoint, id: &str) -> Request {
        get(endpoint, &format!("/{}", segment(id)))
    }

    fn list(&self, endpoint: &Endpoint, cursor: Option<&str>) -> Request {
        let after = cursor.map_or_else(String::new, |cursor| format!("&after_id={}", segment(cursor)));
        get(endpoint, &format!("?limit=1000{after}"))
    }

    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Request {
        Request::json(url(endpoint, &format!("/{}/cancel", segment(id))), headers(endpoint), &json!({}))
    }

    /// The answers of the batch with this id. The URL that the service names for them is not used: it
    /// could lead elsewhere.
    fn content(&self, endpoint: &Endpoint, file: &str) -> Request {
        get(endpoint, &format!("/{}/results", segment(file)))
    }

    /// The batch itself, with its answers.
    fn file(&self, endpoint: &Endpoint, file: &str) -> Request {
        get(endpoint, &format!("/{}", segment(file)))
    }

    fn read_batch(&self, value: &Value) -> Option<BatchStatus> {
        let id = text(&value["id"])?;
        let said = text(&value["processing_status"])?.to_lowercase();
        let has_ended = said == "ended";
        let count = |name: &str| number(&value["request_counts"][name]);
        // Until the batch has ended, the service counts only the calls in `processing`.
        let done = |name: &str| count(name).filter(|_| has_ended);
        Some(BatchStatus {
            progress: if has_ended { Progress::Ended } else { Progress::Running },
            said,
            output_file: has_ended.then(|| id.clone()),
            completed: done("succeeded"),
            total: COUNTS.iter().filter_map(|name| count(name)).reduce(u64::saturating_add),
            created_at: time(&value["created_at"]),
            expires_at: time(&value["expires_at"]),
            id,
            ..BatchStatus::default()
        })
    }

    fn read_list(&self, _: Option<&str>, body: &[u8]) -> Result<Page<BatchStatus>, CallError> {
        let next = |list: &Value, _| text(&list["last_id"]).filter(|_| list["has_more"] == true);
        files::list(body, "batches", |item| self.read_batch(item), next)
    }

    /// Every call has a result. The result of a refused call has the error with which the service
    /// would have answered an ordinary call.
    fn read_result(&self, line: &[u8]) -> Option<ResultLine> {
        let value = super::json(line).ok()?;
        let custom_id = text(&value["custom_id"])?;
        let result = &value["result"];
        let result = match result["type"].as_str()? {
            "succeeded" => LineResult::Answer(200, result["message"].to_string().into_bytes()),
            "errored" => LineResult::Answer(status_of(&result["error"]), result["error"].to_string().into_bytes()),
            other => LineResult::NotDone(other.to_owned()),
        };
        Some(ResultLine { custom_id, result })
    }

    fn is_full_price(&self, answer: &[u8]) -> bool {
        let tier = super::json(answer).ok().and_then(|answer| text(&answer["usage"]["service_tier"]));
        tier.is_some_and(|tier| tier != "batch")
    }
}

/// The calls are the elements of an array.
fn create(endpoint: &Endpoint) -> Upload {
    Upload { request: get(endpoint, ""), content_type: "application/json".into(), head: b"{\"requests\":[".to_vec(), tail: b"]}".to_vec() }
}

fn get(endpoint: &Endpoint, path: &str) -> Request {
    Request::get(url(endpoint, path), headers(endpoint))
}

fn url(endpoint: &Endpoint, path: &str) -> String {
    format!("{}/messages/batches{path}", endpoint.url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_counts_only_once_it_has_ended() {
        let batch = |status: &str, counts: [u64; 5]| {
            let counts: serde_json::Map<String, Value> =
                COUNTS.iter().zip(counts).map(|(name, count)| ((*name).to_owned(), count.into())).collect();
            let value = json!({"id": "msgbatch_1", "type": "message_batch", "processing_status": status, "request_counts": counts,
                "created_at": "2026-11-29T22:04:11.7+00:00", "expires_at": "2026-11-30T22:04:11.7+00:00", "results_url": "https://evil.example/x"});
            Anthropic.read_batch(&value).unwrap()
        };
        let running = batch("in_progress", [412, 0, 0, 0, 0]);
        assert_eq!((running.progress, running.completed, running.total, running.output_file), (Progress::Running, None, Some(412), None));
        assert_eq!(running.created_at.as_deref(), Some("2026-11-29T22:04:11Z"));
        assert_eq!(batch("canceling", [412, 0, 0, 0, 0]).progress, Progress::Running);
        let ended = batch("ended", [0, 400, 2, 4, 6]);
        assert_eq!((ended.progress, ended.completed, ended.total), (Progress::Ended, Some(400), Some(412)));
        assert!(!ended.lacks_results());
        let endpoint = Endpoint::sample("anthropic", "https://api.anthropic.com/v1");
        let results = Anthropic.content(&endpoint, &ended.output_file.unwrap()).url;
        assert_eq!(results, "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results", "not where the service says");
    }

    #[test]
    fn results_are_answers_refusals_or_nothing() {
        let of = |result: Value| Anthropic.read_result(json!({"custom_id": "a", "result": result}).to_string().as_bytes()).unwrap().result;
        let LineResult::Answer(200, body) = of(json!({"type": "succeeded", "message": {"usage": {"service_tier": "batch"}}})) else {
            panic!("it is an answer")
        };
        assert!(!Anthropic.is_full_price(&body) && Anthropic.is_full_price(b"{\"usage\":{\"service_tier\":\"standard\"}}"));
        assert!(!Anthropic.is_full_price(b"{}"), "a gateway that does not say");
        for (kind, status) in [("invalid_request_error", 400), ("api_error", 500), ("overloaded_error", 529)] {
            let error = json!({"type": "error", "error": {"type": kind, "message": "m"}, "request_id": "r"});
            assert!(matches!(of(json!({"type": "errored", "error": error})), LineResult::Answer(said, _) if said == status));
        }
        for end in ["canceled", "expired"] {
            assert!(matches!(of(json!({"type": end})), LineResult::NotDone(said) if said == end));
        }
        assert!(Anthropic.read_result(b"{\"custom_id\":\"a\",\"result\":{\"ty").is_none());
    }

    #[test]
    fn the_calls_are_an_array_in_one_request() {
        let upload = create(&Endpoint::sample("anthropic", "http://h/v1"));
        let lines = [Anthropic.line("a", b"{\"model\":\"m\"}"), Anthropic.line("b", b"{}")].join(&b",\n"[..]);
        let body: Value = serde_json::from_slice(&[upload.head, lines, upload.tail].concat()).unwrap();
        assert_eq!(body, json!({"requests": [{"custom_id": "a", "params": {"model": "m"}}, {"custom_id": "b", "params": {}}]}));
    }
}
