//! The ledger end to end: nothing is paid twice, foreign files are left alone, and two runs never share a ledger.

use std::fs;

use rusqlite::Connection;

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::{TestDir, sources};

#[test]
fn a_second_run_makes_no_calls_and_writes_the_same_bytes() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 5);
    dir.write("input/empty.txt", "");
    dir.run(&["run"]).exits(0);
    let (table, calls) = (dir.table(), mock.count());
    let summary = dir.run(&["run"]).exits(0).summary();
    assert_eq!((dir.table(), mock.count()), (table, calls));
    assert_eq!([&summary["found"], &summary["done"], &summary["earlier"], &summary["skipped"]], [6, 5, 5, 1], "{summary}");
}

#[test]
fn servers_of_one_service_share_their_answers() {
    let (first, second) = (Mock::good(), Mock::good());
    let with_service = |mock: &Mock| openai(mock).replace("concurrency = 4", "service = \"vllm\"\nconcurrency = 4");
    let dir = TestDir::with(&with_service(&first), 3);
    dir.run(&["run"]).exits(0);
    dir.write("config.toml", with_service(&second));
    let moved = dir.run(&["run"]).exits(0).summary();
    assert_eq!((first.count(), second.count(), &moved["earlier"]), (6, 0, &3.into()));
    dir.write("config.toml", with_service(&second).replace("\"vllm\"", "\"other\""));
    dir.run(&["run"]).exits(0);
    assert_eq!(second.count(), 6, "another service is asked again");
    dir.write("config.toml", with_service(&second).replace("\"vllm\"", "\"http://x\""));
    assert!(dir.run(&["run"]).exits(2).stderr.contains("invalid `service`"));
}

#[test]
fn a_changed_article_repeats_only_its_own_calls() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 4);
    dir.run(&["run"]).exits(0);
    let before = dir.without_times();
    dir.write("input/003.txt", french(33));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 10);
    let after = dir.without_times();
    let changed: Vec<usize> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
    assert_eq!(changed, [3]);
    assert!(mock.requests()[8..].iter().all(|request| request.text().contains("33")));
}

#[test]
fn a_moved_article_is_free_and_a_removed_one_leaves_the_table() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    fs::rename(dir.path("input/001.txt"), dir.path("input/moved.txt")).unwrap();
    fs::remove_file(dir.path("input/002.txt")).unwrap();
    dir.run(&["run"]).exits(0);
    assert_eq!(sources(&dir.rows()), ["input/003.txt", "input/moved.txt"]);
    assert_eq!(mock.count(), 6);
}

#[test]
fn a_changed_setting_redoes_only_what_it_shapes() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    dir.write("config.toml", openai(&mock).replace("words = 60", "words = 90"));
    dir.run(&["run"]).exits(0);
    // The summaries are the same, so their translations come from the ledger.
    assert_eq!(mock.count(), 6 + 3);
    dir.write("config.toml", openai(&mock));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 9, "and the way back is free");
}

#[test]
fn renaming_an_endpoint_is_free_and_changing_its_model_is_not() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    dir.write("config.toml", openai(&mock).replace("name = \"llm\"", "name = \"renamed\"").replace("concurrency = 4", "concurrency = 2"));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4);
    dir.write("config.toml", openai(&mock).replace("model = \"mock-1\"", "model = \"mock-2\""));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 8);
}

#[test]
fn the_ledger_is_an_intact_sqlite_database_in_wal_mode() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let ledger = Connection::open(dir.path("output/ledger.db")).unwrap();
    let pragma = |name: &str| ledger.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!((pragma("journal_mode").as_str(), pragma("quick_check").as_str()), ("wal", "ok"));
    let count = |table: &str| ledger.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((count("call"), count("row"), count("run")), (6, 3, 1));
    let exit: i64 = ledger.query_row("SELECT exit FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(exit, 0);
}

#[test]
fn a_foreign_ledger_is_left_alone() {
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE photos (name TEXT); INSERT INTO photos VALUES ('a');").unwrap();
    for content in [b"my notes\n".to_vec(), Vec::new(), fs::read(&path).unwrap()] {
        let mock = Mock::good();
        let dir = TestDir::with(&openai(&mock), 1);
        dir.write("output/ledger.db", &content);
        for arguments in [&["run"][..], &["run", "--new-ledger"]] {
            let ended = dir.run(arguments).exits(2);
            assert!(ended.stderr.contains("ledger.db"), "{}", ended.stderr);
            assert_eq!(fs::read(dir.path("output/ledger.db")).unwrap(), content);
        }
        assert_eq!(mock.count(), 0);
    }
}

#[test]
fn a_damaged_ledger_is_reported_with_its_repair_and_nothing_is_paid_again() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 30);
    dir.run(&["run"]).exits(0);
    let calls = mock.count();
    let path = dir.path("output/ledger.db");
    let mut bytes = fs::read(&path).unwrap();
    // Damage every page except the first, which identifies the file.
    bytes.iter_mut().skip(4096).for_each(|byte| *byte = 0xa5);
    fs::write(&path, &bytes).unwrap();
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("is damaged") && ended.stderr.contains(".recover"), "{}", ended.stderr);
    assert_eq!(mock.count(), calls);
}

#[test]
fn a_missing_ledger_is_reported_before_paying_again() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    fs::remove_file(dir.path("output/ledger.db")).unwrap();
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("--new-ledger"), "{}", ended.stderr);
    assert_eq!((dir.table(), mock.count()), (table, 4));
    dir.run(&["run", "--new-ledger"]).exits(0);
    assert_eq!(mock.count(), 8);
}

#[test]
fn a_second_run_at_once_exits_and_names_the_first() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    mock.hold();
    let first = dir.start(&["run"]);
    mock.wait_for_in_flight(3);
    let second = dir.run(&["run"]).exits(11);
    assert!(second.stderr.contains(&format!("process {}, started 20", first.pid())), "{}", second.stderr);
    assert!(second.stderr.contains("pass --wait"), "{}", second.stderr);
    let forget = dir.run(&["forget", "--older-than", "90d"]).exits(11);
    assert!(forget.stderr.contains("try again when it has ended") && !forget.stderr.contains("--wait"), "{}", forget.stderr);
    assert_eq!(mock.count(), 3, "no request from the second");
    mock.release();
    first.wait().exits(0);
    assert_eq!((mock.count(), dir.rows().len()), (6, 3));
}

#[test]
fn a_killed_run_leaves_no_lock() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    mock.hold();
    let first = dir.start(&["run"]);
    mock.wait_for_in_flight(1);
    assert_eq!(first.kill().code, None);
    mock.release();
    dir.run(&["run"]).exits(0);
}
