//! Errors of a service that concern one article: which calls are retried, and what the row says.

use serde_json::json;

use crate::support::articles::french;
use crate::support::configs::{openai, two_services};
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;
use crate::support::wire::{answer, choice, gzip_bomb};

/// One article, and a service that does `actions` with the requests, or answers if that is `None`.
fn first(actions: impl Fn(&Request, usize) -> Option<Action> + Send + Sync + 'static) -> (Mock, TestDir) {
    let mock = Mock::scripted(move |request, number| actions(request, number).unwrap_or_else(|| Action::normal(request)));
    let dir = TestDir::with(&openai(&mock), 1);
    (mock, dir)
}

/// The error in the article's row.
fn error(dir: &TestDir) -> String {
    dir.row("input/001.txt")["error"].clone()
}

#[test]
fn a_temporary_error_is_retried() {
    for status in [408, 429, 500, 502, 503, 504, 529] {
        let (mock, dir) = first(move |_, number| (number == 0).then(|| Action::status(status, "wait a moment")));
        let ended = dir.run(&["run"]).exits(0);
        assert_eq!(mock.count(), 3, "{status}");
        assert!(ended.stdout.contains("1 retried"), "{}", ended.stdout);
    }
}

#[test]
fn a_retry_waits_as_long_as_the_service_says() {
    for (name, value) in [("retry-after-ms", "1"), ("retry-after", "0"), ("retry-after", "soon"), ("retry-after", "-1")] {
        let busy = move |_: &Request, number: usize| {
            (number == 0).then(|| Action::Answer(Response::new(429, r#"{"error":{"message":"slow down"}}"#).with(name, value)))
        };
        let (mock, dir) = first(busy);
        dir.run(&["run"]).exits(0);
        assert_eq!(mock.count(), 3, "{name}: {value}");
    }
}

#[test]
fn a_pause_of_a_day_ends_the_run() {
    /// A router repeats the headers of another service in the body.
    const ROUTED: &str = r#"{"error":{"code":429,"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"86400"}}}}"#;
    let answers = [|| Response::new(429, "{}").with("retry-after", "86400"), || Response::new(429, ROUTED)];
    for answer in answers {
        let (mock, dir) = first(move |_, _| Some(Action::Answer(answer())));
        dir.run(&["run"]).exits(5);
        assert_eq!(mock.count(), 1);
        assert!(error(&dir).starts_with("busy: "), "{}", error(&dir));
    }
}

#[test]
fn a_call_that_may_have_been_billed_is_retried_once_and_counted() {
    for cut in [false, true] {
        let action = move |request: &Request| if cut { Action::Cut(answer(request)) } else { Action::Drop };
        let (mock, dir) = first(move |request, number| (number == 0).then(|| action(request)));
        let ended = dir.run(&["run"]).exits(0);
        assert_eq!(mock.count(), 3);
        assert!(ended.stdout.contains("1 retried, 1 maybe billed"), "{}", ended.stdout);
        let (mock, dir) = first(move |request, number| (number < 2).then(|| action(request)));
        let ended = dir.run(&["run"]).exits(3);
        assert_eq!(mock.count(), 2, "a third time is for the next run");
        assert!(error(&dir).starts_with("broken: ") && error(&dir).contains("may have been billed"), "{}", error(&dir));
        assert!(ended.stdout.contains("2 maybe billed"), "{}", ended.stdout);
        dir.run(&["run"]).exits(0);
        assert_eq!((mock.count(), error(&dir).as_str()), (4, ""));
    }
}

#[test]
fn a_timeout_is_retried_once_at_most() {
    let mock = Mock::scripted(|_, _| Action::Hang);
    let dir = TestDir::with(&openai(&mock).replace("timeout = \"100s\"", "timeout = \"100ms\""), 1);
    dir.run(&["run"]).exits(3);
    assert!(error(&dir).starts_with("timeout: "), "{}", error(&dir));
    assert_eq!(mock.count(), 2);
}

#[test]
fn an_invalid_answer_is_retried_once_at_most() {
    for (body, code) in [
        ("<html><body>502 from a proxy</body></html>", "protocol"),
        ("", "protocol"),
        ("{\"choices\": [", "protocol"),
        (r#"{"choices": []}"#, "empty-answer"),
    ] {
        let (mock, dir) = first(move |_, _| Some(Action::status(200, body)));
        dir.run(&["run"]).exits(3);
        assert_eq!(mock.count(), 2, "{body}");
        assert!(error(&dir).starts_with(&format!("{code}: ")), "{body}: {}", error(&dir));
        let (mock, dir) = first(move |_, number| (number == 0).then(|| Action::status(200, body)));
        dir.run(&["run"]).exits(0);
        assert_eq!(mock.count(), 3, "{body}");
    }
}

#[test]
fn truncated_empty_and_refused_answers_fail_with_their_codes() {
    let text = |text: Option<&str>| json!({"role": "assistant", "content": text});
    for (message, finish, code, requests) in [
        (text(Some("La digue a")), "length", "truncated", 2),
        (text(None), "stop", "empty-answer", 2),
        (text(Some("  ")), "stop", "empty-answer", 2),
        (text(Some("Je ne")), "content_filter", "refused", 1),
        (json!({"role": "assistant", "content": null, "refusal": "I cannot help with that"}), "stop", "refused", 1),
    ] {
        let (mock, dir) = first(move |_, _| Some(Action::Answer(choice(&message, finish))));
        dir.run(&["run"]).exits(3);
        assert!(error(&dir).starts_with(&format!("{code}: ")), "{code}: {}", error(&dir));
        assert_eq!(mock.count(), requests, "{code}");
        assert_eq!(dir.row("input/001.txt")["summary_fr"], "", "nothing of it is published");
    }
}

#[test]
fn a_wrong_number_of_translations_is_an_error() {
    for (translations, code) in [(json!(["one", "two", "three"]), "wrong-count"), (json!([]), "wrong-count"), (json!([1, 2]), "protocol")] {
        let mock = Mock::scripted(move |request, _| match request.path.as_str() {
            "/translate" => Action::Answer(Response::json(&json!({"translatedText": translations}))),
            _ => Action::normal(request),
        });
        let dir = TestDir::with(&two_services(&mock, "libretranslate"), 1);
        dir.run(&["run"]).exits(3);
        assert!(error(&dir).starts_with(&format!("{code}: ")), "{}", error(&dir));
    }
}

#[test]
fn a_wrong_number_of_translations_is_retried_text_by_text() {
    let mock = Mock::scripted(|request, _| match request.path.as_str() {
        "/translate" if request.json()["q"].as_array().unwrap().len() > 1 => {
            Action::Answer(Response::json(&json!({"translatedText": ["one"]})))
        }
        _ => Action::normal(request),
    });
    let dir = TestDir::with(&two_services(&mock, "libretranslate"), 1);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.requests().iter().filter(|request| request.path == "/translate").count(), 3, "the list, then each text");
}

#[test]
fn an_error_about_one_article_fails_only_that_article() {
    for (status, body, code) in [
        (400, r#"{"error":{"message":"bad request"}}"#, "refused-request"),
        (422, r#"{"detail":"unprocessable"}"#, "refused-request"),
        (413, "", "too-large"),
        (400, r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#, "too-large"),
    ] {
        let mock =
            Mock::scripted(
                move |request, _| {
                    if request.text().contains("digue 2 du port") { Action::status(status, body) } else { Action::normal(request) }
                },
            );
        let dir = TestDir::with(&openai(&mock), 3);
        dir.run(&["run"]).exits(3);
        let row = dir.row("input/002.txt");
        assert!(row["error"].starts_with(&format!("{code}: endpoint `llm`: status {status}")), "{}", row["error"]);
        assert_eq!(mock.count(), 5, "never asked again");
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let huge = || Response::new(200, vec![b' '; 40 << 20]);
    let bomb = gzip_bomb(256);
    assert!(bomb.len() < 2 << 20);
    for response in [huge(), Response::new(200, bomb).with("content-encoding", "gzip")] {
        let (mock, dir) = first(move |_, _| Some(Action::Answer(response.clone())));
        // Long enough to be split, which would not help here.
        dir.write("input/001.txt", format!("{}\n\n{}", french(1), french(2).repeat(8)));
        dir.run(&["run"]).exits(3);
        assert!(error(&dir).starts_with("huge-answer: ") && error(&dir).contains(" KiB"), "{}", error(&dir));
        assert_eq!(mock.count(), 1);
    }
}

#[test]
fn an_error_with_status_200_is_an_error() {
    let (mock, dir) = first(|_, number| (number == 0).then(|| Action::status(200, r#"{"error":{"message":"Rate limit","code":429}}"#)));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 3);
}

#[test]
fn every_article_is_done_although_half_of_the_requests_fail() {
    const ARTICLES: usize = 12;
    for status in [500, 503, 520, 599] {
        let mock =
            Mock::scripted(move |request, number| if number % 2 == 0 { Action::status(status, "") } else { Action::normal(request) });
        let dir = TestDir::with(&openai(&mock), ARTICLES);
        dir.run(&["run"]).exits(0);
        assert_eq!(mock.distinct_billable().len(), 2 * ARTICLES, "{status}");
        assert!(mock.count() <= 3 * 2 * ARTICLES, "{} requests", mock.count());
    }
}

#[test]
fn a_failing_service_is_probed_for_as_long_as_the_run_waits_for_it() {
    for status in [500, 501, 502, 505, 522, 599] {
        for articles in [1, 30] {
            let mock = Mock::scripted(move |_, _| Action::status(status, ""));
            let dir = TestDir::with(&openai(&mock), articles);
            dir.run(&["run", "--wait-for", "1s"]).exits(5);
            assert!(dir.rows().iter().all(|row| row["error"].starts_with("unavailable: ")), "{}", error(&dir));
            assert!((3..=16).contains(&mock.count()), "{status}: {} requests for {articles} articles", mock.count());
        }
    }
}

#[test]
fn a_quota_of_a_day_stops_the_endpoint_at_once() {
    for body in [
        r#"{"error":{"message":"Rate limit reached on requests per day (RPD): Limit 50, Used 50. Please try again in 6s."}}"#,
        r#"[{"error":{"code":429,"message":"You exceeded your current quota.","details":[{"quotaId":"GenerateRequestsPerDay-FreeTier"}]}}]"#,
    ] {
        let (mock, dir) = first(move |_, _| Some(Action::status(429, body)));
        dir.run(&["run"]).exits(4);
        assert_eq!(mock.count(), 1);
        assert!(error(&dir).starts_with("quota: "), "{}", error(&dir));
    }
}

#[test]
fn a_services_message_is_escaped_in_table_and_terminal() {
    let message = "\u{1b}]0;title\u{7}<script>alert(1)</script>\u{202e}";
    let (_mock, dir) = first(move |_, _| Some(Action::status(400, &json!({"error": {"message": message}}).to_string())));
    let ended = dir.run(&["run", "-vv"]).exits(3);
    let table = String::from_utf8(dir.table()).unwrap();
    for (place, said) in [("stdout", &ended.stdout), ("stderr", &ended.stderr), ("table", &table)] {
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{place}: {said:?}");
    }
}
