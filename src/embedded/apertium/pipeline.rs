//! A running pipeline of programs: requests go to the first program, replies come from the last.

use super::error::Error;
use super::mode::Program;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// The most bytes of a reply. A longer output without a NUL is an error.
const MAX_REPLY_BYTES: u64 = 4 << 20;

/// Programs connected by pipes. One thread writes to the first and another reads from the last, so
/// that a long text cannot block both ends.
#[derive(Debug)]
pub(super) struct Pipeline {
    requests: Sender<Vec<u8>>,
    replies: Receiver<Vec<u8>>,
    // The last field, so that the channels are dropped first.
    #[cfg_attr(not(test), expect(dead_code, reason = "dropping it ends the programs"))]
    children: Children,
}

/// The running programs. Dropping them kills and reaps them.
#[derive(Debug)]
struct Children(Vec<Child>);

impl Pipeline {
    /// Starts all programs and connects the output of each to the input of the next.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] if a program or thread does not start. The programs that did start are
    /// stopped.
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

    /// Sends one request, which must end with its only NUL, and waits for the reply. The reply
    /// comes without its NUL.
    ///
    /// Drop the pipeline after an error: a late reply would be taken for the reply to the next
    /// request.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; [`Error::Exited`] if a program has exited; [`Error::NotUtf8`].
    pub(super) fn request(&mut self, request: Vec<u8>, timeout: Duration) -> Result<String, Error> {
        // A reply without a request: requests and replies are out of step.
        if self.replies.try_recv().is_ok() {
            return Err(Error::Exited);
        }
        self.requests.send(request).map_err(|_| Error::Exited)?;
        match self.replies.recv_timeout(timeout) {
            Ok(reply) => String::from_utf8(reply).map_err(|_| Error::NotUtf8),
            Err(RecvTimeoutError::Timeout) => Err(Error::TimedOut { seconds: timeout.as_secs_f64() }),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Exited),
        }
    }

    /// The process ids of the programs.
    #[cfg(test)]
    pub(super) fn pids(&self) -> Vec<u32> {
        self.children.0.iter().map(Child::id).collect()
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // Kill all of them first, so that they exit at the same time.
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// Builds the command of a program.
///
/// The environment has only a UTF-8 locale, which cron does not set, and the library path: ours may
/// hold API keys. The program runs in its own process group, so that Ctrl-C does not stop it while
/// an article is being finished. If we are killed, the programs reach the end of their input and
/// exit.
fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.path);
    command.args(&program.args).env_clear().env("LC_ALL", "C.UTF-8").process_group(0);
    if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Starts a thread that ends when the pipeline does.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|source| Error::Start { what: format!("the thread {name}"), source })
}

/// Writes requests until the pipeline is dropped or its first program exits.
fn write_requests(mut first: ChildStdin, requests: &Receiver<Vec<u8>>) {
    for request in requests {
        if first.write_all(&request).and_then(|()| first.flush()).is_err() {
            return;
        }
    }
}

/// Reads replies until the last program exits. Drops an incomplete reply.
fn read_replies(last: ChildStdout, replies: &Sender<Vec<u8>>) {
    let mut last = BufReader::new(last);
    while let Ok(Some(reply)) = read_reply(&mut last) {
        if replies.send(reply).is_err() {
            return;
        }
    }
}

/// Reads one reply without its NUL. Returns `None` at the end of the output or if the reply is too
/// long.
fn read_reply(last: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut reply = Vec::new();
    last.take(MAX_REPLY_BYTES).read_until(0, &mut reply)?;
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

    /// The number of processes among `pids` that exist, including zombies.
    fn count_existing(pids: &[u32]) -> usize {
        pids.iter().filter(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists()).count()
    }

    #[test]
    fn dropping_a_pipeline_leaves_no_process() {
        let mut pipeline = Pipeline::start(&[cat(), cat(), cat()]).unwrap();
        let pids = pipeline.pids();
        assert_eq!(pipeline.request(b"one\0".to_vec(), Duration::from_secs(10)).unwrap(), "one");
        assert_eq!(pipeline.request(b"two\0".to_vec(), Duration::from_secs(10)).unwrap(), "two");
        assert_eq!(count_existing(&pids), 3);
        drop(pipeline);
        assert_eq!(count_existing(&pids), 0);
    }

    #[test]
    fn a_request_larger_than_the_pipe_buffers_does_not_block() {
        let mut pipeline = Pipeline::start(&[cat(), cat()]).unwrap();
        let mut request = vec![b'x'; 1_000_000];
        request.push(0);
        assert_eq!(pipeline.request(request, Duration::from_secs(30)).unwrap().len(), 1_000_000);
    }

    #[test]
    fn a_hanging_program_times_out_and_is_stopped() {
        let mut pipeline = Pipeline::start(&[cat(), program("/bin/sleep", &["1000"])]).unwrap();
        let pids = pipeline.pids();
        let started = Instant::now();
        let reply = pipeline.request(vec![0; 1_000_000], Duration::from_millis(100));
        assert!(matches!(reply, Err(Error::TimedOut { .. })));
        drop(pipeline);
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(count_existing(&pids), 0);
    }

    #[test]
    fn an_exited_program_is_an_error_at_once() {
        let mut pipeline = Pipeline::start(&[cat(), program("/bin/true", &[]), cat()]).unwrap();
        let started = Instant::now();
        assert!(matches!(pipeline.request(b"x\0".to_vec(), Duration::from_secs(10)), Err(Error::Exited)));
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_program_that_cannot_start_is_an_error() {
        let started = Pipeline::start(&[cat(), program("/nowhere/x", &[])]);
        assert!(matches!(started, Err(Error::Start { .. })));
    }
}
