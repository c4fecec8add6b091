//! Full and read-only disks and unusable ledgers: reported before the first request, or without losing anything.

use std::fs;

use crate::support::configs::openai;
use crate::support::disk::Disk;
use crate::support::mock::Mock;
use crate::support::test_dir::TestDir;

const ARTICLES: usize = 5;

fn report(dir: &TestDir) -> serde_json::Value {
    serde_json::from_slice(&fs::read(dir.path("output/report.json")).unwrap()).unwrap()
}

#[test]
fn a_nearly_full_disk_is_reported_before_the_first_request() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), ARTICLES);
    let Some(disk) = Disk::new(&dir.path("output"), 20) else { return };
    disk.fill(9 << 10);
    let ended = dir.run(&["run"]).exits(2);
    for part in ["no space left on device", "output", "nothing was sent"] {
        assert!(ended.stderr.contains(part), "no `{part}` in {}", ended.stderr);
    }
    assert_eq!(mock.count(), 0);
    disk.free();
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.rows().len(), mock.count()), (ARTICLES, 2 * ARTICLES));
}

#[test]
fn a_disk_that_fills_up_during_the_run_loses_nothing() {
    // From no space at all to enough for the ledger but not for the outputs.
    for spare in [0, 8, 64, 128, 192, 256, 320] {
        let mock = Mock::good();
        let dir = TestDir::with(&openai(&mock), 2);
        let Some(disk) = Disk::new(&dir.path("output"), 12) else { return };
        dir.run(&["run"]).exits(0);
        let before = dir.table();
        (3..=ARTICLES).for_each(|number| dir.article(number));
        mock.hold();
        let run = dir.start(&["run"]);
        mock.wait_for_in_flight(ARTICLES - 2);
        disk.fill(spare);
        mock.release();
        let ended = run.wait();
        let code = ended.code;
        assert!(matches!(code, Some(0 | 2)) && (code == Some(2) || spare > 64), "{spare}: {code:?}");
        if code == Some(2) {
            assert!(ended.stderr.contains("no space left on device") && ended.stderr.contains("output"), "{spare}: {}", ended.stderr);
            assert!(dir.table() == before || dir.rows().len() > 2, "{spare}: the table is the old one or complete");
            let summary = ended.summary();
            assert_eq!((&summary["exit"], &summary["found"]), (&2.into(), &ARTICLES.into()), "{summary}");
            assert!(summary["fault"].as_str().unwrap().contains("no space left"), "{summary}");
        }
        disk.free();
        dir.run(&["run"]).exits(0);
        assert_eq!((dir.rows().len(), mock.distinct_billable().len()), (ARTICLES, 2 * ARTICLES), "{spare}");
        assert!(mock.count() <= 2 * ARTICLES + (ARTICLES - 2), "{spare}: {} calls", mock.count());
    }
}

#[test]
fn a_table_that_cannot_be_written_is_in_the_report() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    dir.article(2);
    // A mount point cannot be replaced.
    let Some(mounted) = Disk::of(&dir.path("output/summaries.csv")) else { return };
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("summaries.csv` cannot be written"), "{}", ended.stderr);
    assert_eq!((&ended.summary()["done"], &report(&dir)["exit"]), (&2.into(), &2.into()));
    assert!(report(&dir)["fault"].as_str().unwrap().contains("summaries.csv"), "{}", report(&dir));
    drop(mounted);
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.rows().len(), mock.count()), (2, 4), "nothing is paid for again");
    assert!(report(&dir).get("fault").is_none());
}

#[test]
fn a_read_only_output_folder_is_reported_before_the_first_request() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    fs::create_dir(dir.path("output")).unwrap();
    let Some(mounted) = Disk::of(&dir.path("output")) else { return };
    mounted.lock();
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("output") && ended.stderr.contains("Read-only"), "{}", ended.stderr);
    let ended = dir.run(&["run", "--output", "output/new/er"]).exits(2);
    assert!(ended.stderr.contains("cannot create the output folder `output/new/er`"), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn a_read_only_ledger_is_reported_before_the_first_request_and_unchanged() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    dir.article(2);
    let ledger = fs::read(dir.path("output/ledger.db")).unwrap();
    // First only the file, then its folder.
    for name in ["output/ledger.db", "output"] {
        let Some(mounted) = Disk::of(&dir.path(name)) else { return };
        mounted.lock();
        let ended = dir.run(&["run"]).exits(2);
        assert!(ended.stderr.contains("ledger"), "{name}: {}", ended.stderr);
        if name != "output" {
            assert!(dir.run(&["status"]).exits(0).stdout.contains("1 done"), "it can still be read");
        }
        drop(mounted);
        assert_eq!(fs::read(dir.path("output/ledger.db")).unwrap(), ledger, "{name}");
    }
    assert_eq!(mock.count(), 2);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4);
}

#[test]
fn a_ledger_that_is_a_folder_or_a_pipe_is_left_alone() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    fs::create_dir_all(dir.path("output/ledger.db")).unwrap();
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("ledger.db` cannot be used: it is not a file"), "{}", ended.stderr);
    fs::remove_dir(dir.path("output/ledger.db")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(dir.path("output/ledger.db")).status().unwrap();
    assert!(made.success());
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("it is not a file"), "{}", ended.stderr);
    assert!(!fs::symlink_metadata(dir.path("output/ledger.db")).unwrap().is_file());
    assert_eq!(mock.count(), 0);
}
