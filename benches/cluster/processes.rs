//! The program's processes over a folder of articles.

use std::fmt::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::postgres::Postgres;
use crate::service::Seen;

/// Files in each folder of the input.
const FOLDER: usize = 1000;
/// Parts of a run in which memory is measured: tenths of the calls, and the rest.
const PARTS: usize = 11;

/// A folder with articles and a config.
pub(crate) struct Desk {
    dir: TempDir,
    articles: usize,
}

/// What a process has used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {
    /// Peak megabytes in each part of the run.
    pub(crate) memory: [u64; PARTS],
    /// Seconds.
    pub(crate) cpu: f64,
}

impl Desk {
    /// So many short articles, and a config with this server, and with a service on this port that takes so many calls at once.
    pub(crate) fn new(server: &Postgres, port: u16, places: usize, articles: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..articles {
            let folder = dir.path().join(format!("input/{:04}", number / FOLDER));
            if number % FOLDER == 0 {
                std::fs::create_dir_all(&folder).unwrap();
            }
            std::fs::write(folder.join(format!("{:03}.txt", number % FOLDER)), article(number)).unwrap();
        }
        let config = format!(
            "[output]\nformats = [\"csv\"]\n[summary]\nroute = \"single-call\"\n[embedded]\nfetch = false\n[[endpoint]]\nname = \"load\"\n\
             does = [\"summarise\", \"translate\"]\ndialect = \"openai\"\nurl = \"http://127.0.0.1:{port}/v1\"\nmodel = \"mock\"\n\
             price = {{ tokens_in = 0.15, tokens_out = 0.6 }}\nconcurrency = {places}\n{}",
            server.config()
        );
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        // What the articles' own writing left to do must not weigh on the run.
        let _ = Command::new("sync").status();
        Self { dir, articles }
    }

    /// One `depeche run`, and `depeche work` for the rest of so many processes. Waits for their ends.
    pub(crate) fn run(&self, processes: usize, seen: &Arc<Mutex<Seen>>) -> Vec<Process> {
        let start = |command: &str| {
            let mut program = Command::new(env!("CARGO_BIN_EXE_depeche"));
            program.args([command, "-q"]).current_dir(self.dir.path()).stdout(Stdio::null()).spawn().unwrap()
        };
        let mut children = vec![start("run")];
        // Then the run is open.
        while seen.lock().unwrap().requests == 0 && children[0].try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        children.extend((1..processes).map(|_| start("work")));
        self.watch(children, seen)
    }

    fn watch(&self, mut children: Vec<Child>, seen: &Arc<Mutex<Seen>>) -> Vec<Process> {
        let mut used = vec![Process::default(); children.len()];
        let mut running = true;
        while running {
            let part = (PARTS - 1) * seen.lock().unwrap().answered.len() / self.articles;
            running = false;
            for (child, used) in children.iter_mut().zip(&mut used) {
                look(child.id(), used, part.min(PARTS - 1));
                running |= child.try_wait().unwrap().is_none();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        for (number, child) in children.iter_mut().enumerate() {
            let status = child.wait().unwrap();
            if !status.success() {
                println!("process {} ended with {status}", number + 1);
            }
        }
        used
    }

    /// Says whether the table has all articles, done, in the order of their sources.
    pub(crate) fn check_table(&self, articles: usize) {
        let mut reader = csv::Reader::from_path(self.dir.path().join("output/summaries.csv")).unwrap();
        let headers = reader.headers().unwrap().clone();
        let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
        let (source, status) = (at("source"), at("status"));
        let (mut rows, mut done, mut in_order, mut last) = (0, 0, true, String::new());
        for record in reader.records() {
            let record = record.unwrap();
            rows += 1;
            done += usize::from(&record[status] == "done");
            in_order &= last.as_str() < &record[source];
            record[source].clone_into(&mut last);
        }
        println!("table: {rows} of {articles} rows, {done} done, {}", if in_order { "in order" } else { "NOT IN ORDER" });
    }
}

/// A process's memory in this part of the run, and its CPU.
fn look(process: u32, used: &mut Process, part: usize) {
    let read = |file: &str| std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join(file));
    let (Ok(status), Ok(stat)) = (read("status"), read("stat")) else { return };
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
    used.memory[part] = used.memory[part].max(resident.unwrap_or(0) >> 10);
    used.cpu = used.cpu.max(ticks(&stat, &[11, 12]));
}

/// Seconds of CPU in these fields of a `stat` of /proc, counted after the program's name.
pub(crate) fn ticks(stat: &str, fields: &[usize]) -> f64 {
    let all: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields.iter().filter_map(|at| all.get(*at)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// A text of about 600 bytes; no two share a sentence.
fn article(number: usize) -> String {
    let mut text = format!("La digue {number} du port sera rehaussée\n\n");
    for part in 0..4 {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "Le conseil municipal a décidé mardi de rehausser la digue {number} avant l’hiver, pour {} euros. ",
            number * 7 + part
        );
    }
    text
}
