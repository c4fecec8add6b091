//! Failover: the next endpoint takes over what the one before it cannot do, and the row names the endpoint.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::configs::openai;
use crate::support::http::{Request, Response};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;
use crate::support::wire::{choice, completion};

/// A config with an extra first endpoint on `first`, and the usual one, `llm`, on `second`.
fn two(first: &str, second: &Mock) -> String {
    let before = format!(
        "[[endpoint]]\nname = \"first\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"openai\"\nurl = \"{first}/v1\"\nmodel = \"m\"\n\
         concurrency = 2\ntimeout = \"100s\"\nwait_for = \"1s\"\n\n[[endpoint]]"
    );
    openai(second).replacen("[[endpoint]]", &before, 1)
}

fn made_by(dir: &TestDir) -> Vec<String> {
    dir.rows().iter().map(|row| format!("{} {} {}", row["status"], row["summary_endpoint"], row["translation_endpoint"])).collect()
}

#[test]
fn an_endpoint_that_says_stop_gets_no_more_calls_and_the_exit_code_is_4() {
    for (status, body) in [(401, ""), (429, r#"{"error":{"message":"no more","code":"insufficient_quota"}}"#), (404, "<html>")] {
        let first = Mock::scripted(move |_, _| Action::status(status, body));
        let second = Mock::good();
        let dir = TestDir::with(&two(&first.url(), &second), 12);
        let ended = dir.run(&["run"]).exits(4);
        assert_eq!(made_by(&dir), vec!["done llm llm"; 12]);
        assert!(first.count() <= 2, "{} requests with a concurrency of 2", first.count());
        assert!(ended.stderr.contains("endpoint `first` disabled for this run"), "{}", ended.stderr);
    }
}

#[test]
fn an_unavailable_endpoint_is_replaced_and_the_run_succeeds() {
    let gone = Mock::good().url();
    let second = Mock::good();
    let dir = TestDir::with(&two(&gone, &second), 12);
    dir.run(&["run"]).exits(0);
    assert_eq!(made_by(&dir), vec!["done llm llm"; 12]);
    assert_eq!(second.count(), 24);
}

#[test]
fn rows_of_the_second_endpoint_stay_when_the_first_is_back() {
    let first = Mock::scripted(|request, number| if number < 2 { Action::status(400, "") } else { Action::normal(request) });
    let second = Mock::good();
    let dir = TestDir::with(&two(&first.url(), &second).replace("concurrency = 2", "concurrency = 1"), 1);
    dir.run(&["run"]).exits(0);
    let before = (first.count(), second.count(), dir.without_times());
    dir.run(&["run"]).exits(0);
    assert_eq!((first.count(), second.count(), dir.without_times()), before, "nothing is paid twice");
    // The second endpoint is removed from the config, so its rows are made again.
    let alone = two(&first.url(), &second);
    dir.write("config.toml", alone.split("[[endpoint]]\nname = \"llm\"").next().unwrap());
    dir.run(&["run"]).exits(0);
    assert_eq!(made_by(&dir), ["done first first"]);
}

#[test]
fn rows_stay_valid_while_their_endpoints_are_configured() {
    let translations = AtomicUsize::new(0);
    // Its second translation is refused.
    let first = Mock::scripted(move |request, _| {
        let translates = String::from_utf8_lossy(&request.body).contains("\"translations\"");
        if translates && translations.fetch_add(1, Ordering::Relaxed) == 1 { Action::status(400, "") } else { Action::normal(request) }
    });
    let second = Mock::good();
    let dir = TestDir::with(&two(&first.url(), &second).replace("concurrency = 2", "concurrency = 1"), 2);
    dir.run(&["run"]).exits(0);
    let mut made = made_by(&dir);
    made.sort();
    assert_eq!(made, ["done first first", "done first llm"]);
    // The second endpoint is removed from the config, so the one row that it worked on is made again.
    let alone = two(&first.url(), &second);
    dir.write("config.toml", alone.split("[[endpoint]]\nname = \"llm\"").next().unwrap());
    let ended = dir.run(&["run"]);
    assert!(ended.stderr.contains("\"earlier\":1,"), "{}", ended.stderr);
    assert_eq!(made_by(&dir), ["done first first"; 2]);
}

#[test]
fn unusable_answers_go_to_the_next_endpoint_and_the_first_is_soon_skipped() {
    const ARTICLES: usize = 40;
    let first = Mock::scripted(|_, _| Action::status(200, "<html>sign in</html>"));
    let second = Mock::good();
    let dir = TestDir::with(&two(&first.url(), &second).replace("concurrency = 2", "concurrency = 1"), ARTICLES);
    dir.run(&["run"]).exits(0);
    assert_eq!(made_by(&dir), vec!["done llm llm"; ARTICLES]);
    assert!(first.count() < 25, "{} requests", first.count());

    let refusing = Mock::scripted(|_, _| Action::Answer(choice(&json!({"role": "assistant", "content": null, "refusal": "no"}), "stop")));
    let dir = TestDir::with(&two(&refusing.url(), &second), 2);
    dir.run(&["run"]).exits(0);
    assert_eq!(made_by(&dir), vec!["done llm llm"; 2]);
}

#[test]
fn a_call_that_may_have_been_billed_twice_is_not_sent_elsewhere() {
    let first = Mock::scripted(|_, _| Action::Drop);
    let second = Mock::good();
    let dir = TestDir::with(&two(&first.url(), &second), 1);
    dir.run(&["run"]).exits(3);
    assert_eq!((first.count(), second.count()), (2, 0));
    assert!(dir.row("input/001.txt")["error"].starts_with("broken: endpoint `first`"), "{:?}", dir.row("input/001.txt"));
}

#[test]
fn a_failed_row_has_the_reason_of_every_endpoint() {
    let first = Mock::scripted(|_, _| Action::status(400, r#"{"error":{"message":"first says no"}}"#));
    let second = Mock::scripted(|_, _| Action::status(400, r#"{"error":{"message":"second says no"}}"#));
    let dir = TestDir::with(&two(&first.url(), &second), 1);
    dir.run(&["run"]).exits(3);
    let error = dir.row("input/001.txt")["error"].clone();
    assert!(error.contains("first says no") && error.contains("then endpoint `llm`") && error.contains("second says no"), "{error}");
}

#[test]
fn single_call_falls_back_to_two_steps_without_a_chat_model() {
    let chat = Mock::scripted(|_, _| Action::status(503, ""));
    let translator = Mock::good();
    let others = format!(
        "wait_for = \"1s\"\n\n[[endpoint]]\nname = \"mt\"\ndoes = [\"translate\"]\ndialect = \"libretranslate\"\nurl = \"{}\"\n\n\
         [[endpoint]]\nname = \"own\"\ndoes = [\"summarise\"]\ndialect = \"embedded\"\n\n[embedded]",
        translator.url()
    );
    let config =
        openai(&chat).replace("summarise-then-translate", "single-call").replace("[\"summarise\", \"translate\"]", "[\"summarise\"]");
    let dir = TestDir::with(&config.replace("[embedded]", &others), 3);
    dir.run(&["run"]).exits(0);
    assert_eq!(made_by(&dir), vec!["done own mt"; 3]);
}

#[test]
fn a_text_too_long_for_the_service_is_split_and_never_sent_again_whole() {
    let long = |request: &Request| request.json()["messages"][1]["content"].as_str().unwrap().chars().count() > 1_500;
    let too_long = r#"{"error":{"message":"too many tokens","code":"context_length_exceeded"}}"#;
    let mock = Mock::scripted(move |request, _| if long(request) { Action::status(400, too_long) } else { Action::normal(request) });
    let paragraphs: Vec<String> =
        (0..40).map(|number| format!("La digue {number} du port a tenu, a annoncé la mairie mercredi. ").repeat(2)).collect();
    let mut bodies = Vec::new();
    for route in ["summarise-then-translate", "translate-then-summarise", "single-call"] {
        let dir = TestDir::with(&openai(&mock), 0);
        dir.write("input/long.txt", format!("La digue\n\n{}", paragraphs.join("\n\n")));
        dir.run(&["run", "--route", route]).exits(0);
        assert_eq!(dir.row("input/long.txt")["status"], "done", "{route}");
        let these: Vec<_> = mock.requests().into_iter().skip(bodies.len()).map(|request| request.body).collect();
        let distinct: std::collections::HashSet<_> = these.iter().collect();
        assert_eq!(distinct.len(), these.len(), "{route}: never the same request again");
        bodies.extend(these);
    }
    for number in [0, 19, 39] {
        let part = format!("La digue {number} du port");
        assert!(bodies.iter().any(|body| String::from_utf8_lossy(body).contains(&part)), "nothing is left out: {part}");
    }
}

#[test]
fn a_truncated_answer_is_retried_with_a_higher_limit() {
    let mock = Mock::scripted(|request, number| match number {
        0 => Action::Answer(choice(&json!({"role": "assistant", "content": "La digue a"}), "length")),
        _ => Action::normal(request),
    });
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    let room = |at: usize| mock.requests()[at].json()["max_tokens"].as_u64().unwrap();
    assert_eq!((mock.count(), room(1)), (3, 2 * room(0)));
}

#[test]
fn keep_text_keeps_the_whole_text() {
    let mock = Mock::good();
    for route in ["summarise-then-translate", "translate-then-summarise", "single-call"] {
        let config = openai(&mock).replace("words = 60", "words = 60\nkeep_text = true").replace("summarise-then-translate", route);
        let dir = TestDir::with(&config, 1);
        dir.run(&["run"]).exits(0);
        let row = dir.row("input/001.txt");
        assert!(row["text_fr"].ends_with("à l'unanimité."), "{route}: {}", row["text_fr"]);
        assert!(row["text_en"].contains("LES RÉPARATIONS") && row["text_en"].ends_with("UNANIMITÉ."), "{route}: {}", row["text_en"]);
        assert_eq!(row["text_en"].matches("\n\n").count(), row["text_fr"].matches("\n\n").count(), "paragraphs stay");
    }
}

#[test]
fn changed_prompts_are_used_and_redo_their_calls() {
    let mock = Mock::good();
    let dir = TestDir::with(&format!("{}\n[prompts]\nsummarise = \"mine.j2\"\n", openai(&mock)), 1);
    dir.write("mine.j2", "{% include \"rules\" %} Résume en {{ language }}, {{ words }} mots.{% include \"manner\" %}");
    dir.run(&["run"]).exits(0);
    let prompt = |at: usize| mock.requests()[at].json()["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(prompt(0).ends_with("Résume en French, 60 mots."), "{}", prompt(0));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 2);
    dir.write("mine.j2", "Résume en {{ words }} mots.");
    dir.run(&["run"]).exits(0);
    assert!(mock.count() > 2 && prompt(2) == "Résume en 60 mots.", "{}", prompt(2));
    for (text, said) in [("{{ wrds }}", "cannot be rendered"), ("{% if %}", "line 1")] {
        dir.write("mine.j2", text);
        let ended = dir.run(&["run"]).exits(2);
        assert!(ended.stderr.contains("mine.j2") && ended.stderr.contains(said), "{}", ended.stderr);
    }
    dir.run(&["init", "--prompts", "shipped"]).exits(0);
    assert!(dir.path("shipped/digest.j2").exists());
}

#[test]
fn style_tone_and_sentences_reach_the_model() {
    let mock = Mock::good();
    let config = openai(&mock).replace("words = 60", "sentences = 3\nstyle = \"short\"\ntone = \"dry\"");
    let dir = TestDir::with(&config, 1);
    dir.run(&["run"]).exits(0);
    let prompt = mock.requests()[0].json()["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(prompt.contains("in 3 sentences") && prompt.contains("Style: short. Tone: dry."), "{prompt}");
}

#[test]
fn costs_come_from_prices_and_are_unknown_without_them() {
    let mock = Mock::scripted(|request, _| match request.json()["messages"][0]["content"].as_str().unwrap_or_default() {
        prompt if prompt.contains("summarise") => Action::Answer(completion("La digue a tenu.")),
        _ => Action::normal(request),
    });
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.row("input/001.txt")["cost"], "");
    let dir = TestDir::with(
        &openai(&mock).replace("concurrency = 4", "concurrency = 4\nprice = { tokens_in = 1000.0, tokens_out = 10000.0 }"),
        1,
    );
    dir.run(&["run"]).exits(0);
    // The mock reports 11 input tokens and 7 output tokens for each of two calls.
    assert_eq!(dir.row("input/001.txt")["cost"], "0.162");
}

#[test]
fn a_pause_holds_back_every_call() {
    let busy = || Response::new(429, r#"{"error":{"message":"slow down"}}"#).with("retry-after-ms", "300");
    let mock = Mock::scripted(move |request, number| if number == 4 { Action::Answer(busy()) } else { Action::normal(request) });
    let dir = TestDir::with(&openai(&mock), 12);
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 25);
    assert!(ended.stdout.contains("1 retried"), "{}", ended.stdout);
}

/// Two servers of one service.
fn servers(mocks: [&Mock; 2]) -> String {
    let one = |name: &str, mock: &Mock| {
        format!(
            "[[endpoint]]\nname = \"{name}\"\nservice = \"llm\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"openai\"\nurl = \"{}/v1\"\n\
             model = \"mock-1\"\nconcurrency = 4\n",
            mock.url()
        )
    };
    format!(
        "input.paths = [\"input\"]\noutput.folder = \"output\"\noutput.profile = \"plain\"\nembedded.fetch = false\n{}{}",
        one("first", mocks[0]),
        one("second", mocks[1])
    )
}

#[test]
fn calls_are_spread_over_the_servers_of_one_service() {
    let mocks = [Mock::good(), Mock::good()];
    let dir = TestDir::with(&servers(mocks.each_ref()), 12);
    dir.run(&["run"]).exits(0);
    let counts = mocks.each_ref().map(Mock::count);
    assert_eq!(counts.iter().sum::<usize>(), 24);
    assert!(counts.iter().all(|count| *count > 2), "{counts:?}");
    // Which of them answered does not matter: the reply is the service's.
    dir.run(&["run"]).exits(0);
    assert_eq!(mocks.each_ref().map(Mock::count), counts);
}

#[test]
fn a_server_that_refuses_calls_leaves_them_to_the_others_of_its_service() {
    let refusing = Mock::scripted(|_, _| Action::Answer(Response::new(429, "busy").with("Retry-After", "1")));
    let good = Mock::good();
    let dir = TestDir::with(&servers([&refusing, &good]), 40);
    dir.run(&["run"]).exits(0);
    assert_eq!(good.count(), 80);
    assert!(refusing.count() <= 8, "{} requests", refusing.count());
}
