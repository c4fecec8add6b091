//! Dialects against the real thing: Debian's Apertium APY server, forced onto loopback and a free port.

use std::path::Path;
use std::process::Command;

use crate::support::apertium;
use crate::support::articles::english;
use crate::support::configs::embedded;
use crate::support::desk::Desk;
use crate::support::http::ask;
use crate::support::process::Running;

/// Python reads this at its start: every socket goes to loopback and a port that the kernel chooses, and says which.
const SHIM: &str = r#"
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

/// The running APY server, and where it is; none where it is not installed.
fn apy(desk: &Desk) -> Option<(Running, String)> {
    let program = Path::new("/usr/bin/apertium-apy");
    if !program.is_file() {
        println!("skipped: apertium-apy is not installed");
        return None;
    }
    desk.write("shim/sitecustomize.py", SHIM);
    for mode in ["fr-es", "spa-eng", "eng-spa", "es-fr"] {
        let link = desk.path("modes").join(mode).with_extension("mode");
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(Path::new("/usr/share/apertium/modes").join(mode).with_extension("mode"), link).unwrap();
    }
    let mut command = Command::new(program);
    command.arg("--port").arg("2737").arg("--max-pipes-per-pair").arg("1").arg(desk.path("modes")).current_dir(desk.path("modes"));
    command.env("PYTHONPATH", desk.path("shim")).env("LC_ALL", "C.UTF-8");
    let mut server = Running::start(&mut command);
    let line = server.says("listening on port ");
    let url = format!("http://127.0.0.1:{}", line.split_whitespace().last().unwrap());
    // The port is bound a moment before it listens: bounded tries, each a whole connection attempt.
    let address = url.strip_prefix("http://").unwrap();
    let ready = (0..1_000_000).any(|_| {
        std::thread::yield_now();
        std::net::TcpStream::connect(address).is_ok()
    });
    assert!(ready && ask(&url, "/listPairs", &[], None).status == 200);
    Some((server, url))
}

/// Embedded summaries, translations by this server.
fn config(url: &str) -> String {
    let second = format!("[[endpoint]]\nname = \"apy\"\ndoes = [\"translate\"]\ndialect = \"apertium\"\nurl = \"{url}\"\n\n[embedded]");
    embedded("fetch = false\ntranslator = \"apertium\"")
        .replace("\"summarise\", \"translate\"", "\"summarise\"")
        .replace("[embedded]", &second)
}

#[test]
fn an_apertium_server_translates_both_ways_and_its_rows_are_drafts() {
    if !apertium() {
        return;
    }
    let desk = Desk::with("", 1);
    let Some((_server, url)) = apy(&desk) else { return };
    desk.write("config.toml", config(&url));
    desk.write("input/bridge.txt", english(7));
    desk.run(&["run"]).exits(0);
    for row in desk.rows() {
        assert_eq!((row["status"].as_str(), row["flags"].as_str()), ("done", "draft"), "{row:?}");
        assert_eq!((row["summary_endpoint"].as_str(), row["translation_endpoint"].as_str()), ("embedded", "apy"));
        assert!(!row["summary_en"].contains('*') && !row["summary_fr"].contains('*'), "{row:?}");
    }
    let title = desk.row("input/bridge.txt")["title_fr"].to_lowercase();
    assert!(title.contains("pont") && title.contains('7'), "{title}");
    let summary = desk.row("input/001.txt")["summary_en"].to_lowercase();
    assert!(summary.contains(" the ") && summary.contains("port"), "{summary}");
    let table = desk.table();
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.table(), table);
}

#[test]
fn doctor_sees_the_way_through_spanish() {
    if !apertium() {
        return;
    }
    let desk = Desk::new();
    let Some((_server, url)) = apy(&desk) else { return };
    desk.write("config.toml", config(&url));
    let ended = desk.run(&["doctor"]).exits(0);
    assert!(ended.stdout.contains("translates by way of fra→spa→eng (drafts only)"), "{}", ended.stdout);
}

#[test]
fn the_embedded_apertium_translates_both_ways_the_same_every_time() {
    if !apertium() {
        return;
    }
    let desk = Desk::with(&embedded("fetch = false\ntranslator = \"apertium\""), 3);
    (1..=3).for_each(|number| desk.write(&format!("input/bridge-{number}.txt"), english(number)));
    desk.run(&["run"]).exits(0);
    let first = desk.timeless();
    assert!(desk.rows().iter().all(|row| row["status"] == "done" && row["flags"] == "draft"));
    std::fs::remove_dir_all(desk.path("output")).unwrap();
    desk.run(&["run", "--concurrency", "1"]).exits(0);
    assert_eq!(desk.timeless(), first);
}
