//! The template configs that `depeche init` writes, against mocks of the services' documented APIs. The mocks are strict: they
//! answer any other request with the service's own error.

use serde_json::{Value, json};

use crate::support::articles::{english, french};
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::process::{Ended, Running};
use crate::support::test_dir::TestDir;
use crate::support::wire::translation;

const KEY: &str = "key-0123456789abcdef";

/// The service's name, its URL in the config, the variable with its key, and its mock.
type Service = (&'static str, &'static str, &'static str, fn(&Request) -> Response);

const SERVICES: [Service; 3] = [
    ("azure", "https://api.cognitive.microsofttranslator.com", "AZURE_TRANSLATOR_KEY", azure),
    ("google", "https://translation.googleapis.com", "GOOGLE_API_KEY", google),
    ("gemini", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY", gemini),
];

/// <https://learn.microsoft.com/azure/ai-services/translator/text-translation/reference/v3/translate>
fn azure(request: &Request) -> Response {
    if request.path.starts_with("/languages?api-version=3.0") {
        return Response::json(&json!({"translation": {"fr": {}, "en": {}}}));
    }
    if request.header("ocp-apim-subscription-key") != Some(KEY) {
        let error =
            json!({"error": {"code": 401_000, "message": "The request is not authorized because credentials are missing or invalid."}});
        return Response::new(401, error.to_string());
    }
    let query = request.path.strip_prefix("/translate?").unwrap_or_default();
    let field = |name: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value);
    let body = request.json();
    let texts: Option<Vec<&str>> = body.as_array().map(|list| list.iter().filter_map(|item| item["Text"].as_str()).collect());
    match (field("api-version"), field("to"), texts) {
        (Some("3.0"), Some(to), Some(texts)) if !texts.is_empty() && request.header("content-type") == Some("application/json") => {
            let one = |text: &&str| json!({"translations": [{"text": translation(to, text), "to": to}]});
            Response::json(&texts.iter().map(one).collect())
        }
        _ => Response::new(400, json!({"error": {"code": 400_074, "message": "The body of the request is not valid JSON."}}).to_string()),
    }
}

/// <https://cloud.google.com/translate/docs/reference/rest/v2/translate>
fn google(request: &Request) -> Response {
    if request.header("x-goog-api-key") != Some(KEY) {
        let error = json!({"error": {"code": 403, "message": "The request is missing a valid API key.", "status": "PERMISSION_DENIED"}});
        return Response::new(403, error.to_string());
    }
    if request.path == "/language/translate/v2/languages" {
        return Response::json(&json!({"data": {"languages": [{"language": "en"}, {"language": "fr"}]}}));
    }
    let body = request.json();
    let texts: Vec<&str> = body["q"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if request.path != "/language/translate/v2" || texts.is_empty() || body["format"] != "text" || !body["source"].is_string() {
        return Response::new(400, json!({"error": {"code": 400, "message": "Required Text", "status": "INVALID_ARGUMENT"}}).to_string());
    }
    let to = body["target"].as_str().unwrap_or_default();
    let one = |text: &&str| json!({"translatedText": translation(to, text)});
    Response::json(&json!({"data": {"translations": texts.iter().map(one).collect::<Vec<_>>()}}))
}

/// <https://ai.google.dev/api/generate-content>
fn gemini(request: &Request) -> Response {
    if request.header("x-goog-api-key") != Some(KEY) {
        let error = json!({"error": {"code": 403, "message": "Method doesn't allow unregistered callers.", "status": "PERMISSION_DENIED"}});
        return Response::new(403, error.to_string());
    }
    if request.path == "/v1beta/models/gemini-2.5-flash-lite" {
        return Response::json(&json!({"name": "models/gemini-2.5-flash-lite", "inputTokenLimit": 1_048_576}));
    }
    let body = request.json();
    let config = &body["generationConfig"];
    let user = body["contents"][0]["parts"][0]["text"].as_str();
    let (Some(user), "/v1beta/models/gemini-2.5-flash-lite:generateContent") = (user, request.path.as_str()) else {
        return Response::new(400, json!({"error": {"code": 400, "message": "contents is not specified"}}).to_string());
    };
    assert!(body["systemInstruction"]["parts"][0]["text"].is_string() && config["responseMimeType"] == "application/json", "{body}");
    let required = &config["responseJsonSchema"]["required"];
    assert!(["title_fr", "title_en"].iter().any(|title| *required == json!([title, "summary_fr", "summary_en"])), "{required}");
    let title = user.lines().nth(1).unwrap_or_default();
    let digest =
        json!({"title_fr": title, "title_en": translation("en", title), "summary_fr": "La digue a tenu.", "summary_en": "The dyke held."});
    // In two parts, as the real service sometimes answers.
    let digest = digest.to_string();
    let (first, second) = digest.split_at(20);
    Response::json(&json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": first}, {"text": second}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 300, "candidatesTokenCount": 90, "totalTokenCount": 390}, "modelVersion": "gemini-2.5-flash-lite"
    }))
}

