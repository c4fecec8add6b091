//! `[endpoint.batch]`: calls go into batches at a lower price, and nothing is paid for twice, whatever happens in between.

use rusqlite::{Connection, OpenFlags};

use crate::support::batch_service::{BatchService, Fate, Step, Switches};
use crate::support::configs::openai;
use crate::support::process::Ended;
use crate::support::test_dir::TestDir;
use crate::support::wire::MODEL;

pub(crate) const ARTICLES: usize = 8;

/// One call for each article, in batches, at a price of 1 and 10 for a million tokens in and out.
pub(crate) fn config(service: &BatchService, lines: &str) -> String {
    let smallest = if lines.contains("smallest") { "" } else { "smallest = 2\n" };
    openai(&service.mock)
        .replace("summarise-then-translate", "single-call")
        .replace("concurrency = 4", "price = { tokens_in = 1.0, tokens_out = 10.0 }\nconcurrency = 4")
        .replace("[embedded]", &format!("[endpoint.batch]\npoll = \"100ms\"\n{smallest}{lines}\n\n[embedded]"))
}

pub(crate) fn with(switches: Switches, lines: &str) -> (BatchService, TestDir) {
    let service = BatchService::new(switches);
    let dir = TestDir::with(&config(&service, lines), ARTICLES);
    (service, dir)
}

