//! Firefox models: the download from a mirror, its resumption, and damaged files. The tests use the
//! toy model in `tests/data/tiny-fren`, which translates French to English only.

use std::fs;

use serde_json::{Value, json};

use crate::support::apertium;
use crate::support::configs::{embedded, toy, toy_files};
use crate::support::http::{Request, Response, ask};
use crate::support::mock::{Action, Mock};
use crate::support::process::{Ended, Running};
use crate::support::test_dir::TestDir;

/// The files of the toy model with their SHA-256.
const FILES: [(&str, &str); 2] = [
    ("model.fren.intgemm.alphas.bin", "26d7b1e27c9f38595fd56cf6c3e07cc237fc8f3f6e933e5ce3dffccdf923b516"),
    ("vocab.fren.spm", "35aac8b756b103b68d40999fede9e424336b44c8619831ced07e7e1471289cfd"),
];
/// The folder of a downloaded model.
const CACHED: &str = "cache/depeche/models/tiny/fr-en";

/// Copies the toy model into a folder, with its list of hashes.
pub(crate) fn install(dir: &TestDir, folder: &str) {
    let mut sums = Vec::new();
    for (name, hash) in FILES {
        dir.write(&format!("{folder}/{name}"), fs::read(toy_files().join(name)).unwrap());
        sums.push(format!("{hash}  {name}\n"));
    }
    dir.write(&format!("{folder}/SHA256SUMS"), sums.concat());
}

/// The response of a mirror. It has the toy model for both directions, so that nothing is missing.
fn serve_file(request: &Request) -> Response {
    let name = request.path.trim_start_matches('/');
    if name == "records.json" {
        let mut records: Value = serde_json::from_slice(&fs::read(toy_files().join(name)).unwrap()).unwrap();
        let list = records["data"].as_array_mut().unwrap();
        let mut others = list.clone();
        for other in &mut others {
            (other["sourceLanguage"], other["targetLanguage"]) = ("en".into(), "fr".into());
        }
        list.append(&mut others);
        return Response::json(&records);
    }
    fs::read(toy_files().join(name)).map_or_else(|_| Response::new(404, ""), |bytes| Response::new(200, bytes))
}

/// The response of a mirror that supports `Range`.
fn serve_range(request: &Request) -> Response {
    let whole = serve_file(request);
    let start = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    match start {
        Some(start) if start < whole.body.len() => {
            let total = whole.body.len();
            Response::new(206, &whole.body[start..]).with("content-range", format!("bytes {start}-{}/{total}", total - 1))
        }
        Some(_) => Response::new(416, ""),
        None => whole,
    }
}

/// Whether a request is for the weights of the model.
fn is_model(request: &Request) -> bool {
    request.path.contains("model.fren")
}

/// A folder with a config that downloads from this mirror.
fn folder_for(mirror: &Mock) -> TestDir {
    TestDir::with(&embedded(&format!("translator = \"firefox\"\nmodel = \"tiny\"\nmirror = \"{}\"", mirror.url())), 0)
}

/// Starts `depeche serve` and returns it with its URL.
fn serve(dir: &TestDir) -> (Running, String) {
    let mut serving = dir.start(&["serve", "--listen", "127.0.0.1:0"]);
    let line = serving.wait_for_line("serving at ");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    (serving, url)
}

/// Asserts that the server translates every held-out sentence correctly.
fn assert_translates(url: &str) {
    let pairs = fs::read_to_string(toy_files().join("heldout.jsonl")).unwrap();
    let pairs: Vec<Value> = pairs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let side = |name: &str| pairs.iter().map(|pair| pair[name].clone()).collect::<Vec<_>>();
    let answer = ask(url, "/translate", &[], Some(&json!({"q": side("fr"), "source": "fr", "target": "en"})));
    assert_eq!(answer.value()["translatedText"], json!(side("en")));
    assert_eq!(answer.value()["draft"], false);
}

/// Runs `depeche models --fetch`.
fn fetch(dir: &TestDir) -> Ended {
    dir.run(&["models", "--fetch"])
}

#[test]
fn a_model_is_downloaded_once_and_translates_correctly() {
    let mirror = Mock::scripted(|request, _| Action::Answer(serve_range(request)));
    let dir = folder_for(&mirror);
    let (serving, url) = serve(&dir);
    assert_translates(&url);
    drop(serving);
    assert!(mirror.requests().iter().all(|request| request.method == "GET" && request.header("range").is_none()));
    let requests = mirror.count();
    let (_serving, url) = serve(&dir);
    assert_translates(&url);
    assert_eq!(mirror.count(), requests, "the second start makes no request to the mirror");
    let mut files: Vec<_> = fs::read_dir(dir.path(CACHED)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, [".lock", "SHA256SUMS", FILES[0].0, FILES[1].0]);
}

