//! A service on loopback that speaks every dialect, records each request, and fails on demand.
//!
//! Tests wait for its events, never for the clock: [`Mock::wait_for_requests`] waits for a number of requests, and [`Mock::hold`] holds
//! answers back until [`Mock::release`].

use std::collections::HashSet;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::TIMEOUT;
use super::http::{Request, Response};
use super::wire;

/// What the service does with a request.
pub(crate) enum Action {
    /// Answer it.
    Answer(Response),
    /// Close the connection without a byte.
    Drop,
    /// Close the connection in the middle of the answer's body.
    Cut(Response),
    /// Answer it, then close the connection silently, as servers do with idle connections.
    Last(Response),
    /// Send bytes that need not be HTTP, then close the connection.
    Raw(Vec<u8>),
    /// Answer byte by byte, without end.
    Drip(Response),
    /// Never answer. The connection stays open until the client or the mock ends.
    Hang,
}

impl Action {
    /// A response with this status and body.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Answer(Response::new(status, body))
    }

    /// The answer of a working service.
    pub(crate) fn normal(request: &Request) -> Self {
        Self::Answer(wire::answer(request))
    }
}

type Script = dyn Fn(&Request, usize) -> Action + Send + Sync;

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    in_flight: usize,
    most_in_flight: usize,
    /// How many answers may still be sent. `None`: all.
    passes: Option<usize>,
}

struct Inside {
    script: Box<Script>,
    state: Mutex<State>,
    changed: Condvar,
    ended: AtomicBool,
}

/// The running service. It ends on drop.
pub(crate) struct Mock {
    inside: Arc<Inside>,
    address: SocketAddr,
}

impl Mock {
    /// A service that works.
    pub(crate) fn good() -> Self {
        Self::scripted(|request, _| Action::normal(request))
    }

    /// A service that does with each request what `script` returns. The second argument is the request's number, from 0.
    pub(crate) fn scripted(script: impl Fn(&Request, usize) -> Action + Send + Sync + 'static) -> Self {
        Self::listening(&TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// A service that works, at this address.
    pub(crate) fn at(address: &str) -> Self {
        Self::listening(&TcpListener::bind(address).unwrap(), |request, _| Action::normal(request))
    }

    fn listening(listener: &TcpListener, script: impl Fn(&Request, usize) -> Action + Send + Sync + 'static) -> Self {
        let listener = listener.try_clone().unwrap();
        let address = listener.local_addr().unwrap();
        let inside =
            Arc::new(Inside { script: Box::new(script), state: Mutex::default(), changed: Condvar::new(), ended: AtomicBool::new(false) });
        let served = Arc::clone(&inside);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if served.ended.load(Ordering::SeqCst) {
                    return;
                }
                let served = Arc::clone(&served);
                std::thread::spawn(move || served.serve(stream));
            }
        });
        Self { inside, address }
    }

    /// The service's URL, `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.inside.state().requests.clone()
    }

    /// The number of requests.
    pub(crate) fn count(&self) -> usize {
        self.inside.state().requests.len()
    }

    /// The number of requests that a service would bill.
    pub(crate) fn billable(&self) -> usize {
        self.inside.state().requests.iter().filter(|request| request.is_billable()).count()
    }

    /// The distinct bodies of the requests that a service would bill.
    pub(crate) fn distinct_billable(&self) -> HashSet<Vec<u8>> {
        self.requests().into_iter().filter(Request::is_billable).map(|request| request.body).collect()
    }

    /// The highest number of requests in flight at once.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.inside.state().most_in_flight
    }

    /// Holds back all answers from now on.
    pub(crate) fn hold(&self) {
        self.inside.state().passes = Some(0);
    }

    /// Sends `count` answers and holds back the others.
    pub(crate) fn let_through(&self, count: usize) {
        *self.inside.state().passes.get_or_insert(0) += count;
        self.inside.changed.notify_all();
    }

    /// Sends all answers, those held back and those to come.
    pub(crate) fn release(&self) {
        self.inside.state().passes = None;
        self.inside.changed.notify_all();
    }

    /// Waits until `count` requests have arrived in total.
    pub(crate) fn wait_for_requests(&self, count: usize) {
        self.until(&format!("{count} requests"), |state| state.requests.len() >= count);
    }

    /// Waits until `count` requests are in flight.
    pub(crate) fn wait_for_in_flight(&self, count: usize) {
        self.until(&format!("{count} requests in flight"), |state| state.in_flight >= count);
    }

    fn until(&self, what: &str, there: impl Fn(&State) -> bool) {
        let end = Instant::now() + TIMEOUT;
        let mut state = self.inside.state();
        while !there(&state) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "timed out waiting for {what}; there were {}, {} in flight", state.requests.len(), state.in_flight);
            state = self.inside.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.inside.ended.store(true, Ordering::SeqCst);
        // A failed test may have poisoned the lock.
        if let Ok(mut state) = self.inside.state.lock() {
            state.passes = None;
        }
        self.inside.changed.notify_all();
        // Wakes the accepting thread, so that it ends.
        drop(TcpStream::connect(self.address));
    }
}

impl Inside {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Serves one connection.
    fn serve(&self, mut stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut from = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = Request::read(&mut from) {
            let number = self.arrive(&request);
            let action = (self.script)(&request, number);
            self.pass();
            // Before the answer is sent: the client may send its next request right after it.
            self.state().in_flight -= 1;
            self.changed.notify_all();
            match action {
                Action::Answer(response) if response.write(&mut stream, usize::MAX).is_ok() => {}
                Action::Cut(response) => {
                    let _ = response.write(&mut stream, response.body.len() / 2);
                    return;
                }
                Action::Last(response) => {
                    let _ = response.write(&mut stream, usize::MAX);
                    return;
                }
                Action::Raw(bytes) => {
                    let _ = stream.write_all(&bytes);
                    return;
                }
                Action::Drip(response) => {
                    let _ = response.write(&mut stream, 0);
                    // Until the client closes the connection.
                    while stream.write_all(b" ").is_ok() {
                        std::thread::sleep(std::time::Duration::from_millis(5));
                    }
                    return;
                }
                Action::Hang => drop(Request::read(&mut from)),
                Action::Answer(_) | Action::Drop => return,
            }
        }
    }

    /// Records a request and returns its number.
    fn arrive(&self, request: &Request) -> usize {
        let mut state = self.state();
        state.requests.push(request.clone());
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
        self.changed.notify_all();
        state.requests.len() - 1
    }

    /// Waits while answers are held back.
    fn pass(&self) {
        let mut state = self.state();
        loop {
            match &mut state.passes {
                None => return,
                Some(0) => state = self.changed.wait(state).unwrap(),
                Some(left) => {
                    *left -= 1;
                    return;
                }
            }
        }
    }
}