/// The single value of a query.
pub(crate) fn of<T: rusqlite::types::FromSql>(dir: &TestDir, query: &str) -> T {
    let ledger = Connection::open_with_flags(dir.path("output/ledger.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    ledger.query_row(query, [], |row| row.get(0)).unwrap()
}

pub(crate) fn done(dir: &TestDir) -> usize {
    dir.rows().iter().filter(|row| row["status"] == "done").count()
}

/// Every article is done, each call was paid for once, and the next run pays for nothing.
pub(crate) fn all_paid_once(service: &BatchService, dir: &TestDir) {
    assert_eq!(done(dir), ARTICLES);
    let paid = service.paid();
    assert_eq!(paid.len(), ARTICLES);
    assert!(paid.values().all(|times| *times == 1), "{:?}", paid.values());
    let before = service.mock.billable();
    dir.run(&["run"]).exits(0);
    assert_eq!(service.mock.billable(), before, "nothing is left to do");
    assert_eq!(of::<i64>(dir, "SELECT count(*) FROM line"), 0);
}

#[test]
fn a_run_sends_a_batch_waits_for_it_and_costs_half() {
    let (service, dir) = with(Switches::default(), "");
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!((service.created(), service.single(), service.lines()), (1, 1, vec![ARTICLES - 1]));
    all_paid_once(&service, &dir);
    // 11 tokens in and 7 out: the single call costs the full price, the others half.
    let each = (11.0 + 70.0) / 1e6;
    let cost = ended.summary()["cost"].as_f64().unwrap();
    // The discount of an unknown host is only needed for `max_cost`; the reported cost assumes
    // half.
    assert!((cost - each * (1.0 + 0.5 * 7.0)).abs() < 1e-6, "{cost}, rounded");
    assert!(ended.stderr.contains("batch 1 at `llm`: in_progress"), "{}", ended.stderr);
    assert_eq!(service.files(), 0, "the files at the service are deleted");
    let line = service.mock.requests().iter().find(|request| request.path == "/v1/files").unwrap().text();
    assert!(line.contains(&format!("\"model\":\"{MODEL}\"")), "{line}");
}

#[test]
fn a_detached_run_ends_with_7_and_a_later_one_collects() {
    let (service, dir) = with(Switches::default(), "");
    let summary = dir.run(&["run", "--detach"]).exits(7).summary();
    assert_eq!((summary["pending"].as_u64(), summary["in_batch"].as_u64()), (Some(8), Some(8)));
    assert_eq!((service.created(), done(&dir)), (1, 0));
    let early = dir.run(&["run", "--collect"]).exits(7).summary();
    assert_eq!((early["done"].as_u64(), early["in_batch"].as_u64()), (Some(1), Some(7)));
    dir.run(&["run", "--collect"]).exits(0);
    all_paid_once(&service, &dir);
    assert_eq!(service.created(), 1);
    let late = "SELECT count(*) FROM call JOIN batch WHERE milliseconds = 0 AND call.made_at <> batch.sent_at";
    assert_eq!(of::<i64>(&dir, late), 0, "the money was spent when the batch was sent");
}

#[test]
fn mode_detach_needs_no_flag() {
    let (service, dir) = with(Switches::default(), "mode = \"detach\"");
    dir.run(&["run"]).exits(7);
    dir.run(&["run"]).exits(7);
    dir.run(&["run"]).exits(0);
    assert_eq!(service.created(), 1);
    all_paid_once(&service, &dir);
}

#[test]
fn a_kill_at_any_step_pays_for_nothing_twice() {
    for step in [Step::List, Step::Single, Step::Upload, Step::Create, Step::Look, Step::Results, Step::Errors] {
        // A call by itself that was in flight may have been billed, and is made again.
        for after in [false, true].into_iter().filter(|after| !after || step != Step::Single) {
            let fate = |batch: usize, line: usize| if batch == 0 && line == 2 { Fate::NotDone("batch_expired") } else { Fate::Answered };
            let (service, dir) = with(Switches { hang_at: Some((step, after)), fate, ..Switches::default() }, "");
            let run = dir.start(&["run"]);
            service.wait_until_it_hangs();
            run.kill();
            dir.run(&["run"]).exits(0);
            assert_eq!(service.files(), 0, "{step:?} {after}: no file is left");
            assert!(service.paid().values().all(|times| *times == 1), "{step:?} {after}: {:?}", service.paid().values());
            all_paid_once(&service, &dir);
        }
    }
}

#[test]
fn a_batch_whose_creation_was_not_heard_of_is_adopted() {
    for switches in [
        Switches { lost_creates: 1, ..Switches::default() },
        Switches { lost_creates: 1, listed_late: 3, ..Switches::default() },
        Switches { lost_creates: 1, no_metadata: true, ..Switches::default() },
        Switches { lost_creates: 1, endless_list: true, ..Switches::default() },
    ] {
        let (service, dir) = with(switches.clone(), "");
        service.add_foreign(250, "someone-1");
        dir.run(&["run"]).exits(0);
        assert_eq!(service.created(), 1, "{switches:?}");
        assert_eq!(service.cancels(), 0, "foreign batches are left alone");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn a_create_that_was_refused_for_a_while_is_repeated_and_one_for_good_is_not() {
    let (service, dir) = with(Switches { refused_creates: (2, 429), ..Switches::default() }, "");
    dir.run(&["run"]).exits(0);
    assert_eq!(service.created(), 1);
    all_paid_once(&service, &dir);
    let (service, dir) = with(Switches { refused_creates: (9, 403), ..Switches::default() }, "");
    dir.run(&["run"]).exits(4);
    assert_eq!((service.created(), done(&dir), service.files()), (0, ARTICLES, 0), "its calls are made one by one");
    assert!(service.paid().values().all(|times| *times == 1));
}

#[test]
fn an_upload_that_broke_is_repeated_and_its_file_deleted() {
    let (service, dir) = with(Switches { lost_uploads: 1, ..Switches::default() }, "keep = true");
    dir.run(&["run"]).exits(0);
    assert_eq!((service.created(), service.files()), (1, 1));
    all_paid_once(&service, &dir);
}

#[test]
fn what_an_ended_batch_did_not_do_goes_into_the_next_one() {
    for ends in ["completed", "expired", "cancelled"] {
        let fate = |batch: usize, line: usize| match (batch, line) {
            (0, 0) => Fate::NotDone("batch_expired"),
            (0, 1) => Fate::Refused(500, "An error occurred"),
            (0, 2) => Fate::Refused(429, "Rate limit"),
            _ => Fate::Answered,
        };
        let (service, dir) = with(Switches { ends, fate, ..Switches::default() }, "");
        dir.run(&["run"]).exits(0);
        assert_eq!(service.lines(), [7, 3], "{ends}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn a_single_call_is_made_by_itself_even_if_one_is_enough_for_a_batch() {
    let service = BatchService::new(Switches::default());
    let dir = TestDir::with(&config(&service, "smallest = 1"), 1);
    dir.run(&["run", "--detach"]).exits(0);
    assert_eq!((done(&dir), service.created(), service.single()), (1, 0, 1));
}

#[test]
fn a_line_of_many_megabytes_is_left_out_and_the_others_are_kept() {
    let fate = |batch, line| if batch == 0 && line == 0 { Fate::Huge } else { Fate::Answered };
    let (service, dir) = with(Switches { fate, ..Switches::default() }, "smallest = 1");
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!((done(&dir), service.lines()), (ARTICLES, vec![7, 1]));
    assert!(ended.stderr.contains("1 lines have no result"), "{}", ended.stderr);
}

#[test]
fn a_renamed_endpoint_collects_and_sends_its_lines() {
    let fate = |batch, line| if batch == 0 && line < 3 { Fate::NotDone("batch_expired") } else { Fate::Answered };
    let (service, dir) = with(Switches { fate, looks: 1, ..Switches::default() }, "");
    dir.run(&["run", "--detach"]).exits(7);
    dir.write("config.toml", config(&service, "").replace("name = \"llm\"", "name = \"other\""));
    dir.run(&["run"]).exits(0);
    // One of the three is first made as a single call.
    assert_eq!(service.lines(), [7, 2]);
    all_paid_once(&service, &dir);
}

#[test]
fn flags_of_batches_need_an_endpoint_with_batches() {
    let service = BatchService::new(Switches::default());
    let dir = TestDir::with(&openai(&service.mock), 1);
    for flag in ["--detach", "--collect"] {
        assert!(dir.run(&["run", flag]).exits(2).stderr.contains("no endpoint has batches"));
    }
    dir.run(&["run", "--now"]).exits(0);
    assert_eq!(done(&dir), 1);
}

#[test]
fn after_the_last_wave_calls_are_made_one_by_one() {
    let fate = |_, line| if line < 3 { Fate::NotDone("batch_expired") } else { Fate::Answered };
    let (service, dir) = with(Switches { fate, ..Switches::default() }, "waves = 1");
    dir.run(&["run"]).exits(0);
    assert_eq!((service.lines(), service.single()), (vec![7], 4));
    all_paid_once(&service, &dir);
}

#[test]
fn missing_doubled_and_foreign_lines_are_told_and_harm_nothing() {
    let fate = |batch, line| match (batch, line) {
        (0, 0) => Fate::Missing,
        (0, 1) => Fate::Renamed,
        (0, 2) => Fate::Twice,
        _ => Fate::Answered,
    };
    let (service, dir) = with(Switches { fate, ..Switches::default() }, "");
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!((done(&dir), service.lines()), (ARTICLES, vec![7, 2]));
    for told in ["2 lines have no result", "1 lines were answered twice", "1 lines are of another batch"] {
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
    assert_eq!(of::<i64>(&dir, "SELECT count(*) FROM waste WHERE outcome = 'twice' AND cost > 0"), 1);
}

#[test]
fn answers_that_are_of_no_use_are_paid_and_asked_for_again() {
    let fate = |batch, line| if batch == 0 && line == 0 { Fate::Cut } else { Fate::Answered };
    let (service, dir) = with(Switches { fate, ..Switches::default() }, "smallest = 1");
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!((done(&dir), service.lines()), (ARTICLES, vec![7, 1]));
    assert_eq!(of::<i64>(&dir, "SELECT count(*) FROM waste WHERE outcome = 'unusable' AND cost > 0"), 1);
    assert!(ended.stderr.contains("\"done\":8"), "{}", ended.stderr);
}

#[test]
fn a_text_that_is_too_long_is_cut_and_never_sent_whole_again() {
    let fate = |batch, line| match (batch, line) {
        (0, 0) => Fate::Refused(400, "This model's maximum context length is 10 tokens"),
        (0, 1) => Fate::Refused(400, "flagged by our content filter"),
        _ => Fate::Answered,
    };
    let (service, dir) = with(Switches { fate, ..Switches::default() }, "smallest = 1");
    for number in 1..=ARTICLES {
        let sentence =
            |line: usize| format!("La commune numéro {number} a voté la ligne {line} de son budget lundi soir, après un long débat. ");
        dir.write(
            &format!("input/{number:03}.txt"),
            format!("Le budget de la commune {number}\n\n{}", (1..=12).map(sentence).collect::<String>()),
        );
    }
    dir.run(&["run"]).exits(3);
    let rows = dir.rows();
    assert_eq!(rows.iter().filter(|row| row["error"].starts_with("refused: ")).count(), 1);
    assert_eq!(rows.iter().filter(|row| row["status"] == "done").count(), 7);
    assert!(service.lines().len() >= 2, "its parts are in later batches: {:?}", service.lines());
}

#[test]
fn results_that_come_late_or_broken_are_read_again() {
    for switches in [
        Switches { late_files: 4, ..Switches::default() },
        Switches { cut_results: 2, ..Switches::default() },
        Switches { other_server: true, ..Switches::default() },
    ] {
        let (service, dir) = with(switches.clone(), "");
        dir.run(&["run"]).exits(0);
        assert_eq!(service.created(), 1, "{switches:?}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn a_full_queue_makes_smaller_batches() {
    let limit = "Enqueued token limit reached for m in organization o. Limit: 8,000 enqueued tokens.";
    let (service, dir) = with(Switches { fails: (1, "token_limit_exceeded", limit), ..Switches::default() }, "");
    dir.run(&["run"]).exits(0);
    assert!(service.lines().len() > 2, "{:?}", service.lines());
    all_paid_once(&service, &dir);
}

#[test]
fn a_batch_that_is_wrong_as_a_whole_is_a_bug_and_is_not_repeated() {
    let (service, dir) = with(Switches { fails: (9, "duplicate_custom_id", "x"), ..Switches::default() }, "");
    let ended = dir.run(&["run"]).exits(1);
    assert_eq!(service.created(), 1);
    assert!(ended.stderr.contains("duplicate_custom_id"), "{}", ended.stderr);
    assert!(service.paid().values().all(|times| *times == 1));
}

#[test]
fn lines_are_divided_by_their_number() {
    let (service, dir) = with(Switches::default(), "lines = 3");
    dir.run(&["run"]).exits(0);
    assert_eq!(service.lines(), [3, 3, 1]);
    all_paid_once(&service, &dir);
}

#[test]
fn few_calls_and_services_without_batches_are_made_one_by_one() {
    let (service, dir) = with(Switches::default(), "smallest = 50");
    dir.run(&["run"]).exits(0);
    assert_eq!((service.created(), service.single()), (0, ARTICLES));
    all_paid_once(&service, &dir);
    let (service, dir) = with(Switches { no_list: Some(404), ..Switches::default() }, "");
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!((service.created(), service.single()), (0, ARTICLES));
    assert!(ended.stderr.contains("its batches cannot be listed"), "{}", ended.stderr);
    let (service, dir) = with(Switches { no_list: Some(501), ..Switches::default() }, "late = \"leave\"");
    dir.run(&["run"]).exits(4);
    assert_eq!((service.created(), service.single()), (0, 0), "nothing at the full price");
}

#[test]
fn now_cancels_collects_what_is_done_and_makes_the_rest() {
    let (service, dir) = with(Switches { looks: 9, ..Switches::default() }, "");
    dir.run(&["run", "--detach"]).exits(7);
    dir.run(&["run", "--now"]).exits(0);
    assert_eq!((service.created(), service.cancels(), service.single()), (1, 1, 1 + 3));
    all_paid_once(&service, &dir);
}

#[test]
fn what_comes_after_the_end_is_kept_as_paid_twice() {
    let (service, dir) = with(Switches { never_cancels: true, looks: 99, ..Switches::default() }, "");
    dir.run(&["run", "--detach"]).exits(7);
    let ended = dir.run(&["run", "--now"]).exits(7);
    assert_eq!((done(&dir), service.single()), (ARTICLES, ARTICLES), "the table is whole all the same");
    assert!(ended.stderr.contains("has not ended it"), "{}", ended.stderr);
    let table = dir.without_times();
    service.set(|switches| (switches.never_cancels, switches.looks) = (false, 1));
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.without_times(), table, "the first answers stay");
    assert_eq!(of::<i64>(&dir, "SELECT count(*) FROM waste WHERE outcome = 'twice'"), 7);
}

#[test]
fn the_end_of_the_run_leaves_time_to_cancel_and_to_make_the_rest() {
    let (service, dir) = with(Switches { looks: 1_000_000, ..Switches::default() }, "");
    // Cancelling may take 2.4 s, and seven calls a moment.
    dir.run(&["run", "--max-time", "15s"]).exits(0);
    assert_eq!((service.created(), service.cancels()), (1, 1));
    all_paid_once(&service, &dir);
}

#[test]
fn the_cap_holds_for_batches_and_calls_together() {
    let (service, dir) = with(Switches::default(), "discount = 0.5");
    // Each line may cost 0.008 at half price, and the single call twice as much.
    let ended = dir.run(&["run", "--detach", "--max-cost", "0.03"]).exits(6);
    assert!(service.lines().iter().sum::<usize>() < 6, "{:?}", service.lines());
    let sent = service.lines();
    dir.run(&["run", "--detach", "--max-cost", "0.03"]);
    assert_eq!(service.lines(), sent, "what is open counts: {}", ended.stderr);
    let unsaid = dir.path("config.toml");
    std::fs::write(unsaid, config(&service, "")).unwrap();
    assert!(dir.run(&["run", "--max-cost", "1"]).exits(2).stderr.contains("needs the discount of batches"));
}

#[test]
fn a_cap_below_one_call_is_told() {
    let (service, dir) = with(Switches::default(), "discount = 0.5");
    dir.run(&["run", "--max-cost", "0.0001"]).exits(6);
    assert_eq!((service.created(), service.single()), (0, 0));
}

#[test]
fn results_that_the_service_deleted_are_only_asked_for_again_by_retry() {
    let (service, dir) = with(Switches::default(), "");
    dir.run(&["run", "--detach"]).exits(7);
    service.set(|switches| (switches.no_results, switches.looks) = (true, 1));
    let ended = dir.run(&["run"]).exits(3);
    assert!(ended.stderr.contains("no longer has its results"), "{}", ended.stderr);
    dir.run(&["run"]).exits(3);
    assert_eq!((service.created(), service.single(), done(&dir)), (1, 1, 1));
    service.set(|switches| switches.no_results = false);
    dir.run(&["retry"]).exits(0);
    assert_eq!(done(&dir), ARTICLES);
}

#[test]
fn a_restored_ledger_finds_its_batches_again() {
    let (service, dir) = with(Switches { looks: 3, ..Switches::default() }, "");
    // The ledger before the batch; it has its id already.
    dir.run(&["run", "--collect"]);
    let older = std::fs::read(dir.path("output/ledger.db")).unwrap();
    dir.run(&["run", "--detach"]).exits(7);
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(dir.path("output").join(name));
    }
    std::fs::write(dir.path("output/ledger.db"), older).unwrap();
    let ended = dir.run(&["run"]);
    assert_eq!((service.created(), done(&dir)), (1, ARTICLES), "{}", ended.stderr);
    assert!(ended.stderr.contains("has a batch of this ledger that it does not know"), "{}", ended.stderr);
}

#[test]
fn a_second_batch_on_the_same_file_is_cancelled_and_counted() {
    let (service, dir) = with(Switches { looks: 3, ..Switches::default() }, "lines = 3");
    dir.run(&["run", "--detach"]).exits(7);
    service.create_again();
    dir.article(90);
    dir.article(91);
    dir.article(92);
    dir.run(&["run"]).exits(0);
    assert_eq!((service.cancels(), done(&dir)), (1, ARTICLES + 3));
    assert!(of::<i64>(&dir, "SELECT count(*) FROM waste WHERE outcome = 'twice'") > 0);
}

#[test]
fn a_signal_while_it_waits_leaves_the_batch_open() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (service, dir) = with(Switches { looks: 1_000_000, ..Switches::default() }, "");
        let mut run = dir.start(&["run"]);
        run.wait_for_line("in_progress");
        run.signal(signal);
        run.wait().exits(code);
        assert_eq!((service.created(), service.cancels()), (1, 0));
        service.set(|switches| switches.looks = 1);
        dir.run(&["run"]).exits(0);
        all_paid_once(&service, &dir);
    }
}

#[test]
fn copies_of_an_article_are_one_line_and_near_copies_wait() {
    let (service, dir) = with(Switches::default(), "");
    dir.write("config.toml", format!("{}\n[duplicates]\nnear = \"reuse\"\n", config(&service, "")));
    let sentence = |line: usize| format!("La commune a voté la ligne {line} de son budget lundi soir, après un long débat. ");
    let story = |lines: usize| format!("Le budget est voté\n\n{}", (1..=lines).map(sentence).collect::<String>());
    for (name, lines) in [("a", 12), ("copy", 12), ("near", 10)] {
        dir.write(&format!("input/{name}.txt"), story(lines));
    }
    dir.run(&["run"]).exits(0);
    assert_eq!((done(&dir), dir.row("input/near.txt")["copy_of"].as_str()), (ARTICLES + 3, "input/a.txt"));
    assert_eq!(service.paid().len(), ARTICLES + 1);
    assert!(service.paid().values().all(|times| *times == 1));
}

#[test]
fn an_article_that_changes_while_it_is_in_a_batch_is_a_new_call() {
    let (service, dir) = with(Switches::default(), "");
    dir.run(&["run", "--detach"]).exits(7);
    dir.write("input/001.txt", "Un pont rouvre\n\nLe pont de la ville rouvre lundi après six mois de travaux, a annoncé la mairie.\n");
    std::fs::remove_file(dir.path("input/002.txt")).unwrap();
    std::fs::rename(dir.path("input/003.txt"), dir.path("input/moved.txt")).unwrap();
    dir.run(&["run", "--now"]).exits(0);
    assert_eq!(done(&dir), ARTICLES - 1);
    assert!(service.paid().values().all(|times| *times == 1));
}

#[test]
fn two_steps_take_two_waves() {
    let (service, dir) = with(Switches::default(), "");
    dir.write("config.toml", config(&service, "").replace("single-call", "summarise-then-translate"));
    dir.run(&["run"]).exits(0);
    assert_eq!((done(&dir), service.created(), service.lines()), (ARTICLES, 2, vec![7, 8]));
    assert!(service.paid().values().all(|times| *times == 1));
}

#[test]
fn a_key_that_is_refused_ends_the_wait_and_pays_for_nothing() {
    let (service, dir) = with(Switches::default(), "");
    dir.run(&["run", "--detach"]).exits(7);
    service.set(|switches| switches.no_look = Some(401));
    let ended = dir.run(&["run"]).exits(4);
    assert!(said(&ended, "refuses to show it"), "{}", ended.stderr);
    assert_eq!((service.created(), service.single()), (1, 1));
    service.set(|switches| switches.no_look = None);
    dir.run(&["run"]).exits(0);
    all_paid_once(&service, &dir);
}

#[test]
fn a_batch_that_cannot_be_shown_is_looked_up_in_the_list() {
    // As LiteLLM answers for a batch that it has forgotten.
    let (service, dir) = with(Switches { no_look: Some(500), looks: 0, ..Switches::default() }, "");
    dir.run(&["run"]).exits(0);
    assert_eq!(service.created(), 1);
    all_paid_once(&service, &dir);
}

#[test]
fn a_batch_that_is_gone_is_not_silently_paid_again() {
    let (service, dir) = with(Switches { no_look: Some(404), listed_late: usize::MAX, ..Switches::default() }, "");
    let ended = dir.run(&["run"]).exits(3);
    assert!(ended.stderr.contains("the service no longer has its results"), "{}", ended.stderr);
    dir.run(&["run"]).exits(3);
    assert_eq!((service.created(), service.single(), done(&dir)), (1, 1, 1));
}

#[test]
fn a_second_run_does_not_disturb_one_that_waits() {
    let (service, dir) = with(Switches { looks: 1_000_000, ..Switches::default() }, "");
    let mut run = dir.start(&["run"]);
    run.wait_for_line("in_progress");
    dir.run(&["run"]).exits(11);
    dir.run(&["run", "--now"]).exits(11);
    service.set(|switches| switches.looks = 1);
    run.wait().exits(0);
    assert_eq!((service.created(), service.cancels()), (1, 0));
    all_paid_once(&service, &dir);
}

#[test]
fn any_text_is_one_line_of_the_file() {
    let (service, dir) = with(Switches::default(), "");
    for (number, odd) in ["\u{feff}", "\u{2028}\u{2029}\u{85}", "\r\u{b}\u{c}", "\"\\", "\\ud800", "\u{0}"].into_iter().enumerate() {
        let name = format!("input/{:03}.txt", number + 1);
        let text = std::fs::read_to_string(dir.path(&name)).unwrap();
        dir.write(&name, format!("{odd}{}", text.replace(' ', &format!("{odd} "))));
    }
    dir.run(&["run"]);
    let sent = service.mock.requests().into_iter().find(|request| request.path == "/v1/files").unwrap();
    let file = String::from_utf8(sent.body).expect("UTF-8");
    let lines = file.lines().filter(|line| line.starts_with('{')).count();
    assert_eq!((service.lines(), service.created()), (vec![lines], 1));
    assert!(service.paid().values().all(|times| *times == 1));
}

#[test]
fn batches_of_a_copied_ledger_are_left_alone() {
    let (service, dir) = with(Switches { looks: 3, ..Switches::default() }, "lines = 3");
    dir.run(&["run", "--detach"]).exits(7);
    let tag: String = of(&dir, "SELECT tag FROM batch WHERE number = 1");
    service.add_foreign(1, &tag);
    (90..93).for_each(|number| dir.article(number));
    dir.run(&["run"]);
    assert_eq!((service.cancels(), done(&dir)), (0, ARTICLES + 3));
}

#[test]
fn a_file_that_the_service_does_not_find_is_uploaded_again() {
    let (service, dir) = with(Switches { fails: (1, "invalid_request", "Cannot find file file-1"), ..Switches::default() }, "");
    dir.run(&["run"]).exits(0);
    assert_eq!(service.lines(), [7, 7]);
    all_paid_once(&service, &dir);
}

#[test]
fn a_signal_during_a_step_loses_nothing() {
    for step in [Step::Upload, Step::Results] {
        let (service, dir) = with(Switches { hang_at: Some((step, true)), ..Switches::default() }, "");
        let run = dir.start(&["run"]);
        service.wait_until_it_hangs();
        run.signal("INT");
        run.wait().exits(130);
        dir.run(&["run"]).exits(0);
        all_paid_once(&service, &dir);
    }
}

#[test]
fn open_batches_are_listed_explained_and_cancelled() {
    let (service, dir) = with(Switches { looks: 9, ..Switches::default() }, "discount = 0.5");
    let plan = dir.run(&["plan"]).exits(0);
    assert!(plan.stdout.contains("In batches: 1 batch by llm"), "{}", plan.stdout);
    assert!(dir.run(&["doctor"]).exits(0).stdout.contains("has batches"));
    assert!(dir.run(&["batch"]).exits(0).stdout.contains("no batches"));
    dir.run(&["run", "--detach"]).exits(7);
    dir.run(&["run", "--collect"]).exits(7);
    let listed = dir.run(&["batch"]).exits(0).stdout;
    assert!(listed.contains("in_progress") && listed.contains("29 days"), "{listed}");
    assert!(dir.run(&["status"]).exits(0).stdout.contains("Open batches"));
    let status: serde_json::Value = serde_json::from_str(&dir.run(&["status", "--json"]).exits(0).stdout).unwrap();
    assert_eq!((&status["batches"][0]["batch"], &status["batches"][0]["state"]), (&1.into(), &"in_progress".into()), "{status}");
    let explained: String = (1..=ARTICLES).map(|number| dir.run(&["why", &format!("input/{number:03}.txt")]).exits(0).stdout).collect();
    assert_eq!(explained.matches("in batch 1 since ").count(), ARTICLES - 1, "{explained}");
    let plan = dir.run(&["plan"]).exits(0).stdout;
    assert!(plan.contains("No calls needed\nIn open batches: 7 calls by llm"), "{plan}");
    assert!(dir.run(&["batch", "cancel", "7"]).exits(2).stderr.contains("batch 7 is not open"));
    assert!(dir.run(&["batch", "cancel", "1"]).exits(0).stdout.contains("asked to cancel"));
    assert_eq!(service.cancels(), 1);
    service.set(|switches| switches.looks = 0);
    assert!(dir.run(&["batch", "cancel", "1"]).exits(0).stdout.contains("it has ended already"));
    dir.run(&["run"]).exits(0);
    all_paid_once(&service, &dir);
}

#[test]
fn the_keys_of_batches_are_checked_by_name() {
    for (lines, message) in [
        ("mode = \"later\"", "invalid `mode`"),
        ("until = \"dawn\"", "invalid `until`"),
        ("late = \"never\"", "invalid `late`"),
        ("lines = 0", "`lines`"),
        ("discount = 0.0", "`discount`"),
        ("until_ = 3", "unknown key `until_`"),
    ] {
        let (service, dir) = with(Switches::default(), lines);
        let ended = dir.run(&["run"]).exits(2);
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
        assert_eq!(service.mock.count(), 0);
    }
}

fn said(ended: &Ended, what: &str) -> bool {
    ended.stdout.contains(what) || ended.stderr.contains(what)
}

#[test]
fn batches_without_their_endpoint_are_told_and_keep_their_lines() {
    let (service, dir) = with(Switches::default(), "");
    dir.run(&["run", "--detach"]).exits(7);
    let other = BatchService::new(Switches::default());
    dir.write("config.toml", config(&other, "mode = \"off\""));
    let ended = dir.run(&["run"]).exits(7);
    assert!(said(&ended, "which no endpoint of the config has any more"), "{}", ended.stderr);
    dir.write("config.toml", config(&service, ""));
    dir.run(&["run"]);
    dir.run(&["run"]).exits(0);
    assert_eq!(service.created(), 1);
}
