//! Tables that a person edits between two runs: they are rebuilt from the ledger, and the edited file is kept and reported.

use std::fs;

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::{TestDir, mode};

/// The kept tables, by name, with their content.
fn kept(dir: &TestDir) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir.path("output")).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named.filter(|(name, _)| name.contains("-edited-")).map(|(name, path)| (name, fs::read(path).unwrap())).collect()
}

#[test]
fn rows_edited_by_hand_are_reported_and_kept() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    let text = String::from_utf8(table.clone()).unwrap();
    let own = text.lines().nth(1).unwrap().replace("input/001.txt", "from the telephone");
    let edited = format!("{}{own}\n", text.replace("Elle", "Il").replacen("La digue 2 du port", "La digue du port", 1));
    dir.write("output/summaries.csv", &edited);
    // With `--quiet`, too.
    let ended = dir.run(&["run", "--quiet"]).exits(0);
    assert_eq!(dir.table(), table, "made anew from the ledger");
    let kept = kept(&dir);
    assert_eq!((kept.len(), &kept[0].1), (1, &edited.into_bytes()));
    for part in ["summaries.csv", "2 added or changed by hand", &kept[0].0] {
        assert!(ended.stderr.contains(part), "no `{part}` in {}", ended.stderr);
    }
    assert!(dir.run(&["run", "--quiet"]).exits(0).stderr.is_empty(), "reported once");
    assert_eq!(mock.count(), 6);
}

#[test]
fn deleted_rows_come_back_and_are_reported() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    let head = table.split(|byte| *byte == b'\n').next().unwrap().to_vec();
    dir.write("output/summaries.csv", head);
    let ended = dir.run(&["run"]).exits(0);
    assert!(ended.stderr.contains("3 deleted"), "{}", ended.stderr);
    assert_eq!((dir.table(), kept(&dir).len()), (table, 1));
}

#[test]
fn a_table_saved_again_without_changes_is_not_reported() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    let saved = String::from_utf8(table.clone()).unwrap().replace('\n', "\r\n");
    dir.write("output/summaries.csv", saved);
    let ended = dir.run(&["run"]).exits(0);
    assert!(!ended.stderr.contains("edited") && kept(&dir).is_empty(), "{}", ended.stderr);
    assert_eq!(dir.table(), table);
}

#[test]
fn edits_saved_during_a_run_are_kept() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    dir.article(2);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_in_flight(1);
    dir.write("output/summaries.csv", "my own\n");
    mock.release();
    let ended = run.wait().exits(0);
    assert!(ended.stderr.contains("was changed during the run"), "{}", ended.stderr);
    assert_eq!((dir.rows().len(), &kept(&dir)[0].1[..]), (2, &b"my own\n"[..]));
}

#[test]
fn a_run_killed_before_writing_outputs_is_not_an_edit() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    (2..=6).for_each(|number| dir.article(number));
    mock.let_through(5);
    let run = dir.start(&["run"]);
    mock.wait_for_requests(2 + 6);
    run.kill();
    mock.release();
    let ended = dir.run(&["run"]).exits(0);
    assert!(!ended.stderr.contains("edited") && kept(&dir).is_empty(), "{}", ended.stderr);
}

#[test]
fn a_table_open_in_a_spreadsheet_is_reported() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    dir.write("output/.~lock.summaries.csv#", ",somebody,there,25.11.2026 06:00,file:///home;");
    assert!(!dir.run(&["run"]).exits(0).stderr.contains("spreadsheet"), "nothing was written");
    dir.article(2);
    let ended = dir.run(&["run"]).exits(0);
    assert!(ended.stderr.contains("is open in a spreadsheet") && ended.stderr.contains(".~lock.summaries.csv#"), "{}", ended.stderr);
    assert_eq!(dir.rows().len(), 2);
}

#[test]
fn a_planted_link_is_neither_read_nor_written_through() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.write("secret", "SECRET-4410\n");
    fs::create_dir(dir.path("output")).unwrap();
    std::os::unix::fs::symlink(dir.path("secret"), dir.path("output/summaries.jsonl")).unwrap();
    std::os::unix::fs::symlink(dir.path("secret"), dir.path("output/report.json")).unwrap();
    std::os::unix::fs::symlink(dir.path("secret"), dir.path("output/quarantine.csv")).unwrap();
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!(fs::read(dir.path("secret")).unwrap(), b"SECRET-4410\n");
    assert_eq!(dir.leaks("SECRET-4410", &ended), Vec::<String>::new());
    for name in ["summaries.jsonl", "report.json", "quarantine.csv"] {
        let path = dir.path("output").join(name);
        assert!(fs::symlink_metadata(&path).unwrap().is_file(), "{name}");
        assert_eq!(mode(&path), 0o600, "{name}");
    }
    // A link in place of the ledger or its lock is never replaced.
    for name in ["ledger.db", "ledger.lock"] {
        let dir = TestDir::with(&openai(&mock), 1);
        dir.write("secret", "SECRET-4410\n");
        fs::create_dir(dir.path("output")).unwrap();
        std::os::unix::fs::symlink(dir.path("secret"), dir.path("output").join(name)).unwrap();
        let ended = dir.run(&["run"]).exits(2);
        assert!(ended.stderr.contains(name), "{}", ended.stderr);
        assert_eq!(fs::read(dir.path("secret")).unwrap(), b"SECRET-4410\n");
    }
    assert_eq!(mock.count(), 2);
}

#[test]
fn a_workbook_that_somebody_saved_is_kept() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    assert!(dir.run(&["run", "--quiet"]).exits(0).stderr.is_empty(), "a workbook that nobody touched is not reported");
    dir.write("output/summaries.xlsx", "with a note of the chief editor");
    let ended = dir.run(&["run", "--quiet"]).exits(0);
    assert!(ended.stderr.contains("summaries.xlsx` has changed since depeche wrote it"), "{}", ended.stderr);
    let kept = kept(&dir);
    assert_eq!((kept.len(), kept[0].1.as_slice()), (1, b"with a note of the chief editor".as_slice()));
    assert_eq!(std::path::Path::new(&kept[0].0).extension(), Some("xlsx".as_ref()), "{}", kept[0].0);
    assert!(fs::read(dir.path("output/summaries.xlsx")).unwrap().starts_with(b"PK"));
}
