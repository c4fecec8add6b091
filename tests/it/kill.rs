//! `kill -9` at every point of a run: only calls in flight are repeated, and the table is the same in the end.

use std::time::Instant;

use rusqlite::{Connection, OpenFlags};

use crate::support::TIMEOUT;
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::TestDir;

const ARTICLES: usize = 7;
const CALLS: usize = 2 * ARTICLES;

/// Waits until the ledger holds `count` calls, that is, every answer that the mock sent.
fn wait_for_stored(dir: &TestDir, count: usize) {
    let end = Instant::now() + TIMEOUT;
    let path = dir.path("output/ledger.db");
    let ledger = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    while ledger.query_row("SELECT count(*) FROM call WHERE state = 'answered'", [], |row| row.get::<_, i64>(0)).unwrap()
        != i64::try_from(count).unwrap()
    {
        assert!(Instant::now() < end, "the ledger never held {count} calls");
        std::thread::yield_now();
    }
}

/// The number of rows in the ledger that match `which`, a table with an SQL condition.
fn count(dir: &TestDir, which: &str) -> usize {
    let ledger = Connection::open_with_flags(dir.path("output/ledger.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count: i64 = ledger.query_row(&format!("SELECT count(*) FROM {which}"), [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// The config's concurrency, so the most calls that can be in flight.
const CONCURRENCY: usize = 4;

#[test]
fn a_kill_repeats_only_calls_in_flight() {
    let mock = Mock::good();
    let undisturbed = TestDir::with(&openai(&mock), ARTICLES);
    undisturbed.run(&["run"]).exits(0);
    let wanted = undisturbed.without_times();
    for answered in 0..CALLS {
        let mock = Mock::good();
        let dir = TestDir::with(&openai(&mock), ARTICLES);
        mock.hold();
        mock.let_through(answered);
        let run = dir.start(&["run"]);
        mock.wait_for_requests(answered + 1);
        wait_for_stored(&dir, answered);
        assert_eq!(run.kill().code, None);
        let noted = count(&dir, "call WHERE state = 'claimed'");
        assert!((1..=CONCURRENCY).contains(&noted), "{noted} calls are noted as in flight");
        mock.release();
        let ended = dir.run(&["run"]).exits(0);
        assert!(ended.stderr.contains("killed with up to"), "{}", ended.stderr);
        let again = mock.count() - CALLS;
        // Not `noted`: the mock may read a request after its sender is dead.
        assert!(again <= CONCURRENCY, "{again} calls made again after a kill with {answered} answered");
        assert_eq!(mock.distinct_billable().len(), CALLS);
        assert_eq!(dir.without_times(), wanted, "killed after {answered} answers");
        let (table, calls) = (dir.table(), mock.count());
        dir.run(&["run"]).exits(0);
        assert_eq!((dir.table(), mock.count()), (table, calls));
        // They stay in the ledger, because each may have been billed.
        assert_eq!(count(&dir, "waste WHERE outcome = 'killed'"), noted);
    }
}

#[test]
fn many_kills_in_a_row_do_no_damage() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), ARTICLES);
    for round in 0..CALLS {
        mock.hold();
        mock.let_through(1);
        let before = mock.count();
        let run = dir.start(&["run"]);
        mock.wait_for_requests(before + 1);
        // Its first answer may be stored or not.
        assert_eq!(run.kill().code, None, "round {round}");
    }
    mock.release();
    dir.run(&["run"]).exits(0);
    assert!(dir.rows().iter().all(|row| row["status"] == "done"));
    let ledger = Connection::open(dir.path("output/ledger.db")).unwrap();
    let check: String = ledger.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

/// How often a run over hundreds of articles is killed at a random moment.
const KILLS: usize = 200;
const HUNDREDS: usize = 250;

/// A random number generator with a fixed seed (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[test]
fn two_hundred_random_kills_lose_nothing_and_repeat_only_calls_in_flight() {
    let mock = Mock::good();
    let undisturbed = TestDir::with(&openai(&mock), HUNDREDS);
    undisturbed.run(&["run"]).exits(0);
    let wanted = undisturbed.without_times();

    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), HUNDREDS);
    let mut dice = Dice(20_261_125);
    let mut in_flight = 0;
    let mut left_open = 0;
    for round in 0..KILLS {
        let run = dir.start(&["run"]);
        // A quarter of the runs are killed at a random time just after the start, the others after some more requests.
        if dice.roll(4) == 0 {
            let end = Instant::now() + std::time::Duration::from_micros(dice.roll(60_000));
            while Instant::now() < end {
                std::thread::yield_now();
            }
        } else {
            mock.wait_for_requests((mock.count() + 1 + usize::try_from(dice.roll(5)).unwrap()).min(2 * HUNDREDS));
        }
        // It may have finished before the kill.
        let ended = run.kill();
        assert!(ended.code.is_none_or(|code| code == 0), "round {round}: {}", ended.stderr);
        if dir.path("output/ledger.db").exists() {
            let open = count(&dir, "call WHERE state = 'claimed'");
            // A place is free as soon as its answer has arrived, so the next call may be noted before that
            // answer is stored.
            assert!(open <= 2 * CONCURRENCY, "round {round}: {open} calls are noted as in flight");
            (in_flight, left_open) = (in_flight + open, left_open.max(open));
        }
        if dir.path("output/summaries.csv").exists() {
            // The table is never half written.
            assert!(dir.rows().len() <= HUNDREDS);
        }
    }
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.without_times(), wanted);
    assert_eq!(mock.distinct_billable().len(), 2 * HUNDREDS);
    let again = mock.count() - 2 * HUNDREDS;
    assert!(again <= in_flight, "{again} calls were made again, {in_flight} were noted as in flight at the kills");
    assert!(left_open > 0, "no kill hit a call, so the test tests nothing");
    let ledger = Connection::open(dir.path("output/ledger.db")).unwrap();
    let check: String = ledger.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let (table, calls) = (dir.table(), mock.count());
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.table(), mock.count()), (table, calls), "an idle run sends nothing and changes nothing");
}

