//! Tables that a person edits between two runs: they are rebuilt from the ledger, and the edited file is kept and reported.

use std::fs;

use crate::support::configs::openai;
use crate::support::desk::{Desk, mode};
use crate::support::mock::Mock;

/// The kept tables, by name, with their content.
fn kept(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(desk.path("output")).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named.filter(|(name, _)| name.contains("-edited-")).map(|(name, path)| (name, fs::read(path).unwrap())).collect()
}

#[test]
fn rows_edited_by_hand_are_reported_and_kept() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 3);
    desk.run(&["run"]).exits(0);
    let table = desk.table();
    let text = String::from_utf8(table.clone()).unwrap();
    let own = text.lines().nth(1).unwrap().replace("input/001.txt", "from the telephone");
    let edited = format!("{}{own}\n", text.replace("Elle", "Il").replacen("La digue 2 du port", "La digue du port", 1));
    desk.write("output/summaries.csv", &edited);
    // With `--quiet`, too.
    let ended = desk.run(&["run", "--quiet"]).exits(0);
    assert_eq!(desk.table(), table, "made anew from the ledger");
    let kept = kept(&desk);
    assert_eq!((kept.len(), &kept[0].1), (1, &edited.into_bytes()));
    for part in ["summaries.csv", "2 added or changed by hand", &kept[0].0] {
        assert!(ended.stderr.contains(part), "no `{part}` in {}", ended.stderr);
    }
    assert!(desk.run(&["run", "--quiet"]).exits(0).stderr.is_empty(), "told once");
    assert_eq!(mock.count(), 6);
}

#[test]
fn deleted_rows_come_back_and_are_reported() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 3);
    desk.run(&["run"]).exits(0);
    let table = desk.table();
    let head = table.split(|byte| *byte == b'\n').next().unwrap().to_vec();
    desk.write("output/summaries.csv", head);
    let ended = desk.run(&["run"]).exits(0);
    assert!(ended.stderr.contains("3 deleted"), "{}", ended.stderr);
    assert_eq!((desk.table(), kept(&desk).len()), (table, 1));
}

#[test]
fn a_table_saved_again_without_changes_is_not_reported() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 3);
    desk.run(&["run"]).exits(0);
    let table = desk.table();
    let saved = String::from_utf8(table.clone()).unwrap().replace('\n', "\r\n");
    desk.write("output/summaries.csv", saved);
    let ended = desk.run(&["run"]).exits(0);
    assert!(!ended.stderr.contains("edited") && kept(&desk).is_empty(), "{}", ended.stderr);
    assert_eq!(desk.table(), table);
}

#[test]
fn edits_saved_during_a_run_are_kept() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    desk.run(&["run"]).exits(0);
    desk.article(2);
    mock.hold();
    let run = desk.start(&["run"]);
    mock.in_flight(1);
    desk.write("output/summaries.csv", "my own\n");
    mock.release();
    let ended = run.wait().exits(0);
    assert!(ended.stderr.contains("was changed during the run"), "{}", ended.stderr);
    assert_eq!((desk.rows().len(), &kept(&desk)[0].1[..]), (2, &b"my own\n"[..]));
}

#[test]
fn a_run_killed_before_writing_outputs_is_not_an_edit() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    desk.run(&["run"]).exits(0);
    (2..=6).for_each(|number| desk.article(number));
    mock.let_pass(5);
    let run = desk.start(&["run"]);
    mock.arrived(2 + 6);
    run.kill();
    mock.release();
    let ended = desk.run(&["run"]).exits(0);
    assert!(!ended.stderr.contains("edited") && kept(&desk).is_empty(), "{}", ended.stderr);
}

#[test]
fn a_table_open_in_a_spreadsheet_is_reported() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    desk.run(&["run"]).exits(0);
    desk.write("output/.~lock.summaries.csv#", ",somebody,there,25.11.2026 06:00,file:///home;");
    assert!(!desk.run(&["run"]).exits(0).stderr.contains("spreadsheet"), "nothing was written");
    desk.article(2);
    let ended = desk.run(&["run"]).exits(0);
    assert!(ended.stderr.contains("is open in a spreadsheet") && ended.stderr.contains(".~lock.summaries.csv#"), "{}", ended.stderr);
    assert_eq!(desk.rows().len(), 2);
}

#[test]
fn a_planted_link_is_neither_read_nor_written_through() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    desk.write("secret", "SECRET-4410\n");
    fs::create_dir(desk.path("output")).unwrap();
    std::os::unix::fs::symlink(desk.path("secret"), desk.path("output/summaries.jsonl")).unwrap();
    std::os::unix::fs::symlink(desk.path("secret"), desk.path("output/report.json")).unwrap();
    std::os::unix::fs::symlink(desk.path("secret"), desk.path("output/quarantine.csv")).unwrap();
    let ended = desk.run(&["run"]).exits(0);
    assert_eq!(fs::read(desk.path("secret")).unwrap(), b"SECRET-4410\n");
    assert_eq!(desk.leaks("SECRET-4410", &ended), Vec::<String>::new());
    for name in ["summaries.jsonl", "report.json", "quarantine.csv"] {
        let path = desk.path("output").join(name);
        assert!(fs::symlink_metadata(&path).unwrap().is_file(), "{name}");
        assert_eq!(mode(&path), 0o600, "{name}");
    }
    // A link in place of the ledger or its lock is never replaced.
    for name in ["ledger.db", "ledger.lock"] {
        let desk = Desk::with(&openai(&mock), 1);
        desk.write("secret", "SECRET-4410\n");
        fs::create_dir(desk.path("output")).unwrap();
        std::os::unix::fs::symlink(desk.path("secret"), desk.path("output").join(name)).unwrap();
        let ended = desk.run(&["run"]).exits(2);
        assert!(ended.stderr.contains(name), "{}", ended.stderr);
        assert_eq!(fs::read(desk.path("secret")).unwrap(), b"SECRET-4410\n");
    }
    assert_eq!(mock.count(), 2);
}
