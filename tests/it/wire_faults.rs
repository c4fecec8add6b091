//! Malformed answers: cut, endless, slow, invalid HTTP, invalid JSON. No panic, no partial answer, no flood of retries.

use serde_json::json;

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;
use crate::support::wire::{answer, completion};

fn dir(mock: &Mock) -> TestDir {
    TestDir::with(&openai(mock).replace("concurrency = 4", "concurrency = 1"), 1)
}

/// A service that does this to the first request and answers the others normally.
fn first(action: impl Fn(&Request) -> Action + Send + Sync + 'static) -> Mock {
    Mock::scripted(move |request, number| if number == 0 { action(request) } else { Action::normal(request) })
}

fn error(dir: &TestDir) -> String {
    dir.row("input/001.txt")["error"].clone()
}

#[test]
fn an_endlessly_slow_answer_ends_at_the_timeout() {
    let mock = Mock::scripted(|_, _| Action::Drip(Response { body: vec![b' '; 700 << 10], ..Response::new(200, "") }));
    let dir = TestDir::with(&openai(&mock).replace("timeout = \"100s\"", "timeout = \"300ms\""), 1);
    // Long enough that an answer of 700 KiB is still read.
    dir.write("input/001.txt", format!("{}\n\n{}", french(1), french(2).repeat(20)));
    dir.run(&["run"]).exits(3);
    assert!(error(&dir).starts_with("timeout: "), "{}", error(&dir));
    assert_eq!(mock.count(), 2);
}

#[test]
fn a_cut_chunked_answer_is_an_error() {
    let cut = |request: &Request| {
        let body = answer(request).body;
        let half = body.len() / 2;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{half:x}\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(&body[..half]);
        bytes.extend(b"\r\n");
        Action::Raw(bytes)
    };
    let mock = first(cut);
    let dir = dir(&mock);
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!((mock.count(), &ended.summary()["maybe_billed"]), (3, &json!(1)));
}

#[test]
fn bad_chunks_and_endless_headers_fail_only_their_call() {
    let bad_chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}".to_vec();
    let long_header = format!("HTTP/1.1 200 OK\r\nx-long: {}\r\ncontent-length: 2\r\n\r\n{{}}", "a".repeat(1 << 20)).into_bytes();
    let many = format!("HTTP/1.1 200 OK\r\n{}content-length: 2\r\n\r\n{{}}", "x-many: a\r\n".repeat(10_000)).into_bytes();
    for bytes in [bad_chunk, long_header, many] {
        let mock = Mock::scripted(move |_, _| Action::Raw(bytes.clone()));
        let dir = dir(&mock);
        dir.run(&["run"]).exits(3);
        assert!(error(&dir).starts_with("broken: "), "{}", error(&dir));
        assert_eq!(mock.count(), 2);
    }
}

#[test]
fn status_204_is_an_error_and_a_wrong_content_type_is_not() {
    let nothing = Mock::scripted(|_, _| Action::status(204, ""));
    let empty = dir(&nothing);
    empty.run(&["run"]).exits(3);
    assert_eq!((error(&empty).starts_with("protocol: "), nothing.count()), (true, 2), "{}", error(&empty));
    let html = Mock::scripted(|request, _| {
        let Response { status, body, .. } = answer(request);
        Action::Answer(Response::new(status, body).with("content-type", "text/html"))
    });
    dir(&html).run(&["run"]).exits(0);
    assert_eq!(html.count(), 2);
}

#[test]
fn closing_the_connection_after_each_answer_repeats_no_calls() {
    let mock = Mock::scripted(|request, _| Action::Last(answer(request)));
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 1"), 30);
    dir.run(&["run"]);
    // A call on a closing connection cannot know whether it was read. It is retried once at most, and counted.
    let well = |row: &crate::support::test_dir::Row| row["status"] == "done" || row["error"].starts_with("broken: ");
    assert!(dir.rows().iter().all(well), "{:?}", dir.rows());
    assert_eq!(mock.count(), mock.distinct_billable().len(), "no call was answered twice");
}

