//! Tests admission control against a grid of simulated services, on a paused clock. The program
//! does not know their limits.
//!
//! How much can be reached? After one refusal, nothing distinguishes places from a bucket, because
//! both accept a number of calls at once. The second refusal shows places exactly. It shows a rate
//! only roughly, because the bucket was emptied at once. The third refusal, after a longer time,
//! shows the rate exactly. So the pauses after the first two refusals (places) or three (rates) do
//! not count. Every further pause is lost time. If it is half a minute, the rest of a run of ten
//! seconds is lost.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::admission::AdmissionControl;
use super::others::Others;
use crate::config::{Concurrency, Endpoint};
use crate::model::Usage;

const AUTO: Concurrency = Concurrency::Auto { start: 8, max: 256 };
const FIXED: Concurrency = Concurrency::Fixed(64);
/// Calls that wait at any time.
const WORKERS: usize = 100;
/// The spread of answer times that vary: they are log-normal with this deviation.
const SPREAD: f64 = 0.6;
/// From a request to its refusal, not counting the time on the network.
const REFUSAL_TIME: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// A bucket of `burst` tokens, which gains `rate` tokens each second.
    Rate {
        rate: f64,
        burst: f64,
    },
    /// This many calls in any second.
    Window(usize),
    /// This many calls in each second of the service's clock.
    ClockSecond(usize),
    Places(usize),
    /// None, but the service refuses this share of the calls at random.
    Random(f64),
}

/// The pause that a refusal asks for.
#[derive(Clone, Copy, Debug)]
enum Told {
    Nothing,
    Seconds(u64),
    /// When the limit resets.
    Headers,
}

#[derive(Clone, Copy, Debug)]
struct Service {
    limit: Limit,
    latency: Duration,
    told: Told,
    /// Another client uses 40 % of what the service allows.
    shared: bool,
    /// The time from the service to the client.
    way: Duration,
    /// Some answers take much longer than others.
    varies: bool,
}

#[derive(Debug)]
struct State {
    start: Instant,
    window: VecDeque<Instant>,
    level: f64,
    last: Instant,
    active: usize,
    /// The service has asked for a pause until then.
    closed_until: Instant,
    /// When the client has heard of that pause.
    known_from: Instant,
    pauses: usize,
    /// The total length of the pauses that no client could avoid.
    closed: Duration,
    /// In seconds since the start, without the pauses.
    accepted: Vec<f64>,
    /// Refused calls that were sent before the client had heard of a refusal, and others.
    refused_at_start: usize,
    refused: usize,
    heard_of_a_refusal: bool,
    ignored_pauses: usize,
    random: u64,
}

impl Service {
    fn new(limit: Limit, latency: u64, told: Told) -> Self {
        Self { limit, latency: Duration::from_millis(latency), told, shared: false, way: Duration::ZERO, varies: false }
    }

    /// How many calls a second the service allows.
    fn rate(&self) -> f64 {
        match self.limit {
            Limit::Rate { rate, .. } => rate * self.part(),
            Limit::Window(count) | Limit::ClockSecond(count) => count as f64 * self.part(),
            Limit::Places(places) => self.places(places) / (self.latency + self.way).as_secs_f64(),
            Limit::Random(_) => f64::INFINITY,
        }
    }

    fn part(&self) -> f64 {
        if self.shared { 0.6 } else { 1.0 }
    }

    fn places(&self, places: usize) -> f64 {
        (places as f64 * self.part()).round().max(1.0)
    }

    /// How many refusals it takes to find the limit.
    fn refusals_needed(&self) -> usize {
        if matches!(self.limit, Limit::Places(_)) { 2 } else { 3 }
    }

    fn accepts(&self, state: &mut State) -> bool {
        let now = Instant::now();
        match self.limit {
            Limit::Places(places) => (state.active as f64) < self.places(places),
            Limit::Rate { burst, .. } => {
                state.level = (state.level + (now - state.last).as_secs_f64() * self.rate()).min(burst);
                state.last = now;
                let accepts = state.level >= 1.0;
                state.level -= f64::from(u8::from(accepts));
                accepts
            }
            Limit::Random(share) => state.random() >= share,
            Limit::Window(_) | Limit::ClockSecond(_) => {
                let counted_since = self.window_start(state, now);
                state.window.retain(|at| *at >= counted_since);
                let accepts = (state.window.len() as f64) < self.rate();
                state.window.extend(accepts.then_some(now));
                accepts
            }
        }
    }

    fn window_start(&self, state: &State, now: Instant) -> Instant {
        let second = Duration::from_secs(1);
        // The service's clock is a third of a second ahead.
        let since_start = now - state.start + second / 3;
        let began = now - Duration::from_nanos(since_start.subsec_nanos().into());
        if matches!(self.limit, Limit::ClockSecond(_)) { began } else { now.checked_sub(second).unwrap_or(now) }
    }

