//! Batches with the ledger on a `PostgreSQL` server: any process may collect them. Without Debian's
//! package `postgresql` these tests are skipped, and say so.

use crate::batches::{ARTICLES, config, done};
use crate::support::batch_service::{BatchService, Fate, Step, Switches};
use crate::support::postgres::Postgres;
use crate::support::test_dir::TestDir;

/// Two folders, as on two machines, with one ledger on this server.
fn two(service: &BatchService, server: &Postgres) -> [TestDir; 2] {
    [(); 2].map(|()| TestDir::with(&format!("{}\n{}", config(service, ""), server.config()), ARTICLES))
}

fn all_paid_once(service: &BatchService, server: &Postgres) {
    let paid = service.paid();
    assert_eq!(paid.len(), ARTICLES);
    assert!(paid.values().all(|times| *times == 1), "{:?}", paid.values());
    assert_eq!(server.sql("SELECT count(*) FROM line"), ["0"]);
    assert_eq!(server.sql("SELECT count(*) FROM call WHERE state <> 'answered'"), ["0"]);
}

#[test]
fn one_process_sends_and_another_collects() {
    let Some(server) = Postgres::start() else { return };
    let fate = |batch, line| if batch == 0 && line == 0 { Fate::NotDone("batch_expired") } else { Fate::Answered };
    let service = BatchService::new(Switches { fate, ..Switches::default() });
    let [first, second] = two(&service, &server);
    let summary = first.run(&["run", "--detach"]).exits(7).summary();
    assert_eq!((summary["in_batch"].as_u64(), service.created()), (Some(8), 1));
    assert!(second.run(&["batch"]).exits(0).stdout.contains("29 days"));
    // It goes over the input before and after the batch, and once more for the line that was not
    // done.
    second.run(&["run"]).exits(0);
    assert_eq!((service.created(), done(&second)), (1, ARTICLES));
    all_paid_once(&service, &server);
    let before = service.mock.billable();
    first.run(&["run"]).exits(0);
    assert_eq!((service.mock.billable(), done(&first)), (before, ARTICLES));
}

#[test]
fn a_kill_at_any_step_pays_for_nothing_twice_whoever_goes_on() {
    let Some(server) = Postgres::start() else { return };
    for (step, after) in [(Step::Upload, true), (Step::Create, false), (Step::Create, true), (Step::Results, true)] {
        let service = BatchService::new(Switches { hang_at: Some((step, after)), ..Switches::default() });
        let [first, second] = two(&service, &server);
        let run = first.start(&["run"]);
        service.wait_until_it_hangs();
        run.kill();
        second.run(&["run"]).exits(0);
        assert_eq!((done(&second), service.files()), (ARTICLES, 0), "{step:?} {after}");
        all_paid_once(&service, &server);
        server.sql("DROP SCHEMA depeche CASCADE");
    }
}

#[test]
fn two_processes_do_not_send_batches_at_once() {
    let Some(server) = Postgres::start() else { return };
    let service = BatchService::new(Switches { looks: 1_000_000, ..Switches::default() });
    let [first, second] = two(&service, &server);
    let mut run = first.start(&["run"]);
    run.wait_for_line("in_progress");
    for command in ["run", "work"] {
        let refused = second.run(&[command]).exits(11);
        assert!(refused.stderr.contains("only one process may make batches"), "{}", refused.stderr);
    }
    let mut waiting = second.start(&["run", "--wait"]);
    waiting.wait_for_line("waiting for it to end");
    service.set(|switches| switches.looks = 1);
    run.wait().exits(0);
    waiting.wait().exits(0);
    assert_eq!((service.created(), done(&first), done(&second)), (1, ARTICLES, ARTICLES));
    all_paid_once(&service, &server);
}

#[test]
fn a_cap_holds_for_the_batches_of_a_shared_ledger() {
    let Some(server) = Postgres::start() else { return };
    let service = BatchService::new(Switches::default());
    let dir = TestDir::with(&format!("{}\n{}", config(&service, "discount = 0.5"), server.config()), ARTICLES);
    // Each line may cost 0.008 at half price, and the call by itself twice as much.
    dir.run(&["run", "--detach", "--max-cost", "0.04"]).exits(6);
    let sent = service.lines();
    assert!((1..6).contains(&sent.iter().sum::<usize>()), "{sent:?}");
    dir.run(&["run", "--detach", "--max-cost", "0.04"]);
    assert_eq!(service.lines(), sent, "what is open counts");
}
