//! Commands on the ledger: `plan`, `status`, `retry`, `export`, `forget` and `why`. Only `retry` makes calls.

use std::fs;

use crate::support::articles::{french, german};
use crate::support::configs::openai;
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::{TestDir, rows, sources};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// A service that refuses the article with this number while the returned flag is set.
fn choosy(number: usize) -> (Mock, std::sync::Arc<std::sync::atomic::AtomicBool>) {
    let refuse = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let asked = std::sync::Arc::clone(&refuse);
    let mock = Mock::scripted(move |request, _| {
        if asked.load(std::sync::atomic::Ordering::SeqCst) && request.text().contains(&format!("numéro {number} ")) {
            Action::status(400, r#"{"error":{"message":"not this one"}}"#)
        } else {
            Action::normal(request)
        }
    });
    (mock, refuse)
}

#[test]
fn plan_predicts_the_next_run() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 4);
    dir.write("input/empty.txt", "");
    let before = json(&dir.run(&["plan", "--json"]).exits(0).stdout);
    assert_eq!(mock.count(), 0);
    assert!(!dir.path("output").exists(), "it writes nothing");
    assert_eq!((&before["new"], &before["skipped"]["empty"], &before["endpoints"][0]["calls"]), (&4.into(), &1.into(), &8.into()));
    assert!(before["endpoints"][0]["cost"].is_null(), "an unknown price is not 0: {before}");
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 8);
    let after = json(&dir.run(&["plan", "--json"]).exits(0).stdout);
    assert_eq!((&after["unchanged"], &after["endpoints"]), (&4.into(), &serde_json::json!([])), "{after}");
    // Change one article, and one setting that shapes summaries.
    dir.write("input/001.txt", french(31));
    fs::rename(dir.path("input/002.txt"), dir.path("input/moved.txt")).unwrap();
    let changed = json(&dir.run(&["plan", "--json"]).exits(0).stdout);
    assert_eq!((&changed["redone"], &changed["moved"], &changed["unchanged"]), (&1.into(), &1.into(), &2.into()), "{changed}");
    dir.write(
        "config.toml",
        openai(&mock).replace("words = 60", "words = 90").replace("timeout", "price = { characters = 20.0 }\ntimeout"),
    );
    let plan = json(&dir.run(&["plan", "--json"]).exits(0).stdout);
    assert_eq!(plan["redone"].as_u64().unwrap() + plan["new"].as_u64().unwrap(), 4, "{plan}");
    assert!(plan["endpoints"][0]["cost"].as_f64().unwrap() > 0.0);
    assert_eq!(mock.count(), 8);
}

#[test]
fn plan_and_status_work_during_a_run() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_in_flight(2);
    let plan = dir.run(&["plan"]).exits(0).stdout;
    assert!(plan.contains("found") && plan.contains("  llm           4       0") && plan.contains("Total cost: unknown"), "{plan}");
    let status = dir.run(&["status"]).exits(0).stdout;
    assert!(status.contains(&format!("active (process {}", run.pid())), "{status}");
    mock.release();
    run.wait().exits(0);
}

#[test]
fn status_shows_runs_reasons_and_costs() {
    let (mock, _) = choosy(2);
    let dir = TestDir::with(&openai(&mock).replace("timeout", "price = { characters = 20.0 }\ntimeout"), 3);
    assert!(dir.run(&["status"]).exits(0).stdout.contains("no run has started yet"));
    dir.write("input/empty.txt", "");
    dir.run(&["run"]).exits(3);
    let status = dir.run(&["status"]).exits(0).stdout;
    for part in [
        "Table: 2 done, 1 failed, 1 skipped",
        "  4     2       1        1        0 ",
        "     1  failed   refused-request  input/002.txt",
        "     1  skipped  empty            input/empty.txt",
        "  llm           4 ",
        "  0.",
    ] {
        assert!(status.contains(part), "no `{part}` in\n{status}");
    }
    mock.hold();
    dir.article(9);
    let run = dir.start(&["run"]);
    mock.wait_for_in_flight(1);
    run.kill();
    let status = dir.run(&["status"]).exits(0).stdout;
    assert!(status.contains("killed") && status.contains("Maybe billed, without a usable answer"), "{status}");
    mock.release();
}

#[test]
fn retry_takes_only_failed_articles() {
    let (mock, refuse) = choosy(2);
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(3);
    let calls = mock.count();
    refuse.store(false, std::sync::atomic::Ordering::SeqCst);
    // A new article is left for the next run.
    dir.article(7);
    let summary = dir.run(&["retry"]).exits(0).summary();
    assert_eq!([&summary["found"], &summary["done"]], [1, 1], "{summary}");
    assert_eq!((mock.count(), sources(&dir.rows()).len()), (calls + 2, 3), "the others stay in the table");
    assert!(dir.rows().iter().all(|row| row["status"] == "done"));
    let idle = dir.run(&["retry", "--profile", "excel-fr"]).exits(0).summary();
    assert_eq!([&idle["found"], &idle["requests"]], [0, 0]);
    assert!(dir.table().starts_with("\u{feff}id;source;".as_bytes()), "it writes the table in the profile of its options");
}

