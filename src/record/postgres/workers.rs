//! The processes that work on a run, and which of them are dead. Only the server's clock and a
//! local monotonic clock decide that: the wall clocks of the machines may be wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::Error;

use super::calls::Me;
use super::connect::Session;
use super::trouble::{Trouble, classify};
use crate::model::{Exit, Fault};

const REGISTER: &str = "INSERT INTO worker (run, name, place, lease_until, grace)
    VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 second', $5 * interval '1 second') RETURNING id";
const BEAT: &str = "UPDATE worker SET heard_at = clock_timestamp(), lease_until = clock_timestamp() + $2 * interval '1 second'
    WHERE id = $1 AND state = 'alive'";
const ALIVE: &str = "SELECT id, name, place, lease_until + grace < clock_timestamp(), run FROM worker WHERE state = 'alive' ORDER BY id";
/// Each statement sees the commits before it, so a claim that was written just before the lock is
/// not missed.
const LOCK: &str = "SELECT id FROM worker WHERE id = $1 AND state = 'alive' AND (lease_until + grace < clock_timestamp() OR $2) FOR UPDATE";
const BURY: &str = "UPDATE worker SET state = $2 WHERE id = $1";
const ABANDON: &str = "INSERT INTO waste (run, key, worker, endpoint, task, characters, cost, made_at, outcome, attempts)
    SELECT run, key, worker, endpoint, task, characters, cost, made_at, 'killed', attempts FROM call
    WHERE state = 'claimed' AND worker = $1 ORDER BY key
    ON CONFLICT (key, run, worker) DO UPDATE SET outcome = excluded.outcome, attempts = excluded.attempts, cost = excluded.cost";
const LEAVE: &str = "UPDATE piece SET state = 'open' WHERE state = 'taken' AND worker = $1";
/// Returns the unused part of a purse. For money, the ledger's own sum is more recent than the last
/// report of the process.
const GIVE_BACK: &str = "UPDATE draw SET (drawn, used) = (SELECT known, known FROM (SELECT CASE budget WHEN 'money' THEN greatest(used,
        (SELECT coalesce(sum(cost), 0) FROM call WHERE state = 'answered' AND call.worker = $1
            AND made_at >= to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))
        + (SELECT coalesce(sum(cost * attempts), 0) FROM waste WHERE waste.worker = $1 AND waste.run = draw.run)) ELSE used END) AS t (known))
    FROM worker WHERE worker.id = $1 AND draw.run = worker.run AND draw.worker = $1";
/// The work of a process that died before it could report: it follows from its pieces and calls.
/// The number of its articles that were done before is unknown.
const COUNT: &str = "UPDATE worker SET found = done_here + skipped_here + failed_here, done = done_here, earlier = 0, skipped = skipped_here,
        failed = failed_here, pending = 0, requests = answered + lost, paid = paid_here, retried = 0, maybe_billed = lost, cached = 0,
        cost = cost_here, estimated = 0
    FROM (SELECT coalesce(sum(done), 0)::int8 AS done_here, coalesce(sum(skipped), 0)::int8 AS skipped_here,
              coalesce(sum(failed), 0)::int8 AS failed_here
          FROM (SELECT file.done, file.skipped,
                    (SELECT count(*) FROM row WHERE row.file = file.number AND in_table AND status = 'failed') AS failed
                FROM piece CROSS JOIN unnest(files) AS listed (number) JOIN file ON file.number = listed.number
                WHERE piece.worker = $1 AND piece.state = 'done' AND most IS NULL AND part_of IS NULL
                UNION ALL SELECT done, skipped, failed FROM piece WHERE worker = $1 AND state = 'done' AND part_of IS NOT NULL) AS each
         ) AS articles,
        (SELECT count(*) AS answered, count(*) FILTER (WHERE cost IS DISTINCT FROM 0) AS paid_here,
              CASE WHEN count(cost) = count(*) THEN coalesce(sum(cost), 0) END AS cost_here
          FROM call, (SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS start FROM worker WHERE id = $1) AS begun
          WHERE state = 'answered' AND call.worker = $1 AND made_at >= start) AS calls,
        (SELECT coalesce(sum(attempts), 0)::int8 AS lost FROM waste WHERE waste.worker = $1) AS losses
    WHERE worker.id = $1 AND worker.found IS NULL";
