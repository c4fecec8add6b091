//! Tries admission control against a grid of services with limits that nobody told the program, on a
//! paused clock.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::admission::AdmissionControl;
use crate::config::{Concurrency, Endpoint};
use crate::model::Usage;

const AUTO: Concurrency = Concurrency::Auto { start: 8, max: 256 };
/// Calls that wait at any time.
const WORKERS: usize = 100;
/// From a request to its refusal.
const ANSWER_TIME: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug)]
enum Limit {
    /// A bucket of `burst` calls, into which `rate` run each second.
    Rate {
        rate: f64,
        burst: f64,
    },
    /// So many calls in any second.
    Window(usize),
    Places(usize),
}

/// What a refusal says.
#[derive(Clone, Copy, Debug)]
enum Told {
    Nothing,
    Seconds(u64),
    /// When the bucket is full again.
    Headers,
}

#[derive(Clone, Copy, Debug)]
struct Service {
    limit: Limit,
    latency: Duration,
    told: Told,
    /// Another client uses 40 % of what the service allows.
    shared: bool,
}

#[derive(Debug)]
struct State {
    window: std::collections::VecDeque<Instant>,
    level: f64,
    last: Instant,
    active: usize,
    /// The service has asked for a pause until then.
    closed_until: Instant,
    /// When the client has heard of that pause.
    known_from: Instant,
    closed: Duration,
    /// In open seconds since the start.
    accepted: Vec<f64>,
    refused: usize,
    ignored_pauses: usize,
}

impl Service {
    fn rate(&self) -> f64 {
        let part = if self.shared { 0.6 } else { 1.0 };
        match self.limit {
            Limit::Rate { rate, .. } => rate * part,
            Limit::Window(count) => count as f64 * part,
            Limit::Places(places) => self.places(places) / self.latency.as_secs_f64(),
        }
    }

    fn places(&self, places: usize) -> f64 {
        if self.shared { (places as f64 * 0.6).round().max(1.0) } else { places as f64 }
    }

    fn accepts(&self, state: &mut State) -> bool {
        let now = Instant::now();
        let burst = match self.limit {
            Limit::Rate { burst, .. } => burst,
            Limit::Places(places) => return (state.active as f64) < self.places(places),
            Limit::Window(_) => {
                while state.window.front().is_some_and(|first| now - *first > Duration::from_secs(1)) {
                    state.window.pop_front();
                }
                let accepts = (state.window.len() as f64) < self.rate();
                state.window.extend(accepts.then_some(now));
                return accepts;
            }
        };
        state.level = (state.level + (now - state.last).as_secs_f64() * self.rate()).min(burst);
        state.last = now;
        let accepts = state.level >= 1.0;
        state.level -= f64::from(u8::from(accepts));
        accepts
    }

    /// When a bucket is full again.
    fn reset(&self, state: &State) -> Duration {
        match self.limit {
            Limit::Rate { burst, .. } => Duration::from_secs_f64((burst - state.level) / self.rate()),
            Limit::Places(_) => Duration::from_millis(100),
            Limit::Window(_) => Duration::from_secs(1).saturating_sub(state.window.front().map_or(Duration::ZERO, Instant::elapsed)),
        }
    }
}

async fn work(service: Service, admission: Rc<AdmissionControl>, state: Rc<RefCell<State>>, start: Instant) {
    let none = || Ok::<(), ()>(());
    loop {
        let mut ready = Some(admission.wait_in_line(true, true, none).await.unwrap());
        loop {
            let call = admission.admit(ready.take(), &Usage::default(), 1, true, none).await.unwrap();
            let now = Instant::now();
            let (accepts, open) = {
                let mut state = state.borrow_mut();
                if now > state.known_from && now < state.closed_until {
                    state.ignored_pauses += 1;
                }
                (service.accepts(&mut state), (now - start).saturating_sub(state.closed))
            };
            if accepts {
                state.borrow_mut().active += 1;
                tokio::time::sleep(service.latency).await;
                let mut state = state.borrow_mut();
                state.active -= 1;
                state.accepted.push(open.as_secs_f64());
                drop(state);
                call.answered();
                break;
            }
            let asked = {
                let mut state = state.borrow_mut();
                state.refused += 1;
                match service.told {
                    Told::Nothing => None,
                    Told::Seconds(seconds) => Some(Duration::from_secs(seconds)),
                    Told::Headers => Some(service.reset(&state)),
                }
            };
            if let (Told::Seconds(_), Some(asked)) = (service.told, asked) {
                let mut state = state.borrow_mut();
                let until = now + asked;
                let more = until.saturating_duration_since(state.closed_until.max(now));
                state.closed += more;
                if now >= state.closed_until {
                    state.known_from = now + ANSWER_TIME;
                }
                state.closed_until = state.closed_until.max(until);
            }
            tokio::time::sleep(ANSWER_TIME).await;
            call.rate_limited(asked);
        }
    }
}

#[derive(Debug)]
struct Measured {
    /// Of what is allowed, over ten open seconds and over the last five of them.
    whole: f64,
    late: f64,
    refused: f64,
    refusals: usize,
    ignored_pauses: usize,
}

