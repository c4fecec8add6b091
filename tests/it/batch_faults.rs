//! What services and disks do to batches, beyond what `batches.rs` and `batch_forms.rs` have: nothing
//! is lost, and nothing is paid for twice.

use crate::batch_forms::with_form;
use crate::batches::{ARTICLES, all_paid_once, config, done, of, with};
use crate::support::batch_service::{Fate, Form, Switches};
use crate::support::disk::Disk;
use crate::support::test_dir::TestDir;
use crate::support::wire::MODEL;

const FORMS: [Form; 3] = [Form::OpenAi, Form::Anthropic, Form::Mistral];

/// The state of the first batch in the ledger.
fn state(dir: &TestDir) -> String {
    of(dir, "SELECT state FROM batch WHERE number = 1")
}

#[test]
fn a_disk_that_is_full_while_answers_are_collected_loses_nothing() {
    for form in FORMS {
        let (service, dir) = with_form(form, Switches { looks: 1, ..Switches::default() }, "");
        let Some(disk) = Disk::new(&dir.path("output"), 24) else { return };
        dir.run(&["run", "--detach"]).exits(7);
        let (files, requests) = (service.files(), service.mock.count());
        service.mock.hold();
        // The look at the batch is answered, and then its results are held back.
        service.mock.let_through(1);
        let run = dir.start(&["run", "--collect"]);
        service.mock.wait_for_requests(requests + 2);
        disk.fill(0);
        service.mock.release();
        let ended = run.wait().exits(2);
        assert!(ended.stderr.contains("no space left on device"), "{form:?}: {}", ended.stderr);
        assert_eq!((service.files(), service.created()), (files, 1), "{form:?}: nothing is deleted at the service");
        disk.free();
        dir.run(&["run", "--collect"]).exits(0);
        assert_eq!((service.files(), service.created()), (0, 1), "{form:?}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn a_gateway_that_fails_after_the_batch_was_created_makes_no_second_one() {
    for form in FORMS {
        for status in [200, 408, 500, 502, 504] {
            let (service, dir) = with_form(form, Switches { lost_creates: 1, lost_as: Some(status), ..Switches::default() }, "");
            let ended = dir.run(&["run"]).exits(0);
            assert_eq!(service.created(), 1, "{form:?} {status}: {}", ended.stderr);
            all_paid_once(&service, &dir);
        }
    }
}

#[test]
fn a_signal_while_a_batch_is_created_waits_for_its_id() {
    let (service, dir) = with(Switches::default(), "");
    service.mock.hold();
    // The list, a single call and the upload are answered.
    service.mock.let_through(3);
    let mut run = dir.start(&["run"]);
    service.mock.wait_for_requests(4);
    run.signal("INT");
    run.wait_for_line("stopping after");
    service.mock.release();
    run.wait().exits(130);
    assert_eq!(state(&dir), "sent");
    dir.run(&["run"]).exits(0);
    assert_eq!(service.created(), 1);
    all_paid_once(&service, &dir);
}

#[test]
fn a_batch_of_which_every_line_failed_is_no_success() {
    for form in FORMS {
        let fate = |batch, _| if batch == 0 { Fate::Refused(500, "An error occurred") } else { Fate::Answered };
        let (service, dir) = with_form(form, Switches { fate, ..Switches::default() }, "");
        let ended = dir.run(&["run"]).exits(0);
        assert!(ended.stderr.contains("7 of 7 calls were not done ("), "{form:?}: {}", ended.stderr);
        assert_eq!(service.lines(), [7, 7], "{form:?}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn answers_that_were_billed_and_never_come_are_not_silently_paid_again() {
    for form in [Form::OpenAi, Form::Mistral] {
        let (service, dir) = with_form(form, Switches { late_files: 1_000_000, ..Switches::default() }, "");
        let ended = dir.run(&["run"]).exits(3);
        assert!(ended.stderr.contains("no longer has its results"), "{form:?}: {}", ended.stderr);
        dir.run(&["run"]).exits(3);
        assert_eq!((service.created(), service.single(), done(&dir)), (1, 1, 1), "{form:?}");
        service.set(|switches| switches.late_files = 0);
        dir.run(&["retry"]).exits(0);
        assert_eq!(done(&dir), ARTICLES, "{form:?}");
    }
}

#[test]
fn answers_without_a_text_are_never_rows() {
    for form in FORMS {
        let fate = |batch, line| match (batch, line) {
            (0, 0) => Fate::ErrorInside,
            (0, 1) => Fate::Empty,
            (0, 2) => Fate::Declined,
            _ => Fate::Answered,
        };
        let (service, dir) = with_form(form, Switches { fate, ..Switches::default() }, "");
        dir.run(&["run"]).exits(3);
        assert_eq!((done(&dir), service.lines()), (ARTICLES - 1, vec![7, 2]), "{form:?}");
        assert!(dir.rows().iter().any(|row| row["error"].starts_with("refused: ")), "{form:?}");
        assert_eq!(of::<i64>(&dir, "SELECT sum(attempts) FROM waste WHERE outcome = 'unusable' AND cost > 0"), 2, "{form:?}");
    }
}

#[test]
fn the_first_call_settles_the_form_of_the_lines() {
    let no_single = |body: &serde_json::Value| {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        (!body["max_tokens"].is_null()).then_some((400, message))
    };
    let (service, dir) = with(Switches { no_single, ..Switches::default() }, "");
    dir.run(&["run"]).exits(0);
    let file = service.mock.requests().into_iter().find(|request| request.path == "/v1/files").unwrap();
    let file = String::from_utf8(file.body).unwrap();
    assert!(file.contains("\"max_completion_tokens\":") && !file.contains("\"max_tokens\":"), "{file}");
    assert_eq!(service.lines(), [7]);
    all_paid_once(&service, &dir);
}

#[test]
fn a_form_that_the_service_refuses_is_never_sent_as_a_batch() {
    let no_single = |_: &serde_json::Value| Some((400, "Unknown parameter: 'messages[0].colour'."));
    let (service, dir) = with(Switches { no_single, ..Switches::default() }, "");
    dir.run(&["run"]).exits(4);
    let uploads = service.mock.requests().iter().filter(|request| request.path == "/v1/files").count();
    assert_eq!((service.created(), uploads, service.mock.billable()), (0, 0, 2));
}

#[test]
fn a_full_queue_without_a_number_halves_batches_until_one_call_does_not_fit() {
    let full = (1, "token_limit_exceeded", "Enqueued token limit reached for this model.");
    let (service, dir) = with(Switches { fails: full, ..Switches::default() }, "");
    dir.run(&["run"]).exits(0);
    let lines = service.lines();
    assert!(lines[0] == 7 && lines[1..].iter().all(|lines| *lines <= 3), "{lines:?}");
    all_paid_once(&service, &dir);
    let (service, dir) = with(Switches { fails: (99, full.1, full.2), ..Switches::default() }, "");
    let ended = dir.run(&["run"]).exits(4);
    assert!(ended.stderr.contains("has no room for a batch of one call"), "{}", ended.stderr);
    assert_eq!((service.lines(), service.single()), (vec![7, 3, 1], ARTICLES), "the rest is made one by one");
}

#[test]
fn a_file_that_the_service_never_finds_ends_in_single_calls() {
    let (service, dir) = with(Switches { fails: (99, "invalid_request", "Cannot find file file-1"), ..Switches::default() }, "");
    dir.run(&["run"]).exits(0);
    assert_eq!((service.lines(), service.single(), service.files()), (vec![7, 7], ARTICLES, 0));
    all_paid_once(&service, &dir);
}

#[test]
fn answers_for_another_model_are_kept_for_it() {
    let (service, dir) = with(Switches::default(), "");
    dir.run(&["run", "--detach"]).exits(7);
    let before = config(&service, "");
    dir.write("config.toml", before.replace(&format!("\"{MODEL}\""), "\"other\""));
    dir.run(&["run"]).exits(0);
    assert_eq!((service.created(), done(&dir)), (2, ARTICLES));
    let paid = service.mock.billable();
    dir.write("config.toml", before);
    dir.run(&["run"]).exits(0);
    assert_eq!((service.created(), service.mock.billable(), done(&dir)), (2, paid, ARTICLES), "what was paid for is used");
}
