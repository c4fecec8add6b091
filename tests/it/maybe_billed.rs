//! Attempts that may have been billed without a usable answer stay in the ledger, even if a later attempt succeeds.

use crate::support::configs::openai;
use crate::support::http::Response;
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;

/// One article. The service does `action` with the `first` requests. A character costs 1, so that sums can be told apart.
fn dir(action: impl Fn() -> Action + Send + Sync + 'static, first: usize) -> (Mock, TestDir) {
    let mock = Mock::scripted(move |request, number| if number < first { action() } else { Action::normal(request) });
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 1\nprice = { characters = 1000000.0 }"), 1);
    (mock, dir)
}

/// The attempts in the ledger by outcome, with their cost.
fn intents(dir: &TestDir) -> Vec<(String, i64, f64)> {
    let ledger = rusqlite::Connection::open(dir.path("output/ledger.db")).unwrap();
    let mut statement = ledger.prepare("SELECT outcome, attempts, cost * attempts FROM waste").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_lost_attempt_stays_in_the_ledger_after_a_successful_retry() {
    let (_mock, dir) = dir(|| Action::Drop, 1);
    let summary = dir.run(&["run"]).exits(0).summary();
    assert_eq!((&summary["requests"], &summary["maybe_billed"]), (&3.into(), &1.into()));
    let wasted = intents(&dir);
    assert_eq!((wasted.len(), wasted[0].0.as_str(), wasted[0].1), (1, "lost", 1), "{wasted:?}");
    let why = dir.run(&["why", "input/001.txt"]).exits(0).stdout;
    assert_eq!(why.lines().filter(|line| line.trim_start().starts_with("call ")).count(), 3, "{why}");
    assert!(why.contains("run 1: sent, no answer; maybe billed, cost "), "{why}");
    let status = dir.run(&["status"]).exits(0).stdout;
    assert!(status.contains("sent, no answer"), "{status}");
}

#[test]
fn two_lost_attempts_count_as_two() {
    let (_mock, dir) = dir(|| Action::Drop, 2);
    dir.run(&["run"]).exits(3);
    let wasted = intents(&dir);
    assert_eq!((wasted.len(), wasted[0].0.as_str(), wasted[0].1), (1, "lost", 2), "{wasted:?}");
    let why = dir.run(&["why", "input/001.txt"]).exits(0).stdout;
    assert!(why.contains("sent, no answer; maybe billed 2 times, cost "), "{why}");
    dir.run(&["run"]).exits(0);
    assert_eq!(intents(&dir), wasted, "the next run's calls were answered");
}

#[test]
fn a_lost_attempt_stays_in_the_ledger_when_a_copy_makes_the_same_call() {
    let mock = Mock::scripted(|_, number| if number == 0 { Action::Drop } else { Action::status(503, "") });
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 1\nwait_for = \"1s\""), 1);
    dir.write("input/copy.txt", std::fs::read(dir.path("input/001.txt")).unwrap());
    let summary = dir.run(&["run"]).exits(5).summary();
    assert_eq!((&summary["maybe_billed"], &summary["failed"]), (&1.into(), &2.into()), "{summary}");
    let outcomes: Vec<(String, i64)> = {
        let ledger = rusqlite::Connection::open(dir.path("output/ledger.db")).unwrap();
        let mut statement = ledger.prepare("SELECT outcome, attempts FROM waste").unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(outcomes, [("lost".to_owned(), 1)]);
}

#[test]
fn unusable_answers_count_as_billed_and_unbilled_attempts_are_forgotten() {
    let (_mock, well) = dir(|| Action::status(503, ""), 1);
    let usual = well.run(&["run"]).exits(0).summary()["cost"].as_f64().unwrap();
    assert_eq!(intents(&well), []);
    let (_mock, dir) = dir(|| Action::Answer(Response::new(200, "<html>")), 1);
    let cost = dir.run(&["run"]).exits(0).summary()["cost"].as_f64().unwrap();
    let wasted = intents(&dir);
    assert_eq!((wasted.len(), wasted[0].0.as_str(), wasted[0].1), (1, "unusable", 1), "{wasted:?}");
    assert!((cost - usual - wasted[0].2).abs() < 1e-6, "{cost} and {usual}, {wasted:?}");
}

#[test]
fn attempts_that_may_have_been_billed_count_against_max_cost() {
    let (_mock, well) = dir(|| Action::Drop, 0);
    let usual = well.run(&["run"]).exits(0).summary()["cost"].as_f64().unwrap();
    // Enough for the article, but not for its summary a second time.
    let (mock, dir) = dir(|| Action::Drop, 1);
    dir.run(&["run", "--max-cost", &format!("{:.0}", usual + 50.0)]).exits(6);
    assert_eq!(mock.count(), 1, "the one that was lost may have cost its part");
}
