//! `LibreTranslate` states its limits in its settings and in its errors. Longer texts are not sent twice.

use serde_json::json;

use crate::support::articles::french;
use crate::support::configs::service;
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;

/// A server with these limits of characters for each text and texts for each call. With `says`, it has the settings page.
fn server(characters: usize, texts: usize, says: bool) -> Mock {
    Mock::scripted(move |request, _| match request.path.as_str() {
        "/frontend/settings" if says => Action::Answer(Response::json(&json!({"charLimit": characters}))),
        "/translate" => refusal(request, characters, texts).unwrap_or_else(|| Action::normal(request)),
        "/frontend/settings" => Action::status(404, "<html>"),
        _ => Action::normal(request),
    })
}

/// Version 1.9 uses the same message for one text and for all texts.
fn refusal(request: &Request, characters: usize, texts: usize) -> Option<Action> {
    let sent = texts_of(request);
    let longest = sent.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let (size, most) = if sent.len() > texts { (sent.len(), texts) } else { (longest, characters) };
    (size > most).then(|| {
        Action::status(400, &json!({"error": format!("Invalid request: request ({size}) exceeds text limit ({most})")}).to_string())
    })
}

fn texts_of(request: &Request) -> Vec<String> {
    request.json()["q"].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn translations(mock: &Mock) -> Vec<Request> {
    mock.requests().into_iter().filter(|request| request.path == "/translate").collect()
}

/// Translates whole texts, because they are long.
fn dir(mock: &Mock, lines: &str, articles: usize) -> TestDir {
    let dir = TestDir::with(&format!("[summary]\nkeep_text = true\n\n{}", service(mock, "libretranslate", lines)), 0);
    for number in 0..articles {
        dir.write(&format!("input/{number}.txt"), format!("Un titre\n\n{}", french(number).repeat(4)));
    }
    dir
}

#[test]
fn settings_are_requested_once_and_nothing_longer_is_sent() {
    let mock = server(300, 50, true);
    let dir = dir(&mock, "", 3);
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!(mock.requests().iter().filter(|request| request.path == "/frontend/settings").count(), 1);
    for request in translations(&mock) {
        assert!(texts_of(&request).iter().all(|text| text.chars().count() <= 300), "{}", request.text());
    }
    for number in 0..3 {
        assert!(dir.row(&format!("input/{number}.txt"))["text_en"].ends_with("À L'UNANIMITÉ."), "nothing is left out");
    }
    // The embedded endpoint makes the summaries.
    assert_eq!(ended.summary()["requests"], mock.count() + 3, "the question counts too");
}

#[test]
fn limits_are_learnt_from_refusals() {
    for (characters, texts) in [(300, 50), (2_000, 1), (300, 1)] {
        let mock = server(characters, texts, false);
        let dir = dir(&mock, "", 3);
        dir.run(&["run"]).exits(0);
        let refused = translations(&mock).iter().filter(|request| refusal(request, characters, texts).is_some()).count();
        assert!((1..=2).contains(&refused), "{refused} refused, for each limit once");
        assert!(dir.rows().iter().all(|row| row["status"] == "done"));
    }
}

#[test]
fn a_refused_text_does_not_affect_other_articles() {
    let mock = Mock::scripted(|request, _| match request.path.as_str() {
        "/translate" if request.text().contains("numéro 1 ") => Action::status(400, r#"{"error":"Invalid request: missing something"}"#),
        _ => Action::normal(request),
    });
    let dir = TestDir::with(&service(&mock, "libretranslate", ""), 3);
    dir.run(&["run"]).exits(3);
    let rows = dir.rows();
    assert_eq!(rows.iter().map(|row| row["status"].as_str()).collect::<Vec<_>>(), ["failed", "done", "done"], "{rows:?}");
}
