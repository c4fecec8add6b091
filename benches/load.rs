//! How fast the program drives a service, and what it costs: `cargo bench --bench load [-- SCENARIO …]`, or without a name all of them.
//!
//! Each scenario starts a service in this process and the real program as a child over articles of 3.4 KB, and prints seconds, the share
//! of what is possible, requests, refusals, articles lost, CPU and memory of the child. The service shares the machine's cores. The
//! workbook is left out, so that versions before it can be compared.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program that a developer looks at"
)]

#[path = "load/bare.rs"]
mod bare;
#[path = "load/service.rs"]
mod service;

use std::fmt::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use service::{Manner, Seen};

struct Scenario {
    name: &'static str,
    what: &'static str,
    articles: usize,
    manner: Manner,
    endpoint: &'static str,
    /// Seconds that it takes at best.
    ideal: Option<f64>,
    /// Calls at once of a client that does nothing else, which is measured beside it.
    beside_a_bare_client: Option<usize>,
}

const LATENCY: Duration = Duration::from_millis(200);

#[expect(clippy::too_many_lines, reason = "a list")]
fn scenarios() -> Vec<Scenario> {
    let slow = Manner { latency: LATENCY, ..Manner::default() };
    let limited = Manner { a_second: Some(500), ..slow };
    let bucket = Manner { bucket: Some(50), ..limited };
    let few_places = Manner { at_once: Some(40), ..slow };
    let at_once = "concurrency = 256";
    vec![
        Scenario {
            name: "no-latency",
            what: "no latency, 64 at once",
            articles: 5_000,
            manner: Manner::default(),
            endpoint: "concurrency = 64",
            ideal: None,
            beside_a_bare_client: Some(64),
        },
        Scenario {
            name: "latency",
            what: "200 ms, 256 at once",
            articles: 5_000,
            manner: slow,
            endpoint: at_once,
            ideal: Some(5_000.0 / 1_280.0),
            beside_a_bare_client: Some(256),
        },
        Scenario {
            name: "latency-long",
            what: "200 ms, 256 at once",
            articles: 20_000,
            manner: slow,
            endpoint: at_once,
            ideal: Some(20_000.0 / 1_280.0),
            beside_a_bare_client: Some(256),
        },
        Scenario {
            name: "auto",
            what: "200 ms, concurrency auto (256 at most)",
            articles: 20_000,
            manner: slow,
            endpoint: "",
            ideal: Some(20_000.0 / 1_280.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "limit-told",
            what: "500 a second, told",
            articles: 5_000,
            manner: limited,
            endpoint: "concurrency = 256\nrequests_per_minute = 30000",
            ideal: Some(10.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "limit-auto",
            what: "500 a second, not told, auto",
            articles: 25_000,
            manner: limited,
            endpoint: "",
            ideal: Some(50.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "limit-auto-told-when",
            what: "the same with Retry-After: 1",
            articles: 25_000,
            manner: Manner { retry_after: true, ..limited },
            endpoint: "",
            ideal: Some(50.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "limit-fixed",
            what: "500 a second, not told, 256 at once",
            articles: 5_000,
            manner: limited,
            endpoint: at_once,
            ideal: Some(10.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "limit-fixed-told-when",
            what: "the same with Retry-After: 1",
            articles: 5_000,
            manner: Manner { retry_after: true, ..limited },
            endpoint: at_once,
            ideal: Some(10.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "limit-auto-short",
            what: "500 a second, not told, auto",
            articles: 5_000,
            manner: limited,
            endpoint: "",
            ideal: Some(10.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "limit-fixed-64",
            what: "the same, 64 at once (320 a second at best)",
            articles: 5_000,
            manner: limited,
            endpoint: "concurrency = 64",
            ideal: Some(5_000.0 / 320.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "bucket-auto",
            what: "500 a second from a bucket of 50, not told, auto",
            articles: 5_000,
            manner: bucket,
            endpoint: "",
            ideal: Some(10.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "bucket-fixed-told-when",
            what: "the same with Retry-After: 1, 256 at once",
            articles: 5_000,
            manner: Manner { retry_after: true, ..bucket },
            endpoint: at_once,
            ideal: Some(10.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "places-auto",
            what: "40 at once, not told, auto",
            articles: 2_000,
            manner: few_places,
            endpoint: "",
            ideal: Some(2_000.0 / 200.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "places-fixed-told-when",
            what: "40 at once, Retry-After: 1, 256 at once",
            articles: 2_000,
            manner: Manner { retry_after: true, ..few_places },
            endpoint: at_once,
            ideal: Some(2_000.0 / 200.0),
            beside_a_bare_client: None,
        },
        Scenario {
            name: "faults",
            what: "200 ms, 256 at once, 2 % 500, 0.5 % hang, 0.5 % cut",
            articles: 5_000,
            manner: Manner { faults: true, ..slow },
            endpoint: "concurrency = 256\ntimeout = \"10s\"",
            ideal: Some(15.5),
            beside_a_bare_client: None,
        },
    ]
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let folder = tempfile::tempdir().unwrap();
    println!(
        "{:<22} {:>7} {:>7} {:>6} {:>8} {:>9} {:>8} {:>5} {:>6} {:>7} {:>5}",
        "scenario", "articles", "seconds", "ideal", "per s", "requests", "refused", "lost", "CPU s", "ms each", "MB"
    );
    for scenario in scenarios() {
        if wanted.is_empty() || wanted.iter().any(|name| name == scenario.name) {
            run(&scenario, folder.path());
        }
    }
}

fn run(scenario: &Scenario, folder: &Path) {
    let desk = folder.join(scenario.name);
    articles(&desk.join("input"), scenario.articles);
    // What the articles' own writing left to do must not weigh on the run.
    let _ = Command::new("sync").status();
    let (port, seen) = service::start(scenario.manner);
    let config = format!(
        "[output]\nformats = [\"csv\", \"html\", \"jsonl\"]\n[summary]\nroute = \"single-call\"\n[[endpoint]]\nname = \"load\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"openai\"\n\
         url = \"http://127.0.0.1:{port}/v1\"\nmodel = \"mock\"\nprice = {{ tokens_in = 0.15, tokens_out = 0.6 }}\n{}\n",
        scenario.endpoint
    );
    std::fs::write(desk.join("config.toml"), config).unwrap();
    let start = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_depeche")).args(["run", "-q"]).current_dir(&desk).stdout(Stdio::null()).spawn().unwrap();
    let used = watch(child);
    let seconds = (used.ended - start).as_secs_f64();
    let lost = lost(&desk.join("output/summaries.csv"));
    let seen = seen.lock().unwrap();
    let share = scenario.ideal.map_or_else(|| "-".into(), |ideal| format!("{:.3}", ideal / seconds));
    println!(
        "{:<22} {:>7} {seconds:>8.2} {share:>6} {:>8.0} {:>9} {:>8} {lost:>5} {:>6.2} {:>7.3} {:>5}   {}",
        scenario.name,
        scenario.articles,
        scenario.articles as f64 / seconds,
        seen.requests,
        seen.refused,
        used.cpu,
        used.cpu * 1000.0 / scenario.articles as f64,
        used.megabytes,
        scenario.what
    );
    if let (Some(first), Some(last)) = (seen.accepted.first(), seen.accepted.last()) {
        let after = |at: &Instant| (*at - start).as_secs_f64();
        println!(
            "{:<22} first request after {:.3} s, last after {:.3} s; ideal while it sends {}; from an answer to the next request {:.1} ms; it answered in {:.1} ms",
            "",
            after(first),
            after(last),
            driven(scenario, &seen),
            turnaround(&seen),
            seen.latency.as_secs_f64() * 1000.0 / seen.answered.len() as f64,
        );
    }
    if scenario.manner.a_second.is_some() {
        let from = start + Duration::from_secs(20);
        let late: Vec<_> = seen.accepted.iter().filter(|at| **at >= from).collect();
        if let (Some(first), Some(last)) = (late.first(), late.last())
            && **last > **first + Duration::from_secs(2)
        {
            println!("{:<22} after 20 s: {:.0} accepted a second", "", late.len() as f64 / (**last - **first).as_secs_f64());
        }
    }
    if let Some(places) = scenario.beside_a_bare_client {
        let (port, _) = service::start(scenario.manner);
        let (time, cpu) = bare::run(&desk.join("input"), port, places);
        let seconds = time.as_secs_f64();
        let share = scenario.ideal.map_or_else(|| "-".into(), |ideal| format!("{:.3}", ideal / seconds));
        println!(
            "{:<22} {:>7} {seconds:>8.2} {share:>6}   a bare client: posts each text and reads the answer, nothing else; {cpu:.2} s of CPU",
            "", scenario.articles
        );
    }
    std::fs::remove_dir_all(&desk).unwrap();
}

/// The share of what is possible from the first request to the last answer: without the start and the outputs.
fn driven(scenario: &Scenario, seen: &Seen) -> String {
    match (scenario.ideal, seen.accepted.first(), seen.answered.last()) {
        (Some(ideal), Some(first), Some(last)) => format!("{:.3}", ideal / (*last - *first).as_secs_f64()),
        _ => "-".into(),
    }
}

/// Milliseconds from an answer to the request that takes its place, where all places are taken throughout: the middle one.
fn turnaround(seen: &Seen) -> f64 {
    let places = seen.accepted.len() - seen.answered.iter().filter(|at| seen.accepted.last().is_some_and(|last| *at < last)).count();
    let mut gaps: Vec<f64> =
        seen.accepted.iter().skip(places).zip(&seen.answered).map(|(next, answer)| (*next - *answer).as_secs_f64() * 1000.0).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied().unwrap_or_default()
}

/// Different articles of about 3.4 KB, a file each.
fn articles(folder: &Path, count: usize) {
    const SENTENCES: [&str; 6] = [
        "Le conseil municipal a décidé mardi de rehausser la digue du port, après trois tempêtes en deux hivers.",
        "Les travaux, confiés à une entreprise de la région, commenceront au printemps et dureront sept mois environ.",
        "« Nous ne pouvons plus attendre », a déclaré la maire devant une cinquantaine d’habitants réunis à la salle des fêtes.",
        "L’opposition juge le projet trop cher et demande une étude sur le déplacement des maisons les plus basses.",
        "La préfecture prendra en charge 40 % de la dépense, le reste étant partagé entre la commune et le département.",
        "Les pêcheurs, qui craignent de perdre l’accès au quai pendant l’été, seront reçus la semaine prochaine.",
    ];
    std::fs::create_dir_all(folder).unwrap();
    for number in 0..count {
        let mut text = format!("La digue {number} du port sera rehaussée\n\n");
        for part in 0..30 {
            let sentence = SENTENCES[(number * 7 + part * (1 + number % 5)) % SENTENCES.len()];
            let _ = write!(text, "{sentence} ");
            if part % 5 == 4 {
                let _ = write!(text, "Le coût est estimé à {} euros.\n\n", 100_000 + number * 13 + part);
            }
        }
        std::fs::write(folder.join(format!("{number:06}.txt")), text).unwrap();
    }
}

struct Used {
    ended: Instant,
    cpu: f64,
    megabytes: u64,
}

/// Waits for the child. What it used is read from /proc until it is gone, so the last hundredth of a second may be missing.
fn watch(mut child: Child) -> Used {
    let proc = format!("/proc/{}", child.id());
    let (gone, is_gone) = std::sync::mpsc::channel::<()>();
    let watcher = std::thread::spawn(move || {
        let mut used = Used { ended: Instant::now(), cpu: 0.0, megabytes: 0 };
        loop {
            if let (Ok(stat), Ok(status)) =
                (std::fs::read_to_string(format!("{proc}/stat")), std::fs::read_to_string(format!("{proc}/status")))
            {
                let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
                let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
                used.cpu = used.cpu.max(ticks / 100.0);
                let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
                used.megabytes = used.megabytes.max(peak.unwrap_or(0) >> 10);
            }
            if is_gone.recv_timeout(Duration::from_millis(10)).is_ok() {
                return used;
            }
        }
    });
    child.wait().expect("the child can be waited for");
    let ended = Instant::now();
    let _ = gone.send(());
    let used = watcher.join().expect("nobody panics");
    Used { ended, ..used }
}

/// Rows that are not done.
fn lost(table: &Path) -> usize {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let at = reader.headers().unwrap().iter().position(|name| name == "status").unwrap();
    reader.records().filter(|record| record.as_ref().is_ok_and(|record| &record[at] != "done")).count()
}
