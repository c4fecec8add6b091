//! The limits of a run: each ends it with exit code 6, and everything done so far is in the table.

use crate::support::configs::openai;
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;

/// A price of one for a million tokens. The mock reports its usage, so the tests know the cost of a call.
fn priced(mock: &Mock, run: &str) -> String {
    openai(mock).replace("concurrency = 4", "concurrency = 1\nprice = { characters = 1000000.0 }") + &format!("\n[run]\n{run}\n")
}

fn done(dir: &TestDir) -> usize {
    dir.rows().iter().filter(|row| row["status"] == "done").count()
}

fn spent(dir: &TestDir) -> f64 {
    let ledger = rusqlite::Connection::open(dir.path("output/ledger.db")).unwrap();
    let sum = |table: &str| ledger.query_row(&format!("SELECT total(cost) FROM {table}"), [], |row| row.get::<_, f64>(0)).unwrap();
    sum("call") + sum("waste")
}

#[test]
fn max_articles_stops_after_that_many() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 9);
    let summary = dir.run(&["run", "--max-articles", "4"]).exits(6).summary();
    assert_eq!((done(&dir), mock.count()), (4, 8));
    assert_eq!([&summary["found"], &summary["done"], &summary["pending"], &summary["exit"]], [9, 4, 5, 6], "{summary}");
    assert!(summary["limit"].as_str().unwrap().starts_with("max_articles"), "{summary}");
    // Articles that are done do not count again.
    dir.run(&["run", "--max-articles", "4"]).exits(6);
    dir.run(&["run", "--max-articles", "1"]).exits(0);
    assert_eq!((done(&dir), mock.count()), (9, 18));
}

#[test]
fn max_cost_counts_the_whole_night() {
    let mock = Mock::good();
    let dir = TestDir::with(&priced(&mock, "max_cost = 2000.0"), 6);
    dir.run(&["run"]).exits(6);
    let (first, cost) = (mock.count(), spent(&dir));
    assert!(cost <= 2000.0 && cost > 1000.0, "{cost}");
    assert!(done(&dir) > 0 && done(&dir) < 6);
    // The next run in the same night starts with what is already spent.
    dir.run(&["run"]).exits(6);
    assert_eq!((mock.count(), spent(&dir)), (first, cost));
    dir.run(&["run", "--max-cost", "1e9"]).exits(0);
    assert_eq!((done(&dir), mock.count()), (6, 12));
}

fn by_the_token(mock: &Mock, places: usize) -> String {
    let priced = format!("concurrency = {places}\nprice = {{ tokens_in = 1000000.0, tokens_out = 1000000.0 }}");
    openai(mock).replace("concurrency = 4", &priced)
}

/// The estimated cost of a call before its answer: many times the real cost.
fn estimate() -> f64 {
    let mock = Mock::good();
    let dir = TestDir::with(&by_the_token(&mock, 1), 1);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_in_flight(1);
    run.kill();
    spent(&dir)
}

#[test]
fn max_cost_is_spent_in_full() {
    let mock = Mock::good();
    let dir = TestDir::with(&by_the_token(&mock, 4), 12);
    // Enough for two calls at once, and for all calls one after the other.
    dir.run(&["run", "--max-cost", &format!("{}", estimate() * 2.5)]).exits(0);
    assert_eq!((done(&dir), mock.count()), (12, 24));
    assert!(mock.most_in_flight() <= 2, "{}", mock.most_in_flight());
}

#[test]
fn queued_calls_do_not_use_up_max_cost() {
    const PLACES: usize = 32;
    let one = estimate();
    let mock = Mock::good();
    let dir = TestDir::with(&by_the_token(&mock, PLACES), 80);
    mock.hold();
    let run = dir.start(&["run", "--max-cost", &format!("{}", one * 41.0)]);
    for number in PLACES..80 {
        mock.wait_for_requests(number);
        mock.let_through(1);
    }
    mock.wait_for_requests(80);
    let said = run.kill().stderr;
    assert!(!said.contains("stopping"), "{said}");
}

#[test]
fn a_call_left_open_by_a_kill_counts_as_spent() {
    let mock = Mock::good();
    let dir = TestDir::with(&priced(&mock, ""), 1);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_in_flight(1);
    assert_eq!(run.kill().code, None);
    mock.release();
    let lost = spent(&dir);
    assert!(lost > 0.0);
    // Enough for the call, but not for the lost one as well.
    dir.run(&["run", "--max-cost", &format!("{}", lost * 1.5)]).exits(6);
    assert_eq!(mock.count(), 1);
}

#[test]
fn max_cost_without_a_price_is_refused() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    let ended = dir.run(&["run", "--max-cost", "5"]).exits(2);
    assert!(ended.stderr.contains("`max_cost` needs the price of endpoint `llm`"), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn max_failures_ends_the_run() {
    let mock = Mock::scripted(|_, _| Action::status(400, r#"{"error":{"message":"no"}}"#));
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 1"), 9);
    let ended = dir.run(&["run", "--max-failures", "2"]).exits(6);
    assert!(ended.stderr.contains("max_failures: 3 of"), "{}", ended.stderr);
    assert!(mock.count() < 9);
    let summary = ended.summary();
    assert!(summary["failed"].as_u64().unwrap() >= 3 && summary["pending"].as_u64().unwrap() > 0, "{summary}");
}

#[test]
fn max_time_lets_calls_in_flight_finish() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 6);
    mock.hold();
    let mut run = dir.start(&["run", "--max-time", "1s"]);
    mock.wait_for_in_flight(4);
    run.wait_for_line("max_time");
    mock.release();
    run.wait().exits(6);
    assert_eq!(mock.count(), 4, "no request after that");
    dir.run(&["run", "--deadline", "23:59"]).exits(0);
    assert_eq!((done(&dir), mock.count(), mock.distinct_billable().len()), (6, 12, 12), "and none is made again");
}

#[test]
fn an_invalid_limit_is_refused_before_reading() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    for flags in [["--max-cost", "0"], ["--max-articles", "0"], ["--max-time", "soon"], ["--deadline", "6 am"], ["--max-failures", "many"]]
    {
        let ended = dir.run(&["run", flags[0], flags[1]]).exits(2);
        assert!(ended.stderr.contains("command line: "), "{}", ended.stderr);
    }
    assert_eq!(mock.count(), 0);
}
