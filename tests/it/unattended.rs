//! Unattended runs: the report, metrics, the ping, the log as JSON, waiting for another run, and a bare environment.

use serde_json::Value;

use crate::support::configs::{openai, with_key};
use crate::support::http::Request;
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;

fn json(dir: &TestDir, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(dir.path(name)).unwrap()).unwrap()
}

#[test]
fn report_and_metrics_describe_the_run() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock).replace("timeout", "price = { characters = 20.0 }\ntimeout"), 2);
    dir.write("input/empty.txt", "");
    dir.write("input/broken.json", "{");
    dir.run(&["run"]).exits(3);
    let report = json(&dir, "output/report.json");
    let keys: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["schema", "version", "started_at", "ended_at", "exit", "limit", "summary", "flags", "failed", "skipped", "endpoints"]
    );
    assert_eq!((&report["schema"], &report["exit"]), (&1.into(), &3.into()));
    assert_eq!((&report["skipped"]["empty"], &report["failed"]["malformed"]), (&1.into(), &1.into()), "{report}");
    let endpoint = &report["endpoints"][0];
    assert_eq!((&endpoint["endpoint"], &endpoint["calls"]), (&"llm".into(), &4.into()), "{report}");
    assert!(
        endpoint["cost"].as_f64().unwrap() > 0.0
            && (endpoint["cost"].as_f64().unwrap() - report["summary"]["cost"].as_f64().unwrap()).abs() < 1e-9
    );
    let metrics = || std::fs::read_to_string(dir.path("output/metrics.prom")).unwrap();
    for line in [
        "depeche_articles{state=\"done\"} 2",
        "depeche_articles{state=\"failed\"} 1",
        "depeche_requests{kind=\"sent\"} 4",
        "depeche_exit_code 3",
    ] {
        assert!(metrics().lines().any(|own| own == line), "no `{line}` in\n{}", metrics());
    }
    assert!(!metrics().contains("\ndepeche_last_success_timestamp_seconds "), "no night went well yet");
    std::fs::remove_file(dir.path("input/broken.json")).unwrap();
    dir.run(&["run"]).exits(0);
    assert!(metrics().contains("\ndepeche_last_success_timestamp_seconds "), "{}", metrics());
    assert_eq!(json(&dir, "output/report.json")["endpoints"], serde_json::json!([]), "this run made no call");
}

/// A service that also accepts pings.
fn watched() -> Mock {
    Mock::scripted(
        |request: &Request, _| if request.path.starts_with("/ping") { Action::status(200, "ok") } else { Action::normal(request) },
    )
}

#[test]
fn the_ping_reports_success_and_failure() {
    let mock = watched();
    let config = openai(&mock) + &format!("\n[run]\nping = \"{}/ping/1234\"\n", mock.url());
    let dir = TestDir::with(&config, 1);
    let pings = || mock.requests().into_iter().filter(|request| request.path.starts_with("/ping")).collect::<Vec<_>>();
    dir.run(&["run"]).exits(0);
    dir.write("input/broken.json", "{");
    dir.run(&["run", "--quiet"]).exits(3);
    std::fs::remove_file(dir.path("output/ledger.db")).unwrap();
    dir.run(&["run"]).exits(2);
    let paths: Vec<String> = pings().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/ping/1234", "/ping/1234/fail", "/ping/1234/fail"]);
    let line: Value = serde_json::from_slice(&pings()[0].body).unwrap();
    assert_eq!((&line["exit"], &line["done"]), (&0.into(), &1.into()));
    assert!(String::from_utf8(pings()[2].body.clone()).unwrap().contains("--new-ledger"));
}

#[test]
fn a_failed_ping_changes_nothing() {
    let mock = Mock::scripted(|request, _| if request.path.starts_with("/ping") { Action::Drop } else { Action::normal(request) });
    let dir = TestDir::with(&(openai(&mock) + &format!("\n[run]\nping = \"{}/ping/geheim\"\n", mock.url())), 1);
    let ended = dir.run(&["run"]).exits(0);
    assert!(ended.stderr.contains("the ping failed") && !ended.stderr.contains("geheim"), "{}", ended.stderr);
}

