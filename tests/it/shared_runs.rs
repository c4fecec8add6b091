//! Several processes that share a run on a `PostgreSQL` server. Without Debian's package `postgresql`,
//! these tests are skipped and say so.

use std::time::{Duration, SystemTime};

use crate::support::clock::Clock;
use crate::support::configs::openai;
use crate::support::mock::{Action, Mock};
use crate::support::postgres::Postgres;
use crate::support::test_dir::TestDir;

/// A folder with articles and a ledger on this server.
fn dir(mock: &Mock, server: &Postgres, articles: usize) -> TestDir {
    TestDir::with(&format!("{}\n{}", openai(mock), server.config()), articles)
}

#[test]
fn runs_and_workers_share_one_run_and_pay_nothing_twice() {
    const ARTICLES: usize = 60;
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let with_file = TestDir::with(&openai(&mock), ARTICLES);
    with_file.run(&["run"]).exits(0);
    let before = mock.count();
    let dir = dir(&mock, &server, ARTICLES);
    dir.write("input/empty.txt", "");
    assert!(dir.run(&["work", "--wait-for", "100ms"]).exits(5).stderr.contains("no run is open"));
    mock.hold();
    let first = dir.start(&["run", "--piece-size", "7"]);
    mock.wait_for_requests(before + 1);
    let others = [&["run"][..], &["work"], &["work"]].map(|arguments| dir.start(arguments));
    server.wait_for("SELECT count(*) FROM worker WHERE state = 'alive'", "4");
    let other_config = format!("{}\n{}", openai(&mock).replace("words = 60", "words = 61"), server.config());
    dir.write("other.toml", other_config);
    let refused = dir.run(&["work", "--config", "other.toml"]).exits(2).stderr;
    assert!(refused.contains("has a different `summary`"), "{refused}");
    let refused = dir.run(&["work", "--concurrency", "5"]).exits(2).stderr;
    assert!(refused.contains("has a different `endpoint.concurrency`"), "{refused}");
    let status = dir.run(&["status"]).exits(0).stdout;
    assert!(status.contains("Run 1: 0 pieces done") && status.matches(", process ").count() == 4, "{status}");
    assert!(status.contains("  active"), "{status}");
    let status: serde_json::Value = serde_json::from_str(&dir.run(&["status", "--json"]).exits(0).stdout).unwrap();
    assert_eq!((status["sharing"]["workers"].as_array().unwrap().len(), &status["sharing"]["listed"]), (4, &true.into()));
    assert!(status["maybe_billed"].as_u64().unwrap() > 0, "{status}");
    mock.release();
    let [second, work, _] = others.map(|other| other.wait().exits(0));
    let first = first.wait().exits(0);
    assert_eq!(mock.count() - before, 2 * ARTICLES);
    assert_eq!(dir.rows().iter().filter(|row| row["status"] == "done").count(), ARTICLES);
    for run in [first.summary(), second.summary()] {
        assert_eq!((&run["found"], &run["done"], &run["skipped"]), (&(ARTICLES + 1).into(), &ARTICLES.into(), &1.into()), "{run}");
        assert_eq!((&run["requests"], &run["earlier"]), (&(2 * ARTICLES).into(), &0.into()), "the sums of all");
    }
    assert!(work.summary()["found"].as_u64().unwrap() <= ARTICLES as u64);
    let only_done: Vec<_> = dir.without_times().into_iter().filter(|row| !row.contains(&"input/empty.txt".to_owned())).collect();
    assert_eq!(only_done, with_file.without_times());
    assert_eq!(server.sql("SELECT count(*) FROM run"), ["1"]);
    assert_eq!(server.sql("SELECT found || ' ' || done || ' ' || exit FROM run"), [format!("{} {ARTICLES} 0", ARTICLES + 1)]);
    let again = dir.run(&["run"]).exits(0).summary();
    assert_eq!((&again["earlier"], mock.count() - before), (&ARTICLES.into(), 2 * ARTICLES));
}

