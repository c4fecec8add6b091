use serde_json::json;

use super::openai::OpenAi;
use super::*;

const KEY: [u8; 32] = [7; 32];

#[test]
fn a_custom_id_carries_the_key_and_belongs_to_one_batch() {
    let id = custom_id("9f3a0c1d-12", &KEY);
    assert!(id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')), "{id}");
    assert_eq!(key_of(&id, "9f3a0c1d-12"), Some(KEY));
    for other in ["9f3a0c1d-1", "9f3a0c1d-2", "00000000-12"] {
        assert_eq!(key_of(&id, other), None, "{other}");
    }
    assert_eq!(key_of("request-1", "9f3a0c1d-12"), None);
    assert_eq!(tag_of(&id).as_deref(), Some("9f3a0c1d-12"));
    for other in ["request-1", "dp", "", "dp9f3a0c1d-12-é"] {
        assert_eq!(tag_of(other), None, "{other}");
    }
    let dashes = custom_id("9f3a0c1d-12", &[0xfb; 32]);
    assert!(dashes.ends_with("---7") || dashes.contains("-_"), "{dashes}");
    assert_eq!(tag_of(&dashes).as_deref(), Some("9f3a0c1d-12"));
}

#[test]
fn a_line_is_one_json_object_and_one_line() {
    let body = json!({"messages": ["a\u{2028}b\nc\u{0}\u{feff}"]}).to_string();
    let line = OpenAi.line("dp1", body.as_bytes());
    assert!(!line.contains(&b'\n'));
    let value: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!((&value["custom_id"], &value["method"], &value["url"]), (&json!("dp1"), &json!("POST"), &json!("/v1/chat/completions")));
    assert_eq!(value["body"]["messages"][0], "a\u{2028}b\nc\u{0}\u{feff}");
}

#[test]
fn statuses_of_several_services_are_read() {
    let openai = json!({"id": "batch_1", "status": "in_progress", "input_file_id": "file-1", "output_file_id": null, "error_file_id": "",
        "expires_at": 1_790_086_400, "request_counts": {"total": 412, "completed": 37, "failed": 0}, "metadata": {"depeche": "9f-12"}, "errors": null});
    let status = OpenAi.read_status(openai.to_string().as_bytes()).unwrap();
    assert_eq!(status.progress, Progress::Running);
    assert_eq!((status.tag.as_deref(), status.input_file.as_deref(), status.error_file), (Some("9f-12"), Some("file-1"), None));
    assert_eq!((status.completed, status.total, status.expires_at.as_deref()), (Some(37), Some(412), Some("2026-09-22T14:13:20Z")));
    let azure =
        json!({"id": "b", "status": "Completed", "output_file_id": "f", "request_counts": null, "expires_at": "2026-11-30T22:00:00Z"});
    let status = OpenAi.read_status(azure.to_string().as_bytes()).unwrap();
    assert_eq!((status.progress, status.lacks_results(), status.total), (Progress::Ended, false, None));
    assert!(OpenAi.read_status(b"{\"object\":\"list\"}").is_err());
    assert!(OpenAi.read_status(b"Internal Server Error").is_err());
}

#[test]
fn files_that_are_promised_are_waited_for() {
    let status = |value: Value| OpenAi.read_status(value.to_string().as_bytes()).unwrap();
    let counts = json!({"total": 9, "completed": 3, "failed": 6});
    assert!(status(json!({"id": "b", "status": "completed", "error_file_id": "e", "request_counts": counts})).lacks_results());
    let all_failed = json!({"total": 9, "completed": 0, "failed": 9});
    assert!(!status(json!({"id": "b", "status": "completed", "error_file_id": "e", "request_counts": all_failed})).lacks_results());
    assert!(status(json!({"id": "b", "status": "completed"})).lacks_answers(), "the service does not say how many");
    let unread = json!({"total": 9, "completed": 0, "failed": 9});
    let unread = status(json!({"id": "b", "status": "completed", "request_counts": unread}));
    assert!(unread.lacks_results() && !unread.lacks_answers(), "nothing was billed");
    assert!(!status(json!({"id": "b", "status": "cancelled"})).lacks_results(), "it may have done nothing");
}

#[test]
fn result_lines_of_several_services_are_read() {
    let of = |value: Value| OpenAi.read_result(value.to_string().as_bytes()).unwrap().result;
    for body in [json!({"choices": []}), json!("{\"choices\":[]}")] {
        let LineResult::Answer(200, bytes) = of(json!({"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": null}))
        else {
            panic!("it is an answer")
        };
        assert_eq!(bytes, b"{\"choices\":[]}");
    }
    let refused = json!({"custom_id": "a", "response": {"status_code": 400, "body": {"error": {"message": "no"}}}, "error": null});
    assert!(matches!(of(refused), LineResult::Answer(400, _)));
    for (line, code) in [
        (json!({"custom_id": "a", "response": null, "error": {"code": "batch_expired", "message": "m"}}), "batch_expired"),
        (json!({"custom_id": "a", "error": {"type": "request_failed", "message": "m"}}), "request_failed"),
        (json!({"custom_id": "a", "error": {"message": "m"}}), "m"),
    ] {
        assert!(matches!(of(line), LineResult::NotDone(said) if said == code));
    }
    assert!(OpenAi.read_result(b"{\"custom_id\":\"a\",\"respo").is_none());
    assert!(OpenAi.read_result(b"{}").is_none());
}

#[test]
fn a_refused_batch_says_what_to_do() {
    let fault = |code: &str, message: &str, line| [BatchFault { code: code.into(), message: message.into(), line }];
    let full = "Enqueued token limit reached for gpt-5-mini in organization x. Limit: 2,000,000 enqueued tokens.";
    assert_eq!(refusal(&fault("token_limit_exceeded", full, None)), Refusal::QueueFull(Some(2_000_000)));
    assert_eq!(refusal(&fault("token_limit_exceeded", "", None)), Refusal::QueueFull(None));
    assert_eq!(refusal(&fault("invalid_request", "Cannot find file file-1", None)), Refusal::NoFile);
    assert_eq!(refusal(&fault("duplicate_custom_id", "x", Some(3))), Refusal::Wrong("duplicate_custom_id, line 3: x".into()));
}

#[test]
fn ids_stay_one_part_of_a_path() {
    assert_eq!(segment("file-AbC_1"), "file-AbC_1");
    assert_eq!(segment("../x?y"), "%2E%2E%2Fx%3Fy");
}

#[test]
fn the_file_is_between_head_and_tail() {
    let upload = OpenAi.upload(&Endpoint::sample("openai", "http://h/v1"), "9f-1");
    let head = String::from_utf8(upload.head).unwrap();
    assert!(head.contains("filename=\"depeche-9f-1.jsonl\"") && head.contains("\r\n\r\nbatch\r\n"), "{head}");
    assert!(upload.content_type.ends_with(files::BOUNDARY));
}
