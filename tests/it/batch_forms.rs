//! Batches of Anthropic's and Mistral's form keep the promises of those of `OpenAI`'s.

use crate::batches::{ARTICLES, all_paid_once, config, done, of};
use crate::support::batch_service::{BatchService, Fate, Form, Step, Switches};
use crate::support::process::Ended;
use crate::support::test_dir::TestDir;

const FORMS: [Form; 2] = [Form::Anthropic, Form::Mistral];

fn config_of(form: Form, service: &BatchService, lines: &str) -> String {
    match form {
        Form::Anthropic => config(service, lines).replace("dialect = \"openai\"", "dialect = \"anthropic\""),
        Form::Mistral => config(service, &format!("form = \"mistral\"\n{lines}")),
        Form::OpenAi => config(service, lines),
    }
}

pub(crate) fn with_form(form: Form, switches: Switches, lines: &str) -> (BatchService, TestDir) {
    let service = BatchService::new(switches);
    let dir = TestDir::with(&config_of(form, &service, lines), ARTICLES);
    (service, dir)
}

fn cost(ended: &Ended) -> f64 {
    ended.summary()["cost"].as_f64().unwrap()
}

#[test]
fn a_batch_is_sent_waited_for_and_costs_half() {
    for form in FORMS {
        let (service, dir) = with_form(form, Switches::default(), "");
        let ended = dir.run(&["run"]).exits(0);
        assert_eq!((service.created(), service.single(), service.lines()), (1, 1, vec![ARTICLES - 1]), "{form:?}");
        let each = (11.0 + 70.0) / 1e6;
        assert!((cost(&ended) - each * (1.0 + 0.5 * 7.0)).abs() < 1e-6, "{form:?}: {}", cost(&ended));
        // Anthropic counts nothing before the end.
        let said = if form == Form::Anthropic { "in_progress, 7 calls" } else { "running, 7 of 7 calls" };
        assert!(ended.stderr.contains(&format!("batch 1 at `llm`: {said}")), "{}", ended.stderr);
        assert_eq!(service.files(), 0, "{form:?}: nothing is left at the service");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn it_is_sent_by_one_run_and_collected_by_another() {
    for form in FORMS {
        let (service, dir) = with_form(form, Switches { looks: 9, ..Switches::default() }, "keep = true");
        dir.run(&["run", "--detach"]).exits(7);
        let listed = dir.run(&["batch"]).exits(0).stdout;
        assert!(listed.contains("batch"), "{listed}");
        service.set(|switches| switches.looks = 1);
        dir.run(&["run", "--collect"]).exits(0);
        assert_eq!(service.created(), 1, "{form:?}");
        assert!(service.files() > 0, "{form:?}: they are kept");
        all_paid_once(&service, &dir);
    }
}

/// Kills the program before and after each of these steps.
fn kill_at(form: Form, steps: &[Step]) {
    for (step, after) in steps.iter().flat_map(|step| [(*step, false), (*step, true)]) {
        let fate = |batch: usize, line: usize| if batch == 0 && line == 2 { Fate::NotDone("batch_expired") } else { Fate::Answered };
        let (service, dir) = with_form(form, Switches { hang_at: Some((step, after)), fate, ..Switches::default() }, "");
        let run = dir.start(&["run"]);
        service.wait_until_it_hangs();
        run.kill();
        dir.run(&["run"]).exits(0);
        assert_eq!(service.files(), 0, "{form:?} {step:?} {after}: nothing is left");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn a_kill_at_any_step_pays_for_nothing_twice_with_calls_inline() {
    kill_at(Form::Anthropic, &[Step::Create, Step::Look, Step::Results]);
}

#[test]
fn a_kill_at_any_step_pays_for_nothing_twice_with_jobs() {
    kill_at(Form::Mistral, &[Step::Upload, Step::Create, Step::Results, Step::Errors]);
}

#[test]
fn a_batch_whose_creation_was_not_heard_of_is_adopted() {
    for form in FORMS {
        for switches in [
            Switches { lost_creates: 1, ..Switches::default() },
            Switches { lost_creates: 1, listed_late: 3, ..Switches::default() },
            Switches { lost_creates: 1, endless_list: true, ..Switches::default() },
        ] {
            let (service, dir) = with_form(form, switches.clone(), "");
            dir.run(&["run"]).exits(0);
            assert_eq!((service.created(), service.cancels()), (1, 0), "{form:?} {switches:?}");
            all_paid_once(&service, &dir);
        }
    }
}

#[test]
fn the_names_of_the_calls_tell_an_untagged_batch_from_a_foreign_one() {
    for kill in [false, true] {
        let hang_at = kill.then_some((Step::Create, true));
        let (service, dir) = with_form(Form::Anthropic, Switches { lost_creates: usize::from(!kill), hang_at, ..Switches::default() }, "");
        // One of the same size and time, and others that cannot be ours.
        for lines in [ARTICLES - 1, 3, 1] {
            service.add_untagged(lines);
        }
        if kill {
            let run = dir.start(&["run"]);
            service.wait_until_it_hangs();
            run.kill();
        }
        let ended = dir.run(&["run"]).exits(0);
        assert_eq!((service.created(), service.harmed()), (1, 0), "{}", ended.stderr);
        all_paid_once(&service, &dir);
    }
}

#[test]
fn while_nobody_knows_whose_it_is_nothing_is_sent_again() {
    let (service, dir) = with_form(Form::Anthropic, Switches { lost_creates: 1, looks: 1_000_000, ..Switches::default() }, "");
    let ended = dir.run(&["run", "--detach"]).exits(7);
    assert!(ended.stderr.contains("their results show which one is ours"), "{}", ended.stderr);
    let again = dir.run(&["run", "--detach"]).exits(7);
    assert_eq!((service.created(), service.single()), (1, 1), "{}", again.stderr);
    service.set(|switches| switches.looks = 1);
    dir.run(&["run"]).exits(0);
    all_paid_once(&service, &dir);
}

#[test]
fn what_an_ended_batch_did_not_do_goes_into_the_next_one() {
    for form in FORMS {
        let fate = |batch: usize, line: usize| match (batch, line) {
            (0, 0) => Fate::NotDone("batch_expired"),
            (0, 1) => Fate::Refused(500, "An error occurred"),
            (0, 2) => Fate::NotDone("batch_cancelled"),
            _ => Fate::Answered,
        };
        let (service, dir) = with_form(form, Switches { ends: "expired", fate, ..Switches::default() }, "");
        dir.run(&["run"]).exits(0);
        assert_eq!(service.lines(), [7, 3], "{form:?}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn missing_doubled_foreign_and_cut_answers_are_told_and_harm_nothing() {
    for form in FORMS {
        let fate = |batch, line| match (batch, line) {
            (0, 0) => Fate::Missing,
            (0, 1) => Fate::Renamed,
            (0, 2) => Fate::Twice,
            (0, 3) => Fate::Cut,
            _ => Fate::Answered,
        };
        let (service, dir) = with_form(form, Switches { fate, ..Switches::default() }, "");
        let ended = dir.run(&["run"]).exits(0);
        assert_eq!((done(&dir), service.lines()), (ARTICLES, vec![7, 3]), "{form:?}");
        for told in ["2 lines have no result", "1 lines were answered twice", "1 lines are of another batch"] {
            assert!(ended.stderr.contains(told), "{form:?}: {told}: {}", ended.stderr);
        }
        assert_eq!(of::<i64>(&dir, "SELECT count(*) FROM waste WHERE outcome IN ('twice', 'unusable') AND cost > 0"), 2);
    }
}

#[test]
fn refused_texts_are_not_sent_again() {
    for form in FORMS {
        let fate = |batch, line| if batch == 0 && line == 0 { Fate::Refused(400, "flagged by our content filter") } else { Fate::Answered };
        let (service, dir) = with_form(form, Switches { fate, ..Switches::default() }, "");
        dir.run(&["run"]).exits(3);
        assert_eq!((done(&dir), service.lines(), service.single()), (ARTICLES - 1, vec![7], 1), "{form:?}");
    }
}

#[test]
fn now_cancels_collects_what_is_done_and_makes_the_rest() {
    for form in FORMS {
        let (service, dir) = with_form(form, Switches { looks: 9, ..Switches::default() }, "");
        dir.run(&["run", "--detach"]).exits(7);
        dir.run(&["run", "--now"]).exits(0);
        assert_eq!((service.created(), service.cancels(), service.single()), (1, 1, 1 + 3), "{form:?}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn results_that_break_off_are_read_again() {
    for form in FORMS {
        let (service, dir) = with_form(form, Switches { cut_results: 2, ..Switches::default() }, "");
        dir.run(&["run"]).exits(0);
        assert_eq!(service.created(), 1, "{form:?}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn batches_are_divided_by_their_number_of_lines() {
    for form in FORMS {
        let (service, dir) = with_form(form, Switches::default(), "lines = 3");
        dir.run(&["run"]).exits(0);
        assert_eq!(service.lines(), [3, 3, 1], "{form:?}");
        all_paid_once(&service, &dir);
    }
}

#[test]
fn a_batch_at_the_full_price_is_booked_and_told() {
    let (service, dir) = with_form(Form::Anthropic, Switches { tier: "standard", ..Switches::default() }, "");
    let ended = dir.run(&["run"]).exits(0);
    let each = (11.0 + 70.0) / 1e6;
    assert!((cost(&ended) - each * 8.0).abs() < 1e-6, "{}", cost(&ended));
    assert!(ended.stderr.contains("answers of a batch cost the full price"), "{}", ended.stderr);
    all_paid_once(&service, &dir);
}

#[test]
fn results_are_never_fetched_from_another_host() {
    for form in [Form::Anthropic, Form::Mistral, Form::OpenAi] {
        let elsewhere = BatchService::new(Switches::default());
        let switches = Switches { results_at: Some(format!("{}/steal", elsewhere.mock.url())), ..Switches::default() };
        let (service, dir) = with_form(form, switches, "");
        dir.run(&["run", "--detach"]).exits(7);
        dir.run(&["run", "--collect"]).exits(7);
        dir.run(&["run", "--collect"]).exits(7);
        assert_eq!(elsewhere.mock.count(), 0, "{form:?}");
        service.set(|switches| switches.results_at = None);
        dir.run(&["run"]).exits(0);
        all_paid_once(&service, &dir);
    }
}

#[test]
fn a_form_belongs_to_its_dialect() {
    let service = BatchService::new(Switches::default());
    for (form, dialect) in [("anthropic", "openai"), ("mistral", "anthropic")] {
        let config = config(&service, &format!("form = \"{form}\"")).replace("dialect = \"openai\"", &format!("dialect = \"{dialect}\""));
        let dir = TestDir::with(&config, 1);
        let ended = dir.run(&["run"]).exits(2);
        assert!(ended.stderr.contains("has no batches of this `form`"), "{}", ended.stderr);
    }
}