/// The files of `retry` are never those of the run.
#[test]
fn a_run_with_other_settings_is_waited_for() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 3);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_requests(1);
    assert!(dir.run(&["retry"]).exits(2).stderr.contains("has a different `input.paths`"));
    let mut others = [&["retry", "--wait"][..], &["run", "--wait", "input/001.txt"]].map(|arguments| dir.start(arguments));
    for other in &mut others {
        other.wait_for_line("has a different `input.paths`; waiting for it to end");
    }
    mock.release();
    run.wait().exits(0);
    for other in others {
        other.wait().exits(0);
    }
    assert_eq!(mock.count(), 6);
}

#[test]
fn a_run_that_is_interrupted_leaves_its_pieces_to_the_others() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 40);
    mock.hold();
    let mut first = dir.start(&["run", "--piece-size", "5"]);
    mock.wait_for_requests(4);
    // The first process has taken so many pieces that the other one can take all the rest while no
    // call is answered.
    server.wait_for("SELECT count(*) >= 4 FROM piece WHERE state = 'taken'", "t");
    let second = dir.start(&["run"]);
    server.wait_for("SELECT count(*) FROM worker", "2");
    first.signal("INT");
    first.wait_for_line("stopping");
    server.wait_for("SELECT count(*) FROM piece WHERE state = 'open'", "0");
    mock.release();
    // The interrupted process writes a table with the rows that exist.
    let first = first.wait().exits(130).summary();
    let second = second.wait().exits(0);
    assert!(first["pending"].as_u64().unwrap() > 0, "{first}");
    assert_eq!((mock.count(), mock.distinct_billable().len()), (80, 80));
    assert_eq!(dir.rows().iter().filter(|row| row["status"] == "done").count(), 40);
    assert!(!second.stderr.contains("was changed during the run"), "{}", second.stderr);
}

#[test]
fn a_file_that_is_being_read_is_not_listed_again_if_the_lister_dies() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 40);
    for article in std::fs::read_dir(dir.path("input")).unwrap() {
        // A file that was just written is read again in any case.
        let file = std::fs::File::options().append(true).open(article.unwrap().path()).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
    }
    mock.hold();
    let lister = dir.start(&["run", "--piece-size", "5"]);
    mock.wait_for_requests(4);
    let other = dir.start(&["run", "--piece-size", "5"]);
    server.wait_for("SELECT count(DISTINCT worker) FROM piece WHERE state = 'taken'", "2");
    // As if the lister had not come to the end.
    server.sql("UPDATE run SET listed = false");
    lister.kill();
    mock.release();
    let ended = other.wait().exits(0).summary();
    assert_eq!((&ended["found"], &ended["done"]), (&40.into(), &40.into()), "{ended}");
    assert_eq!(server.sql("SELECT count(*) - count(DISTINCT name) FROM piece CROSS JOIN unnest(names) AS listed (name)"), ["0"]);
    assert_eq!(server.sql("SELECT count(*) FROM row JOIN file ON file.number = row.file WHERE row.in_table"), ["40"]);
}

#[test]
fn the_articles_of_a_worker_that_was_stopped_are_counted_once() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 60);
    mock.hold();
    let run = dir.start(&["run", "--piece-size", "5"]);
    mock.wait_for_requests(4);
    let mut worker = dir.start(&["work"]);
    server.wait_for("SELECT count(DISTINCT worker) FROM piece WHERE state = 'taken'", "2");
    worker.signal("TERM");
    worker.wait_for_line("stopping");
    mock.release();
    assert!(worker.wait().exits(143).summary()["pending"].as_u64().unwrap() > 0);
    let numbers = run.wait().exits(0).summary();
    assert_eq!((&numbers["found"], &numbers["done"], &numbers["pending"]), (&60.into(), &60.into(), &0.into()), "{numbers}");
    assert_eq!(server.sql("SELECT found || ' ' || done || ' ' || pending || ' ' || exit FROM run"), ["60 60 0 0"]);
}

#[test]
fn a_worker_ends_with_0_even_if_articles_failed() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::scripted(|_, _| Action::status(400, "no"));
    let dir = dir(&mock, &server, 40);
    mock.hold();
    let run = dir.start(&["run", "--piece-size", "5"]);
    mock.wait_for_requests(4);
    let worker = dir.start(&["work"]);
    server.wait_for("SELECT count(DISTINCT worker) FROM piece WHERE state = 'taken'", "2");
    mock.release();
    worker.wait().exits(0);
    run.wait().exits(3);
    assert_eq!(server.sql("SELECT failed > 0 FROM worker WHERE id = 2"), ["t"]);
}

