//! Fault injection with `strace`: death at a system call, full disks and I/O errors. Without `strace`, or without the right to
//! trace, these tests say so and skip.
//!
//! By default every 9th place is tried. `DEPECHE_EVERY=1` tries them all (`scripts/inject-faults`).

use std::process::Command;

use rusqlite::Connection;

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::process::{Ended, Running};
use crate::support::test_dir::TestDir;

const ARTICLES: usize = 3;
const CALLS: usize = 2 * ARTICLES;
/// The system calls that touch the disk.
const DISK: &str = "pwrite64,fdatasync,fsync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,mkdir,openat";

fn every() -> usize {
    std::env::var("DEPECHE_EVERY").ok().and_then(|every| every.parse().ok()).unwrap_or(9)
}

/// A fault to inject.
#[derive(Clone, Copy)]
struct Fault<'a> {
    /// The system calls that are counted, one of which fails.
    calls: &'a str,
    /// What happens to that call, as `strace` spells it.
    what: &'a str,
    /// `+` if all later calls fail, too.
    on: &'a str,
    /// Count only calls of the main thread, which writes the outputs. Other threads write to wake each other.
    first_thread: bool,
}

/// Runs the program with a fault at one place. Also returns the traced call that failed, if any. `None` if tracing is impossible.
fn injected(dir: &TestDir, fault: &Fault, place: usize) -> Option<(Ended, Option<String>)> {
    let log = dir.path("trace");
    let program = dir.command(&["run"]);
    let Fault { calls, what, on, first_thread } = fault;
    let mut traced = Command::new("strace");
    traced.args(if *first_thread { &["-qq", "-y", "-o"][..] } else { &["-f", "-qq", "-y", "-o"] }).arg(&log).args([
        "-e",
        &format!("trace={calls}"),
        "-e",
        &format!("inject={calls}:{what}:when={place}{on}"),
    ]);
    traced.arg(program.get_program()).args(program.get_args()).current_dir(program.get_current_dir()?).env_clear();
    traced.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if traceable() {
        let ended = Running::start(&mut traced).wait();
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let met = log.lines().find(|line| line.contains("(INJECTED)") || line.contains("killed by SIGKILL"));
        return Some((ended, met.map(str::to_owned)));
    }
    println!("skipped: strace is not there, or may not trace");
    None
}

fn traceable() -> bool {
    Command::new("strace").args(["-qq", "true"]).output().is_ok_and(|output| output.status.success())
}

/// Asserts that the ledger is intact, that the next run does the rest, and that it repeats only calls that were in flight.
fn recovers(dir: &TestDir, mock: &Mock, wanted: &[Vec<String>], what: &str) {
    if dir.path("output/summaries.csv").exists() {
        assert!(dir.rows().len() <= ARTICLES, "{what}: the table is whole");
    }
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.without_times(), wanted, "{what}");
    let ledger = Connection::open(dir.path("output/ledger.db")).unwrap();
    let check: String = ledger.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "{what}");
    assert!(mock.count() <= CALLS + 4, "{what}: {} calls", mock.count());
    assert_eq!(mock.distinct_billable().len(), CALLS, "{what}");
    let (table, calls) = (dir.table(), mock.count());
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.table(), mock.count()), (table, calls), "{what}: an idle run changes nothing");
}

fn expected_table() -> Vec<Vec<String>> {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), ARTICLES);
    dir.run(&["run"]).exits(0);
    dir.without_times()
}

/// Injects the fault at every place until the program no longer reaches it. `judge` checks how the program ended.
fn at_every_place(fault: &Fault, step: usize, judge: impl Fn(&Ended, &str)) {
    at_places(fault, (1..).step_by(step), judge);
}

/// Injects the fault at these places.
fn at_places(fault: &Fault, places: impl Iterator<Item = usize>, judge: impl Fn(&Ended, &str)) {
    let wanted = expected_table();
    let mut met = 0;
    let mut missed = 0;
    for place in places {
        let what = format!("{} at {} number {place}{}", fault.what, fault.calls, fault.on);
        let mock = Mock::good();
        let dir = TestDir::with(&openai(&mock), ARTICLES);
        let Some((ended, failed)) = injected(&dir, fault, place) else { return };
        if let Some(failed) = failed {
            met += 1;
            judge(&ended, &format!("{what}: {failed}"));
        } else {
            missed += 1;
        }
        recovers(&dir, &mock, &wanted, &what);
        // `strace` counts for each thread, and which thread writes may vary. So one place may be missed and a later one hit.
        if missed == 2 {
            break;
        }
    }
    assert!(met >= 2, "{} at {}: only {met} places were met", fault.what, fault.calls);
}