#[test]
fn the_json_log_has_one_object_a_line_without_text_or_keys() {
    let mock = Mock::scripted(|request, number| if number == 1 { Action::status(500, "{}") } else { Action::normal(request) });
    let dir = TestDir::with(&with_key(&mock), 2);
    dir.write("input/broken.json", "{");
    let mut command = dir.command(&["run", "-vv", "--log-format", "json"]);
    command.env("DEPECHE_TEST_KEY", "sk-secret-4711");
    let ended = crate::support::process::Running::start(&mut command).wait().exits(3);
    let lines: Vec<Value> = ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(
        lines.len() > 2 && lines.iter().any(|line| line["level"] == "DEBUG" && line["code"] == "status-500" || line["message"].is_string())
    );
    assert!(!ended.stderr.contains("sk-secret-4711") && !ended.stderr.contains("quartier attendaient"), "{}", ended.stderr);
    assert!(dir.leaks("sk-secret-4711", &ended).is_empty());
}

#[test]
fn wait_waits_for_the_other_run() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    mock.hold();
    let first = dir.start(&["run"]);
    mock.wait_for_in_flight(2);
    let mut second = dir.start(&["run", "--wait"]);
    let said = second.wait_for_line("waiting for it to end");
    assert!(said.contains(&format!("process {}", first.pid())), "{said}");
    mock.release();
    first.wait().exits(0);
    second.wait().exits(0);
    assert_eq!(mock.count(), 4, "it found all done");
}

#[test]
fn a_bare_environment_gives_the_same_bytes() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let wanted = dir.without_times();
    std::fs::remove_dir_all(dir.path("output")).unwrap();
    let mut bare = dir.command(&["run"]);
    bare.env_clear();
    let ended = crate::support::process::Running::start(&mut bare).wait().exits(0);
    assert_eq!(dir.without_times(), wanted);
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'), "no colours");
}

#[test]
fn a_run_that_cannot_start_writes_its_report() {
    let dir = TestDir::with(&crate::support::configs::embedded("translator = \"firefox\"\nfetch = false"), 1);
    let ended = dir.run(&["run"]);
    let code = ended.code.unwrap();
    assert!(code != 0 && ended.stderr.contains("error: "), "{}", ended.stderr);
    let summary = ended.summary();
    assert_eq!((&summary["exit"], &summary["found"]), (&code.into(), &0.into()), "{summary}");
    let report = json(&dir, "output/report.json");
    assert_eq!((&report["exit"], &report["fault"]), (&code.into(), &summary["fault"]), "{report}");
    assert!(dir.run(&["status"]).exits(0).stdout.contains(&format!("  {code}  ")));
}

#[test]
fn the_log_has_at_most_one_line_an_article_and_no_text() {
    const ARTICLES: usize = 40;
    let mock = Mock::scripted(|request, number| if number % 5 == 0 { Action::status(400, "{}") } else { Action::normal(request) });
    let dir = TestDir::with(&openai(&mock), ARTICLES);
    dir.write("input/broken.json", "{");
    for (arguments, most) in [(&["run", "--quiet"][..], 1), (&["run"], 3), (&["run", "-v"], 3 + ARTICLES)] {
        let ended = dir.run(arguments).exits(3);
        let lines = ended.stderr.lines().count();
        assert!(lines <= most, "{arguments:?}: {lines} lines\n{}", ended.stderr);
        assert!((1..=ARTICLES).all(|number| ended.stderr.matches(&format!("input/{number:03}.txt")).count() <= 1), "{}", ended.stderr);
        assert!(!ended.stderr.contains("quartier attendaient") && !ended.stderr.contains("du port a tenu"), "{}", ended.stderr);
    }
}
