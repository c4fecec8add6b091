//! `depeche doctor`: says in words whether each endpoint is there and can do its tasks.

use serde_json::json;

use crate::models::install;
use crate::support::configs::{openai, service, toy, two_services, with_key};
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::process::Running;
use crate::support::test_dir::TestDir;

/// Runs `doctor` against a service that answers like this. Asserts the exit code and returns the output.
fn says(config: &dyn Fn(&Mock) -> String, action: impl Fn() -> Action + Send + Sync + 'static, exit: i32) -> String {
    let mock = Mock::scripted(move |_, _| action());
    let dir = TestDir::with(&config(&mock), 1);
    let ended = Running::start(dir.command(&["doctor"]).env("DEPECHE_TEST_KEY", "sk-test-1234")).wait().exits(exit);
    assert!(mock.requests().iter().all(|request| !request.is_billable()), "it costs nothing");
    ended.stdout
}

#[test]
fn a_good_endpoint_is_ok() {
    for (config, words) in [
        (&openai as &dyn Fn(&Mock) -> String, "has the model `mock-1`"),
        (&|mock: &Mock| two_services(mock, "libretranslate"), "supports fr→en and en→fr"),
        (&|mock: &Mock| two_services(mock, "apertium"), "by way of fra→spa→eng (drafts only)"),
    ] {
        let mock = Mock::good();
        let dir = TestDir::with(&config(&mock), 1);
        let ended = dir.run(&["doctor"]).exits(0);
        assert!(ended.stdout.lines().all(|line| line.starts_with("ok  ")) && ended.stdout.contains(words), "{}", ended.stdout);
        assert!(mock.requests().iter().all(|request| !request.is_billable()));
    }
}

