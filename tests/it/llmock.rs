//! The program as seen by llmock (on `PyPI`), a mock service that reports how its clients behave. `scripts/test` installs it.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::http::ask;
use crate::support::process::Running;
use crate::support::repository;
use crate::support::test_dir::TestDir;

/// The running llmock and its URL, or `None` if it is not installed.
fn llmock() -> Option<(Running, String)> {
    let program = repository("target/llmock/bin/llmock");
    if !program.is_file() {
        println!("skipped: llmock is not installed; `scripts/test` installs it");
        return None;
    }
    let mut server = Running::start(Command::new(program).args(["serve", "--host", "127.0.0.1", "--port", "0"]));
    let line = server.wait_for_line("Uvicorn running on ");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    Some((server, url))
}

fn config(url: &str, concurrency: usize) -> String {
    format!(
        "[summary]\nroute = \"single-call\"\n\n[[endpoint]]\nname = \"llmock\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"openai\"\n\
         url = \"{url}/v1\"\nmodel = \"gpt-4o-mini\"\nkey = {{ file = \"key\" }}\nconcurrency = {concurrency}\n"
    )
}

/// Runs the program against llmock with these faults. Returns the errors of the rows and llmock's findings.
fn run_against(url: &str, behaviors: &Value, articles: usize, exit: i32) -> Vec<String> {
    assert_eq!(ask(url, "/_llmock/reset", &[], Some(&json!({}))).status, 200);
    assert_eq!(ask(url, "/_llmock/scenario", &[("content-type", "application/json")], Some(&json!({"behaviors": behaviors}))).status, 201);
    let dir = TestDir::with(&config(url, 2), articles);
    dir.write("key", "sk-test");
    dir.run(&["run"]).exits(exit);
    let verdict = ask(url, "/_llmock/verdict", &[], None).value();
    assert_eq!(verdict["findings"], json!([]), "{verdict:#}");
    assert_eq!((&verdict["passed"], verdict["calls"].as_u64() > Some(0)), (&json!(true), true), "{verdict:#}");
    dir.rows().iter().map(|row| row["error"].clone()).filter(|error| !error.is_empty()).collect()
}

#[test]
fn llmock_reports_no_findings() {
    let Some((_server, url)) = llmock() else { return };
    let fail = |status: u16, code: Option<&str>, retry_after: Option<f64>, times: Option<u32>| json!({"type": "fail", "status": status, "code": code, "retry_after": retry_after, "times": times});
    // Every kind of temporary failure, and one refused request.
    let passing = json!([
        fail(503, None, None, Some(1)),
        fail(429, None, Some(1.0), Some(1)),
        fail(500, None, None, Some(1)),
        fail(400, None, None, Some(1)),
    ]);
    let errors = run_against(&url, &passing, 12, 3);
    assert_eq!(errors.len(), 1, "{errors:?}");
    // A permanent failure disables the endpoint at once. (Except 429 with `insufficient_quota`: llmock treats it as any 429.)
    for (status, code) in [(401, None), (403, None), (404, Some("model_not_found"))] {
        let errors = run_against(&url, &json!([fail(status, code, None, None)]), 10, 4);
        assert_eq!(errors.len(), 10, "{status}");
    }
}
