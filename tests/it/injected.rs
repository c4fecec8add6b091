//! Dying at a system call, a full disk and I/O errors, by `strace`, which makes a call of the program fail. Where there is no `strace`, or
//! it may not trace, these tests say so and skip.
//!
//! Here every 9th place is tried; `DEPECHE_EVERY=1` tries them all (`scripts/inject-faults`).

use std::process::Command;

use rusqlite::Connection;

use crate::support::configs::openai;
use crate::support::desk::Desk;
use crate::support::mock::Mock;
use crate::support::process::{Ended, Running};

const ARTICLES: usize = 3;
const CALLS: usize = 2 * ARTICLES;
/// What the program does to the disk.
const DISK: &str = "pwrite64,fdatasync,fsync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,mkdir,openat";

fn every() -> usize {
    std::env::var("DEPECHE_EVERY").ok().and_then(|every| every.parse().ok()).unwrap_or(9)
}

/// Runs the program with a fault at one place; none where it cannot be traced. `true`: the fault was met.
fn injected(desk: &Desk, calls: &str, fault: &str, place: &str) -> Option<(Ended, bool)> {
    let log = desk.path("trace");
    let program = desk.command(&["run"]);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o"]).arg(&log).args([
        "-e",
        &format!("trace={calls}"),
        "-e",
        &format!("inject={calls}:{fault}:when={place}"),
    ]);
    traced.arg(program.get_program()).args(program.get_args()).current_dir(program.get_current_dir()?).env_clear();
    traced.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if Command::new("strace").args(["-qq", "true"]).output().is_ok_and(|output| output.status.success()) {
        let ended = Running::start(&mut traced).wait();
        let met = std::fs::read_to_string(&log).unwrap_or_default();
        return Some((ended, met.contains("(INJECTED)") || met.contains("killed by SIGKILL")));
    }
    println!("skipped: strace is not there, or may not trace");
    None
}

/// After whatever happened: the ledger is whole, the next run does the rest, and only what was in flight is asked again.
fn recovers(desk: &Desk, mock: &Mock, wanted: &[Vec<String>], what: &str) {
    if desk.path("output/summaries.csv").exists() {
        assert!(desk.rows().len() <= ARTICLES, "{what}: the table is whole");
    }
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.timeless(), wanted, "{what}");
    let ledger = Connection::open(desk.path("output/ledger.db")).unwrap();
    let check: String = ledger.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "{what}");
    assert!(mock.count() <= CALLS + 4, "{what}: {} calls", mock.count());
    assert_eq!(mock.distinct_paid().len(), CALLS, "{what}");
    let (table, calls) = (desk.table(), mock.count());
    desk.run(&["run"]).exits(0);
    assert_eq!((desk.table(), mock.count()), (table, calls), "{what}: an idle run changes nothing");
}

fn undisturbed() -> Vec<Vec<String>> {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), ARTICLES);
    desk.run(&["run"]).exits(0);
    desk.timeless()
}

/// Tries the fault at every place until the program no longer comes to it; `judge` looks at what the program said.
fn at_every_place(calls: &str, fault: &str, on: &str, step: usize, judge: impl Fn(&Ended, &str)) {
    let wanted = undisturbed();
    let mut met = 0;
    let mut missed = 0;
    for place in (1..).step_by(step) {
        let what = format!("{fault} at {calls} number {place}");
        let mock = Mock::good();
        let desk = Desk::with(&openai(&mock), ARTICLES);
        let Some((ended, there)) = injected(&desk, calls, fault, &format!("{place}{on}")) else { return };
        if there {
            met += 1;
            judge(&ended, &what);
        } else {
            missed += 1;
        }
        recovers(&desk, &mock, &wanted, &what);
        // A thread counts by itself, and which one writes may change: a place may be missed and a later one met.
        if missed == 2 {
            break;
        }
    }
    assert!(met >= 2, "{fault} at {calls}: only {met} places were met");
}

#[test]
fn it_may_die_at_any_call_that_touches_the_disk() {
    at_every_place(DISK, "signal=KILL", "", every(), |_, _| {});
}

#[test]
fn a_disk_that_is_full_from_any_write_on_is_told_and_nothing_is_lost() {
    at_every_place("pwrite64,fdatasync,fsync,ftruncate,mkdir", "error=ENOSPC", "+", every(), |ended, what| {
        assert!(ended.code.is_some_and(|code| code == 2 || code == 0), "{what}: {:?}\n{}", ended.code, ended.stderr);
        if ended.code == Some(2) {
            assert!(ended.stderr.to_lowercase().contains("no space left on device"), "{what}: {}", ended.stderr);
            assert!(ended.stderr.contains("output"), "{what}: it names the place: {}", ended.stderr);
        } else {
            // It failed where nothing depends on it.
            assert!(ended.stdout.contains("done"), "{what}");
        }
    });
}

#[test]
fn an_io_error_at_any_write_or_sync_is_told_and_nothing_is_lost() {
    at_every_place("pwrite64,fdatasync,fsync", "error=EIO", "", every(), |ended, what| {
        assert!(ended.code.is_some_and(|code| code == 2 || code == 0), "{what}: {:?}\n{}", ended.code, ended.stderr);
        if ended.code == Some(2) {
            assert!(ended.stderr.contains("output"), "{what}: it names the place: {}", ended.stderr);
        }
    });
}

#[test]
fn a_rename_that_fails_leaves_the_old_table() {
    at_every_place("rename,renameat,renameat2,linkat,link", "error=EIO", "", 1, |ended, what| {
        assert_eq!(ended.code, Some(2), "{what}: {}", ended.stderr);
    });
}