#[test]
fn export_filters_by_status_flag_and_date() {
    let (mock, _) = choosy(2);
    let dir = TestDir::with(&openai(&mock), 3);
    dir.write("input/dated.json", serde_json::json!({"title": "Titre", "text": french(8), "date": "2026-11-14"}).to_string());
    dir.run(&["run"]).exits(3);
    let export = |arguments: &[&str]| dir.run(&[&["export"], arguments].concat()).exits(0).stdout;
    assert_eq!(export(&[]).into_bytes(), dir.table());
    let names = |arguments: &[&str]| sources(&rows(export(arguments).as_bytes(), b',')).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&["--status", "failed"]), ["input/002.txt"]);
    assert_eq!(names(&["--published-since", "2026-11-14", "--published-until", "2026-11-14"]), ["input/dated.json"]);
    assert_eq!(names(&["--published-since", "2026-11-15"]), Vec::<String>::new());
    assert_eq!((names(&["--since", "2020-01-01"]).len(), names(&["--until", "2020-01-01"]).len()), (4, 0));
    assert_eq!(names(&["--flag", "number"]).len(), dir.rows().iter().filter(|row| row["flags"].contains("number")).count());
    let lines = export(&["--format", "jsonl", "--status", "done"]);
    assert!(lines.lines().count() == 3 && lines.lines().all(|line| json(line)["status"] == "done"));
    assert!(export(&["--profile", "excel-fr"]).starts_with('\u{feff}'));
    fs::remove_file(dir.path("input/001.txt")).unwrap();
    dir.run(&["run"]).exits(3);
    assert_eq!((names(&[]).len(), names(&["--all"]).len()), (3, 4));
    for (arguments, part) in [(["--flag", "nmber"], "a similar value exists: 'number'"), (["--since", "yesterday"], "expected a date")] {
        let ended = dir.run(&[&["export"], &arguments[..]].concat()).exits(2);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn forget_keeps_what_the_table_needs() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    fs::remove_file(dir.path("input/003.txt")).unwrap();
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    // Make everything a year old.
    let ledger = rusqlite::Connection::open(dir.path("output/ledger.db")).unwrap();
    ledger
        .execute_batch(
            "UPDATE row SET processed_at = '2025' || substr(processed_at, 5); UPDATE call SET made_at = '2025' || substr(made_at, 5)",
        )
        .unwrap();
    drop(ledger);
    let dry = dir.run(&["forget", "--older-than", "90d", "--dry-run"]).exits(0).stdout;
    assert!(dry.starts_with("Would delete, ") && dry.contains("in the table  1\n") && dry.contains("replies             2\n"), "{dry}");
    let real = dir.run(&["forget", "--older-than", "90d"]).exits(0).stdout;
    assert!(real.starts_with("Deleted, ") && real.lines().skip(1).eq(dry.lines().skip(1)), "{real}");
    assert!(dir.run(&["forget", "--older-than", "90d"]).exits(0).stdout.contains("in the table  0\n"));
    assert!(dir.run(&["forget", "--older-than", "90d", "--quiet"]).exits(0).stdout.is_empty());
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 6, "nothing that the table needs was lost");
    let ended = rows(&table, b',').len();
    assert_eq!(dir.rows().len(), ended);
    assert!(dir.run(&["forget", "--older-than", "soon"]).exits(2).stderr.contains("expected an age"));
}

#[test]
fn why_shows_the_history_of_an_article() {
    let (mock, _) = choosy(2);
    let dir = TestDir::with(&openai(&mock).replace("timeout", "price = { characters = 20.0 }\ntimeout"), 2);
    dir.write("input/deich.txt", german());
    dir.run(&["run"]).exits(3);
    let why = |file: &str| dir.run(&["why", file]).exits(0).stdout;
    let story = why("input/001.txt");
    for part in [
        "status     done",
        "call       summarise by llm (mock-1)",
        "call       translate by llm",
        " characters, 11 + 7 tokens, cost 0.",
        "run 1",
        "cost       0.",
    ] {
        assert!(story.contains(part), "no `{part}` in\n{story}");
    }
    // By its id, and by its absolute path.
    assert_eq!(why(&dir.row("input/001.txt")["id"]), story);
    assert_eq!(why(&dir.path("input/001.txt").display().to_string()), story);
    assert!(why("input/002.txt").contains("failed, ") && why("input/002.txt").contains("not this one"));
    dir.write("input/001.txt", french(44));
    assert!(why("input/001.txt").contains("changed; the next run") || why("input/001.txt").contains("reads it again"));
    fs::remove_file(dir.path("input/001.txt")).unwrap();
    assert!(why("input/001.txt").contains("cannot be accessed"));
    dir.write("input/.hidden.txt", "x");
    for (file, part) in [("input/none.txt", "no such file"), ("input/.hidden.txt", "hidden files are ignored")] {
        let ended = dir.run(&["why", file]).exits(2);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn forget_without_a_ledger_says_that_nothing_was_processed() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    let ended = dir.run(&["forget", "--older-than", "90d"]).exits(0);
    assert!(ended.stdout.contains("nothing was processed yet"), "{}", ended.stdout);
    assert!(!dir.path("output").exists(), "it makes no folder");
}
