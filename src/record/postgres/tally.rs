//! The work of each process of a run, and the sums.

use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use super::calls::{Me, count};
use super::connect::Session;
use crate::model::{Exit, RunSummary};

const TELL_OWN: &str = "UPDATE worker SET found = $2, done = $3, earlier = $4, skipped = $5, failed = $6, pending = $7, requests = $8,
    paid = $9, retried = $10, maybe_billed = $11, cached = $12, cost = $13, estimated = $14 WHERE id = $1 AND state = 'alive' AND (found IS NULL OR $15)";
/// The sums over the processes of run `$1`. Once all of the input is read, the pending articles of a
/// stopped process no longer count, because other processes have done them and count them.
macro_rules! sums {
    () => {
        "coalesce(sum(found) - sum(pending) FILTER (WHERE is_over), sum(found))::int8, sum(done)::int8, sum(earlier)::int8, sum(skipped)::int8,
            sum(failed)::int8, coalesce(sum(pending) FILTER (WHERE NOT is_over), 0)::int8, sum(requests)::int8, sum(paid)::int8,
            sum(retried)::int8, sum(maybe_billed)::int8, sum(cached)::int8, CASE WHEN count(cost) = count(found) THEN sum(cost) END,
            sum(estimated)::int8
        FROM worker CROSS JOIN (SELECT listed AND NOT EXISTS (SELECT FROM piece WHERE piece.run = $1 AND state <> 'done') AS is_over
            FROM run WHERE number = $1) AS input WHERE worker.run = $1"
    };
}
const ADD_UP: &str = concat!("SELECT count(*) FILTER (WHERE is_over AND state = 'alive' AND found IS NULL), ", sums!());
const RECORD: &str = concat!(
    "UPDATE run SET seconds = greatest(seconds, $2), flagged = greatest(flagged, $3), (found, done, earlier, skipped, failed, pending, requests,
        paid, retried, maybe_billed, cached, cost, estimated) = (SELECT ",
    sums!(),
    ") WHERE number = $1"
);
/// Each process that writes the outputs records how the run ended. The last one replaces what the
/// others recorded.
const END: &str = "UPDATE run SET ended_at = utc_now(), exit = $2 WHERE number = $1";

/// Records the work of a process. Without `again`, only if nothing is recorded for it yet.
pub(super) async fn tell(session: &Session, me: Me, own: &RunSummary, again: bool) -> Result<(), Error> {
    let counts = [own.found, own.done, own.earlier, own.skipped, own.failed, own.pending, own.requests].map(count);
    let [found, done, earlier, skipped, failed, pending, requests] = counts;
    let [paid, retried, maybe_billed, cached, estimated] = [own.paid, own.retried, own.maybe_billed, own.cached, own.estimated].map(count);
    let values: [&(dyn ToSql + Sync); 15] = [
        &me.worker,
        &found,
        &done,
        &earlier,
        &skipped,
        &failed,
        &pending,
        &requests,
        &paid,
        &retried,
        &maybe_billed,
        &cached,
        &own.cost,
        &estimated,
        &again,
    ];
    session.execute(TELL_OWN, &values).await?;
    Ok(())
}

/// The sums over all processes of a run that have recorded their work, and the number of processes
/// that have not done so although all of the input is read. Values that cannot be added up are
/// those of `own`.
pub(super) async fn sums(session: &Session, run: i64, own: &RunSummary) -> Result<(i64, RunSummary), Error> {
    let found = session.query(ADD_UP, &[&run]).await?;
    let Some(row) = found.first() else { return Ok((0, *own)) };
    let count = |at: usize| row.get::<_, Option<i64>>(at).unwrap_or(0).cast_unsigned();
    let all = RunSummary {
        found: count(1),
        done: count(2),
        earlier: count(3),
        skipped: count(4),
        failed: count(5),
        pending: count(6),
        requests: count(7),
        paid: count(8),
        retried: count(9),
        maybe_billed: count(10),
        cached: count(11),
        cost: row.get(12),
        estimated: count(13),
        ..*own
    };
    Ok((row.get(0), all))
}

/// Adds the work of a process that ends to its run. `exit`: how the run ended; `None` if this
/// process does not write the outputs.
pub(super) async fn record(session: &Session, run: i64, own: &RunSummary, exit: Option<Exit>) -> Result<(), Error> {
    session.execute(RECORD, &[&run, &own.seconds, &count(own.flagged)]).await?;
    if let Some(exit) = exit {
        session.execute(END, &[&run, &i32::from(exit.code())]).await?;
    }
    Ok(())
}
