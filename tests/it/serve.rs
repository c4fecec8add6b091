//! `depeche serve`: the embedded endpoint for other programs, here with the toy model, French to English.

use std::io::{BufRead, BufReader, Write};

use serde_json::json;

use crate::models::install;
use crate::support::configs::toy;
use crate::support::http::{Response, ask, ask_as};
use crate::support::process::Running;
use crate::support::test_dir::TestDir;

const KEY: &str = "a-key-for-tests";

/// A folder whose embedded endpoint has the toy model.
fn dir() -> TestDir {
    let dir = TestDir::with(&toy("models"), 0);
    install(&dir, "models/fr-en");
    dir
}

/// Starts the server with these extra arguments and returns it with its URL.
fn serve(dir: &TestDir, more: &[&str]) -> (Running, String) {
    let arguments = [&["serve", "--listen", "127.0.0.1:0"][..], more].concat();
    let mut serving = Running::start(dir.command(&arguments).env("DEPECHE_TEST_KEY", KEY));
    let line = serving.wait_for_line("serving at ");
    let url = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).unwrap().to_owned();
    (serving, url)
}

/// The error message of a response.
fn refusal(answer: &Response, status: u16) -> String {
    assert_eq!(answer.status, status);
    answer.value()["error"].as_str().unwrap().to_owned()
}

#[test]
fn health_and_languages_are_reported() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    let health = ask(&url, "/health", &[], None).value();
    assert_eq!((health["status"].as_str(), health["draft"].as_bool()), (Some("ok"), Some(false)));
    assert!(health["translator"].as_str().unwrap().starts_with("fr-en firefox-tiny-"), "{health}");
    let languages = ask(&url, "/languages", &[], None).value();
    assert_eq!(languages[0], json!({"code": "fr", "name": "French", "targets": ["en"]}));
    assert_eq!(languages[1]["targets"], json!([]));
}

#[test]
fn translate_takes_a_text_or_a_list_and_detects_the_language() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    let (fr, en) = ("Le gouvernement a adopté le projet de loi à Paris.", "The government adopted the bill in Paris.");
    let translate = |q: serde_json::Value, source: &str, target: &str| {
        let answer = ask(&url, "/translate", &[], Some(&json!({"q": q, "source": source, "target": target, "format": "text"})));
        assert_eq!(answer.status, 200);
        answer.value()
    };
    assert_eq!(translate(json!(fr), "fr", "en")["translatedText"], en);
    assert_eq!(translate(json!([fr, fr]), "fr", "en")["translatedText"], json!([en, en]));
    assert_eq!(translate(json!([]), "fr", "en")["translatedText"], json!([]));
    assert_eq!(translate(json!(fr), "fr", "fr")["translatedText"], fr);
    assert_eq!(translate(json!("12,5 %"), "fr", "en")["translatedText"], "12,5 %");
    let found = translate(json!(fr), "auto", "en");
    assert_eq!((found["translatedText"].as_str(), found["detectedLanguage"]["language"].as_str()), (Some(en), Some("fr")));
}

#[test]
fn summarize_returns_whole_sentences_of_the_text() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    let text = crate::support::articles::french(1);
    let (title, body) = text.split_once("\n\n").unwrap();
    let answer = ask(&url, "/summarize", &[], Some(&json!({"title": title, "text": body, "words": 30}))).value();
    let summary = answer["summary"].as_str().unwrap();
    assert_eq!(answer["language"], "fr");
    assert!(!summary.is_empty() && summary.len() < body.len());
    let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in summary.split_inclusive(". ") {
        assert!(body.contains(sentence.trim()), "{sentence}");
    }
}

#[test]
fn bad_requests_are_refused_in_json() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    let refused = |path: &str, body: serde_json::Value| ask(&url, path, &[], Some(&body));
    let text = "Der Deich am Hafen hat in der Nacht zum Mittwoch gehalten.";
    assert!(refusal(&refused("/translate", json!({"q": text, "source": "de", "target": "en"})), 400).contains("language pair de→en"));
    assert!(refusal(&refused("/translate", json!({"q": text, "source": "fr", "target": "klingon"})), 400).contains("klingon"));
    assert!(
        refusal(&refused("/translate", json!({"q": 5, "source": "fr", "target": "en"})), 400)
            .contains("expected a text or a list of texts")
    );
    assert!(refusal(&refused("/translate", json!({"q": ["a", 5], "source": "fr", "target": "en"})), 400).contains("expected a string"));
    assert!(refusal(&refused("/translate", json!({"q": "a"})), 400).starts_with("Invalid request"));
    assert!(refusal(&refused("/summarize", json!({"text": text, "language": "de"})), 400).contains("only fr and en"));
    assert!(refusal(&refused("/summarize", json!({"text": "", "language": "fr"})), 400).contains("no sentence"));
    assert!(refusal(&ask(&url, "/none", &[], None), 404).contains("/summarize"));
}