/// A folder with the config that `init` writes, with the URL replaced.
fn dir((name, address, ..): Service, mock: &Mock) -> TestDir {
    let dir = TestDir::new();
    dir.run(&["init", name]).exits(0);
    let config = std::fs::read_to_string(dir.path("config.toml")).unwrap();
    assert!(config.contains(address), "{config}");
    dir.write("config.toml", format!("{}\n[embedded]\nfetch = false\n", config.replace(address, &mock.url())));
    dir.write("input/fr.txt", french(1));
    dir.write("input/en.txt", english(2));
    dir
}

fn run(dir: &TestDir, variable: &str, key: &str, arguments: &[&str]) -> Ended {
    Running::start(dir.command(arguments).env(variable, key)).wait()
}

#[test]
fn each_config_makes_rows_and_passes_doctor() {
    for service in SERVICES {
        let (name, _, variable, answer) = service;
        let mock = Mock::scripted(move |request, _| Action::Answer(answer(request)));
        let dir = dir(service, &mock);
        let doctor = run(&dir, variable, KEY, &["doctor"]).exits(0);
        assert!(doctor.stdout.contains(&format!("ok    endpoint `{name}`")), "{}", doctor.stdout);
        let ended = run(&dir, variable, KEY, &["run", "-vv"]).exits(0);
        let row = dir.row("input/fr.txt");
        assert!(row["title_en"].contains("LA DIGUE NUMÉRO 1 TIENT BON"), "{name}: {row:?}");
        assert_eq!((row["translation_endpoint"].as_str(), row["status"].as_str()), (name, "done"));
        assert_eq!(dir.row("input/en.txt")["status"], "done", "{name}");
        assert_eq!(dir.leaks(KEY, &ended), [""; 0]);
    }
}

#[test]
fn a_wrong_key_stops_each_at_once() {
    for service in SERVICES {
        let (name, _, variable, answer) = service;
        let mock = Mock::scripted(move |request, _| Action::Answer(answer(request)));
        let dir = dir(service, &mock);
        run(&dir, variable, "key-of-another", &["run", "--concurrency", "1"]).exits(4);
        assert!(dir.row("input/fr.txt")["error"].starts_with(&format!("key-refused: endpoint `{name}`")), "{:?}", dir.rows());
        assert_eq!(mock.count(), 1, "{name}");
    }
}

#[test]
fn the_documentation_shows_the_same_templates() {
    let docs = include_str!("../../docs/services.md");
    for (name, ..) in SERVICES {
        let config = TestDir::new().run(&["init", name, "--output", "-"]).exits(0).stdout;
        let template = config.split_once("[endpoint.template]\n").unwrap().1;
        let lines = template.lines().take_while(|line| !line.is_empty());
        for line in lines.filter(|line| !line.trim().is_empty()) {
            assert!(docs.contains(line), "docs/services.md lacks this of {name}: {line}");
        }
    }
}

#[test]
fn a_missing_key_is_one_error() {
    let dir = TestDir::new();
    for (name, ..) in SERVICES {
        let _ = std::fs::remove_file(dir.path("config.toml"));
        dir.run(&["init", name]).exits(0);
        let ended = dir.run(&["doctor"]).exits(2);
        assert_eq!(ended.stderr.matches("config.toml:").count(), 1, "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains("is not set"), "{name}: {}", ended.stderr);
    }
}