const FREE: &str = "UPDATE call SET state = 'free' WHERE state = 'claimed' AND worker = $1";

/// What this process knows of its own lease.
#[derive(Debug)]
pub(super) struct Lease {
    length: Duration,
    held: Mutex<Held>,
    lost: OnceLock<Fault>,
    /// Whether another process has declared this one dead.
    is_dead: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    /// Since when the lease has been valid and the connection has not been lost.
    since: Instant,
    until: Instant,
}

impl Lease {
    /// A lease of this length that was requested at `asked`. The server counts from a later moment.
    pub(super) fn new(length: Duration, asked: Instant) -> Self {
        Self {
            length,
            held: Mutex::new(Held { since: asked, until: asked + length }),
            lost: OnceLock::new(),
            is_dead: AtomicBool::new(false),
        }
    }

    /// Time between two heartbeats.
    pub(super) fn beat(&self) -> Duration {
        self.length / 6
    }

    pub(super) fn seconds(&self) -> f64 {
        self.length.as_secs_f64()
    }

    /// The lease was extended by a heartbeat that was sent at `asked`.
    pub(super) fn extend(&self, asked: Instant) {
        let mut held = self.held();
        if Instant::now() >= held.until {
            held.since = Instant::now();
        }
        held.until = held.until.max(asked + self.length);
    }

    /// Records that this process has connected again.
    pub(super) fn reconnected(&self) {
        self.held().since = Instant::now();
    }

    /// Whether this process may declare others dead because their leases have ended. After an outage of
    /// the server, or after a time in which the server wrote nothing, every process has the length of a
    /// lease to send a heartbeat.
    pub(super) fn is_patient(&self) -> bool {
        self.held().since.elapsed() > self.length
    }

    /// Fails if this process was declared dead, or cannot write.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.lost.get().map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// Whether a call may be sent now.
    pub(super) fn holds(&self) -> bool {
        self.lost.get().is_none() && Instant::now() < self.held().until
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process has declared this one dead.
    pub(super) fn lose(&self, place: &str) -> Fault {
        let message = format!(
            "the ledger on {place} has not heard of this process for longer than its lease: it counts as dead, its calls were given to others, \
             and it sends nothing more; start again"
        );
        self.is_dead.store(true, Ordering::Relaxed);
        self.lost.get_or_init(|| Fault::new(Exit::EndpointAway, message)).clone()
    }

    /// Whether another process has declared this one dead.
    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed)
    }

    /// The ledger could not be written, so nothing more may be sent.
    pub(super) fn fail(&self, fault: Fault) {
        let _ = self.lost.set(fault);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }
}

/// Another process of the ledger.
pub(super) struct Other {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) run: i64,
    /// Whether its lease has ended, and so has every call that it may have had in flight.
    pub(super) is_overdue: bool,
    /// Whether it ran on this machine, and has ended.
    pub(super) is_gone: bool,
}

/// Registers this process for a run; returns its number.
pub(super) async fn register(session: &Session, run: i64, lease: &Lease, grace: Duration) -> Result<i64, Error> {
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&run, &name(), &place(std::process::id()).unwrap_or_default(), &lease.seconds(), &grace.as_secs_f64()];
    Ok(session.query(REGISTER, &values).await?.first().map_or(0, |row| row.get(0)))
}

/// Tells the ledger that this process is alive; returns whether it is.
pub(super) async fn beat(session: &Session, me: Me, lease: &Lease) -> Result<bool, Error> {
    let asked = Instant::now();
    let alive = session.execute(BEAT, &[&me.worker, &lease.seconds()]).await? > 0;
    if alive {
        lease.extend(asked);
    }
    Ok(alive)
}

/// The processes that were not declared dead and have not ended.
pub(super) async fn others(session: &Session, worker: Option<i64>) -> Result<Vec<Other>, Error> {
    let rows = session.query(ALIVE, &[]).await?;
    let other = |row: &tokio_postgres::Row| {
        let (id, name, place) = (row.get(0), row.get(1), row.get::<_, String>(2));
        Other { id, name, run: row.get(4), is_overdue: row.get(3), is_gone: is_gone(&place) }
    };
    Ok(rows.iter().map(other).filter(|other| Some(other.id) != worker).collect())
}

