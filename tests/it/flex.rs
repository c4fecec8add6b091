//! `tier = "flex"`: half price for calls that wait until the service has room for them.

use serde_json::json;

use crate::support::configs::openai;
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;
use crate::support::wire::answer;

/// The usual endpoint, with the flex tier and a price of 1 and 10 for a million tokens in and out.
fn flex(mock: &Mock, lines: &str) -> String {
    openai(mock).replace(
        "concurrency = 4\ntimeout = \"100s\"",
        &format!("tier = \"flex\"\nconcurrency = 4\nprice = {{ tokens_in = 1.0, tokens_out = 10.0 }}\n{lines}"),
    )
}

/// A flex endpoint, and the usual one for the full price behind it.
fn two(first: &Mock, second: &Mock, lines: &str) -> String {
    let own = format!(
        "[[endpoint]]\nname = \"half\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"openai\"\nurl = \"{}/v1\"\nmodel = \"m\"\n\
         tier = \"flex\"\nconcurrency = 2\n{lines}\n\n[[endpoint]]",
        first.url()
    );
    openai(second).replacen("[[endpoint]]", &own, 1)
}

/// The answer of a service that used this tier, 1,000 tokens of prompt and 100 of answer.
fn by_tier(request: &Request, tier: &str) -> Action {
    let mut body = answer(request).value();
    body["service_tier"] = tier.into();
    body["usage"] = json!({"prompt_tokens": 1_000, "completion_tokens": 100});
    Action::Answer(Response::json(&body))
}

fn busy() -> Action {
    let error =
        json!({"message": "Resource unavailable. Please try again later.", "type": "rate_limit_error", "code": "resource_unavailable"});
    Action::status(429, &json!({"error": error}).to_string())
}

#[test]
fn a_busy_tier_is_waited_for_and_costs_half() {
    let mock = Mock::scripted(|request, number| if number < 3 { busy() } else { by_tier(request, "flex") });
    let dir = TestDir::with(&flex(&mock, ""), 1);
    let ended = dir.run(&["run"]).exits(0);
    assert!(mock.requests().iter().all(|request| request.json()["service_tier"] == "flex"));
    // Two calls at half of 0.001 + 0.001.
    assert_eq!(ended.summary()["cost"], 0.002);
    assert_eq!(mock.count(), 5);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
}

#[test]
fn the_answer_says_what_is_paid_and_the_share_can_be_set() {
    let mock = Mock::scripted(|request, number| by_tier(request, if number == 0 { "default" } else { "flex" }));
    let dir = TestDir::with(&flex(&mock, "discount = 0.25"), 1);
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!(ended.summary()["cost"], 0.0025);
    assert!(ended.stderr.contains("not from the flex tier"), "{}", ended.stderr);
}

#[test]
fn the_cap_reserves_the_full_price_of_each_call() {
    let mock = Mock::scripted(|request, _| by_tier(request, "flex"));
    let dir = TestDir::with(&flex(&mock, "").replace("concurrency = 4", "concurrency = 1"), 1);
    // A summary can cost 0.0074 of output at the full price.
    dir.run(&["run", "--max-cost", "0.007"]).exits(6);
    assert_eq!(mock.count(), 0);
    dir.run(&["run", "--max-cost", "0.02"]).exits(0);
}

#[test]
fn a_time_out_is_a_pause_and_is_counted() {
    let mock = Mock::scripted(|request, number| if number == 0 { Action::Hang } else { by_tier(request, "flex") });
    let dir = TestDir::with(&flex(&mock, "timeout = \"3s\""), 1);
    let summary = dir.run(&["run"]).exits(0).summary();
    assert_eq!((summary["maybe_billed"].as_u64(), summary["done"].as_u64()), (Some(1), Some(1)));
    // The service gave up before it had room.
    let mock = Mock::scripted(|request, number| if number < 5 { Action::status(408, "timed out") } else { by_tier(request, "flex") });
    let dir = TestDir::with(&flex(&mock, ""), 1);
    let summary = dir.run(&["run"]).exits(0).summary();
    assert_eq!(summary["maybe_billed"], 0);
}

#[test]
fn another_endpoint_takes_over_when_the_tier_stays_busy() {
    let (first, second) = (Mock::scripted(|_, _| busy()), Mock::good());
    let dir = TestDir::with(&two(&first, &second, "wait_for = \"1s\""), 12);
    dir.run(&["run"]).exits(0);
    assert!(dir.rows().iter().all(|row| row["status"] == "done" && row["summary_endpoint"] == "llm"));
    assert!(first.count() < 40, "it is only probed: {} requests", first.count());
}

#[test]
fn a_model_without_the_tier_is_never_asked_at_the_full_price() {
    let refused =
        r#"{"error":{"message":"Invalid service_tier argument","type":"invalid_request_error","param":"service_tier","code":null}}"#;
    let (first, second) = (Mock::scripted(move |_, _| Action::status(400, refused)), Mock::good());
    let dir = TestDir::with(&two(&first, &second, ""), 3);
    let ended = dir.run(&["run"]).exits(4);
    assert!(first.requests().iter().all(|request| request.json()["service_tier"] == "flex"));
    assert!(ended.stderr.contains("Invalid service_tier argument"), "{}", ended.stderr);
    assert_eq!(dir.rows().iter().filter(|row| row["summary_endpoint"] == "llm").count(), 3);
}

#[test]
fn a_run_that_ends_within_a_slow_call_uses_the_other_endpoint() {
    for (time, by) in [("14m", "llm"), ("20m", "half")] {
        let (first, second) = (Mock::scripted(|request, _| by_tier(request, "flex")), Mock::good());
        let dir = TestDir::with(&two(&first, &second, ""), 2);
        dir.run(&["run", "--max-time", time]).exits(0);
        assert!(dir.rows().iter().all(|row| row["summary_endpoint"] == by), "calls may take 15 minutes: {time}");
    }
}

#[test]
fn answers_of_both_tiers_are_the_same_to_the_ledger() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    let requests = mock.count();
    dir.write("config.toml", flex(&mock, ""));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), requests);
}

#[test]
fn a_wrong_tier_or_share_is_refused_by_name() {
    let mock = Mock::good();
    for (lines, message) in [("tier = \"cheap\"", "`tier`"), ("discount = 2.0", "`discount` is 2, but must be above 0 and at most 1")] {
        let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", lines), 1);
        let ended = dir.run(&["run"]).exits(2);
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    }
    assert_eq!(mock.count(), 0);
}
