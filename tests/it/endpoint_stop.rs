//! Errors of a service that concern every article: the run stops sending, keeps what is done, and says what to do. Also, API
//! keys never leak.

use serde_json::json;

use crate::support::configs::{openai, two_services, with_key};
use crate::support::http::Response;
use crate::support::mock::{Action, Mock};
use crate::support::process::{Ended, Running};
use crate::support::test_dir::TestDir;

const KEY: &str = "sk-test-0123456789abcdefghijklmnop";

/// Runs the program with the key in its environment.
fn run_with_key(dir: &TestDir, arguments: &[&str]) -> Ended {
    Running::start(dir.command(arguments).env("DEPECHE_TEST_KEY", KEY)).wait()
}

#[test]
fn a_refused_key_path_or_quota_stops_the_run_and_every_article_has_a_row() {
    const ARTICLES: usize = 30;
    for (status, body, code) in [
        (401, r#"{"error":{"message":"Unauthorized"}}"#, "key-refused"),
        (403, "", "key-refused"),
        (402, r#"{"error":{"message":"Insufficient credits"}}"#, "quota"),
        (404, r#"{"error":{"message":"The model does not exist","code":"model_not_found"}}"#, "not-found"),
        (404, "<html>nginx</html>", "not-found"),
        (429, r#"{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}"#, "quota"),
    ] {
        let mock = Mock::scripted(move |_, _| Action::status(status, body));
        let dir = TestDir::with(&openai(&mock), ARTICLES);
        let ended = dir.run(&["run"]).exits(4);
        assert!(mock.count() <= 4, "{status}: {} requests with a concurrency of 4", mock.count());
        let rows = dir.rows();
        assert_eq!(rows.len(), ARTICLES);
        for row in &rows {
            assert_eq!(row["status"], "failed");
            assert!(row["error"].starts_with(&format!("{code}: endpoint `llm`: status {status}")), "{}", row["error"]);
        }
        assert!(ended.stderr.contains("endpoint `llm` disabled for this run"), "{}", ended.stderr);
    }
}

#[test]
fn a_stop_sends_nothing_beyond_the_calls_in_flight() {
    let mock = Mock::scripted(|_, _| Action::status(401, ""));
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 256"), 600);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_in_flight(256);
    mock.release();
    run.wait().exits(4);
    assert_eq!(mock.count(), 256);
    assert_eq!(dir.rows().iter().filter(|row| row["error"].starts_with("key-refused: ")).count(), 600);
}

#[test]
fn libretranslates_status_400_for_a_missing_key_stops_the_run() {
    let mock = Mock::scripted(|request, _| match request.path.as_str() {
        "/translate" => Action::status(400, r#"{"error":"Please contact the server operator to get an API key"}"#),
        _ => Action::normal(request),
    });
    let dir = TestDir::with(&two_services(&mock, "libretranslate"), 20);
    dir.run(&["run"]).exits(4);
    let asked = mock.requests().iter().filter(|request| request.path == "/translate").count();
    assert!(asked <= 4, "{asked} requests with a concurrency of 4");
    for row in dir.rows() {
        assert!(row["error"].starts_with("key-refused: endpoint `mt`"), "{}", row["error"]);
    }
}

#[test]
fn work_done_before_a_stop_is_kept() {
    let mock = Mock::scripted(|request, number| if number < 6 { Action::normal(request) } else { Action::status(401, "") });
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 1"), 10);
    dir.run(&["run"]).exits(4);
    assert_eq!(mock.count(), 7);
    let rows = dir.rows();
    let done = rows.iter().filter(|row| row["status"] == "done").count();
    let again = dir.run(&["run"]).exits(4);
    assert_eq!((rows.len(), mock.count()), (10, 8), "{}", again.stderr);
    assert_eq!(dir.rows().iter().filter(|row| row["status"] == "done").count(), done);
}

#[test]
fn an_unreachable_service_ends_the_run_soon_and_nothing_is_lost() {
    const ARTICLES: usize = 200;
    let mock = Mock::good();
    let config = openai(&mock);
    drop(mock);
    let dir = TestDir::with(&config, ARTICLES);
    let ended = dir.run(&["run", "--wait-for", "1s"]).exits(5);
    let rows = dir.rows();
    assert_eq!(rows.len(), ARTICLES);
    assert!(rows.iter().all(|row| row["error"].starts_with("away: endpoint `llm`: no connection")), "{}", rows[0]["error"]);
    let calls: usize = calls(&ended);
    // Those in flight when the first fails, then one probe at a time.
    assert!(calls <= 16, "{calls} attempts");
}

/// The number of calls in the summary at the end of a run.
fn calls(ended: &Ended) -> usize {
    let line = ended.stdout.lines().find(|line| line.starts_with("calls")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 307, 308] {
        let other = Mock::good();
        let to = format!("{}/v1/chat/completions", other.url());
        let mock = Mock::scripted({
            let to = to.clone();
            move |_, _| Action::Answer(Response::new(status, "").with("location", to.clone()))
        });
        let dir = TestDir::with(&with_key(&mock), 10);
        let ended = run_with_key(&dir, &["run"]).exits(4);
        assert_eq!(other.count(), 0);
        assert!(mock.count() <= 4);
        assert!(ended.stderr.contains(&to) && dir.row("input/001.txt")["error"].contains("redirects are not followed"), "{}", ended.stderr);
    }
}

#[test]
fn a_key_goes_only_to_its_service() {
    let mock = Mock::good();
    let dir = TestDir::with(&with_key(&mock), 2);
    let ended = run_with_key(&dir, &["run", "-vv"]).exits(0);
    for request in mock.requests() {
        assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert!(!request.text().contains(KEY));
    }
    assert_eq!(dir.leaks(KEY, &ended), [""; 0]);
}

#[test]
fn libretranslates_key_goes_into_the_body() {
    let mock = Mock::good();
    let config = two_services(&mock, "libretranslate").replace("[embedded]", "key = { env = \"DEPECHE_TEST_KEY\" }\n\n[embedded]");
    let dir = TestDir::with(&config, 1);
    let ended = run_with_key(&dir, &["run", "-vv"]).exits(0);
    for request in mock.requests() {
        match request.path.as_str() {
            "/translate" => assert_eq!(request.json()["api_key"], json!(KEY)),
            _ => assert!(!request.text().contains(KEY) && request.headers.iter().all(|(_, value)| !value.contains(KEY)), "{request:?}"),
        }
    }
    assert_eq!(dir.leaks(KEY, &ended), [""; 0]);
}

#[test]
fn a_key_echoed_by_the_service_is_not_printed() {
    for (status, exit) in [(401, 4), (400, 4), (503, 4), (200, 4)] {
        let body = json!({"error": {"message": format!("Incorrect API key provided: {KEY}."), "code": 400}}).to_string();
        let mock = Mock::scripted(move |_, _| Action::status(status, &body));
        let dir = TestDir::with(&with_key(&mock), 1);
        let ended = run_with_key(&dir, &["run", "-vv", "--wait-for", "1s"]).exits(exit);
        assert_eq!(dir.leaks(KEY, &ended), [""; 0], "{status}");
        let doctor = run_with_key(&dir, &["doctor", "-vv"]);
        assert!(!doctor.stdout.contains(KEY) && !doctor.stderr.contains(KEY), "{}", doctor.stdout);
    }
}

#[test]
fn a_key_echoed_with_escapes_is_not_printed() {
    // As PHP and .NET escape base64.
    let key = "ab/cd+ef/0123456789==";
    for escaped in [key.replace('/', "\\/"), key.replace('+', "\\u002B"), key.replace('/', "\\u002f").replace('=', "\\u003d")] {
        let said = format!("{{\"error\":{{\"message\":\"{}{escaped} is not valid\",\"code\":400}}}}", "x".repeat(185));
        let answered =
            format!("{{\"choices\":[{{\"message\":{{\"content\":\"Votre clef est {escaped}.\"}},\"finish_reason\":\"stop\"}}]}}");
        for (status, body) in [(400, said.clone()), (401, said.replace(&"x".repeat(185), "")), (200, answered)] {
            let mock = Mock::scripted(move |request, _| {
                let translation = request.text().contains("JSON list");
                if translation { Action::normal(request) } else { Action::status(status, &body) }
            });
            let dir = TestDir::with(&with_key(&mock), 1);
            let run = |arguments: &[&str]| Running::start(dir.command(arguments).env("DEPECHE_TEST_KEY", key)).wait();
            let ended = run(&["run", "-vv"]);
            assert_eq!(dir.leaks(key, &ended), [""; 0], "{status}, {escaped}");
            assert_eq!(dir.leaks("ab/cd+ef/", &ended), [""; 0], "not in part, {status}, {escaped}");
            let doctor = run(&["doctor", "-vv"]);
            assert!(!doctor.stdout.contains("ab/cd") && !doctor.stderr.contains("ab/cd"), "{}", doctor.stdout);
        }
    }
}

#[test]
fn a_key_echoed_in_a_web_page_is_not_printed() {
    let page = format!("<html>your request had authorization: Bearer {KEY}</html>");
    let mock = Mock::scripted(move |_, _| Action::status(200, &page));
    let dir = TestDir::with(&with_key(&mock), 1);
    let ended = run_with_key(&dir, &["run", "-vv"]).exits(3);
    assert_eq!(dir.leaks(KEY, &ended), [""; 0]);
}

#[test]
fn articles_left_by_a_dead_service_are_done_in_the_next_run() {
    let mock = Mock::scripted(|request, number| if number < 10 { Action::normal(request) } else { Action::status(503, "going down") });
    let dir = TestDir::with(&openai(&mock), 20);
    dir.run(&["run", "--wait-for", "1s"]).exits(5);
    let before = mock.count();
    assert!(before <= 10 + 16, "{before} requests: those in flight at the first failure, then one probe at a time");
    let done = dir.rows().iter().filter(|row| row["status"] == "done").count();
    assert_eq!(dir.rows().len(), 20);
    dir.run(&["run", "--wait-for", "1s"]).exits(5);
    assert!(dir.rows().iter().filter(|row| row["status"] == "done").count() == done, "what was done stays done");
}
