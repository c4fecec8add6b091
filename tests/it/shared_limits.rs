//! Limits that hold for all processes of a run together. Without Debian's package `postgresql` these tests are skipped, and say so.

use serde_json::json;

use crate::support::configs::openai;
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::postgres::Postgres;
use crate::support::process::Running;
use crate::support::test_dir::TestDir;
use crate::support::wire::answer;

/// A folder with articles, and a ledger on this server.
fn dir(mock: &Mock, server: &Postgres, limits: &str, articles: usize) -> TestDir {
    let priced = "concurrency = 4\nprice = { tokens_in = 1.0, tokens_out = 10.0 }";
    TestDir::with(&format!("{}\n{}\n[run]\n{limits}\n", openai(mock).replace("concurrency = 4", priced), server.config()), articles)
}

/// Answers that use nearly all that they may.
fn dear() -> Mock {
    Mock::scripted(|request: &Request, _| {
        let mut body = answer(request).value();
        body["usage"] = json!({"prompt_tokens": 300, "completion_tokens": request.json()["max_tokens"].as_u64().unwrap() - 10});
        Action::Answer(Response::json(&body))
    })
}

/// A run and three workers that wait for their first answers.
fn four(dir: &TestDir, server: &Postgres, mock: &Mock) -> [Running; 4] {
    mock.hold();
    let run = dir.start(&["run", "--piece-size", "2"]);
    mock.wait_for_requests(1);
    let workers = [(); 3].map(|()| dir.start(&["work"]));
    server.wait_for("SELECT count(*) FROM worker WHERE state = 'alive'", "4");
    let [one, two, three] = workers;
    [run, one, two, three]
}

/// What the replies have cost, and what may have been billed besides.
fn spent(server: &Postgres) -> f64 {
    let sums = "SELECT (SELECT coalesce(sum(cost), 0) FROM call WHERE state = 'answered')
        + (SELECT coalesce(sum(cost * attempts), 0) FROM waste)";
    server.sql(sums)[0].parse().unwrap()
}

/// The most that one call can have cost, and more.
const ONE_CALL: f64 = 0.006;

#[test]
fn four_processes_spend_a_cap_to_its_end_and_not_more() {
    let Some(server) = Postgres::start() else { return };
    let mock = dear();
    let dir = dir(&mock, &server, "max_cost = 0.1", 80);
    let processes = four(&dir, &server, &mock);
    mock.release();
    for process in processes {
        let ended = process.wait().exits(6);
        assert!(ended.stderr.contains("max_cost: 0.0") || ended.stderr.contains("max_cost: 0.1"), "{}", ended.stderr);
    }
    let spent = spent(&server);
    assert!(spent <= 0.1 && spent > 0.1 - ONE_CALL, "{spent}");
    // The next run of the night starts with that.
    let requests = mock.count();
    dir.run(&["run"]).exits(6);
    assert_eq!(mock.count(), requests);
}

#[test]
fn what_a_killed_process_has_drawn_and_not_spent_goes_back() {
    let Some(server) = Postgres::start() else { return };
    let mock = dear();
    let dir = dir(&mock, &server, "max_cost = 0.3", 200);
    let [run, one, two, killed] = four(&dir, &server, &mock);
    // The last one holds more than its calls need.
    let unspent = "SELECT count(*) > 0 FROM draw JOIN worker ON id = worker WHERE drawn > 0.015 AND name LIKE '% ";
    server.wait_for(&format!("{unspent}{}'", killed.pid()), "t");
    killed.kill();
    mock.release();
    for process in [run, one, two] {
        process.wait().exits(6);
    }
    let spent = spent(&server);
    assert!(spent <= 0.3 && spent > 0.3 - ONE_CALL, "{spent}");
    assert_eq!(server.sql("SELECT count(*) FROM draw WHERE drawn > used + 0.000001"), ["0"]);
}

#[test]
fn articles_and_failures_are_counted_over_all_processes() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let articles = dir(&mock, &server, "max_articles = 30", 60);
    let processes = four(&articles, &server, &mock);
    mock.release();
    let ended = processes.map(|process| process.wait().exits(6));
    assert!(ended.iter().all(|ended| ended.stderr.contains("max_articles: 30 were made")), "{ended:?}");
    assert_eq!(server.sql("SELECT count(*) FROM row WHERE status = 'done'"), ["30"]);

    let Some(server) = Postgres::start() else { return };
    let mock = Mock::scripted(|_, _| Action::status(400, "no"));
    let failing = dir(&mock, &server, "max_failures = \"20\"", 80);
    let processes = four(&failing, &server, &mock);
    mock.release();
    let stopped = processes.map(Running::wait).into_iter().filter(|ended| ended.stderr.contains("max_failures: 21 of")).count();
    assert!(stopped > 0);
    // The calls of those that had begun by then may fail, too.
    let failed: usize = server.sql("SELECT count(*) FROM row WHERE status = 'failed'")[0].parse().unwrap();
    assert!((21..80).contains(&failed), "{failed}");
}
