//! A run from end to end: routes, flags, and the number of calls, in total and at once.

use crate::support::articles::{english, french};
use crate::support::configs::{openai, two_services};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::{TestDir, sources};
use crate::support::wire::translation;

const TITLE: &str = "La digue numéro 1 tient bon";
const SUMMARY: &str = "La digue 1 du port a tenu.";

#[test]
fn a_french_article_is_summarised_in_french_and_translated() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    let row = dir.row("input/001.txt");
    assert_eq!((row["title_fr"].as_str(), row["summary_fr"].as_str()), (TITLE, SUMMARY));
    assert_eq!((&row["title_en"], &row["summary_en"]), (&translation("en", TITLE), &translation("en", SUMMARY)));
    assert_eq!((row["language"].as_str(), row["status"].as_str(), row["error"].as_str()), ("fr", "done", ""));
    assert_eq!((row["summary_endpoint"].as_str(), row["translation_endpoint"].as_str()), ("llm", "llm"));
    assert_eq!(mock.count(), 2);
}

#[test]
fn an_english_article_is_summarised_in_english_and_translated() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    dir.write("input/bridge.txt", english(7));
    dir.run(&["run"]).exits(0);
    let row = dir.row("input/bridge.txt");
    assert_eq!((row["title_en"].as_str(), row["summary_en"].as_str()), ("Bridge number 7 opens again", "Bridge 7 is open."));
    assert_eq!(row["title_fr"], translation("fr", "Bridge number 7 opens again"));
    assert_eq!(row["summary_fr"], translation("fr", "Bridge 7 is open."));
}

#[test]
fn single_call_makes_the_same_row_with_one_call() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run", "--route", "single-call"]).exits(0);
    let row = dir.row("input/001.txt");
    assert_eq!((row["title_fr"].as_str(), row["summary_fr"].as_str()), (TITLE, SUMMARY));
    assert_eq!((&row["title_en"], &row["summary_en"]), (&translation("en", TITLE), &translation("en", SUMMARY)));
    let requests = mock.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/v1/chat/completions");
    let schema = &requests[0].json()["response_format"]["json_schema"]["schema"]["required"];
    assert_eq!(*schema, serde_json::json!(["title_en", "summary_fr", "summary_en"]), "the article's own title is not asked for");
}

#[test]
fn two_services_share_the_work() {
    for (dialect, path, title, flags) in [
        ("libretranslate", "/translate", translation("en", TITLE), ""),
        ("apertium", "/translateChain", translation("eng", TITLE), "draft"),
    ] {
        let mock = Mock::good();
        let dir = TestDir::with(&two_services(&mock, dialect), 1);
        dir.run(&["run"]).exits(0);
        let row = dir.row("input/001.txt");
        assert_eq!((&row["title_en"], row["flags"].as_str()), (&title, flags), "{dialect}");
        assert_eq!((row["summary_endpoint"].as_str(), row["translation_endpoint"].as_str()), ("llm", "mt"));
        assert!(mock.requests().iter().any(|request| request.path == path), "{dialect}");
    }
}

#[test]
fn concurrency_is_reached_and_never_exceeded() {
    const AT_ONCE: usize = 3;
    const ARTICLES: usize = 12;
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 3"), ARTICLES);
    mock.hold();
    let run = dir.start(&["run"]);
    // A barrier: no answer is sent before all three requests are there. From then on, each answer allows one request.
    mock.wait_for_in_flight(AT_ONCE);
    for answered in 1..=2 * ARTICLES - AT_ONCE {
        mock.let_through(1);
        mock.wait_for_requests(answered + AT_ONCE);
    }
    mock.release();
    run.wait().exits(0);
    assert_eq!(mock.most_in_flight(), AT_ONCE);
}

#[test]
fn the_concurrency_flag_overrides_the_config() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 9);
    mock.hold();
    let run = dir.start(&["run", "--concurrency", "7"]);
    mock.wait_for_in_flight(7);
    mock.release();
    run.wait().exits(0);
    assert_eq!(mock.most_in_flight(), 7);
}

#[test]
fn identical_articles_are_paid_for_once_and_each_has_a_row() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    for name in ["input/a.txt", "input/b.txt", "input/sub/c.txt"] {
        dir.write(name, french(1));
    }
    dir.write("input/d.txt", french(1).replace('\n', "\r\n"));
    dir.run(&["run"]).exits(0);
    let rows = dir.rows();
    assert_eq!(sources(&rows), ["input/a.txt", "input/b.txt", "input/d.txt", "input/sub/c.txt"]);
    assert!(rows.iter().all(|row| row["summary_fr"] == SUMMARY && row["status"] == "done"));
    assert_eq!(mock.count(), 2);
}

