//! The real program as a child process. It never outlives its test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::TIMEOUT;

/// How the program ended, and its output.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// The exit code, or `None` if a signal ended the program.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Asserts the exit code. On failure it shows the output.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "wrong exit code\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The line of JSON at the end of a run.
    pub(crate) fn summary(&self) -> serde_json::Value {
        let line = self.stderr.lines().rfind(|line| line.starts_with('{'));
        let line = line.unwrap_or_else(|| panic!("no line of JSON:\n{}", self.stderr));
        let summary: serde_json::Value = serde_json::from_str(line).unwrap();
        let count = |key: &str| summary[key].as_u64().unwrap();
        assert_eq!(count("found"), count("done") + count("skipped") + count("failed") + count("pending"), "{summary}");
        summary
    }
}

/// A line of output, and whether it was on standard error.
type Line = (bool, String);

/// The running program.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<Line>,
    seen: Vec<Line>,
}

impl Running {
    /// Starts `command`.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let streams: [(bool, Box<dyn Read + Send>); 2] =
            [(false, Box::new(child.stdout.take().unwrap())), (true, Box::new(child.stderr.take().unwrap()))];
        for (is_error, stream) in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                let mut line = Vec::new();
                while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                    // The test may have ended.
                    let _ = sender.send((is_error, String::from_utf8(std::mem::take(&mut line)).unwrap()));
                }
            });
        }
        Self { child, lines, seen: Vec::new() }
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("/bin/sh").arg("-c").arg(format!("kill -{name} {}", self.pid())).status().unwrap();
        assert!(sent.success(), "SIG{name} could not be sent");
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for the next line that contains `text`.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(TIMEOUT);
            let (is_error, line) = line.unwrap_or_else(|_| panic!("it never said `{text}`, only:\n{}", self.said(|_| true)));
            self.seen.push((is_error, line.clone()));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for the program to end.
    pub(crate) fn wait(mut self) -> Ended {
        loop {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) => self.seen.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it does not end; it said:\n{}", self.said(|_| true)),
            }
        }
        let status: ExitStatus = self.child.wait().unwrap();
        Ended { code: status.code(), stdout: self.said(|is_error| !is_error), stderr: self.said(|is_error| is_error) }
    }

    fn said(&self, of: impl Fn(bool) -> bool) -> String {
        self.seen.iter().filter(|(is_error, _)| of(*is_error)).map(|(_, line)| line.as_str()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Usually it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
