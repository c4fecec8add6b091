//! Real Apertium: Debian's APY server, forced onto loopback and a free port, and the embedded
//! endpoint's own.

use std::path::Path;
use std::process::Command;

use crate::support::apertium;
use crate::support::articles::english;
use crate::support::configs::embedded;
use crate::support::http::ask;
use crate::support::process::Running;
use crate::support::test_dir::TestDir;

/// Python loads this at its start. It binds every socket to loopback and a free port, and prints
/// the port.
const SITECUSTOMIZE: &str = r#"
import socket, sys
_bind = socket.socket.bind
def _loopback(self, address):
    if self.family == socket.AF_INET6:
        address = ("::1", 0)
    elif self.family == socket.AF_INET:
        address = ("127.0.0.1", 0)
    bound = _bind(self, address)
    if self.family == socket.AF_INET:
        print("listening on port", self.getsockname()[1], file=sys.stderr, flush=True)
    return bound
socket.socket.bind = _loopback
"#;

/// Starts the APY server and returns it with its address. Returns `None` if it is not installed.
fn start_apy(dir: &TestDir) -> Option<(Running, String)> {
    let program = Path::new("/usr/bin/apertium-apy");
    if !program.is_file() {
        println!("skipped: apertium-apy is not installed");
        return None;
    }
    dir.write("shim/sitecustomize.py", SITECUSTOMIZE);
    for mode in ["fr-es", "spa-eng", "eng-spa", "es-fr"] {
        let link = dir.path("modes").join(mode).with_extension("mode");
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(Path::new("/usr/share/apertium/modes").join(mode).with_extension("mode"), link).unwrap();
    }
    let mut command = Command::new(program);
    command.arg("--port").arg("2737").arg("--max-pipes-per-pair").arg("1").arg(dir.path("modes")).current_dir(dir.path("modes"));
    command.env("PYTHONPATH", dir.path("shim")).env("LC_ALL", "C.UTF-8");
    let mut server = Running::start(&mut command);
    let line = server.wait_for_line("listening on port ");
    let url = format!("http://127.0.0.1:{}", line.split_whitespace().last().unwrap());
    // It listens shortly after it binds the port, so connect until that works.
    let address = url.strip_prefix("http://").unwrap();
    let ready = (0..1_000_000).any(|_| {
        std::thread::yield_now();
        std::net::TcpStream::connect(address).is_ok()
    });
    assert!(ready && ask(&url, "/listPairs", &[], None).status == 200);
    Some((server, url))
}

/// A config with embedded summaries and translations by this server.
fn config(url: &str) -> String {
    let second = format!("[[endpoint]]\nname = \"apy\"\ndoes = [\"translate\"]\ndialect = \"apertium\"\nurl = \"{url}\"\n\n[embedded]");
    embedded("fetch = false\ntranslator = \"apertium\"")
        .replace("\"summarise\", \"translate\"", "\"summarise\"")
        .replace("[embedded]", &second)
}

#[test]
fn an_apertium_server_translates_both_directions_as_drafts() {
    if !apertium() {
        return;
    }
    let dir = TestDir::with("", 1);
    let Some((_server, url)) = start_apy(&dir) else { return };
    dir.write("config.toml", config(&url));
    dir.write("input/bridge.txt", english(7));
    dir.run(&["run"]).exits(0);
    for row in dir.rows() {
        // Apertium leaves Spanish words, which the check `language` finds.
        assert!(row["status"] == "done" && row["flags"].starts_with("draft"), "{row:?}");
        assert_eq!((row["summary_endpoint"].as_str(), row["translation_endpoint"].as_str()), ("embedded", "apy"));
        assert!(!row["summary_en"].contains('*') && !row["summary_fr"].contains('*'), "{row:?}");
    }
    let title = dir.row("input/bridge.txt")["title_fr"].to_lowercase();
    assert!(title.contains("pont") && title.contains('7'), "{title}");
    let summary = dir.row("input/001.txt")["summary_en"].to_lowercase();
    assert!(summary.contains(" the ") && summary.contains("port"), "{summary}");
    let table = dir.table();
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.table(), table);
}

#[test]
fn doctor_shows_the_chain_through_spanish() {
    if !apertium() {
        return;
    }
    let dir = TestDir::new();
    let Some((_server, url)) = start_apy(&dir) else { return };
    dir.write("config.toml", config(&url));
    let ended = dir.run(&["doctor"]).exits(0);
    assert!(ended.stdout.contains("translates by way of fra→spa→eng (drafts only)"), "{}", ended.stdout);
}

#[test]
fn the_embedded_apertium_translates_the_same_in_every_run() {
    if !apertium() {
        return;
    }
    let dir = TestDir::with(&embedded("fetch = false\ntranslator = \"apertium\""), 3);
    (1..=3).for_each(|number| dir.write(&format!("input/bridge-{number}.txt"), english(number)));
    dir.run(&["run"]).exits(0);
    let first = dir.without_times();
    assert!(dir.rows().iter().all(|row| row["status"] == "done" && row["flags"].starts_with("draft")));
    std::fs::remove_dir_all(dir.path("output")).unwrap();
    dir.run(&["run", "--concurrency", "1"]).exits(0);
    assert_eq!(dir.without_times(), first);
}
