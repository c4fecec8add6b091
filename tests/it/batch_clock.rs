//! Batches and the wall clock: it decides when their time is over, even if it jumps.

use crate::batches::{ARTICLES, all_paid_once, config, done, with};
use crate::support::batch_service::{BatchService, Switches};
use crate::support::clock::Clock;
use crate::support::test_dir::TestDir;

const ENDLESS: Switches = Switches { looks: 1_000_000, ..Switches::NONE };

/// Looks at batches so far.
fn looks(service: &BatchService) -> usize {
    service.mock.requests().iter().filter(|request| request.method == "GET" && request.path.starts_with("/v1/batches/")).count()
}

/// A service whose batches are looked at every ten minutes.
fn rarely_polled(lines: &str) -> (BatchService, TestDir) {
    let service = BatchService::new(ENDLESS);
    let dir = TestDir::with(&config(&service, lines).replace("100ms", "10m"), ARTICLES);
    (service, dir)
}

#[test]
fn a_laptop_that_slept_past_until_cancels_when_it_wakes() {
    let (service, dir) = rarely_polled("until = \"05:30\"");
    let clock = Clock::at(22, &dir);
    let mut run = clock.start(&dir, &["run"]);
    run.wait_for_line("in_progress");
    // The next look by the monotonic clock would be ten minutes from now.
    clock.turn(10);
    run.wait().exits(0);
    assert_eq!((service.created(), service.cancels(), service.single()), (1, 1, 1 + 3));
    all_paid_once(&service, &dir);
}

#[test]
fn a_laptop_that_wakes_looks_once() {
    let (service, dir) = rarely_polled("");
    let clock = Clock::at(22, &dir);
    let mut run = clock.start(&dir, &["run"]);
    run.wait_for_line("in_progress");
    clock.turn(8);
    let said = run.wait_for_line("in_progress");
    assert!(said.contains("for 8 h"), "{said}");
    run.signal("INT");
    run.wait().exits(130);
    assert_eq!((looks(&service), service.cancels()), (2, 0));
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_the_wait() {
    let (service, dir) = with(ENDLESS, "");
    let clock = Clock::at(22, &dir);
    let mut run = clock.start(&dir, &["run"]);
    run.wait_for_line("in_progress");
    clock.turn(-20);
    service.set(|switches| switches.looks = 1);
    run.wait().exits(0);
    all_paid_once(&service, &dir);
}

#[test]
fn after_the_deadline_nothing_is_cancelled_and_no_call_is_made() {
    let (service, dir) = rarely_polled("");
    let clock = Clock::at(22, &dir);
    let mut run = clock.start(&dir, &["run", "--deadline", "06:30"]);
    run.wait_for_line("in_progress");
    clock.turn(11);
    run.wait().exits(6);
    assert_eq!((service.cancels(), service.single(), done(&dir)), (0, 1, 1));
    service.set(|switches| switches.looks = 1);
    clock.run(&dir, &["run"]).exits(0);
    all_paid_once(&service, &dir);
}

#[test]
fn a_wave_that_would_end_after_until_is_not_begun() {
    // The first wave takes so many hours of the seven and a half; what remains is enough or not.
    for (late, hours, exit, batches, single) in [("realtime", 3, 0, 2, 1), ("realtime", 4, 0, 1, 1 + ARTICLES), ("leave", 4, 7, 1, 1)] {
        let (service, dir) = with(ENDLESS, "");
        let lines = format!("until = \"05:30\"\nlate = \"{late}\"");
        dir.write("config.toml", config(&service, &lines).replace("single-call", "summarise-then-translate"));
        let clock = Clock::at(22, &dir);
        let mut run = clock.start(&dir, &["run"]);
        run.wait_for_line("in_progress");
        clock.turn(hours);
        service.set(|switches| switches.looks = 1);
        let ended = run.wait().exits(exit);
        assert_eq!((service.created(), service.single()), (batches, single), "{late} {hours}: {}", ended.stderr);
        assert_eq!(done(&dir), if exit == 0 { ARTICLES } else { 0 });
        assert!(service.paid().values().all(|times| *times == 1));
    }
}

#[test]
fn a_batch_that_the_service_does_not_end_in_a_day_is_given_up() {
    let (service, dir) = rarely_polled("");
    let clock = Clock::at(22, &dir);
    let mut run = clock.start(&dir, &["run"]);
    run.wait_for_line("in_progress");
    clock.turn(26);
    let ended = run.wait().exits(0);
    assert!(ended.stderr.contains("has not ended its batches in its own time"), "{}", ended.stderr);
    assert_eq!((service.cancels(), service.single()), (1, 1 + 3));
    all_paid_once(&service, &dir);
}

#[test]
fn an_open_batch_counts_for_the_night_in_which_it_was_sent() {
    let (service, dir) = with(ENDLESS, "discount = 0.5");
    let clock = Clock::at(22, &dir);
    let run = || clock.run(&dir, &["run", "--detach", "--max-cost", "0.03"]);
    run().exits(6);
    let first = service.lines();
    run().exits(6);
    assert_eq!(service.lines(), first, "the limit of this night is used up");
    clock.turn(13);
    run();
    assert!(service.lines().len() > first.len(), "the limit of the next one is whole: {:?}", service.lines());
}

#[test]
fn a_batch_that_a_gateway_has_forgotten_is_told_as_lost_after_an_hour() {
    // As LiteLLM answers for a batch that its upstream does not know.
    let (service, dir) = with(Switches { no_look: Some(500), listed_late: usize::MAX, ..Switches::NONE }, "");
    let clock = Clock::at(22, &dir);
    let mut run = clock.start(&dir, &["run"]);
    run.wait_for_line("its state could not be read 20 times");
    clock.turn(1);
    let ended = run.wait().exits(3);
    assert!(ended.stderr.contains("no longer has its results"), "{}", ended.stderr);
    assert_eq!((service.created(), service.single(), done(&dir)), (1, 1, 1));
}
