//! `max_cost` limits what was really spent, and answers that are cut before they begin make room
//! for thoughts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::configs::openai;
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;
use crate::support::wire::{answer, choice};

/// The config with a price of 1 and 10 for a million tokens in and out.
fn priced(mock: &Mock, places: usize) -> String {
    openai(mock).replace("concurrency = 4", &format!("concurrency = {places}\nprice = {{ tokens_in = 1.0, tokens_out = 10.0 }}"))
}

/// A good answer that used this.
fn used(request: &Request, usage: &Value) -> Action {
    let mut body = answer(request).value();
    body["usage"] = usage.clone();
    Action::Answer(Response::json(&body))
}

/// An answer that thoughts have cut, and that used this.
fn cut(usage: &Value) -> Action {
    let mut body = choice(&json!({"role": "assistant", "content": "", "reasoning_content": "hm"}), "length").value();
    body["usage"] = usage.clone();
    Action::Answer(Response::json(&body))
}

fn limit(request: &Request) -> u64 {
    request.json()["max_tokens"].as_u64().unwrap()
}

fn is_summary(request: &Request) -> bool {
    request.json()["response_format"].is_null()
}

fn done(dir: &TestDir) -> usize {
    dir.rows().iter().filter(|row| row["status"] == "done").count()
}

#[test]
fn calls_at_once_never_pass_the_cap() {
    let mock = Mock::scripted(|request, _| used(request, &json!({"prompt_tokens": 300, "completion_tokens": limit(request) - 10})));
    let dir = TestDir::with(&priced(&mock, 32), 40);
    let summary = dir.run(&["run", "--max-cost", "0.05"]).exits(6).summary();
    let cost = summary["cost"].as_f64().unwrap();
    assert!(cost <= 0.05 && cost > 0.03, "{summary}");
    // The next run of the night starts with that.
    let requests = mock.count();
    dir.run(&["run", "--max-cost", "0.05"]).exits(6);
    assert_eq!(mock.count(), requests);
}

#[test]
fn thoughts_beside_the_completion_are_learned_and_count() {
    let thoughts = json!({"prompt_tokens": 300, "completion_tokens": 60, "total_tokens": 3_360, "completion_tokens_details": {"reasoning_tokens": 3_000}});
    let mock = Mock::scripted(move |request, _| used(request, &thoughts));
    let dir = TestDir::with(&priced(&mock, 1), 10);
    let summary = dir.run(&["run", "--max-cost", "0.08"]).exits(6).summary();
    assert_eq!((mock.count(), summary["cost"].as_f64().unwrap()), (2, 0.0618), "the third would pass the cap: {summary}");
}

#[test]
fn what_unusable_answers_used_counts() {
    let usage = json!({"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500});
    let refusal = move |usage: &Value| {
        let mut body = choice(&json!({"role": "assistant", "content": null, "refusal": "no"}), "stop").value();
        body["usage"] = usage.clone();
        Action::Answer(Response::json(&body))
    };
    let mock = Mock::scripted(move |_, _| refusal(&usage));
    let dir = TestDir::with(&priced(&mock, 1), 3);
    let summary = dir.run(&["run"]).exits(3).summary();
    assert_eq!((mock.count(), &summary["estimated"]), (3, &json!(0)), "{summary}");
    assert!((summary["cost"].as_f64().unwrap() - 0.018).abs() < 1e-9, "{summary}");
    let status = dir.run(&["why", "input/001.txt"]).exits(0).stdout;
    assert!(status.contains("unusable answer; maybe billed, cost 0.006"), "{status}");
    dir.run(&["run", "--max-cost", "0.02"]).exits(6);
    assert_eq!(mock.count(), 3, "0.018 of 0.02 is spent");
}

#[test]
fn a_count_of_zero_is_no_count() {
    let mock = Mock::scripted(|request, _| used(request, &json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})));
    let dir = TestDir::with(&priced(&mock, 1), 12);
    let summary = dir.run(&["run", "--max-cost", "0.05"]).exits(6).summary();
    assert!(summary["cost"].as_f64().unwrap() > 0.0 && summary["estimated"] == summary["paid"], "{summary}");
    assert!(mock.count() <= 8, "each may have cost all that it was allowed");
}

#[test]
fn a_cap_that_cannot_pay_one_call_says_so_before_the_first() {
    let mock = Mock::good();
    let dir = TestDir::with(&priced(&mock, 4), 3);
    let ended = dir.run(&["run", "--max-cost", "0.001"]).exits(6);
    assert!(ended.stderr.contains("max_cost: 0.0000 of 0.001 is spent, and the next call may cost up to 0.0"), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn what_was_spent_in_the_future_counts() {
    let mock = Mock::good();
    let dir = TestDir::with(&priced(&mock, 1), 2);
    dir.run(&["run"]).exits(0);
    {
        let ledger = rusqlite::Connection::open(dir.path("output/ledger.db")).unwrap();
        ledger.execute("UPDATE call SET made_at = '2999-01-01T00:00:00Z', cost = 1.0", []).unwrap();
    }
    dir.write("input/new.txt", "Un autre article.\n\nLe conseil a voté mardi le budget de la digue, selon la mairie de la ville.\n");
    dir.run(&["run", "--max-cost", "2"]).exits(6);
    assert_eq!(mock.count(), 4);
}

#[test]
fn an_answer_cut_by_thoughts_makes_room_for_all_later_ones() {
    let mock = Mock::scripted(|request, _| {
        if is_summary(request) && limit(request) < 3_000 {
            cut(&json!({"prompt_tokens": 300, "completion_tokens": limit(request)}))
        } else {
            Action::normal(request)
        }
    });
    let dir = TestDir::with(&priced(&mock, 4), 20);
    let summary = dir.run(&["run"]).exits(0).summary();
    assert_eq!(done(&dir), 20);
    // Four calls are cut at first, and one of them tries twice and then four times as much.
    assert!(mock.count() <= 40 + 4 + 2, "{}", mock.count());
    assert_eq!(summary["estimated"], 0, "{summary}");
}

#[test]
fn room_that_is_refused_is_given_up() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let mock = Mock::scripted(move |request, number| {
        if limit(request) > 1_200 {
            count.fetch_add(1, Ordering::SeqCst);
            return Action::status(400, r#"{"error":{"message":"that is more than this model writes"}}"#);
        }
        if number == 0 { cut(&json!({"prompt_tokens": 300, "completion_tokens": 740})) } else { Action::normal(request) }
    });
    let dir = TestDir::with(&priced(&mock, 1), 3);
    dir.run(&["run"]).exits(0);
    assert_eq!((done(&dir), refused.load(Ordering::SeqCst)), (3, 1));
}

#[test]
fn a_model_that_never_comes_to_an_answer_fails_and_stays_under_the_cap() {
    let mock = Mock::scripted(|request, _| cut(&json!({"prompt_tokens": 300, "completion_tokens": limit(request)})));
    let dir = TestDir::with(&priced(&mock, 1), 3);
    let summary = dir.run(&["run", "--max-cost", "0.05"]).exits(6).summary();
    assert!(summary["cost"].as_f64().unwrap() <= 0.05, "{summary}");
    // Without a cap, the first article finds the limit, and the others are asked for once.
    let dir = TestDir::with(&priced(&mock, 1), 3);
    let before = mock.count();
    dir.run(&["run"]).exits(3);
    assert!(dir.rows().iter().all(|row| row["error"].starts_with("truncated")), "{:?}", dir.rows());
    assert!(mock.count() - before <= 7 + 2, "{}", mock.count() - before);
}