#[test]
fn a_killed_worker_and_a_killed_lister_are_replaced() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 40);
    mock.hold();
    // The four places of the service are all in use, but the worker takes files that are left.
    let lister = dir.start(&["run", "--piece-size", "5"]);
    mock.wait_for_requests(4);
    let worker = dir.start(&["work"]);
    server.wait_for("SELECT count(DISTINCT worker) FROM piece WHERE state = 'taken'", "2");
    let run = dir.start(&["run"]);
    server.wait_for("SELECT count(*) FROM worker", "3");
    lister.kill();
    worker.kill();
    mock.release();
    run.wait().exits(0);
    assert_eq!(mock.distinct_billable().len(), 80);
    assert_eq!(mock.count(), 84, "only the calls in flight are repeated");
    assert_eq!(server.sql("SELECT sum(attempts) FROM waste WHERE outcome = 'killed'"), ["4"]);
    assert_eq!(dir.rows().iter().filter(|row| row["status"] == "done").count(), 40);
}

#[test]
fn a_process_that_was_frozen_beyond_its_lease_sends_nothing_when_it_wakes() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 40);
    mock.hold();
    let frozen = dir.start(&["run", "--piece-size", "5"]);
    mock.wait_for_requests(4);
    let run = dir.start(&["run"]);
    server.wait_for("SELECT count(*) FROM worker", "2");
    frozen.signal("STOP");
    // Its calls may take 100 s, which the test does not wait for.
    server.sql("UPDATE worker SET grace = '0', lease_until = now() WHERE id = 1");
    mock.release();
    run.wait().exits(0);
    assert_eq!(server.sql("SELECT state FROM worker ORDER BY id"), ["dead", "ended"]);
    let before = mock.count();
    let report = std::fs::read_to_string(dir.path("output/report.json")).unwrap();
    frozen.signal("CONT");
    let woken = frozen.wait();
    assert_eq!(std::fs::read_to_string(dir.path("output/report.json")).unwrap(), report, "it wrote over the report of the others");
    assert!([Some(0), Some(2), Some(3), Some(5), Some(11)].contains(&woken.code), "{woken:?}");
    assert_eq!(mock.count(), before, "it sent something");
    assert!(dir.rows().iter().all(|row| row["status"] == "done"));
}

#[test]
fn a_process_that_is_frozen_within_a_transaction_holds_nobody_up() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 1);
    dir.run(&["run"]).exits(0);
    dir.article(2);
    let held = server.hold("LOCK TABLE call IN SHARE ROW EXCLUSIVE MODE");
    let frozen = dir.start(&["run"]);
    // Its first claim waits for the lock, in a transaction that keeps others from declaring it dead.
    server.wait_for("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%INSERT INTO call%' AND wait_event_type = 'Lock'", "t");
    frozen.signal("STOP");
    drop(held);
    server.sql("UPDATE worker SET grace = '0', lease_until = now() WHERE state = 'alive'");
    dir.run(&["run"]).exits(0);
    assert_eq!(server.sql("SELECT state FROM worker ORDER BY id"), ["ended", "dead", "ended"]);
    assert_eq!(dir.rows().len(), 2);
    frozen.kill();
}

#[test]
fn a_process_that_dies_before_it_writes_the_outputs_is_replaced() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 5);
    mock.hold();
    let killed = dir.start(&["run"]);
    mock.wait_for_requests(1);
    let held = server.hold("SELECT pg_advisory_lock(hashtextextended('depeche finishes depeche', 0))");
    mock.release();
    server.wait_for("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'depeche 1'", "1");
    killed.kill();
    drop(held);
    assert!(!dir.path("output/summaries.csv").exists());
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().iter().filter(|row| row["status"] == "done").count(), 5);
    assert_eq!(mock.count(), 10);
}

#[test]
fn the_temporary_files_of_a_killed_process_are_removed() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 1);
    dir.write("output/.depeche-new-killed", "half a table");
    dir.run(&["run"]).exits(0);
    assert!(!dir.path("output/.depeche-new-killed").exists());
}

