//! No call is paid for twice by processes that want it at the same moment, or that reach its service by other addresses. Without
//! Debian's package `postgresql` these tests are skipped, and say so.

use depeche::model::Waste;
use depeche::record::{Claimed, Ledger};
use std::sync::Arc;

use crate::ledger_suite::{Kind, block, call, claim};
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::postgres::Postgres;
use crate::support::test_dir::TestDir;

/// Has one process keep the reply to call 1 and another claim the call before that is committed; returns what the claim gave.
fn claim_during_keep(server: &Postgres, keeps: &Arc<dyn Ledger>, claims: &Arc<dyn Ledger>) -> Claimed {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let held = server.hold("SELECT FROM call WHERE key = decode(repeat('01', 32), 'hex') FOR UPDATE");
    std::thread::scope(|scope| {
        let keep = scope.spawn(|| block(keeps.keep(call(1), Waste::default())).unwrap());
        server.wait_for(WAITING, "1");
        let claimed = scope.spawn(|| block(claims.claim(claim(1, 1))).unwrap());
        // If it waits, it saw the call as it was before the reply.
        while !claimed.is_finished() && server.sql(WAITING) != ["2"] {
            std::thread::yield_now();
        }
        drop(held);
        keep.join().unwrap();
        claimed.join().unwrap()
    })
}

#[test]
fn a_call_that_is_being_answered_cannot_be_claimed() {
    for kind in Kind::all() {
        let Some(server) = &kind.server else { continue };
        let (first, second) = (kind.open(), kind.open());
        block(first.claim(claim(1, 1))).unwrap();
        assert_eq!(claim_during_keep(server, &first, &second), Claimed::Elsewhere, "it would be paid twice");
        // The same if the first process has lost its claim, so that the second waits for the first one's late reply.
        server.sql("TRUNCATE call");
        block(first.claim(claim(1, 1))).unwrap();
        server.sql("UPDATE worker SET state = 'dead' WHERE id = 1; UPDATE call SET state = 'free'");
        assert_eq!(claim_during_keep(server, &first, &second), Claimed::Elsewhere, "it would be paid twice");
        assert_eq!(second.reader().reply(&[1; 32]).unwrap().map(|known| known.cost), Some(Some(0.5)));
    }
}

#[test]
fn processes_that_reach_a_service_by_other_addresses_share_its_answers() {
    const ARTICLES: usize = 40;
    let Some(server) = Postgres::start() else { return };
    let servers = [Mock::good(), Mock::good()];
    let config =
        |mock: &Mock| format!("{}\n{}", openai(mock).replace("concurrency = 4", "service = \"vllm\"\nconcurrency = 4"), server.config());
    let dir = TestDir::with(&config(&servers[0]), ARTICLES);
    dir.write("other.toml", config(&servers[1]));
    servers[0].hold();
    servers[1].hold();
    // All articles have the same text, so their calls have the same keys.
    let text = std::fs::read(dir.path("input/001.txt")).unwrap();
    (2..=ARTICLES).for_each(|number| dir.write(&format!("input/{number:03}.txt"), &text));
    let first = dir.start(&["run", "--piece-size", "5"]);
    servers[0].wait_for_requests(1);
    let second = dir.start(&["work", "--config", "other.toml"]);
    server.wait_for("SELECT count(DISTINCT worker) FROM piece WHERE state = 'taken'", "2");
    servers.iter().for_each(Mock::release);
    first.wait().exits(0);
    second.wait().exits(0);
    assert_eq!(servers.each_ref().map(Mock::count).iter().sum::<usize>(), 2, "one summary and one translation");
    assert_eq!(dir.rows().len(), ARTICLES);
}
