//! SIGTERM and SIGINT during calls: nothing new is sent, answers are kept, the table is written.

use std::time::{Duration, Instant};

use crate::support::TIMEOUT;
use crate::support::configs::openai;
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;

#[test]
fn a_signal_lets_calls_in_flight_finish_and_starts_no_others() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mock = Mock::good();
        let dir = TestDir::with(&openai(&mock), 2);
        dir.run(&["run"]).exits(0);
        (3..=9).for_each(|number| dir.article(number));
        mock.hold();
        let mut run = dir.start(&["run"]);
        mock.wait_for_in_flight(4);
        run.signal(signal);
        run.wait_for_line("stopping");
        mock.release();
        let ended = run.wait().exits(code);
        assert_eq!(mock.count(), 4 + 4, "no request after the signal");
        let summary = ended.summary();
        assert_eq!([&summary["found"], &summary["done"], &summary["earlier"], &summary["pending"]], [9, 2, 2, 7], "{summary}");
        assert_eq!(dir.rows().len(), 2, "the table is written");
        dir.run(&["run"]).exits(0);
        assert_eq!((mock.count(), mock.distinct_billable().len()), (18, 18), "nothing is asked twice");
        assert!(dir.rows().iter().all(|row| row["status"] == "done"));
    }
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 6);
    mock.hold();
    let mut run = dir.start(&["run"]);
    mock.wait_for_in_flight(4);
    run.signal("TERM");
    run.wait_for_line("stopping");
    run.signal("TERM");
    // The mock has not answered yet.
    run.wait().exits(143);
    mock.release();
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().len(), 6);
}

#[test]
fn a_signal_keeps_earlier_rows_in_the_table() {
    // More articles than may be alive at once, so that the walk has not reached the last ones.
    const MANY: usize = 150;
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), MANY);
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().len(), MANY);
    dir.write("config.toml", openai(&mock).replace("words = 60", "words = 80"));
    mock.hold();
    let mut run = dir.start(&["run"]);
    mock.wait_for_in_flight(4);
    run.signal("TERM");
    run.wait_for_line("stopping");
    mock.release();
    run.wait().exits(143);
    assert_eq!(dir.rows().len(), MANY);
}

#[test]
fn a_closed_terminal_ends_the_run_cleanly() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    mock.hold();
    let mut run = dir.start(&["run"]);
    mock.wait_for_in_flight(1);
    run.signal("HUP");
    run.wait_for_line("stopping");
    mock.release();
    run.wait().exits(143);
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.rows().len(), mock.count()), (1, 2));
}

#[test]
fn a_hanging_call_does_not_delay_the_end() {
    let mock = Mock::scripted(|_, _| Action::Hang);
    let dir = TestDir::with(&openai(&mock), 3);
    let mut run = dir.start(&["run"]);
    mock.wait_for_requests(3);
    run.signal("TERM");
    run.wait_for_line("stopping");
    let start = Instant::now();
    run.wait().exits(143);
    assert!(start.elapsed() < Duration::from_mins(1), "it waited for the endpoint's own timeout of 100 s");
}

/// The number of calls that the ledger has noted and that have not finished.
fn noted(dir: &TestDir) -> i64 {
    let ledger = rusqlite::Connection::open(dir.path("output/ledger.db")).unwrap();
    ledger.query_row("SELECT count(*) FROM call WHERE state = 'claimed'", [], |row| row.get(0)).unwrap()
}

#[test]
fn queued_calls_are_not_noted_after_a_signal() {
    const PLACES: usize = 40;
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", &format!("concurrency = {PLACES}")), 3 * PLACES);
    mock.hold();
    let mut run = dir.start(&["run"]);
    mock.wait_for_in_flight(PLACES);
    let end = Instant::now() + TIMEOUT;
    let until = |what: &str, there: &dyn Fn(i64) -> bool| {
        while !there(noted(&dir)) {
            assert!(Instant::now() < end, "{what}: {} calls are noted", noted(&dir));
        }
    };
    let places = i64::try_from(PLACES).unwrap();
    until("some are noted before their places are free", &|noted| noted > places);
    run.signal("TERM");
    run.wait_for_line("stopping");
    // Calls in flight may hang until they are cancelled. Only those may then count as perhaps billed.
    until("only what was sent stays noted", &|noted| noted == places);
    mock.release();
    run.wait().exits(143);
    assert_eq!((mock.count(), noted(&dir)), (PLACES, 0));
}
