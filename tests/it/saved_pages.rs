//! Saved web pages of many kinds. tests/data/pages/manifest.jsonl says what must and must not be extracted from each.

use serde_json::Value;

use crate::support::repository;
use crate::support::test_dir::TestDir;

fn list<'a>(row: &'a Value, key: &str) -> Vec<&'a str> {
    row[key].as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

#[test]
fn each_page_gives_its_article_and_nothing_else() {
    let folder = repository("tests/data/pages");
    let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap();
    let dir = TestDir::new();
    for row in manifest.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let page = row["page"].as_str().unwrap();
        let ended = dir.run(&["read", &folder.join(page).display().to_string()]);
        let found: Value = serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
        assert_eq!(found["error"]["code"], row["reject"], "{page}: {found}");
        if row["reject"].is_string() {
            continue;
        }
        let body = found["body"].as_str().unwrap();
        for piece in list(&row, "with_") {
            assert!(body.contains(piece), "{page} lacks «{piece}»: {body}");
        }
        for piece in list(&row, "without") {
            assert!(!body.contains(piece), "{page} has «{piece}»: {body}");
        }
        assert_eq!(found["published"].as_str().and_then(|date| date.get(..10)), row["date"].as_str(), "{page}");
        for key in ["title", "author", "section"] {
            assert_eq!(found[key], row[key], "{page}: {key}");
        }
    }
}

#[test]
fn users_can_add_rules_and_errors_are_reported_with_their_position() {
    let dir = TestDir::new();
    dir.write("a.txt", "Le port rouvre\n\nLe port a rouvert mardi matin, a dit la mairie.\nÉdition du soir\n");
    dir.write("rules.toml", "lines = [\"Édition du soir\"]\n");
    let endpoint = "[[endpoint]]\nname = \"embedded\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"embedded\"\n";
    dir.write("config.toml", format!("[input]\nrules = \"rules.toml\"\n{endpoint}"));
    let ended = dir.run(&["read", "a.txt"]).exits(0);
    assert!(!ended.stdout.contains("Édition"), "{}", ended.stdout);
    dir.write("rules.toml", "\nline = [\"x\"]\n");
    let ended = dir.run(&["read", "a.txt"]).exits(2);
    for said in ["rules.toml:2:1", "`line`", "did you mean `lines`?"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
}