async fn simulate(service: Service, concurrency: Concurrency) -> Measured {
    let endpoint = Endpoint { concurrency, wait_for: Duration::from_secs(45), ..Endpoint::sample("openai", "http://x") };
    let start = Instant::now();
    let state = State {
        window: std::collections::VecDeque::new(),
        level: if let Limit::Rate { burst, .. } = service.limit { burst } else { 0.0 },
        last: start,
        active: 0,
        closed_until: start,
        known_from: start,
        closed: Duration::ZERO,
        accepted: Vec::new(),
        refused: 0,
        ignored_pauses: 0,
    };
    let (admission, state) = (Rc::new(AdmissionControl::new(&endpoint)), Rc::new(RefCell::new(state)));
    let set = tokio::task::LocalSet::new();
    for _ in 0..WORKERS {
        set.spawn_local(work(service, Rc::clone(&admission), Rc::clone(&state), start));
    }
    set.run_until(async {
        while start.elapsed().saturating_sub(state.borrow().closed) < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(service.latency).await;
    })
    .await;
    drop(set);
    let state = state.borrow();
    let own = concurrency.max() as f64 / service.latency.as_secs_f64();
    let allowed = service.rate().min(own);
    let between = |from: f64, to: f64| state.accepted.iter().filter(|at| (from..to).contains(*at)).count() as f64 / (allowed * (to - from));
    let requests = state.accepted.len() + state.refused;
    Measured {
        whole: between(0.0, 10.0),
        late: between(5.0, 10.0),
        refused: state.refused as f64 / requests as f64,
        refusals: state.refused,
        ignored_pauses: state.ignored_pauses,
    }
}

/// Services that say this when they refuse a call, each with a client that finds its concurrency and
/// one with a fixed concurrency: 56 for each thing that they say, 280 in all.
fn grid(told: Told) -> Vec<(Service, Concurrency)> {
    let rates = [20.0, 100.0].into_iter().flat_map(|rate| [0.1, 0.5].map(|part| Limit::Rate { rate, burst: (rate * part).max(5.0) }));
    let limits = rates.chain([Limit::Window(100)]).chain([3, 20].map(Limit::Places));
    let with_latency = limits.flat_map(|limit| [50, 200].map(|latency| (limit, Duration::from_millis(latency))));
    let services = with_latency.flat_map(|(limit, latency)| [false, true].map(|shared| Service { limit, latency, told, shared }));
    services.flat_map(|service| [AUTO, Concurrency::Fixed(64)].map(|concurrency| (service, concurrency))).collect()
}

/// The shares of what is allowed that are reached over ten seconds, and over the last five of them.
/// Places are found exactly. A bucket's rate is approached from below, and a window only shows that it
/// is one after it has refused calls for some time.
fn least(limit: Limit) -> (f64, f64) {
    match limit {
        Limit::Places(_) => (0.85, 0.95),
        Limit::Rate { .. } => (0.80, 0.80),
        Limit::Window(_) => (0.60, 0.60),
    }
}

/// Tries the grid. A burst at the start may be refused: up to 17 calls, of which a slow service accepts
/// few in ten seconds.
async fn finds_the_limits(told: Told) {
    let mut wrong = Vec::new();
    let (mut cells, mut whole, mut late) = (0.0, 0.0, 0.0);
    for (service, concurrency) in grid(told) {
        let measured = simulate(service, concurrency).await;
        let least = least(service.limit);
        let refused = if concurrency == AUTO { 0.04 } else { 0.10 };
        let too_many = measured.refused > refused && measured.refusals > 20;
        if measured.whole < least.0 || measured.late < least.1 || too_many || measured.ignored_pauses > 0 {
            wrong.push(format!("{service:?} {concurrency:?}: {measured:?}"));
        }
        (cells, whole, late) = (cells + 1.0, whole + measured.whole.min(1.0), late + measured.late.min(1.0));
    }
    assert!(wrong.is_empty(), "{} services:\n{}", wrong.len(), wrong.join("\n"));
    assert!(whole / cells >= 0.93 && late / cells >= 0.95, "on average {} and {}", whole / cells, late / cells);
}

#[tokio::test(start_paused = true)]
async fn finds_limits_that_say_nothing() {
    finds_the_limits(Told::Nothing).await;
}

#[tokio::test(start_paused = true)]
async fn finds_limits_that_ask_for_a_pause_of_a_second() {
    finds_the_limits(Told::Seconds(1)).await;
}

#[tokio::test(start_paused = true)]
async fn finds_limits_that_ask_for_a_pause_of_two_seconds() {
    finds_the_limits(Told::Seconds(2)).await;
}

#[tokio::test(start_paused = true)]
async fn finds_limits_that_ask_for_a_pause_of_half_a_minute() {
    finds_the_limits(Told::Seconds(30)).await;
}

#[tokio::test(start_paused = true)]
async fn finds_limits_that_say_when_they_reset() {
    finds_the_limits(Told::Headers).await;
}