#[test]
fn two_runs_at_once_download_a_model_once() {
    let mirror = Mock::scripted(|request, _| Action::Answer(serve_range(request)));
    let dir = folder_for(&mirror);
    let both = [dir.start(&["models", "--fetch"]), dir.start(&["models", "--fetch"])];
    for run in both {
        run.wait().exits(0);
    }
    // Once for each direction.
    assert_eq!(mirror.requests().iter().filter(|request| is_model(request)).count(), 2);
}

#[test]
fn a_run_with_the_model_writes_the_table() {
    let dir = TestDir::with(&toy("models"), 0);
    install(&dir, "models/fr-en");
    let sentence = "Le gouvernement a adopté le projet de loi à Paris.";
    dir.write("input/a.json", json!({"title": "Le président a annoncé un nouveau budget", "text": sentence, "language": "fr"}).to_string());
    dir.run(&["run"]).exits(0);
    let row = dir.row("input/a.json");
    assert_eq!((row["summary_fr"].as_str(), row["summary_en"].as_str()), (sentence, "The government adopted the bill in Paris."));
    // The toy model knows only a few words, so the translation of the title is wrong and rightly
    // flagged.
    assert_eq!((row["cost"].as_str(), row["translation_endpoint"].as_str()), ("0", "embedded"));
    let table = dir.table();
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.table(), table);
}

#[test]
fn two_embedded_endpoints_share_the_tasks() {
    let second = "does = [\"summarise\"]\ndialect = \"embedded\"\n\n[[endpoint]]\nname = \"translator\"\ndoes = [\"translate\"]";
    let dir = TestDir::with(&toy("models").replace("does = [\"summarise\", \"translate\"]", second), 0);
    install(&dir, "models/fr-en");
    let sentence = "Le gouvernement a adopté le projet de loi à Paris.";
    dir.write("input/a.json", json!({"title": "Le budget", "text": sentence, "language": "fr"}).to_string());
    dir.run(&["run"]).exits(0);
    let row = dir.row("input/a.json");
    assert_eq!((row["summary_endpoint"].as_str(), row["translation_endpoint"].as_str()), ("embedded", "translator"));
    assert_eq!(row["summary_en"], "The government adopted the bill in Paris.");
}

#[test]
fn an_interrupted_download_is_resumed() {
    let mirror = Mock::scripted(|request, _| {
        if is_model(request) && request.header("range").is_none() {
            Action::Cut(serve_file(request))
        } else {
            Action::Answer(serve_range(request))
        }
    });
    let dir = folder_for(&mirror);
    fetch(&dir).exits(0);
    let half = format!("bytes={}-", serve_file(&mirror.requests().into_iter().find(is_model).unwrap()).body.len() / 2);
    assert!(mirror.requests().iter().any(|request| request.header("range") == Some(half.as_str())));
    assert_translates(&serve(&dir).1);
}

#[test]
fn a_failed_download_is_resumed_in_the_next_run() {
    let mirror = Mock::scripted(
        |request, _| if is_model(request) { Action::Cut(serve_file(request)) } else { Action::Answer(serve_range(request)) },
    );
    let dir = folder_for(&mirror);
    fetch(&dir).exits(4);
    assert!(!dir.path(CACHED).join("SHA256SUMS").exists());
    let good = Mock::scripted(|request, _| Action::Answer(serve_range(request)));
    dir.write("config.toml", embedded(&format!("translator = \"firefox\"\nmirror = \"{}\"", good.url())));
    fetch(&dir).exits(0);
    let first = good.requests().into_iter().find(is_model).unwrap();
    assert!(first.header("range").is_some_and(|range| range.starts_with("bytes=") && range != "bytes=0-"), "{first:?}");
}

#[test]
fn a_mirror_without_range_requests_works() {
    let mirror = Mock::scripted(|request, number| {
        if is_model(request) && number < 3 { Action::Cut(serve_file(request)) } else { Action::Answer(serve_file(request)) }
    });
    let dir = folder_for(&mirror);
    fetch(&dir).exits(0);
    assert!(mirror.requests().iter().any(|request| request.header("range").is_some()));
    assert_translates(&serve(&dir).1);
}

