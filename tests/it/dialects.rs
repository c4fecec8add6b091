//! Every dialect against a service that speaks it: an article's rows, the requests, and the service's own errors.

use serde_json::json;

use crate::support::articles::english;
use crate::support::configs::service;
use crate::support::http::Response;
use crate::support::mock::{Action, Mock};
use crate::support::process::Running;
use crate::support::test_dir::TestDir;
use crate::support::wire::{self, MODEL};

const KEY: &str = "sk-test-0123456789abcdefghijklmnop";

/// A translation service without a dialect of its own.
const GENERIC: &str = r#"
[endpoint.template]
path = "/generic?from={{ from }}&to={{ to }}"
body = '{"items": {{ texts }}}'
texts = "/data/*/out"
error = "/failure"
most_texts = 10
"#;

fn generic(request: &crate::support::http::Request) -> Response {
    let items = request.json()["items"].as_array().cloned().unwrap_or_default();
    let to = if request.path.ends_with("to=en") { "en" } else { "fr" };
    let data: Vec<_> = items.iter().map(|item| json!({"out": wire::translation(to, item.as_str().unwrap())})).collect();
    Response::json(&json!({"data": data}))
}

fn good() -> Mock {
    Mock::scripted(
        |request, _| if request.path.starts_with("/generic") { Action::Answer(generic(request)) } else { Action::normal(request) },
    )
}

/// Each dialect, with the extra config lines that it needs.
const SERVICES: &[(&str, &str)] = &[
    ("openai", ""),
    ("anthropic", ""),
    ("ollama", "context = 4096"),
    ("deepl", "key = { env = \"DEPECHE_TEST_KEY\" }"),
    ("libretranslate", ""),
    ("apertium", ""),
    ("template", GENERIC),
];

fn run(dir: &TestDir, arguments: &[&str]) -> crate::support::process::Ended {
    Running::start(dir.command(arguments).env("DEPECHE_TEST_KEY", KEY)).wait()
}

#[test]
fn every_dialect_translates_both_ways_and_a_second_run_makes_no_calls() {
    for (dialect, lines) in SERVICES {
        let mock = good();
        let dir = TestDir::with(&service(&mock, dialect, lines), 1);
        dir.write("input/bridge.txt", english(7));
        run(&dir, &["run"]).exits(0);
        let (fr, en) = (dir.row("input/001.txt"), dir.row("input/bridge.txt"));
        assert!(fr["title_en"].contains("LA DIGUE NUMÉRO 1 TIENT BON"), "{dialect}: {fr:?}");
        assert!(en["summary_fr"].contains("BRIDGE 7 IS OPEN."), "{dialect}: {en:?}");
        assert_eq!(fr["translation_endpoint"], "svc", "{dialect}");
        let asked = mock.count();
        run(&dir, &["run"]).exits(0);
        assert_eq!(mock.count(), asked, "{dialect}");
        let doctor = run(&dir, &["doctor"]).exits(0);
        assert!(doctor.stdout.contains("ok    endpoint `svc`: "), "{dialect}: {}", doctor.stdout);
    }
}

#[test]
fn keys_are_sent_where_each_service_expects_them_and_nowhere_else() {
    let template = GENERIC.replace("body =", "headers = { X-Own-Key = \"{{ key }}\" }\nbody =");
    for (dialect, lines, header, before) in [
        ("openai", "", "authorization", "Bearer "),
        ("anthropic", "", "x-api-key", ""),
        ("ollama", "", "authorization", "Bearer "),
        ("deepl", "", "authorization", "DeepL-Auth-Key "),
        ("template", template.as_str(), "x-own-key", ""),
    ] {
        let mock = good();
        let dir = TestDir::with(&service(&mock, dialect, &format!("key = {{ env = \"DEPECHE_TEST_KEY\" }}\n{lines}")), 1);
        let ended = run(&dir, &["run", "-vv"]).exits(0);
        for request in mock.requests() {
            assert_eq!(request.header(header), Some(format!("{before}{KEY}").as_str()), "{dialect}");
            assert!(!request.text().contains(KEY) && !request.path.contains(KEY), "{dialect}");
        }
        assert_eq!(dir.leaks(KEY, &ended), [""; 0], "{dialect}");
    }
}

