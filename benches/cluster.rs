//! What a ledger on a `PostgreSQL` server costs, and how far several processes get with it: `cargo bench --bench cluster [-- NAME[=SIZE] …]`,
//! or without a name all of them.
//!
//! - `ledger`: claims and replies per second and their CPU, in a file, on a server, and on a server with a synchronous standby; SIZE calls
//! - `workers`: one, two and four processes and a service that takes 150 ms and 64 calls at once from each; SIZE articles for each
//! - `articles`: four processes, SIZE short articles; the memory of each, and the order of the table
//!
//! Everything runs on this machine: the servers (Debian's package `postgresql`), the service, which is in this process, and the program.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program that a developer looks at"
)]

#[path = "cluster/ledger.rs"]
mod ledger;
#[path = "../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod postgres;
#[path = "cluster/processes.rs"]
mod processes;
#[path = "load/service.rs"]
mod service;

use std::time::{Duration, Instant};

use postgres::Postgres;
use processes::{Desk, Process};
use service::Manner;

/// As [`postgres`] expects it: nothing takes this long unless it hangs.
const TIMEOUT: Duration = Duration::from_mins(2);
/// What a small server of its own would have.
const SETTINGS: &[&str] = &["shared_buffers=512MB", "max_wal_size=4GB"];
/// Calls that the service takes at once from each process.
const PLACES: usize = 64;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let size = |name: &str, usual: usize| {
        let of = |argument: &String| {
            let (said, size) = argument.split_once('=').unwrap_or((argument, ""));
            (said == name).then(|| size.parse().unwrap_or(usual))
        };
        if wanted.is_empty() { Some(usual) } else { wanted.iter().find_map(of) }
    };
    if let Some(calls) = size("ledger", 100_000) {
        ledger::measure(calls);
    }
    if let Some(articles) = size("workers", 12_000) {
        workers(articles);
    }
    if let Some(count) = size("articles", 1_000_000) {
        articles(count);
    }
}

/// A new server with these settings.
fn server() -> Postgres {
    Postgres::start_with(SETTINGS).expect("Debian's package postgresql is installed")
}

fn workers(articles: usize) {
    println!("{:<10} {:>9} {:>9} {:>8} {:>8} {:>8} {:>12}", "processes", "articles", "seconds", "calls/s", "times", "whole", "CPU ms each");
    let mut alone = None;
    for count in [1, 2, 4] {
        let server = server();
        let (port, seen) = service::start(Manner { latency: Duration::from_millis(150), ..Manner::default() });
        let desk = Desk::new(&server, port, count * PLACES, count * articles);
        let start = Instant::now();
        let used = desk.run(count, &seen);
        let whole = (count * articles) as f64 / start.elapsed().as_secs_f64();
        let seen = seen.lock().unwrap();
        let driven = *seen.answered.last().unwrap() - seen.accepted[0];
        let rate = seen.answered.len() as f64 / driven.as_secs_f64();
        let (first_rate, first_whole) = *alone.get_or_insert((rate, whole));
        println!(
            "{count:<10} {:>9} {:>9.1} {rate:>8.0} {:>8.2} {:>8.2} {:>12.3}",
            count * articles,
            start.elapsed().as_secs_f64(),
            rate / first_rate,
            whole / first_whole,
            used.iter().map(|process| process.cpu).sum::<f64>() * 1000.0 / (count * articles) as f64
        );
        desk.check_table(count * articles);
    }
}

fn articles(count: usize) {
    const PROCESSES: usize = 4;
    let server = server();
    let (port, seen) = service::start(Manner { latency: Duration::from_millis(50), ..Manner::default() });
    println!("writing {count} articles");
    let desk = Desk::new(&server, port, PROCESSES * PLACES, count);
    let start = Instant::now();
    let used = desk.run(PROCESSES, &seen);
    let seconds = start.elapsed().as_secs_f64();
    let driven = { seen.lock().unwrap().answered.last().unwrap().duration_since(start).as_secs_f64() };
    println!("{count} articles in {seconds:.0} s, the last answer after {driven:.0} s; {:.0} a second", count as f64 / driven);
    println!("peak memory in MB in each tenth of the calls, and while the outputs are written:");
    for (number, Process { memory, cpu }) in used.iter().enumerate() {
        let memory: Vec<String> = memory.iter().map(|peak| format!("{peak:>4}")).collect();
        println!("  process {} {}   {cpu:.0} s of CPU", number + 1, memory.join(" "));
    }
    desk.check_table(count);
}