    /// When the limit resets.
    fn reset(&self, state: &State) -> Duration {
        match self.limit {
            Limit::Rate { burst, .. } => Duration::from_secs_f64((burst - state.level) / self.rate()),
            Limit::Places(_) | Limit::Random(_) => Duration::from_millis(100),
            Limit::Window(_) => Duration::from_secs(1).saturating_sub(state.window.front().map_or(Duration::ZERO, Instant::elapsed)),
            Limit::ClockSecond(_) => Duration::from_secs(1).saturating_sub(self.window_start(state, Instant::now()).elapsed()),
        }
    }

    /// Refuses a call. Returns the pause that it asks for.
    fn refuse(&self, state: &mut State) -> Option<Duration> {
        *if state.heard_of_a_refusal { &mut state.refused } else { &mut state.refused_at_start } += 1;
        let seconds = match self.told {
            Told::Nothing => return None,
            Told::Headers => return Some(self.reset(state)),
            Told::Seconds(seconds) => Duration::from_secs(seconds),
        };
        let now = Instant::now();
        if now >= state.closed_until {
            state.known_from = now + REFUSAL_TIME + self.way;
            state.pauses += 1;
        }
        let until = now + seconds;
        if state.pauses <= self.refusals_needed() {
            state.closed += until.saturating_duration_since(state.closed_until.max(now));
        }
        state.closed_until = state.closed_until.max(until);
        Some(seconds)
    }

    /// From a request to its answer.
    fn answer_time(&self, state: &mut State) -> Duration {
        // The sum of twelve such numbers is nearly normal, with a deviation of 1.
        let mut normal = || (0..12).map(|_| state.random()).sum::<f64>() - 6.0;
        if self.varies { self.latency.mul_f64((SPREAD * normal()).exp()) } else { self.latency }
    }
}