#[test]
fn requests_do_not_ask_for_streaming() {
    for dialect in ["openai", "anthropic", "ollama"] {
        let mock = Mock::good();
        let dir = TestDir::with(&crate::support::configs::service(&mock, dialect, ""), 1);
        dir.run(&["run"]).exits(0);
        assert!(mock.requests().iter().all(|request| request.json()["stream"] != json!(true)), "{dialect}");
        let streaming = Mock::scripted(|_, _| Action::status(200, "data: {\"choices\":[{\"delta\":{\"content\":\"La\"}}]}\n\n"));
        let dir = TestDir::with(&crate::support::configs::service(&streaming, dialect, ""), 1);
        dir.run(&["run"]).exits(3);
        assert!(error(&dir).starts_with("protocol: "), "{dialect}: {}", error(&dir));
    }
}

#[test]
fn odd_json_never_panics() {
    let choice = |content: &str| format!(r#"{{"choices":[{{"message":{{"content":{content}}},"finish_reason":"stop"}}]}}"#).into_bytes();
    let mut invalid = choice(r#""La digue X tenu.""#);
    let at = invalid.iter().position(|byte| *byte == b'X').unwrap();
    invalid[at] = 0xff;
    let bom = [b"\xef\xbb\xbf".to_vec(), choice(r#""La digue a tenu.""#)].concat();
    let twice = br#"{"choices":[],"choices":[{"message":{"content":"no","content":"La digue a tenu."},"finish_reason":"stop"}]}"#.to_vec();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    for (what, body, row) in [
        ("a byte order mark", bom, "La digue a tenu."),
        ("half a character", choice(r#""La digue \ud800 tenu.""#), "La digue \u{fffd} tenu."),
        ("NUL and escapes", choice(r#""La\u0000 digue\u001b[31m a tenu.""#), "La digue[31m a tenu."),
        ("no UTF-8", invalid, "La digue \u{fffd} tenu."),
        ("keys twice", twice, "La digue a tenu."),
        ("100,000 lists", deep, ""),
    ] {
        let mock = Mock::scripted(move |request, _| {
            let summary = request.text().contains("summarise");
            if summary { Action::Answer(Response::new(200, body.clone())) } else { Action::normal(request) }
        });
        let dir = dir(&mock);
        dir.run(&["run"]).exits(if row.is_empty() { 3 } else { 0 });
        assert_eq!(dir.row("input/001.txt")["summary_fr"], row, "{what}: {}", error(&dir));
        assert!(!dir.table().contains(&0), "{what}");
    }
}

#[test]
fn a_service_that_starts_late_is_waited_for() {
    // Reserve a port that stays free until the service starts.
    let late = Mock::good();
    let config = openai(&late).replace("concurrency = 4", "concurrency = 1");
    let address = late.url();
    drop(late);
    let dir = TestDir::with(&config, 1);
    let mut run = dir.start(&["run", "-vv", "--wait-for", "60s"]);
    // More often than a call may fail while another endpoint can do it.
    for _ in 0..4 {
        run.wait_for_line("attempt failed");
    }
    let _late = Mock::at(address.strip_prefix("http://").unwrap());
    run.wait().exits(0);
    assert_eq!(dir.row("input/001.txt")["status"], "done");
}

#[test]
fn redirects_to_itself_or_to_a_file_are_not_followed() {
    for to in ["file:///proc/self/environ", "/v1/chat/completions", "//other.invalid/", ""] {
        let mock = Mock::scripted(move |_, _| Action::Answer(Response::new(307, "").with("location", to)));
        let dir = dir(&mock);
        dir.run(&["run"]).exits(4);
        assert!(error(&dir).starts_with("redirect: ") && error(&dir).contains(to), "{}", error(&dir));
        assert_eq!(mock.count(), 1, "{to}");
    }
}

#[test]
fn an_unresolvable_host_is_reported() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock).replace("127.0.0.1", "no-such-host.invalid"), 3);
    dir.run(&["run", "--wait-for", "1s"]).exits(5);
    assert!(error(&dir).starts_with("away: endpoint `llm`: cannot resolve the host name"), "{}", error(&dir));
    assert_eq!(mock.count(), 0);
}

#[test]
fn missing_or_absurd_usage_costs_the_estimate() {
    for usage in [
        json!(null),
        json!({}),
        json!({"prompt_tokens": -5, "completion_tokens": "many"}),
        json!({"prompt_tokens": 1e300}),
        json!({"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX}),
    ] {
        let mock = Mock::scripted(move |request, _| {
            let mut body = completion("x").value();
            body["choices"] = answer(request).value()["choices"].clone();
            body["usage"] = usage.clone();
            Action::Answer(Response::json(&body))
        });
        let dir = TestDir::with(
            &openai(&mock).replace("concurrency = 4", "tokens_per_minute = 1000000\nprice = { tokens_in = 1.0, tokens_out = 1.0 }"),
            1,
        );
        let ended = dir.run(&["run"]).exits(0);
        let summary = ended.summary();
        let cost = summary["cost"].as_f64().unwrap();
        assert!(cost > 0.0 && cost < 0.01 && summary["estimated"] == json!(2), "{summary}");
        assert!(ended.stdout.contains("2 answers without usage, estimated"), "{}", ended.stdout);
    }
}

#[test]
fn an_answer_by_another_model_is_logged() {
    let mock = Mock::scripted(|request, _| {
        let mut body = answer(request).value();
        body["model"] = "mock-cheap".into();
        Action::Answer(Response::json(&body))
    });
    let ended = dir(&mock).run(&["run", "-vv"]).exits(0);
    assert!(ended.stderr.contains("requested the model `mock-1`, but `mock-cheap` answered"), "{}", ended.stderr);
}

/// The program's peak memory in megabytes when it sends its ping, at the end of the run.
#[test]
fn many_huge_answers_at_once_take_little_memory() {
    const LENGTH: usize = 9 << 20;
    let mock = Mock::scripted(|_, number| {
        let body = vec![b' '; LENGTH];
        if number.is_multiple_of(2) {
            return Action::Answer(Response { body, ..Response::new(200, "") });
        }
        // Without a declared length, so that only reading shows the size.
        Action::Raw([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), body].concat())
    });
    let watcher = Mock::good();
    watcher.hold();
    let config = openai(&mock).replace("concurrency = 4", "concurrency = 64") + &format!("\n[run]\nping = \"{}/ping\"\n", watcher.url());
    let dir = TestDir::with(&config, 64);
    let running = dir.start(&["run"]);
    watcher.wait_for_requests(1);
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    watcher.release();
    running.wait().exits(3);
    assert!(error(&dir).starts_with("huge-answer: "), "{}", error(&dir));
    assert_eq!(mock.count(), 64, "none is asked again");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok()).unwrap();
    assert!(peak < 200 << 10, "{peak} KiB");
}

#[test]
fn a_huge_error_body_does_not_hide_the_status() {
    let mock = first(|_| Action::Answer(Response { body: vec![b'x'; 20 << 20], ..Response::new(503, "") }));
    let dir = dir(&mock);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 3, "asked again, and then for the translation");
}

#[test]
fn a_summary_too_long_for_a_cell_is_retried_once() {
    let mock = first(|_| Action::Answer(completion(&"Le maire a dit non. ".repeat(2_000))));
    let dir = dir(&mock);
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 3);
    assert_eq!(ended.summary()["retried"], 1, "{}", ended.stderr);
    assert!(dir.row("input/001.txt")["summary_fr"].len() < 1_000);
}