#[test]
fn a_torn_write_loses_only_what_follows_it() {
    let mock = Mock::good();
    let undisturbed = TestDir::with(&openai(&mock), ARTICLES);
    undisturbed.run(&["run"]).exits(0);
    let killed = TestDir::with(&openai(&mock), ARTICLES);
    mock.hold();
    mock.let_through(CALLS - 2);
    let before = mock.count();
    let run = killed.start(&["run"]);
    mock.wait_for_requests(before + CALLS - 1);
    wait_for_stored(&killed, CALLS - 2);
    assert_eq!(run.kill().code, None);
    mock.release();
    let read = |name: &str| std::fs::read(killed.path(name)).unwrap();
    let (ledger, log) = (read("output/ledger.db"), read("output/ledger.db-wal"));
    for cut in 0..=12 {
        let kept = log.len() * cut / 12;
        let (cut_off, rest) = log.split_at(kept);
        // The last sector may be incomplete, or contain garbage.
        let torn: Vec<u8> = cut_off.iter().copied().chain(rest.iter().take(512).map(|byte| !byte)).collect();
        for log in [cut_off, torn.as_slice()] {
            let before = mock.count();
            let dir = TestDir::with(&openai(&mock), ARTICLES);
            dir.write("output/ledger.db", &ledger);
            dir.write("output/ledger.db-wal", log);
            dir.run(&["run"]).exits(0);
            assert_eq!(dir.without_times(), undisturbed.without_times(), "the log has {} of its bytes", log.len());
            let path = dir.path("output/ledger.db");
            let checked = Connection::open(path).unwrap().query_row("PRAGMA quick_check", [], |row| row.get::<_, String>(0)).unwrap();
            assert_eq!(checked, "ok");
            let calls = mock.count() - before;
            assert!(calls <= if cut == 12 { 2 } else { CALLS }, "{calls} calls, the log has {} of its bytes", log.len());
        }
    }
}
