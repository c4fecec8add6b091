//! `kill -9` with calls in flight, at every point of a run: only these calls are made again, and the table comes out the same.

use std::time::Instant;

use rusqlite::{Connection, OpenFlags};

use crate::support::PATIENCE;
use crate::support::configs::openai;
use crate::support::desk::Desk;
use crate::support::mock::Mock;

const ARTICLES: usize = 7;
const CALLS: usize = 2 * ARTICLES;

/// Returns when the ledger holds `count` calls, that is, when the run has kept every answer that the mock let go out.
fn kept(desk: &Desk, count: usize) {
    let end = Instant::now() + PATIENCE;
    let path = desk.path("output/ledger.db");
    let ledger = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    while ledger.query_row("SELECT count(*) FROM call", [], |row| row.get::<_, i64>(0)).unwrap() != i64::try_from(count).unwrap() {
        assert!(Instant::now() < end, "the ledger never held {count} calls");
        std::thread::yield_now();
    }
}

/// How many calls the ledger knows to have been begun and not ended.
fn intents(desk: &Desk, which: &str) -> usize {
    let ledger = Connection::open_with_flags(desk.path("output/ledger.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count: i64 = ledger.query_row(&format!("SELECT count(*) FROM intent WHERE {which}"), [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// What the config allows at once, and so the most that can be in flight.
const CONCURRENCY: usize = 4;

#[test]
fn a_kill_costs_only_the_calls_that_were_in_flight() {
    let mock = Mock::good();
    let undisturbed = Desk::with(&openai(&mock), ARTICLES);
    undisturbed.run(&["run"]).exits(0);
    let wanted = undisturbed.timeless();
    for answered in 0..CALLS {
        let mock = Mock::good();
        let desk = Desk::with(&openai(&mock), ARTICLES);
        mock.hold();
        mock.let_pass(answered);
        let run = desk.start(&["run"]);
        mock.arrived(answered + 1);
        kept(&desk, answered);
        assert_eq!(run.kill().code, None);
        let noted = intents(&desk, "outcome = ''");
        assert!((1..=CONCURRENCY).contains(&noted), "{noted} calls are noted as in flight");
        mock.release();
        let ended = desk.run(&["run"]).exits(0);
        assert!(ended.stderr.contains("in flight when it was killed"), "{}", ended.stderr);
        let again = mock.count() - CALLS;
        // Counted by what may be in flight: the mock may read a call only after its sender is dead.
        assert!(again <= CONCURRENCY, "{again} calls made again after a kill with {answered} answered");
        assert_eq!(mock.distinct_paid().len(), CALLS);
        assert_eq!(desk.timeless(), wanted, "killed after {answered} answers");
        let (table, calls) = (desk.table(), mock.count());
        desk.run(&["run"]).exits(0);
        assert_eq!((desk.table(), mock.count()), (table, calls));
        // They stay in the books: each may have been billed.
        assert_eq!(intents(&desk, "outcome = 'killed'"), noted);
    }
}

#[test]
fn many_kills_in_a_row_wear_nothing_out() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), ARTICLES);
    for round in 0..CALLS {
        mock.hold();
        mock.let_pass(1);
        let before = mock.count();
        let run = desk.start(&["run"]);
        mock.arrived(before + 1);
        // Its first answer is there or not: both must be survived.
        assert_eq!(run.kill().code, None, "round {round}");
    }
    mock.release();
    desk.run(&["run"]).exits(0);
    assert!(desk.rows().iter().all(|row| row["status"] == "done"));
    let ledger = Connection::open(desk.path("output/ledger.db")).unwrap();
    let check: String = ledger.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