#[test]
fn refusals_get_their_error_code_and_are_not_retried() {
    for (dialect, lines, status, body, exit, code) in [
        (
            "anthropic",
            "",
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
            4,
            "quota",
        ),
        ("anthropic", "", 402, r#"{"type":"error","error":{"type":"billing_error","message":"m"}}"#, 4, "quota"),
        ("anthropic", "", 200, r#"{"type":"error","error":{"type":"authentication_error","message":"m"}}"#, 4, "key-refused"),
        ("anthropic", "", 404, r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"}}"#, 4, "not-found"),
        ("ollama", "", 404, r#"{"error":"model 'mock-1' not found"}"#, 4, "not-found"),
        ("openai", "", 429, r#"{"error":{"message":"m","code":"organization_spend_limit_exceeded"}}"#, 4, "quota"),
        ("openai", "", 400, r#"{"error":{"message":"Invalid model name passed in model=x","code":"400"}}"#, 4, "not-found"),
        ("openai", "", 400, r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#, 4, "key-refused"),
        ("openai", "", 403, r#"{"error":{"code":"unsupported_country_region_territory","message":"no"}}"#, 4, "key-refused"),
        ("openai", "", 407, "<html><title>Proxy Authentication Required</title></html>", 4, "key-refused"),
        ("openai", "", 500, r#"{"error":{"message":"Insufficient Balance"}}"#, 4, "quota"),
        (
            "openai",
            "",
            429,
            r#"{"error":{"message":"Rate limit reached on requests per day (RPD): Limit 200. Please try again in 7m12s."}}"#,
            4,
            "quota",
        ),
        ("anthropic", "", 429, r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#, 4, "quota"),
        ("openai", "", 403, r#"{"error":{"code":403,"message":"Your input was flagged for \"violence\"."}}"#, 3, "refused"),
        (
            "openai",
            "",
            422,
            r#"{"detail":[{"loc":["body"],"msg":"cannot do this","input":"invalid api key, insufficient balance"}]}"#,
            3,
            "refused-request",
        ),
        ("deepl", "", 456, r#"{"message":"Quota exceeded"}"#, 4, "quota"),
        ("deepl", "", 403, "", 4, "key-refused"),
        ("libretranslate", "", 403, r#"{"error":"Invalid API key"}"#, 4, "key-refused"),
        ("libretranslate", "", 400, r#"{"error":"fr is not supported"}"#, 3, "language"),
        (
            "apertium",
            "",
            400,
            r#"{"status":"error","code":400,"message":"Bad Request","explanation":"That pair is not installed"}"#,
            3,
            "language",
        ),
        ("template", GENERIC, 200, r#"{"failure":{"code":1},"code":"insufficient_quota"}"#, 4, "quota"),
    ] {
        let mock = Mock::scripted(move |_, _| Action::status(status, body));
        let dir = TestDir::with(&service(&mock, dialect, lines), 2);
        run(&dir, &["run"]).exits(exit);
        let row = dir.row("input/001.txt");
        assert!(row["error"].starts_with(&format!("{code}: endpoint `svc`: ")), "{dialect} {status}: {}", row["error"]);
        let most = if exit == 4 { 1 } else { 2 };
        assert!(mock.billable() <= most, "{dialect} {status}: {} requests", mock.billable());
    }
}

#[test]
fn a_partial_answer_never_becomes_a_row() {
    for (dialect, answer, code) in [
        ("anthropic", wire::message("Un résumé co", "max_tokens"), "truncated"),
        ("anthropic", wire::message("Je ne peux pas", "refusal"), "refused"),
        ("ollama", wire::ollama("Un résumé co", "length", 500), "truncated"),
        ("ollama", wire::ollama("", "stop", 500), "empty-answer"),
    ] {
        let mock = Mock::scripted(move |_, _| Action::Answer(answer.clone()));
        let dir = TestDir::with(&service(&mock, dialect, ""), 1);
        run(&dir, &["run"]).exits(3);
        let error = dir.row("input/001.txt")["error"].clone();
        assert!(error.starts_with(code), "{dialect}: {error}");
        assert!(mock.count() <= 2, "{dialect}: {} requests", mock.count());
    }
}

#[test]
fn a_prompt_that_ollama_cut_is_sent_again_in_parts() {
    // An old server with a window of 700 tokens. It cuts a longer prompt to half the window, and only its token count shows that.
    let mock = Mock::scripted(|request, _| {
        let body = request.json();
        let text = |at: usize| body["messages"][at]["content"].as_str().unwrap().to_owned();
        let sent = (text(0) + &text(1)).chars().count() as u64 / 4;
        if !text(0).contains("summarise") {
            return Action::normal(request);
        }
        let (answer, read) = if sent > 700 { ("Un résumé de la fin.", 350) } else { ("Une partie.", sent) };
        Action::Answer(wire::ollama(answer, "stop", read))
    });
    let dir = TestDir::new();
    dir.write("config.toml", service(&mock, "ollama", "context = 4096"));
    let sentence =
        "Les ministres se sont réunis mardi à Erevan pour parler de la situation dans la région et des suites du cessez-le-feu. ";
    dir.write("input/long.txt", format!("Un titre\n\n{}", sentence.repeat(40)));
    run(&dir, &["run"]).exits(0);
    assert_eq!(dir.row("input/long.txt")["summary_fr"], "Une partie.");
    let options = mock.requests()[0].json();
    assert_eq!((&options["options"]["num_ctx"], &options["truncate"], &options["shift"]), (&json!(4096), &json!(false), &json!(false)));
}

#[test]
fn an_invalid_template_is_refused_before_any_request() {
    let mock = good();
    for (lines, wanted) in [
        (GENERIC.replace("{{ texts }}", "{{ textes }}"), "unknown placeholder `textes`\n  hint: did you mean `texts`?"),
        (GENERIC.replace("{{ texts }}", "\"{{ text }}\""), "the rendered body is not JSON"),
        (GENERIC.replace("{{ texts }}", "[1]"), "the body does not contain the text"),
        (GENERIC.replace("{{ texts }}", "{{ texts"), "invalid template"),
        (GENERIC.replace("/data/*/out", "data"), "`data` is not a JSON pointer"),
        (GENERIC.replace("texts = \"/data/*/out\"", ""), "set either `text` or `texts` to the place of the answer"),
        (GENERIC.replace("/generic?", "/generic?key={{ key }}&"), "a key in a URL ends up in logs"),
        (GENERIC.replace("most_texts", "most_text"), "unknown key `most_text`\n  hint: did you mean `most_texts`?"),
        ("context = 4096".to_owned(), "the dialect `template` has no `context`"),
        (String::new(), "endpoint `svc` has no [endpoint.template]"),
    ] {
        let dir = TestDir::with(&service(&mock, "template", &lines), 1);
        let ended = run(&dir, &["run"]).exits(2);
        assert!(ended.stderr.contains(wanted) && ended.stderr.contains("config.toml:"), "{wanted}:\n{}", ended.stderr);
    }
    assert_eq!(mock.count(), 0);
}

#[test]
fn requests_name_the_model_and_contain_no_tools() {
    for dialect in ["openai", "anthropic", "ollama"] {
        let mock = good();
        let dir = TestDir::with(&format!("[summary]\nroute = \"single-call\"\n\n{}", service(&mock, dialect, "")), 1);
        run(&dir, &["run"]).exits(0);
        let body = mock.requests()[0].json();
        assert_eq!(body["model"], MODEL);
        for tools in ["tools", "functions", "tool_choice"] {
            assert!(body[tools].is_null(), "{dialect}");
        }
    }
}

#[test]
fn unsupported_options_are_detected_once_and_fail_no_article() {
    // Knows neither schemas nor the usual name of the token limit, and reports one problem at a time, as servers do.
    let mock = Mock::scripted(|request, _| {
        let body = request.json();
        let refuse = |message: &str| Action::status(400, &json!({"error": {"message": message}}).to_string());
        if body["max_tokens"].is_u64() {
            refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
        } else if body["response_format"]["type"] == "json_schema" {
            refuse("response_format: Input should be 'text' or 'json_object'")
        } else {
            Action::normal(request)
        }
    });
    let dir = TestDir::with(&format!("[summary]\nroute = \"single-call\"\n\n{}", service(&mock, "openai", "")), 6);
    let ended = run(&dir, &["run"]).exits(0);
    assert_eq!(mock.count(), 6 + 2, "{}", ended.stdout);
    assert_eq!(mock.requests().last().unwrap().json()["response_format"], json!({"type": "json_object"}));
    assert!(dir.rows().iter().all(|row| row["status"] == "done"));
}

#[test]
fn refused_parameters_are_dropped_one_after_the_other() {
    let mock = Mock::scripted(|request, _| {
        let body = request.json();
        let refuse = |status, body: serde_json::Value| Action::status(status, &body.to_string());
        if body["response_format"]["json_schema"]["strict"] == json!(true) {
            refuse(400, json!({"error": {"message": "Unknown parameter: 'response_format.json_schema.strict'"}}))
        } else if body["temperature"].is_number() {
            refuse(422, json!({"error": "Input validation error: `temperature` must be strictly positive"}))
        } else if body["messages"][0]["role"] == "system" {
            let raw = json!({"error": {"message": "System role not supported"}}).to_string();
            refuse(400, json!({"error": {"message": "Provider returned error", "metadata": {"raw": raw}}}))
        } else if body["response_format"]["type"] == "json_schema" {
            refuse(422, json!({"detail": [{"loc": ["body", "response_format"], "msg": "Extra inputs are not permitted"}]}))
        } else {
            Action::normal(request)
        }
    });
    let dir = TestDir::with(&service(&mock, "openai", ""), 3);
    run(&dir, &["run"]).exits(0);
    assert_eq!(mock.count(), 6 + 4);
    let body = mock.requests().last().unwrap().json();
    let user = body["messages"][0]["content"].as_str().unwrap();
    assert!(body["temperature"].is_null() && user.contains("<<") && !user.starts_with("<<"), "the instructions come first: {user}");
}

#[test]
fn a_token_limit_is_lowered_to_what_the_refusal_names() {
    let mock = Mock::scripted(|request, _| {
        if request.json()["max_tokens"].as_u64().unwrap() > 600 {
            Action::status(400, r#"{"error":{"message":"Invalid max_tokens value, the valid range of max_tokens is [1, 600]"}}"#)
        } else {
            Action::normal(request)
        }
    });
    let dir = TestDir::with(&service(&mock, "openai", ""), 3);
    run(&dir, &["run"]).exits(0);
    assert_eq!(mock.count(), 6 + 1, "refused once");
}

#[test]
fn a_text_that_crashes_libretranslate_fails_only_its_article() {
    let mock = Mock::scripted(|request, _| {
        if request.path == "/translate" && request.text().contains("numéro 2 ") {
            Action::status(500, r#"{"error":"Cannot translate text: tuple index out of range"}"#)
        } else {
            Action::normal(request)
        }
    });
    let dir = TestDir::with(&crate::support::configs::two_services(&mock, "libretranslate"), 6);
    dir.run(&["run"]).exits(3);
    assert_eq!(dir.rows().iter().filter(|row| row["status"] == "done").count(), 5);
    assert!(dir.row("input/002.txt")["error"].contains("Cannot translate text"), "{:?}", dir.row("input/002.txt"));
}