fn reported(ended: &Ended, what: &str, why: &str) {
    assert!(ended.code.is_some_and(|code| code == 2 || code == 0), "{what}: {:?}\n{}", ended.code, ended.stderr);
    if ended.code == Some(2) {
        assert!(ended.stderr.to_lowercase().contains(why), "{what}: {}", ended.stderr);
        assert!(ended.stderr.contains("output"), "{what}: it names the folder: {}", ended.stderr);
    } else {
        // The failed call did not matter.
        assert!(ended.stdout.contains("done"), "{what}");
    }
}

#[test]
fn death_at_any_disk_call_loses_nothing() {
    at_every_place(&Fault { calls: DISK, what: "signal=KILL", on: "", first_thread: false }, every(), |_, _| {});
}

#[test]
fn death_at_any_output_write_loses_nothing() {
    at_every_place(&Fault { calls: "write", what: "signal=KILL", on: "", first_thread: true }, every().min(3), |_, _| {});
}

#[test]
fn a_disk_that_stays_full_is_reported_and_loses_nothing() {
    let calls = "pwrite64,fdatasync,fsync,ftruncate,mkdir";
    at_every_place(&Fault { calls, what: "error=ENOSPC", on: "+", first_thread: false }, every(), |ended, what| {
        reported(ended, what, "no space left on device");
    });
}

#[test]
fn a_full_disk_at_any_output_write_is_reported_and_loses_nothing() {
    let places = writes_of_outputs();
    for what in ["error=ENOSPC", "error=EIO"] {
        let outputs = std::cell::Cell::new(0);
        let fault = Fault { calls: "write", what, on: "", first_thread: true };
        at_places(&fault, places.iter().copied().step_by(every().min(3)), |ended, what| {
            // The final lines on the terminal are writes, too, but not of an output.
            if what.contains("/output/.depeche-new-") {
                outputs.set(outputs.get() + 1);
                assert_eq!(ended.code, Some(2), "{what}: {}", ended.stderr);
                reported(ended, what, if what.contains("ENOSPC") { "no space left on device" } else { "cannot be written" });
                assert_eq!(ended.summary()["exit"], 2, "{what}");
            }
        });
        assert!(outputs.get() > 0 || places.is_empty(), "{what}: no output was met");
    }
}

/// Which writes of the main thread are writes of outputs. Skips the first two: in another run, their numbers may belong to a write
/// that wakes a thread, which never fails in practice.
fn writes_of_outputs() -> Vec<usize> {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), ARTICLES);
    let nothing = Fault { calls: "write", what: "delay_enter=0", on: "", first_thread: true };
    if injected(&dir, &nothing, 1).is_none() {
        return Vec::new();
    }
    let log = std::fs::read_to_string(dir.path("trace")).unwrap();
    let places = log.lines().enumerate().filter(|(_, line)| line.contains("/output/.depeche-new-")).map(|(at, _)| at + 1);
    places.skip(2).collect()
}

#[test]
fn an_io_error_at_any_write_or_sync_is_reported_and_loses_nothing() {
    let calls = "pwrite64,fdatasync,fsync";
    at_every_place(&Fault { calls, what: "error=EIO", on: "", first_thread: false }, every(), |ended, what| {
        reported(ended, what, "output");
    });
}

#[test]
fn a_failed_rename_leaves_the_old_table() {
    let calls = "rename,renameat,renameat2,linkat,link";
    at_every_place(&Fault { calls, what: "error=EIO", on: "", first_thread: false }, 1, |ended, what| {
        assert_eq!(ended.code, Some(2), "{what}: {}", ended.stderr);
    });
}

/// A first run dies at some place among the renames of the outputs, and the next one when it has new rows, but before its outputs.
#[test]
fn outputs_of_killed_runs_are_not_taken_for_edited_ones() {
    let calls = "rename,renameat,renameat2,fsync";
    let kill = Fault { calls, what: "signal=KILL", on: "", first_thread: true };
    let rename = Fault { calls: "rename,renameat,renameat2", ..kill };
    for place in (1..).step_by(every().min(2)) {
        let mock = Mock::good();
        let dir = TestDir::with(&openai(&mock), ARTICLES);
        let Some((_, killed)) = injected(&dir, &kill, place) else { return };
        for number in [ARTICLES + 1, ARTICLES + 2] {
            dir.article(number);
            injected(&dir, &rename, 1);
        }
        let ended = dir.run(&["run"]).exits(0);
        assert!(!ended.stderr.contains("as depeche wrote it"), "{place}: {killed:?}\n{}", ended.stderr);
        assert_eq!(dir.rows().len(), ARTICLES + 2, "{place}");
        if killed.is_none() {
            assert!(place > 4, "too few places");
            return;
        }
    }
}
