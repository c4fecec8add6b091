//! An input that is empty, and files that are taken away during a run: reported, and the table stays.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::TestDir;

fn report(dir: &TestDir) -> serde_json::Value {
    serde_json::from_slice(&fs::read(dir.path("output/report.json")).unwrap()).unwrap()
}

fn empty(dir: &TestDir) {
    fs::remove_dir_all(dir.path("input")).unwrap();
    fs::create_dir(dir.path("input")).unwrap();
}

#[test]
fn an_empty_input_is_reported_and_the_table_stays() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    empty(&dir);
    for arguments in [&["run"][..], &["run", "--quiet"]] {
        let ended = dir.run(arguments).exits(3);
        assert!(ended.stderr.contains("no files in") && ended.stderr.contains("--allow-empty"), "{}", ended.stderr);
        assert_eq!(dir.table(), table);
        let fault = report(&dir)["fault"].as_str().unwrap().to_owned();
        assert!(fault.contains("the table keeps its rows"), "{fault}");
    }
    // The disk is mounted again.
    (1..=2).for_each(|number| dir.article(number));
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.table(), mock.count()), (table, 4));
}

#[test]
fn an_input_with_only_links_or_hidden_files_is_empty() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    fs::rename(dir.path("input/001.txt"), dir.path("001.txt")).unwrap();
    symlink(dir.path("001.txt"), dir.path("input/001.txt")).unwrap();
    dir.write("input/sub/.hidden.txt", "x");
    let ended = dir.run(&["run"]).exits(3);
    assert_eq!((dir.rows().len(), &ended.summary()["links"]), (1, &1.into()));
    assert_eq!(report(&dir)["summary"]["links"], 1);
    assert!(ended.stdout.lines().any(|line| line.starts_with("links ") && line.contains("not followed")), "{}", ended.stdout);
}

#[test]
fn one_of_two_inputs_without_files_keeps_its_rows() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock).replace(r#"["input"]"#, r#"["input", "other"]"#), 1);
    dir.write("other/b.txt", crate::support::articles::french(2));
    dir.run(&["run"]).exits(0);
    fs::remove_file(dir.path("other/b.txt")).unwrap();
    let ended = dir.run(&["run"]).exits(3);
    assert!(ended.stderr.contains("/other`"), "{}", ended.stderr);
    assert_eq!(dir.rows().len(), 2);
}

#[test]
fn an_empty_input_that_is_meant_empties_the_table() {
    let mock = Mock::good();
    for (key, arguments) in [("", &["run", "--allow-empty"][..]), ("allow_empty = true", &["run"])] {
        let dir = TestDir::with(&openai(&mock).replace("[input]", &format!("[input]\n{key}")), 1);
        dir.run(&["run"]).exits(0);
        empty(&dir);
        dir.run(arguments).exits(0);
        assert_eq!(dir.rows().len(), 0);
        dir.run(&["run"]).exits(0);
    }
    let dir = TestDir::with(&openai(&mock), 0);
    fs::create_dir_all(dir.path("input")).unwrap();
    dir.run(&["run"]).exits(0);
}

#[test]
fn a_lock_deleted_during_a_run_ends_it() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 12);
    mock.hold();
    let mut run = dir.start(&["run"]);
    mock.wait_for_in_flight(4);
    fs::remove_file(dir.path("output/ledger.lock")).unwrap();
    run.wait_for_line("stopping: the lock");
    mock.release();
    let ended = run.wait().exits(2);
    assert!(ended.stderr.contains("ledger.lock` was moved or deleted"), "{}", ended.stderr);
    assert_eq!(mock.count(), 4, "nothing more is sent");
    assert!(!dir.path("output/summaries.csv").exists(), "another run may write it");
    // The replies were recorded.
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.rows().len(), mock.count()), (12, 24));
}
