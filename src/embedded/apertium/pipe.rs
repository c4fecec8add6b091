//! A pipeline of programs kept running: a request is written to the first, its reply read from the last.

use super::Error;
use super::mode::Program;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// The longest reply that is read; a chain that writes more than this without a NUL has gone wrong.
const LONGEST_REPLY: u64 = 4 << 20;

/// Programs connected by pipes. A thread writes to the first and a thread reads from the last, so that neither waits
/// for the other, however long the text.
#[derive(Debug)]
pub(super) struct Chain {
    requests: Sender<Vec<u8>>,
    replies: Receiver<Vec<u8>>,
    // Last, so that it is dropped after the ends of the channels.
    #[cfg_attr(not(test), expect(dead_code, reason = "held for its drop, which ends the programs"))]
    children: Children,
}

/// The running programs of a chain; stopped and reaped when dropped.
#[derive(Debug)]
struct Children(Vec<Child>);

impl Chain {
    /// Starts every program, its output connected to the next one's input.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] if a program or a thread cannot be started; the programs that were are stopped again.
    pub(super) fn start(programs: &[Program]) -> Result<Self, Error> {
        let mut children = Children(Vec::with_capacity(programs.len()));
        let mut first: Option<ChildStdin> = None;
        let mut last: Option<ChildStdout> = None;
        for program in programs {
            let input = last.take().map_or_else(Stdio::piped, Stdio::from);
            let failed = |source| Error::Start { what: program.path.display().to_string(), source };
            let mut child = command(program).stdin(input).spawn().map_err(failed)?;
            last = child.stdout.take();
            first = first.or_else(|| child.stdin.take());
            children.0.push(child);
        }
        let (requests, to_write) = channel();
        let (to_deliver, replies) = channel();
        if let (Some(first), Some(last)) = (first, last) {
            spawn("apertium-in", move || write_requests(first, &to_write))?;
            spawn("apertium-out", move || read_replies(last, &to_deliver))?;
        }
        Ok(Self { requests, replies, children })
    }

    /// Sends one request (it must end with its only NUL) and waits for its reply, which is given without the NUL.
    ///
    /// After an error the chain is of no use any more: a late reply would be taken for the next one's.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] or, if a program of the chain has ended, [`Error::Died`].
    pub(super) fn ask(&mut self, request: Vec<u8>, time_out: Duration) -> Result<String, Error> {
        // A reply that nobody asked for means that questions and answers are out of step.
        if self.replies.try_recv().is_ok() {
            return Err(Error::Died);
        }
        self.requests.send(request).map_err(|_| Error::Died)?;
        match self.replies.recv_timeout(time_out) {
            Ok(reply) => String::from_utf8(reply).map_err(|_| Error::NotUtf8),
            Err(RecvTimeoutError::Timeout) => Err(Error::TimedOut { seconds: time_out.as_secs_f64() }),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Died),
        }
    }

    /// The process ids of the chain's programs.
    #[cfg(test)]
    pub(super) fn pids(&self) -> Vec<u32> {
        self.children.0.iter().map(Child::id).collect()
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // All are killed before any is waited for: they end at once, not one after the other.
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// How a program is started: nothing of our environment but what finds its libraries, since keys may be in it; a UTF-8
/// locale, since cron has none; a process group of its own, so that Ctrl-C reaches us and not a chain that is still
/// needed to finish an article. Should we be killed, the chain reads the end of its input and ends by itself.
fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.path);
    command.args(&program.args).env_clear().env("LC_ALL", "C.UTF-8").process_group(0);
    if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Starts a thread that ends by itself when the chain does.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|source| Error::Start { what: format!("the thread {name}"), source })
}

/// Writes requests until the chain is dropped or its first program has ended.
fn write_requests(mut first: ChildStdin, requests: &Receiver<Vec<u8>>) {
    for request in requests {
        if first.write_all(&request).and_then(|()| first.flush()).is_err() {
            return;
        }
    }
}

/// Reads replies until the chain's last program ends; a reply cut off by that is dropped.
fn read_replies(last: ChildStdout, replies: &Sender<Vec<u8>>) {
    let mut last = BufReader::new(last);
    while let Ok(Some(reply)) = read_reply(&mut last) {
        if replies.send(reply).is_err() {
            return;
        }
    }
}

/// One reply, without its NUL; none at the end of the output or if it is far too long.
fn read_reply(last: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut reply = Vec::new();
    last.take(LONGEST_REPLY).read_until(0, &mut reply)?;
    Ok((reply.pop() == Some(0)).then_some(reply))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::time::Instant;

    fn program(path: &str, args: &[&str]) -> Program {
        Program { path: PathBuf::from(path), args: args.iter().map(|&arg| arg.to_owned()).collect() }
    }

    fn cat() -> Program {
        program("/bin/cat", &[])
    }

    /// Our children among `pids`, zombies included, by the parent that /proc names.
    fn still_there(pids: &[u32]) -> usize {
        pids.iter().filter(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists()).count()
    }

    #[test]
    fn a_chain_answers_and_leaves_no_process_behind() {
        let mut chain = Chain::start(&[cat(), cat(), cat()]).unwrap();
        let pids = chain.pids();
        assert_eq!(chain.ask(b"one\0".to_vec(), Duration::from_secs(10)).unwrap(), "one");
        assert_eq!(chain.ask(b"two\0".to_vec(), Duration::from_secs(10)).unwrap(), "two");
        assert_eq!(still_there(&pids), 3);
        drop(chain);
        assert_eq!(still_there(&pids), 0);
    }

    #[test]
    fn a_request_larger_than_every_pipe_does_not_block() {
        let mut chain = Chain::start(&[cat(), cat()]).unwrap();
        let mut request = vec![b'x'; 1_000_000];
        request.push(0);
        assert_eq!(chain.ask(request, Duration::from_secs(30)).unwrap().len(), 1_000_000);
    }

    #[test]
    fn a_chain_that_hangs_times_out_and_can_be_dropped() {
        let mut chain = Chain::start(&[cat(), program("/bin/sleep", &["1000"])]).unwrap();
        let pids = chain.pids();
        let begun = Instant::now();
        let reply = chain.ask(vec![0; 1_000_000], Duration::from_millis(100));
        assert!(matches!(reply, Err(Error::TimedOut { .. })));
        drop(chain);
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(still_there(&pids), 0);
    }

    #[test]
    fn a_program_that_ended_is_an_error_at_once() {
        let mut chain = Chain::start(&[cat(), program("/bin/true", &[]), cat()]).unwrap();
        let begun = Instant::now();
        assert!(matches!(chain.ask(b"x\0".to_vec(), Duration::from_secs(10)), Err(Error::Died)));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_program_that_cannot_start_takes_the_others_with_it() {
        let started = Chain::start(&[cat(), program("/nowhere/x", &[])]);
        assert!(matches!(started, Err(Error::Start { .. })));
    }
}