/// The server ends a connection when an operator says so, and when it is stopped.
#[test]
fn a_connection_that_is_lost_while_a_process_joins_is_made_again() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 1);
    let held = server.hold("SELECT pg_advisory_lock(hashtextextended('depeche opens depeche', 0))");
    let run = dir.start(&["run"]);
    let waiting = "FROM pg_stat_activity WHERE application_name = 'depeche' AND wait_event = 'advisory'";
    server.wait_for(&format!("SELECT count(*) {waiting}"), "1");
    server.sql(&format!("SELECT pg_terminate_backend(pid) {waiting}"));
    drop(held);
    run.wait().exits(0);
    assert_eq!(server.sql("SELECT state FROM worker"), ["ended"]);
}

#[test]
fn a_dead_process_whose_connection_lives_does_not_keep_others_from_writing_the_outputs() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 1);
    dir.run(&["run"]).exits(0);
    // The process is frozen, or its machine is off.
    server.sql("UPDATE worker SET state = 'dead'");
    let lock = "SET application_name = 'depeche 1'; SELECT pg_advisory_lock(hashtextextended('depeche finishes depeche', 0))";
    let _held = server.hold(lock);
    dir.article(2);
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().len(), 2);
}

#[test]
fn the_numbers_of_a_run_count_what_a_killed_process_did() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 6);
    mock.hold();
    let killed = dir.start(&["run", "--piece-size", "1"]);
    // Six summaries, and some of the translations.
    mock.let_through(9);
    mock.wait_for_requests(10);
    server.wait_for("SELECT count(*) > 0 FROM piece WHERE state = 'done'", "t");
    let run = dir.start(&["run"]);
    server.wait_for("SELECT count(*) FROM worker", "2");
    killed.kill();
    mock.release();
    let numbers = run.wait().exits(0).summary();
    assert_eq!((&numbers["found"], &numbers["done"], &numbers["failed"]), (&6.into(), &6.into(), &0.into()), "{numbers}");
    assert_eq!(server.sql("SELECT requests >= 12 FROM run"), ["t"]);
}

#[test]
fn a_run_ends_with_3_if_only_another_process_had_failures() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 2);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_requests(2);
    // Another process of the run, which has ended.
    server.sql(
        "INSERT INTO worker (run, name, place, lease_until, grace, state, found, done, earlier, skipped, failed, pending, requests, paid,
             retried, maybe_billed, cached, cost, estimated)
         VALUES (1, 'node1, process 99', '', now(), '0', 'ended', 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0)",
    );
    mock.release();
    let numbers = run.wait().exits(3).summary();
    assert_eq!((&numbers["done"], &numbers["failed"]), (&2.into(), &1.into()), "{numbers}");
}

#[test]
fn processes_whose_clocks_are_wrong_share_a_run() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let ledger = server.config().replace("6s", "3s");
    let dir = TestDir::with(&format!("{}\n{ledger}", openai(&mock)), 60);
    // The clocks are hours apart from each other and from that of the server.
    let [clocks, others] = [(); 2].map(|()| TestDir::new());
    let (early, late) = (Clock::at(0, &clocks), Clock::at(0, &others));
    early.turn(-24);
    late.turn(48);
    mock.hold();
    let run = early.start(&dir, &["run", "--piece-size", "5"]);
    mock.wait_for_requests(4);
    let workers = [&early, &late].map(|clock| clock.start(&dir, &["work"]));
    server.wait_for("SELECT count(*) FROM worker", "3");
    // Each has looked for dead processes for some time.
    server.wait_for("SELECT count(*) FROM worker WHERE heard_at > started_at + interval '4 seconds'", "3");
    mock.release();
    run.wait().exits(0);
    for worker in workers {
        worker.wait().exits(0);
    }
    assert_eq!(mock.count(), 120);
    assert_eq!(server.sql("SELECT count(*) FROM worker WHERE state = 'ended'"), ["3"]);
    assert_eq!(server.sql("SELECT count(*) FROM waste"), ["0"]);
    let wrong = "SELECT count(*) FROM call WHERE made_at::timestamptz NOT BETWEEN now() - interval '1 hour' AND now()";
    assert_eq!(server.sql(wrong), ["0"], "calls have the time of a wrong clock");
}