/// Fails if a process is active on the ledger.
pub(super) async fn refuse_active(session: &Session, place: &str) -> Result<(), Trouble> {
    let others = others(session, None).await.map_err(|error| classify(place, &error))?;
    let active = others.into_iter().find(|other| !other.is_gone && !other.is_overdue);
    active.map_or(Ok(()), |active| {
        let held = format!("another run ({}) holds the ledger on {place}; try again when it has ended", active.name);
        Err(Fault::new(Exit::Locked, held).into())
    })
}

/// Declares a process dead or ended for good, and gives up its pieces and its claims, each of which
/// may have been billed; returns how many claims there were. `for_sure`: even if its lease is
/// valid.
pub(super) async fn bury(session: &Session, worker: i64, state: &str, for_sure: bool) -> Result<u64, Error> {
    if session.query(LOCK, &[&worker, &for_sure]).await?.is_empty() {
        return Ok(0);
    }
    session.execute(BURY, &[&worker, &state]).await?;
    session.execute(LEAVE, &[&worker]).await?;
    session.execute(ABANDON, &[&worker]).await?;
    session.execute(GIVE_BACK, &[&worker]).await?;
    session.execute(COUNT, &[&worker]).await?;
    session.execute("DELETE FROM service_part WHERE worker = $1", &[&worker]).await?;
    session.execute(FREE, &[&worker]).await
}

/// Declares processes dead that have ended on this machine, and with `is_patient` those whose lease
/// has expired. Returns how many calls they had in flight.
pub(super) async fn bury_others(session: &Session, me: Me, is_patient: bool) -> Result<u64, Error> {
    let mut killed = 0;
    for other in others(session, Some(me.worker)).await? {
        if other.is_gone || (other.is_overdue && is_patient) {
            session.client.batch_execute("BEGIN").await?;
            let buried = bury(session, other.id, "dead", other.is_gone).await;
            session.client.batch_execute(if buried.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
            killed += buried?;
        }
    }
    Ok(killed)
}

/// This process's name in messages.
fn name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{host}, process {}", std::process::id())
}

/// Identifies a process among all that ever ran on this machine: the machine's start, the namespace
/// of processes, the process id, and the time at which the process began. `None` if the kernel does
/// not say.
fn place(process: u32) -> Option<String> {
    let machine = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {} {process} {}", machine.trim(), namespace.display(), began(process)?))
}

/// When a process began, in ticks since the start of the machine.
fn began(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program may hold anything, also brackets and spaces. It is the second field.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Whether this process ran on this machine, and has ended.
fn is_gone(of: &str) -> bool {
    let Some(ours) = place(std::process::id()) else { return false };
    let (mut theirs, mut ours) = (of.split(' '), ours.split(' '));
    let same_machine = theirs.next() == ours.next() && theirs.next() == ours.next();
    let process = theirs.next().and_then(|process| process.parse().ok());
    let began_then: Option<u64> = theirs.next().and_then(|began| began.parse().ok());
    same_machine && process.zip(began_then).is_some_and(|(process, then)| began(process) != Some(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_this_machine_that_has_ended_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let there = place(child.id()).unwrap();
        assert!(!is_gone(&there) && !is_gone(&place(std::process::id()).unwrap()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&there));
        assert!(!is_gone("another-machine pid:[1] 1 1") && !is_gone(""));
    }

    #[test]
    fn a_lease_counts_from_the_moment_it_was_asked_for() {
        let long_ago = Instant::now().checked_sub(Duration::from_mins(1)).unwrap();
        let lease = Lease::new(Duration::from_secs(30), long_ago);
        assert!(!lease.holds());
        lease.extend(Instant::now());
        assert!(lease.holds() && lease.check().is_ok());
        lease.lose("h");
        assert!(!lease.holds() && lease.check().is_err());
    }

    #[test]
    fn a_process_whose_own_lease_had_ended_gives_the_others_time() {
        let before = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let lease = Lease::new(Duration::from_secs(30), before(50));
        lease.held().until = Instant::now() + Duration::from_secs(1);
        lease.extend(Instant::now());
        assert!(lease.is_patient());
        lease.held().until = before(1);
        lease.extend(Instant::now());
        assert!(!lease.is_patient(), "the server may have answered nobody");
        lease.held().since = before(31);
        assert!(lease.is_patient());
        lease.reconnected();
        assert!(!lease.is_patient());
    }
}