#[test]
fn doctor_falls_back_to_the_list_of_models() {
    let lists = |request: &Request, path: &str, list: &serde_json::Value| match request.path.as_str() {
        asked if asked == path => Action::Answer(Response::json(list)),
        _ => Action::status(404, r#"{"error":{"message":"Not found"}}"#),
    };
    for (dialect, path, list) in [
        ("ollama", "/api/tags", json!({"models": [{"name": "mock-1:latest"}, {"name": "other"}]})),
        ("anthropic", "/v1/models", json!({"data": [{"id": "mock-1"}]})),
    ] {
        let mock = Mock::scripted(move |request, _| lists(request, path, &list));
        let dir = TestDir::with(&service(&mock, dialect, ""), 0);
        let ended = dir.run(&["doctor"]).exits(0);
        assert!(ended.stdout.contains("ok    endpoint `svc`: has the model `mock-1`"), "{dialect}: {}", ended.stdout);
        dir.write("config.toml", service(&mock, dialect, "").replace("mock-1", "mock-9"));
        let ended = dir.run(&["doctor"]).exits(4);
        assert!(ended.stdout.contains("it has no model `mock-9`; it has mock-1"), "{dialect}: {}", ended.stdout);
    }
}

#[test]
fn doctor_starts_and_probes_the_embedded_endpoint() {
    let dir = TestDir::with(&toy("models"), 0);
    install(&dir, "models/fr-en");
    let ended = dir.run(&["doctor"]).exits(0);
    assert!(ended.stdout.contains("ok    endpoint `embedded`: summaries extractive-2; translator fr-en firefox-tiny-"), "{}", ended.stdout);
}

#[test]
fn a_stopped_endpoint_is_reported_with_a_hint() {
    let mock = Mock::good();
    let (config, url) = (openai(&mock), mock.url());
    drop(mock);
    let ended = TestDir::with(&config, 1).run(&["doctor"]).exits(5);
    assert!(ended.stdout.contains("fail  endpoint `llm`: no connection: "), "{}", ended.stdout);
    assert!(ended.stdout.contains(&format!("hint: is the service running, and is {url}/v1 its address?")), "{}", ended.stdout);
}

#[test]
fn a_missing_model_or_language_is_named() {
    let answer = |body: &'static str| move || Action::status(200, body);
    let said = says(&openai, answer(r#"{"data": [{"id": "gpt-a"}, {"id": "gpt-b"}]}"#), 4);
    assert!(said.contains("it has no model `mock-1`; it has gpt-a, gpt-b"), "{said}");
    let libretranslate = |mock: &Mock| two_services(mock, "libretranslate");
    let said = says(&libretranslate, answer(r#"[{"code": "de", "targets": ["en"]}]"#), 4);
    assert!(said.contains("it supports neither fr→en nor en→fr; load these languages there"), "{said}");
    let said = says(&libretranslate, answer(r#"[{"code": "fr", "targets": ["en"]}]"#), 4);
    assert!(said.contains("supports fr→en, but not en→fr: English articles will fail"), "{said}");
    let said = says(&|mock: &Mock| two_services(mock, "apertium"), answer(r#"{"responseData": {"translationChain": []}}"#), 4);
    assert!(said.contains("it has no pairs from French to English"), "{said}");
    let said = says(&openai, answer("<html>Welcome to nginx</html>"), 4);
    assert!(said.contains("does the URL end in /v1?"), "{said}");
}

#[test]
fn a_missing_or_wrong_key_is_reported() {
    let refused = || Action::status(401, r#"{"error":{"message":"no key"}}"#);
    let said = says(&openai, refused, 4);
    assert!(said.contains("it requires a key; add key = { env = \"VARIABLE\" }"), "{said}");
    let said = says(&with_key, refused, 4);
    assert!(said.contains("it rejected the key; is it the right one, and still valid?"), "{said}");
}

#[test]
fn other_errors_are_explained() {
    let said = says(&openai, || Action::status(404, ""), 4);
    assert!(said.contains("nothing there answers like `openai`; are the URL and the model name right?"), "{said}");
    let said = says(&openai, || Action::status(503, "starting"), 5);
    assert!(said.contains("status 503: starting"), "{said}");
    let said = says(&openai, || Action::Answer(Response::new(302, "").with("location", "https://login.invalid/")), 4);
    assert!(said.contains("https://login.invalid/"), "{said}");
    let hasty = |mock: &Mock| openai(mock).replace("100s", "100ms");
    let said = says(&hasty, || Action::Hang, 5);
    assert!(said.contains("it accepted the request but did not answer in time"), "{said}");
}

#[test]
fn doctor_lists_the_models_if_the_config_names_none() {
    let lists = |request: &Request, path: &str, list: &serde_json::Value| match request.path.as_str() {
        asked if asked == path => Action::Answer(Response::json(list)),
        _ => Action::status(400, r#"{"error":{"message":"which model?"}}"#),
    };
    for (dialect, path, list) in [
        ("openai", "/v1/models", json!({"data": [{"id": "large-2"}, {"id": "small-1"}]})),
        ("ollama", "/api/tags", json!({"models": [{"name": "large-2:latest"}, {"name": "small-1"}]})),
        ("anthropic", "/v1/models", json!({"data": [{"id": "large-2"}, {"id": "small-1"}]})),
    ] {
        let mock = Mock::scripted(move |request, _| lists(request, path, &list));
        let without_model = service(&mock, dialect, "").lines().filter(|line| !line.starts_with("model")).collect::<Vec<_>>().join("\n");
        let dir = TestDir::with(&without_model, 0);
        let ended = dir.run(&["doctor"]).exits(2);
        assert!(ended.stdout.contains("names no `model`; it has large-2, small-1"), "{dialect}: {}", ended.stdout);
        let error = "error: config.toml:1:1: endpoint `svc` has no `model`\n  hint: write the model's name as the service spells it; `depeche doctor` lists the service's models";
        assert_eq!(ended.stderr.trim_end(), error, "{dialect}");
        dir.run(&["run"]).exits(2);
    }
}

#[test]
fn quiet_prints_only_what_is_wrong() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let ended = dir.run(&["doctor", "--quiet"]).exits(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    dir.write("config.toml", openai(&mock).replace("mock-1", "mock-9"));
    let ended = dir.run(&["doctor", "--quiet"]).exits(4);
    assert!(ended.stdout.is_empty() && ended.stderr.contains("mock-9"), "{}", ended.stderr);
}

#[test]
fn an_answer_200_of_a_wrong_path_is_reported_as_one() {
    for body in [
        r#"{"error":"Unexpected endpoint or method. (POST /chat/completions)"}"#,
        r#"{"error":{"message":"Unknown endpoint: /chat/completions"}}"#,
    ] {
        let mock = Mock::scripted(move |_, _| Action::status(200, body));
        let dir = TestDir::with(&openai(&mock), 3);
        dir.run(&["run"]).exits(4);
        assert!(dir.rows().iter().all(|row| row["error"].starts_with("not-found: ")), "{:?}", dir.rows());
        assert!(mock.count() <= 4, "{}", mock.count());
        let ended = dir.run(&["doctor"]).exits(4);
        assert!(ended.stdout.contains("does the URL end in /v1?"), "{}", ended.stdout);
    }
}
