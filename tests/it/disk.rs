//! Full and read-only disks and unusable ledgers: reported before the first request, or without losing anything.

use std::fs::{self, OpenOptions};
use std::io::Write;

use crate::support::configs::openai;
use crate::support::desk::Desk;
use crate::support::disk::Disk;
use crate::support::mock::Mock;

const ARTICLES: usize = 5;

/// Fills the output's disk except for about this many kilobytes.
fn fill(desk: &Desk, spare: usize) {
    let mut file = OpenOptions::new().create(true).append(true).open(desk.path("output/fill")).unwrap();
    while file.write_all(&vec![1; 64 << 10]).is_ok() {}
    let size = file.metadata().unwrap().len();
    file.set_len(size.saturating_sub(spare as u64 * 1024)).unwrap();
}

fn report(desk: &Desk) -> serde_json::Value {
    serde_json::from_slice(&fs::read(desk.path("output/report.json")).unwrap()).unwrap()
}

#[test]
fn a_nearly_full_disk_is_reported_before_the_first_request() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), ARTICLES);
    let Some(_disk) = Disk::new(&desk.path("output"), 20) else { return };
    fill(&desk, 9 << 10);
    let ended = desk.run(&["run"]).exits(2);
    for part in ["no space left on device", "output", "nothing was sent"] {
        assert!(ended.stderr.contains(part), "no `{part}` in {}", ended.stderr);
    }
    assert_eq!(mock.count(), 0);
    fs::remove_file(desk.path("output/fill")).unwrap();
    desk.run(&["run"]).exits(0);
    assert_eq!((desk.rows().len(), mock.count()), (ARTICLES, 2 * ARTICLES));
}

#[test]
fn a_disk_that_fills_up_during_the_run_loses_nothing() {
    // From no space at all to enough for the ledger but not for the outputs.
    for spare in [0, 8, 64, 128, 192, 256, 320] {
        let mock = Mock::good();
        let desk = Desk::with(&openai(&mock), 2);
        let Some(_disk) = Disk::new(&desk.path("output"), 12) else { return };
        desk.run(&["run"]).exits(0);
        let before = desk.table();
        (3..=ARTICLES).for_each(|number| desk.article(number));
        mock.hold();
        let run = desk.start(&["run"]);
        mock.in_flight(ARTICLES - 2);
        fill(&desk, spare);
        mock.release();
        let ended = run.wait();
        let code = ended.code;
        assert!(matches!(code, Some(0 | 2)) && (code == Some(2) || spare > 64), "{spare}: {code:?}");
        if code == Some(2) {
            assert!(ended.stderr.contains("no space left on device") && ended.stderr.contains("output"), "{spare}: {}", ended.stderr);
            assert!(desk.table() == before || desk.rows().len() > 2, "{spare}: the old table stands, or a whole one");
            let summary = ended.summary();
            assert_eq!((&summary["exit"], &summary["found"]), (&2.into(), &ARTICLES.into()), "{summary}");
            assert!(summary["fault"].as_str().unwrap().contains("no space left"), "{summary}");
        }
        fs::remove_file(desk.path("output/fill")).unwrap();
        desk.run(&["run"]).exits(0);
        assert_eq!((desk.rows().len(), mock.distinct_paid().len()), (ARTICLES, 2 * ARTICLES), "{spare}");
        assert!(mock.count() <= 2 * ARTICLES + (ARTICLES - 2), "{spare}: {} calls", mock.count());
    }
}

#[test]
fn a_table_that_cannot_be_written_is_in_the_report() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    desk.run(&["run"]).exits(0);
    desk.article(2);
    // A mount point cannot be replaced.
    let Some(mounted) = Disk::of(&desk.path("output/summaries.csv")) else { return };
    let ended = desk.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("summaries.csv` cannot be written"), "{}", ended.stderr);
    assert_eq!((&ended.summary()["done"], &report(&desk)["exit"]), (&2.into(), &2.into()));
    assert!(report(&desk)["fault"].as_str().unwrap().contains("summaries.csv"), "{}", report(&desk));
    drop(mounted);
    desk.run(&["run"]).exits(0);
    assert_eq!((desk.rows().len(), mock.count()), (2, 4), "nothing is paid again");
    assert!(report(&desk).get("fault").is_none());
}

#[test]
fn a_read_only_output_folder_is_reported_before_the_first_request() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    fs::create_dir(desk.path("output")).unwrap();
    let Some(mounted) = Disk::of(&desk.path("output")) else { return };
    mounted.lock();
    let ended = desk.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("output") && ended.stderr.contains("Read-only"), "{}", ended.stderr);
    let ended = desk.run(&["run", "--output", "output/new/er"]).exits(2);
    assert!(ended.stderr.contains("cannot create the output folder `output/new/er`"), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn a_read_only_ledger_is_reported_before_the_first_request_and_unchanged() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    desk.run(&["run"]).exits(0);
    desk.article(2);
    let ledger = fs::read(desk.path("output/ledger.db")).unwrap();
    // First only the file, then its folder.
    for name in ["output/ledger.db", "output"] {
        let Some(mounted) = Disk::of(&desk.path(name)) else { return };
        mounted.lock();
        let ended = desk.run(&["run"]).exits(2);
        assert!(ended.stderr.contains("ledger"), "{name}: {}", ended.stderr);
        if name != "output" {
            assert!(desk.run(&["status"]).exits(0).stdout.contains("1 done"), "it can still be read");
        }
        drop(mounted);
        assert_eq!(fs::read(desk.path("output/ledger.db")).unwrap(), ledger, "{name}");
    }
    assert_eq!(mock.count(), 2);
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4);
}

#[test]
fn a_ledger_that_is_a_folder_or_a_pipe_is_left_alone() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 1);
    fs::create_dir_all(desk.path("output/ledger.db")).unwrap();
    let ended = desk.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("ledger.db` cannot be used: it is not a file"), "{}", ended.stderr);
    fs::remove_dir(desk.path("output/ledger.db")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(desk.path("output/ledger.db")).status().unwrap();
    assert!(made.success());
    let ended = desk.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("it is not a file"), "{}", ended.stderr);
    assert!(!fs::symlink_metadata(desk.path("output/ledger.db")).unwrap().is_file());
    assert_eq!(mock.count(), 0);
}