#[test]
fn paths_and_the_output_folder_can_be_given_on_the_command_line() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.write("elsewhere/x.txt", french(9));
    dir.run(&["run", "input/002.txt", "elsewhere", "--output", "there"]).exits(0);
    assert!(!dir.path("output").exists());
    let table = std::fs::read(dir.path("there/summaries.csv")).unwrap();
    let rows = crate::support::test_dir::rows(&table, b',');
    assert_eq!(sources(&rows), ["elsewhere/x.txt", "input/002.txt"]);
}

#[test]
fn a_missing_input_is_reported_before_any_request() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    let ended = dir.run(&["run", "inptu"]).exits(2);
    assert!(ended.stderr.contains("cannot find the input `inptu`"), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn without_a_subcommand_it_runs_and_the_final_counts_add_up() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.write("input/empty.txt", "");
    dir.write("input/broken.json", "{");
    let ended = dir.run(&[]).exits(3);
    let summary = ended.summary();
    let of = |keys: &[&str]| keys.iter().map(|key| summary[key].as_u64().unwrap()).collect::<Vec<_>>();
    let counts = of(&["found", "done", "earlier", "skipped", "failed", "pending", "flagged", "requests", "paid", "retried", "exit"]);
    assert_eq!(counts, [5, 3, 0, 1, 1, 0, 0, 6, 6, 0, 3], "{summary}");
    assert!(summary["cost"].is_null() && summary["seconds"].as_f64().unwrap() > 0.0, "an unknown price is not 0: {summary}");
    assert!(ended.stdout.contains("failed: input/broken.json: malformed: "), "{}", ended.stdout);
}

#[test]
fn quiet_prints_nothing_on_success() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    let ended = dir.run(&["run", "--quiet"]).exits(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[test]
fn quiet_prints_one_line_on_failure() {
    let quiet = |mock: &Mock, config: &str, exit: i32, parts: &[&str]| {
        let dir = TestDir::with(config, 2);
        let ended = dir.run(&["run", "--quiet"]).exits(exit);
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{}", ended.stderr);
        for part in parts {
            assert!(ended.stderr.contains(part), "no `{part}` in {}", ended.stderr);
        }
        drop(mock.requests());
    };
    let broken = Mock::scripted(|_, _| Action::status(400, r#"{"error":{"message":"a strange word"}}"#));
    quiet(&broken, &openai(&broken), 3, &["exit 3", "2 of 2 articles failed", "input/001.txt", "a strange word"]);
    let refused = Mock::scripted(|_, _| Action::status(401, r#"{"error":{"message":"no such key"}}"#));
    quiet(&refused, &openai(&refused), 4, &["exit 4", "2 of 2 articles failed", "no such key"]);
    let away = Mock::scripted(|_, _| Action::status(503, "{}"));
    quiet(&away, &openai(&away).replace("timeout", "wait_for = \"100ms\"\ntimeout"), 5, &["exit 5", "2 of 2 articles failed", "503"]);
    let good = Mock::good();
    let limited = format!("{}\n[run]\nmax_articles = 1\n", openai(&good));
    quiet(&good, &limited, 6, &["exit 6", "1 of 2 articles left for the next run", "max_articles"]);
}

#[test]
fn another_working_folder_gives_the_same_bytes() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let here = dir.without_times();
    std::fs::remove_dir_all(dir.path("output")).unwrap();
    let config = dir.path("config.toml").display().to_string();
    let mut command = dir.command(&["run", "--config", &config]);
    crate::support::process::Running::start(command.current_dir("/")).wait().exits(0);
    assert_eq!(dir.without_times(), here);
}

#[test]
fn a_cron_environment_gives_the_same_bytes() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.write("input/été.txt", french(3));
    dir.run(&["run"]).exits(0);
    let usual = dir.without_times();
    std::fs::remove_dir_all(dir.path("output")).unwrap();
    let ended = crate::support::process::Running::start(dir.command(&["run"]).env_clear()).wait().exits(0);
    assert_eq!(dir.without_times(), usual);
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'));
}

#[test]
fn local_services_bypass_the_proxy() {
    let (mock, proxy) = (Mock::good(), Mock::scripted(|_, _| Action::status(502, "")));
    let dir = TestDir::with(&format!("{}\n[run]\nping = \"{}/watch\"\n", openai(&mock), mock.url()), 1);
    let mut command = dir.command(&["run"]);
    command.env("http_proxy", proxy.url()).env("HTTP_PROXY", proxy.url()).env("ALL_PROXY", proxy.url());
    crate::support::process::Running::start(&mut command).wait().exits(0);
    assert_eq!((mock.count(), proxy.count()), (3, 0), "two calls and the ping");
}