impl State {
    /// A number from 0 to 1 (Knuth's MMIX).
    fn random(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

async fn work(service: Service, admission: Rc<AdmissionControl>, state: Rc<RefCell<State>>) {
    let none = || Ok::<(), ()>(());
    loop {
        let mut ready = Some(admission.wait_in_line(Others::None, true, none).await.unwrap());
        loop {
            let call = admission.admit(ready.take(), &Usage::default(), 1, Others::None, none).await.unwrap();
            let now = Instant::now();
            let (accepts, open, answer_time) = {
                let mut state = state.borrow_mut();
                state.ignored_pauses += usize::from(now > state.known_from && now < state.closed_until);
                let accepts = service.accepts(&mut state);
                state.active += usize::from(accepts);
                (accepts, (now - state.start).saturating_sub(state.closed), service.answer_time(&mut state))
            };
            if accepts {
                sleep(answer_time).await;
                state.borrow_mut().active -= 1;
                sleep(service.way).await;
                state.borrow_mut().accepted.push(open.as_secs_f64());
                call.answered();
                break;
            }
            let asked = service.refuse(&mut state.borrow_mut());
            sleep(REFUSAL_TIME + service.way).await;
            state.borrow_mut().heard_of_a_refusal = true;
            call.rate_limited(asked);
        }
    }
}

#[derive(Debug)]
struct Measured {
    /// The share of the allowed calls that were made: over all open seconds, and over the second
    /// half of them.
    whole: f64,
    late: f64,
    /// The share of all calls that were refused although the client could have known the limit.
    refused: f64,
    ignored_pauses: usize,
}

async fn simulate(service: Service, concurrency: Concurrency) -> Measured {
    simulate_for(service, concurrency, 10.0).await
}

async fn simulate_for(service: Service, concurrency: Concurrency, seconds: f64) -> Measured {
    let endpoint = Endpoint { concurrency, wait_for: Duration::from_secs(45), ..Endpoint::sample("openai", "http://x") };
    let start = Instant::now();
    let state = State {
        start,
        window: VecDeque::new(),
        level: if let Limit::Rate { burst, .. } = service.limit { burst } else { 0.0 },
        last: start,
        active: 0,
        closed_until: start,
        known_from: start,
        pauses: 0,
        closed: Duration::ZERO,
        accepted: Vec::new(),
        refused_at_start: 0,
        refused: 0,
        heard_of_a_refusal: false,
        ignored_pauses: 0,
        random: 1,
    };
    let (admission, state) = (Rc::new(AdmissionControl::new(&endpoint)), Rc::new(RefCell::new(state)));
    let set = tokio::task::LocalSet::new();
    for _ in 0..WORKERS {
        set.spawn_local(work(service, Rc::clone(&admission), Rc::clone(&state)));
    }
    set.run_until(async {
        while start.elapsed().saturating_sub(state.borrow().closed).as_secs_f64() < seconds {
            sleep(Duration::from_millis(50)).await;
        }
        sleep(2 * (service.latency + service.way)).await;
    })
    .await;
    drop(set);
    let state = state.borrow();
    let own = concurrency.max().min(WORKERS) as f64 / (service.latency + service.way).as_secs_f64();
    let allowed = service.rate().min(own);
    let between = |from: f64, to: f64| state.accepted.iter().filter(|at| (from..to).contains(*at)).count() as f64 / (allowed * (to - from));
    let calls = state.accepted.len() + state.refused_at_start + state.refused;
    Measured {
        whole: between(0.0, seconds),
        late: between(seconds / 2.0, seconds),
        refused: state.refused.saturating_sub(service.refusals_needed() - 1) as f64 / calls as f64,
        ignored_pauses: state.ignored_pauses,
    }
}

/// The least share that must be reached: over ten seconds, over the last five, and the average of
/// both over all services.
#[derive(Clone, Copy, Debug)]
struct Least {
    whole: f64,
    late: f64,
    average: f64,
}

async fn try_services(services: impl IntoIterator<Item = Service>, least: Least) {
    let (mut wrong, mut all) = (Vec::new(), Vec::new());
    for service in services {
        for concurrency in [AUTO, FIXED] {
            let measured = simulate(service, concurrency).await;
            let most_refused = if concurrency == AUTO { 0.03 } else { 0.10 };
            let enough = measured.whole >= least.whole && measured.late >= least.late;
            if !enough || measured.refused >= most_refused || measured.ignored_pauses > 0 {
                wrong.push(format!("{service:?} {concurrency:?}: {measured:?}"));
            }
            all.extend([measured.whole.min(1.0), measured.late.min(1.0)]);
        }
    }
    assert!(wrong.is_empty(), "{} services:\n{}", wrong.len(), wrong.join("\n"));
    let average = all.iter().sum::<f64>() / all.len() as f64;
    assert!(average >= least.average, "{average} on average");
}

/// Tests 28 services with this kind of refusal, with `auto` and with a fixed concurrency. There are
/// five kinds of refusals, so there are 280 cases in all.
async fn finds_the_limits(told: Told) {
    let rates = [20.0, 100.0].into_iter().flat_map(|rate| [0.1_f64, 0.5].map(|part| Limit::Rate { rate, burst: (rate * part).max(5.0) }));
    let services = |limits: Vec<Limit>| {
        let services = limits.into_iter().flat_map(move |limit| [50, 200].map(|latency| Service::new(limit, latency, told)));
        services.flat_map(|service| [false, true].map(|shared| Service { shared, ..service }))
    };
    let places = services([3, 20].map(Limit::Places).to_vec());
    try_services(places, Least { whole: 0.97, late: 0.97, average: 0.98 }).await;
    let rates = services(rates.chain([Limit::Window(100)]).collect());
    try_services(rates, Least { whole: 0.85, late: 0.86, average: 0.97 }).await;
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

/// A random refusal costs only its pause.
#[tokio::test(start_paused = true)]
async fn random_refusals_show_no_limit() {
    for share in [0.02, 0.05] {
        for (told, pause) in [(Told::Nothing, 0.1), (Told::Seconds(1), 1.0)] {
            for (latency, seconds) in [(50, 60.0), (500, 240.0)] {
                for concurrency in [AUTO, FIXED] {
                    let service = Service::new(Limit::Random(share), latency, told);
                    let measured = simulate_for(service, concurrency, seconds).await;
                    let own = concurrency.max().min(WORKERS) as f64 / service.latency.as_secs_f64();
                    let until_refused = 1.0 / share;
                    let ideal = until_refused / (pause + until_refused / own) / own;
                    assert!(measured.late >= 0.7 * ideal, "{ideal}: {service:?} {concurrency:?}: {measured:?}");
                }
            }
        }
    }
}

/// With few calls in flight, some take longer than usual now and then. This must not lower the
/// number of calls in flight.
#[tokio::test(start_paused = true)]
async fn answer_times_that_vary_are_no_slowdown() {
    let service = Service { varies: true, ..Service::new(Limit::Random(0.03), 100, Told::Nothing) };
    let measured = simulate_for(service, AUTO, 60.0).await;
    assert!(measured.late >= 0.2, "{measured:?}");
}

/// Services that are harder to learn: 40 ms away, or with answer times that vary.
#[tokio::test(start_paused = true)]
async fn no_service_stalls_a_run() {
    let buckets = [(5.0, 5.0), (50.0, 1.0), (200.0, 20.0), (30.0, 60.0)].map(|(rate, burst)| Limit::Rate { rate, burst });
    let others = [Limit::Window(30), Limit::ClockSecond(100), Limit::Places(1), Limit::Places(8), Limit::Places(64)];
    let limits = buckets.into_iter().chain(others);
    let told = [Told::Nothing, Told::Seconds(1), Told::Seconds(2), Told::Headers];
    let services =
        limits.flat_map(|limit| [20, 300].into_iter().flat_map(move |latency| told.map(|told| Service::new(limit, latency, told))));
    for service in services {
        let far = Service { way: Duration::from_millis(40), varies: true, ..service };
        for service in [service, Service { varies: true, ..service }, far] {
            for concurrency in [AUTO, FIXED] {
                let measured = simulate(service, concurrency).await;
                assert!(measured.whole >= 0.25 && measured.late >= 0.2, "{service:?} {concurrency:?}: {measured:?}");
            }
        }
    }
}