#[test]
fn a_wrong_method_is_refused_in_json() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    assert!(!refusal(&ask(&url, "/translate", &[], None), 405).is_empty());
}

#[test]
fn with_a_key_requests_need_it() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &["--key-env", "DEPECHE_TEST_KEY"]);
    let body =
        |key: Option<&str>| json!({"q": "Le parlement a rejeté un nouveau budget lundi.", "source": "fr", "target": "en", "api_key": key});
    let bearer = format!("Bearer {KEY}");
    assert_eq!(refusal(&ask(&url, "/translate", &[], Some(&body(None))), 403), "invalid API key");
    assert_eq!(ask(&url, "/translate", &[], Some(&body(Some("wrong")))).status, 403);
    assert_eq!(ask(&url, "/translate", &[("authorization", "Bearer wrong")], Some(&body(None))).status, 403);
    assert_eq!(ask(&url, "/translate", &[], Some(&body(Some(KEY)))).status, 200);
    assert_eq!(ask(&url, "/translate", &[("authorization", &bearer)], Some(&body(None))).status, 200);
    assert_eq!(ask(&url, "/health", &[], None).status, 403);
    assert_eq!(ask(&url, "/health", &[("authorization", &bearer)], None).status, 200);
    assert_eq!(ask(&url, "/summarize", &[], Some(&json!({"text": "Il pleut."}))).status, 403);
}

#[test]
fn listening_on_other_addresses_needs_a_key() {
    let dir = dir();
    let ended = dir.run(&["serve", "--listen", "0.0.0.0:0"]).exits(2);
    assert!(ended.stderr.contains("--key-env"), "{}", ended.stderr);
    let ended = dir.run(&["serve", "--listen", "127.0.0.1:0", "--key-env", "DEPECHE_NOT_SET"]).exits(2);
    assert!(ended.stderr.contains("DEPECHE_NOT_SET"), "{}", ended.stderr);
}

#[test]
fn an_address_in_use_is_reported() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    let ended = dir.run(&["serve", "--listen", url.strip_prefix("http://").unwrap()]).exits(2);
    assert!(ended.stderr.contains("cannot listen on 127.0.0.1:"), "{}", ended.stderr);
}

#[test]
fn a_signal_ends_the_server() {
    let dir = dir();
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let (serving, _) = serve(&dir, &[]);
        serving.signal(signal);
        serving.wait().exits(code);
    }
}

#[test]
fn a_loopback_server_answers_only_under_its_own_names() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    let body = json!({"q": "Il pleut.", "source": "fr", "target": "en"});
    for path in ["/health", "/languages", "/translate", "/nothing"] {
        let body = (path == "/translate").then_some(&body);
        assert!(refusal(&ask_as("evil.example:80", &url, path, &[], body), 403).contains("Host"), "{path}");
    }
    for host in ["localhost", "127.0.0.1:1", "[::1]:5005"] {
        assert_eq!(ask_as(host, &url, "/health", &[], None).status, 200, "{host}");
    }
}

#[test]
fn every_error_is_json() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &[]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = json!({"q": "Il pleut.", "source": "fr", "target": "en"});
    assert!(refusal(&ask(&url, "/translate", &form, Some(&body)), 415).contains("application/json"));
    let utf8 = [("content-type", "application/json; charset=utf-8")];
    assert_eq!(ask(&url, "/translate", &utf8, Some(&body)).status, 200);
    assert!(refusal(&ask(&url, "/translate", &[], Some(&json!("x"))), 400).contains("Invalid request"));
    let many = json!({"q": vec![""; 5_001], "source": "fr", "target": "en"});
    assert!(refusal(&ask(&url, "/translate", &[], Some(&many)), 400).contains("more than 5000 texts"));
    assert!(!refusal(&ask(&url, "/none", &[], Some(&body)), 404).is_empty());
    assert!(!refusal(&ask(&url, "/health", &[], Some(&body)), 405).is_empty());
}

#[test]
fn a_wrong_key_is_refused_before_the_body_is_sent() {
    let dir = dir();
    let (_serving, url) = serve(&dir, &["--key-env", "DEPECHE_TEST_KEY"]);
    for headers in ["authorization: Bearer wrong\r\ncontent-length: 100\r\n", "content-length: 10000000\r\n"] {
        let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(crate::support::TIMEOUT)).unwrap();
        write!(stream, "POST /translate HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n{{").unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        assert!(line.contains(" 403 "), "{line}");
    }
}
