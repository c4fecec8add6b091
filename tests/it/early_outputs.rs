//! Outputs that are begun while the last answers are awaited: the same as those made at the end, whatever happens meanwhile.

use std::fs;
use std::time::Instant;

use rusqlite::{Connection, OpenFlags};

use crate::support::PATIENCE;
use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::desk::Desk;
use crate::support::mock::Mock;
use crate::support::process::Running;

/// The outputs in the making.
fn in_the_making(desk: &Desk) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(desk.path("output")).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".depeche-new-")).collect()
}

/// A run whose outputs are in the making, while no answer goes out.
fn begun(desk: &Desk, mock: &Mock) -> Running {
    mock.hold();
    let run = desk.start(&["run"]);
    let end = Instant::now() + PATIENCE;
    while in_the_making(desk).len() < 5 {
        assert!(Instant::now() < end, "no outputs were begun");
        std::thread::yield_now();
    }
    run
}

/// A wire story of six sentences, without the last ones.
fn story(sentences: usize) -> String {
    let towns = ["Brennec", "Kerlan", "Portmeur", "Lesvin", "Morlan", "Ploumar"];
    let sentence = |town: &&str| format!("À {town}, la tempête de mardi a privé des foyers de courant, selon la mairie de la commune. ");
    towns.iter().take(sentences).map(sentence).collect()
}

#[test]
fn a_kill_while_they_are_in_the_making_leaves_nothing_of_them() {
    let mock = Mock::good();
    let undisturbed = Desk::with(&openai(&mock), 3);
    undisturbed.run(&["run"]).exits(0);
    let desk = Desk::with(&openai(&mock), 3);
    let run = begun(&desk, &mock);
    assert!(!desk.path("output/summaries.csv").exists());
    assert_eq!(run.kill().code, None);
    assert_eq!(in_the_making(&desk).len(), 5);
    mock.release();
    desk.run(&["run"]).exits(0);
    assert_eq!((in_the_making(&desk).len(), desk.timeless()), (0, undisturbed.timeless()));
}

#[test]
fn a_second_signal_leaves_nothing_of_them() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 3);
    let mut run = begun(&desk, &mock);
    run.signal("INT");
    run.says("stopping");
    run.signal("INT");
    run.wait().exits(130);
    assert_eq!(in_the_making(&desk).len(), 0);
}

#[test]
fn they_are_the_same_as_those_made_at_the_end() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 40);
    for number in 1..=10 {
        desk.write(&format!("input/{number:03}-again.txt"), french(number));
    }
    desk.run(&["run"]).exits(0);
    let outputs = || {
        ["summaries.csv", "quarantine.csv", "summaries.jsonl", "flags.jsonl"]
            .map(|name| fs::read_to_string(desk.path("output").join(name)).unwrap())
    };
    let early = outputs();
    assert_eq!(desk.rows().iter().filter(|row| !row["copy_of"].is_empty()).count(), 10);
    fs::remove_file(desk.path("output/digest.html")).unwrap();
    let calls = mock.count();
    desk.run(&["run"]).exits(0);
    assert!(desk.path("output/digest.html").exists());
    assert_eq!((outputs(), mock.count()), (early, calls));
}

#[test]
fn who_leaves_the_table_meanwhile_is_nobodys_original() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 0);
    let line = |id: &str, text: &str| format!("{}\n", serde_json::json!({"id": id, "title": id, "text": text}));
    desk.write("input/list.jsonl", line("kept", &french(1)) + &line("story", &story(6)));
    desk.write("input/z.txt", story(4));
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.row("input/z.txt")["copy_of"], "input/list.jsonl#story");
    // The list has another article in the place of the original, whose row goes when all of the list is done.
    desk.write("input/list.jsonl", line("kept", &french(1)) + &line("new", &french(2)));
    desk.write("input/a.txt", french(3));
    let run = begun(&desk, &mock);
    mock.release();
    run.wait().exits(0);
    let rows = desk.rows();
    let copies: Vec<_> = rows.iter().map(|row| (row["source"].as_str(), row["copy_of"].as_str())).collect();
    assert_eq!(copies, [("input/a.txt", ""), ("input/list.jsonl#kept", ""), ("input/list.jsonl#new", ""), ("input/z.txt", "")]);
}

#[test]
fn the_ledger_says_nothing_of_articles_that_never_came() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    desk.write("input/z.txt", story(4));
    desk.run(&["run"]).exits(0);
    // The original of the one that is known; it comes first.
    desk.write("input/b.txt", story(6));
    begun(&desk, &mock).kill();
    let ledger = Connection::open_with_flags(desk.path("output/ledger.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let copies: i64 = ledger.query_row("SELECT count(*) FROM row WHERE copy_of <> ''", [], |row| row.get(0)).unwrap();
    assert_eq!(copies, 0);
    mock.release();
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.row("input/z.txt")["copy_of"], "input/b.txt");
}

#[test]
fn whoever_removes_them_costs_a_moment_and_no_output() {
    let mock = Mock::good();
    for removed in [1, 5] {
        let desk = Desk::with(&openai(&mock), 3);
        let run = begun(&desk, &mock);
        for path in in_the_making(&desk).into_iter().take(removed) {
            fs::remove_file(path).unwrap();
        }
        mock.release();
        run.wait().exits(0);
        assert_eq!((desk.rows().len(), in_the_making(&desk).len()), (3, 0));
        assert!(
            ["quarantine.csv", "summaries.jsonl", "flags.jsonl", "digest.html"].iter().all(|name| desk.path("output").join(name).exists())
        );
    }
}