#[test]
fn a_file_with_a_wrong_hash_is_refused_and_deleted() {
    let mirror = Mock::scripted(|request, _| {
        let mut answer = serve_file(request);
        if request.path == "/records.json" {
            answer.body = String::from_utf8(answer.body).unwrap().replace(FILES[0].1, FILES[1].1).into_bytes();
        }
        Action::Answer(answer)
    });
    let dir = folder_for(&mirror);
    let ended = dir.run(&["serve", "--listen", "127.0.0.1:0"]).exits(4);
    assert!(ended.stderr.contains("is damaged and was deleted"), "{}", ended.stderr);
    for entry in fs::read_dir(dir.path(CACHED)).unwrap() {
        assert_eq!(entry.unwrap().file_name(), ".lock");
    }
}

#[test]
fn a_damaged_file_is_refused_at_each_load() {
    let truncate = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    let flip = |bytes: &mut Vec<u8>| bytes[50_000] ^= 1;
    for (name, damage) in [(FILES[1].0, &truncate as &dyn Fn(&mut Vec<u8>)), (FILES[0].0, &flip)] {
        let dir = TestDir::with(&embedded("translator = \"firefox\"\nfetch = false"), 0);
        install(&dir, CACHED);
        let path = dir.path(CACHED).join(name);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["models"], &["doctor"]] {
            let ended = dir.run(arguments).exits(4);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains(&format!("{name}` is damaged")), "{said}");
        }
    }
}

#[test]
fn models_copied_by_hand_are_used_and_verified() {
    let dir = TestDir::with(&toy("mine"), 0);
    install(&dir, "mine/fr-en");
    let (serving, url) = serve(&dir);
    assert_translates(&url);
    drop(serving);
    fs::remove_file(dir.path("mine/fr-en/SHA256SUMS")).unwrap();
    let ended = dir.run(&["serve", "--listen", "127.0.0.1:0"]).exits(4);
    assert!(ended.stderr.contains("make it with `cd ") && ended.stderr.contains("sha256sum *.* > SHA256SUMS`"), "{}", ended.stderr);
}

#[test]
fn a_mirror_that_never_answers_counts_as_unreachable() {
    let mirror = Mock::scripted(|_, _| Action::Hang);
    let dir = folder_for(&mirror);
    let ended = dir.run(&["serve", "--listen", "127.0.0.1:0"]).exits(4);
    assert!(ended.stderr.contains("/records.json is not reachable: no answer in 5 seconds"), "{}", ended.stderr);
    assert_eq!(mirror.count(), 1, "the other direction is not tried");
}

#[test]
fn without_a_translator_the_message_lists_three_ways_to_get_one() {
    let dir = TestDir::with(&embedded("translator = \"firefox\"\nfetch = false"), 1);
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["run"]] {
        let ended = dir.run(arguments).exits(4);
        assert!(ended.stderr.contains("the embedded endpoint has no translator"), "{}", ended.stderr);
        for way in [
            "  1. apt install apertium-fr-es apertium-eng-spa",
            "  2. download Firefox's model once",
            "  3. copy the models from another machine to ",
        ] {
            assert!(ended.stderr.contains(way), "{}", ended.stderr);
        }
    }
}

#[test]
fn apertium_is_the_fallback_without_a_model() {
    if !apertium() {
        return;
    }
    let stopped = Mock::good();
    let config = embedded(&format!("translator = \"auto\"\nmirror = \"{}\"", stopped.url()));
    drop(stopped);
    let dir = TestDir::with(&config, 1);
    dir.run(&["run"]).exits(0);
    let row = dir.row("input/001.txt");
    assert!(row["status"] == "done" && row["flags"].starts_with("draft"), "{row:?}");
    assert!(row["summary_en"].contains("dam") || row["summary_en"].contains("dike") || row["summary_en"].contains("port"), "{row:?}");
}

#[test]
fn a_mirror_on_loopback_is_not_reached_through_a_proxy() {
    let mirror = Mock::scripted(|request, _| Action::Answer(serve_range(request)));
    let proxy = Mock::scripted(|_, _| Action::status(502, ""));
    let dir = folder_for(&mirror);
    let mut command = dir.command(&["models", "--fetch"]);
    command.env("http_proxy", proxy.url()).env("HTTP_PROXY", proxy.url());
    Running::start(&mut command).wait().exits(0);
    assert_eq!(proxy.count(), 0);
}
