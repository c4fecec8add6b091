//! Limits that hold for all processes of a run together. Without Debian's package `postgresql` these tests are skipped, and say so.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

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
    let [killed, one, two, three] = four(&dir, &server, &mock);
    server.wait_for("SELECT count(*) FROM run WHERE listed", "1");
    // Its four calls need less than half of that.
    assert_eq!(server.sql("SELECT drawn > 0.05 FROM draw WHERE worker = 1"), ["t"]);
    killed.kill();
    mock.release();
    for process in [one, two, three] {
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

#[test]
fn a_told_pace_and_told_places_hold_for_all_processes_together() {
    /// Each process reads dozens of articles ahead. There must be enough articles for all four
    /// processes.
    const CALLS: u32 = 400;
    /// Calls a minute.
    const PACE: u32 = 2400;
    let Some(server) = Postgres::start() else { return };
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let noted = Arc::clone(&times);
    let mock = Mock::scripted(move |request, _| {
        noted.lock().unwrap().push(Instant::now());
        Action::normal(request)
    });
    let config = openai(&mock).replace("concurrency = 4", &format!("concurrency = 5\nrequests_per_minute = {PACE}"));
    let dir = TestDir::with(&format!("{config}\n{}", server.config()), CALLS as usize / 2);
    let processes = four(&dir, &server, &mock);
    // All of them have a part.
    server.wait_for("SELECT count(*) FROM service_part WHERE is_active", "4");
    mock.release();
    for process in processes {
        process.wait().exits(0);
    }
    assert!(mock.most_in_flight() <= 5, "{}", mock.most_in_flight());
    let times = times.lock().unwrap();
    assert_eq!(times.len(), CALLS as usize);
    // Under load calls come late, but never early. The first ones were held.
    let took = *times.iter().max().unwrap() - *times.iter().min().unwrap();
    let allowed = Duration::from_mins(1) * (CALLS - 10) / PACE;
    assert!(took >= allowed, "{CALLS} calls took {took:?}, not {allowed:?}");
}

#[test]
fn a_pause_that_one_process_is_told_holds_for_all() {
    let Some(server) = Postgres::start() else { return };
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = Arc::clone(&gate);
    let mock = Mock::scripted(move |request, number| {
        if number == 0 {
            return Action::Answer(Response::new(429, "wait").with("Retry-After", "600"));
        }
        drop(held.1.wait_while(held.0.lock().unwrap(), |open| !*open).unwrap());
        Action::normal(request)
    });
    // Each process learns by itself how many calls the service takes.
    let config = openai(&mock).replace("concurrency = 4", "concurrency = \"auto\"\nwait_for = \"20m\"");
    let dir = TestDir::with(&format!("{config}\n{}", server.config()), 40);
    let told = dir.start(&["run", "--piece-size", "2"]);
    mock.wait_for_requests(1);
    server.wait_for("SELECT count(*) FROM service WHERE paused_until > now()", "1");
    let sent = mock.count();
    let others = [(); 3].map(|()| dir.start(&["work"]));
    // None of them sends anything before it has looked.
    server.wait_for("SELECT count(*) FROM service_part", "4");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    server.wait_for("SELECT count(*) FROM call WHERE state = 'answered'", &(sent - 1).to_string());
    server.wait_for("SELECT count(*) FROM piece WHERE state = 'open'", "0");
    assert_eq!(mock.count(), sent, "somebody has not waited");
    for process in others.into_iter().chain([told]) {
        process.kill();
    }
}
