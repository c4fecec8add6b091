//! Claims and replies, without anything else of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use depeche::config::{Overrides, load};
use depeche::model::{Answer, Reply, Task, Usage, Waste};
use depeche::record::{self, AnsweredCall, Claim, Claimed, Ledger};

use crate::postgres::Postgres;
use crate::processes::ticks;

/// Calls in flight. With 256 and more, a commit has as many writes as it may have.
const IN_FLIGHT: [usize; 3] = [64, 256, 1024];
/// The kinds of ledgers are measured in turn, so many times; the median counts.
const ROUNDS: usize = 3;

/// A kind of ledger.
struct Kind {
    name: &'static str,
    servers: Vec<Postgres>,
    /// Calls per second, and microseconds of CPU a call, in each round.
    rates: Vec<f64>,
    cpu: Vec<f64>,
}

/// Measures so many calls in each round, and prints the medians.
pub(crate) fn measure(calls: usize) {
    println!("{:<22} {:>9} {:>9} {:>8} {:>12}", "ledger", "in flight", "calls/s", "times", "CPU us each");
    for in_flight in IN_FLIGHT {
        let primary = crate::server();
        let standby = primary.standby();
        let kind = |name, servers| Kind { name, servers, rates: Vec::new(), cpu: Vec::new() };
        let mut kinds = [kind("file", vec![]), kind("server", vec![crate::server()]), kind("server and standby", vec![primary, standby])];
        for round in 0..ROUNDS {
            for kind in &mut kinds {
                kind.round(round, calls, in_flight);
            }
        }
        let file = median(&kinds[0].rates);
        for kind in &kinds {
            let rate = median(&kind.rates);
            println!("{:<22} {in_flight:>9} {rate:>9.0} {:>8.2} {:>12.0}", kind.name, rate / file, median(&kind.cpu));
        }
    }
}

impl Kind {
    fn round(&mut self, round: usize, calls: usize, in_flight: usize) {
        let dir = tempfile::tempdir().unwrap();
        let server = self.servers.first().map(|server| format!("{}schema = \"round_{round}\"\n", server.config()));
        let config = format!(
            "[embedded]\nfetch = false\n[[endpoint]]\nname = \"embedded\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"embedded\"\n{}",
            server.unwrap_or_default()
        );
        let path = dir.path().join("config.toml");
        std::fs::write(&path, config).unwrap();
        let config = load(Some(&path), &Overrides::default(), &depeche::dialect::facts()).unwrap();
        record::create_folder(&config.output).unwrap();
        let ledger = record::open(&config, false, false).unwrap();
        let (start, before) = (Instant::now(), self.cpu_so_far());
        drive(&ledger, calls, in_flight);
        self.rates.push(calls as f64 / start.elapsed().as_secs_f64());
        self.cpu.push((self.cpu_so_far() - before) * 1e6 / calls as f64);
        ledger.close(depeche::model::Exit::Done, &depeche::model::RunSummary::default()).unwrap();
        if let Some(server) = self.servers.first() {
            server.sql(&format!("DROP SCHEMA round_{round} CASCADE"));
        }
    }

    /// Seconds of CPU of this process and the servers.
    fn cpu_so_far(&self) -> f64 {
        let own = std::fs::read_to_string("/proc/self/stat").unwrap();
        ticks(&own, &[11, 12]) + self.servers.iter().map(cpu_of_server).sum::<f64>()
    }
}

/// Seconds of CPU of a server: of its main process, of the children that have ended, and of those that run.
fn cpu_of_server(server: &Postgres) -> f64 {
    let main = server.sql("SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)").remove(0);
    let children = std::fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap();
    let stat = |process: &str| std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    ticks(&stat(&main), &[11, 12, 13, 14]) + children.split_whitespace().map(|child| ticks(&stat(child), &[11, 12])).sum::<f64>()
}

/// Claims each call and keeps its reply, so many at a time.
fn drive(ledger: &Arc<dyn Ledger>, calls: usize, in_flight: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let next = Arc::new(AtomicUsize::new(0));
    let answer = Answer::Summary("La digue du port sera rehaussée avant l’hiver. ".repeat(30));
    let reply: Arc<str> = serde_json::to_string(&Reply { answer, usage: Usage::default(), draft: false }).unwrap().into();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..in_flight {
            let (ledger, next, reply) = (Arc::clone(ledger), Arc::clone(&next), Arc::clone(&reply));
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= calls {
                        return;
                    }
                    let key = *blake3::hash(&number.to_le_bytes()).as_bytes();
                    assert_eq!(ledger.claim(claim(key)).await.unwrap(), Claimed::Here);
                    ledger.keep(call(key, &reply), Waste::default()).await.unwrap();
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    });
}

fn claim(key: [u8; 32]) -> Claim {
    let made_at = "2026-11-30T00:00:00Z".into();
    Claim { key, task: Task::Summarise, endpoint: "load".into(), characters: 600, cost: Some(0.01), attempts: 1, made_at }
}

fn call(key: [u8; 32], reply: &str) -> AnsweredCall {
    AnsweredCall {
        key,
        task: Task::Summarise,
        endpoint: "load".into(),
        dialect: "openai".into(),
        model: Some("mock".into()),
        reply_json: reply.to_owned(),
        usage: Usage::default(),
        characters: 600,
        cost: Some(0.005),
        milliseconds: 150,
        made_at: "2026-11-30T00:00:00Z".into(),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
