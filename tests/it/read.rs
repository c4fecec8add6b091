//! `depeche read`: the extracted articles as JSON lines, and the articles in `input/`.

use serde_json::Value;

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::repository;
use crate::support::test_dir::TestDir;

/// The articles of `input/` as the program reads them.
fn shipped() -> Vec<Value> {
    let dir = TestDir::new();
    let input = repository("input").display().to_string();
    let ended = dir.run(&["read", &input]).exits(0);
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(article: &'a Value, key: &str) -> &'a str {
    article[key].as_str().unwrap()
}

#[test]
fn the_shipped_articles_have_the_right_languages_titles_and_dates() {
    let articles = shipped();
    assert_eq!(articles.len(), 11);
    for article in &articles {
        let keys: Vec<&str> = article.as_object().unwrap().keys().map(String::as_str).filter(|key| *key != "captions").collect();
        let wanted = "id source title body language published url author words flags section language_confidence";
        assert_eq!(keys, wanted.split(' ').collect::<Vec<_>>());
        let source = text(article, "source");
        let english = source.ends_with("harbour-bridge.json") || source.ends_with("school-meals.md");
        assert_eq!(text(article, "language"), if english { "en" } else { "fr" }, "{source}");
        assert!(article["language_confidence"].as_f64().is_some_and(|share| share > 0.8 && share <= 1.0), "{source}");
        assert!(!text(article, "title").is_empty() && text(article, "body").len() > 500, "{source}");
        let dated = article["published"].as_str();
        assert!(dated.is_none_or(|date| date.starts_with("2026-11-1")), "{source}: {dated:?}");
        assert!(article["words"].as_u64().unwrap() > 80 && text(article, "id").len() == 16, "{source}");
        assert_eq!(article["flags"], serde_json::json!([]), "{source}");
    }
    let with = |key: &str| articles.iter().filter(|article| article[key].is_string()).count();
    assert_eq!((with("published"), with("url"), with("author")), (6, 4, 3), "what the files say of themselves, and no more");
}

#[test]
fn boilerplate_is_dropped() {
    for article in shipped() {
        let body = text(&article, "body").to_lowercase();
        for furniture in ["lien source", "comment (0)", "©", "cookie", "newsletter", "lire aussi", "mentions légales", "<"] {
            assert!(!body.contains(furniture), "{}: {furniture}\n{body}", text(&article, "source"));
        }
    }
}

#[test]
fn old_encodings_are_decoded() {
    let articles = shipped();
    let of = |name: &str| articles.iter().find(|article| text(article, "source").contains(name)).unwrap();
    for name in ["reserve-du-haut-pays", "usine-verre"] {
        let article = of(name);
        let all = format!("{}{}", text(article, "title"), text(article, "body"));
        assert!(all.contains('é') && all.contains(['’', 'œ', '«', 'à']), "{all}");
        assert!(!all.contains(['\u{fffd}', 'Ã', '\u{92}']), "{all}");
    }
}

#[test]
fn an_unreadable_file_gives_a_line_with_its_reason() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.write("input/empty.txt", "");
    let ended = dir.run(&["read", "input"]).exits(3);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((text(&lines[0], "source"), text(&lines[1], "source")), ("input/001.txt", "input/empty.txt"));
    assert_eq!(lines[1]["error"], serde_json::json!({"code": "empty", "reason": "the file is empty"}));
    assert_eq!(mock.count(), 0, "it makes no calls");
    assert!(!dir.path("output").exists());
}

#[test]
fn an_article_has_the_same_id_as_in_the_table() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    dir.write("input/a.json", serde_json::json!([{"id": 1, "text": french(1)}, {"id": 2, "text": french(2)}]).to_string());
    dir.run(&["run"]).exits(0);
    let ended = dir.run(&["read", "input"]).exits(0);
    for line in ended.stdout.lines() {
        let article: Value = serde_json::from_str(line).unwrap();
        assert_eq!(dir.row(text(&article, "source"))["id"], text(&article, "id"));
        assert_eq!(article["flags"], serde_json::json!(["no-title"]));
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let dir = TestDir::new();
    let input = repository("input").display().to_string();
    let script = format!("'{}' read '{input}' | head -n 1", env!("CARGO_BIN_EXE_depeche"));
    let piped = std::process::Command::new("/bin/sh").arg("-c").arg(script).current_dir(dir.path("input")).output().unwrap();
    assert_eq!(String::from_utf8(piped.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(piped.stdout).unwrap().lines().count(), 1);
}
