use super::state::{CLAIMED_EARLY, MIN_PLACES_TO_CLAIM_EARLY};
use super::*;
use crate::config::{Concurrency, Rates};

const MANY: usize = MIN_PLACES_TO_CLAIM_EARLY;

fn with(places: usize, rates: Rates) -> AdmissionControl {
    let endpoint = Endpoint { concurrency: Concurrency::Fixed(places), rates, ..Endpoint::sample("openai", "http://x") };
    AdmissionControl::new(&endpoint)
}

fn per_minute(requests: u64) -> Rates {
    Rates { requests: Some(requests), ..Rates::default() }
}

async fn send(admission: &AdmissionControl, weight: u32) -> InFlight<'_> {
    admission.admit(None, &Usage::default(), weight, Others::None, || Ok::<(), ()>(())).await.unwrap()
}

async fn leave_line(admission: &AdmissionControl, early: bool) -> Ready<'_> {
    admission.wait_in_line(Others::None, early, || Ok::<(), ()>(())).await.unwrap()
}

/// Lets as many calls leave the line as may leave it before any call is sent.
async fn leave_line_at_once(admission: &AdmissionControl, early: bool) -> Vec<Ready<'_>> {
    let mut ready = Vec::new();
    while let Ok(call) = tokio::time::timeout(Duration::from_millis(1), leave_line(admission, early)).await {
        ready.push(call);
    }
    ready
}

#[tokio::test(start_paused = true)]
async fn calls_are_spaced_by_their_weight_also_after_a_time_without_calls() {
    let admission = with(8, per_minute(600));
    for idle in [0, 60] {
        tokio::time::sleep(Duration::from_secs(idle)).await;
        let start = Instant::now();
        let mut sent = Vec::new();
        for weight in [3, 1, 1] {
            drop(send(&admission, weight).await);
            sent.push(start.elapsed().as_millis() / 100);
        }
        assert_eq!(sent, [0, 3, 4]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_at_the_gate_keeps_a_pause_that_begins_meanwhile_and_takes_one_slot() {
    let admission = with(8, per_minute(60));
    let first = send(&admission, 1).await;
    let start = Instant::now();
    let pause = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        first.rate_limited(Some(Duration::from_secs(10)));
        admission.look_again();
    };
    let (second, ()) = tokio::join!(send(&admission, 1), pause);
    assert_eq!(start.elapsed().as_millis() / 100, 105, "sent at the end of the pause");
    drop(second);
    send(&admission, 1).await;
    assert_eq!(start.elapsed().as_secs(), 11, "one slot later");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_holds_no_place() {
    let admission = with(1, Rates::default());
    let first = send(&admission, 1).await;
    assert!(tokio::time::timeout(Duration::from_secs(1), send(&admission, 1)).await.is_err(), "the place is taken");
    drop(first);
    send(&admission, 1).await;
}

#[tokio::test(start_paused = true)]
async fn few_calls_leave_the_line_before_they_can_be_sent() {
    let admission = with(MANY, Rates::default());
    let mut in_flight = Vec::new();
    for _ in 0..MANY {
        in_flight.push(send(&admission, 1).await);
    }
    assert_eq!(leave_line_at_once(&admission, true).await.len(), CLAIMED_EARLY, "claimed while all places are taken");
    assert_eq!(leave_line_at_once(&admission, false).await.len(), 0, "with a cap on costs, only for a free place");
    in_flight.truncate(MANY - 3);
    assert_eq!(leave_line_at_once(&admission, false).await.len(), 3);
    let slow = with(MANY, per_minute(60));
    assert_eq!(leave_line_at_once(&slow, true).await.len(), 1, "at one call a second, only the next one");
    for call in &in_flight {
        call.rate_limited(Some(Duration::from_mins(2)));
    }
    assert_eq!(leave_line_at_once(&admission, true).await.len(), 0, "paused");
}

#[tokio::test(start_paused = true)]
async fn one_call_probes_a_service_that_is_down_and_a_late_failure_is_not_the_probes() {
    let admission = with(8, Rates::default());
    let mut late = Vec::new();
    for _ in 0..7 {
        late.push(send(&admission, 1).await);
    }
    for call in &late[1..] {
        call.failed(true, false);
    }
    late.truncate(1);
    assert_eq!(leave_line_at_once(&admission, true).await.len(), 1, "only a probe leaves the line");
    let probe = send(&admission, 1).await;
    late[0].failed(true, false);
    late.clear();
    assert!(tokio::time::timeout(Duration::from_millis(200), send(&admission, 1)).await.is_err(), "the probe is in flight");
    probe.answered();
    drop(probe);
    send(&admission, 1).await;
}

#[tokio::test(start_paused = true)]
async fn only_a_call_that_waits_for_nothing_is_stalled() {
    let admission = with(1, Rates::default());
    assert!(!admission.is_stalled(), "no call");
    let first = send(&admission, 1).await;
    let second = send(&admission, 1);
    tokio::pin!(second);
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut second).await.is_err());
    assert!(!admission.is_stalled(), "one in flight");
    first.rate_limited(Some(Duration::from_secs(5)));
    // The head is not told that the place is free: a lost notification.
    admission.state().in_flight = 0;
    assert!(!admission.is_stalled(), "a pause");
    tokio::time::advance(Duration::from_secs(6)).await;
    assert!(admission.is_stalled());
    admission.state().in_flight = 1;
    drop(first);
    second.await;
    assert!(!admission.is_stalled());
}

/// Calls that can be in flight at once.
async fn places(admission: &AdmissionControl) -> usize {
    let mut in_flight = Vec::new();
    while let Ok(call) = tokio::time::timeout(Duration::from_secs(10), send(admission, 1)).await {
        in_flight.push(call);
    }
    in_flight.len()
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_an_overload_only_if_other_answers_are_slow() {
    for (seconds, left) in [(1, 8), (20, 4)] {
        let endpoint = Endpoint { concurrency: Concurrency::Auto { start: 8, max: 8 }, ..Endpoint::sample("openai", "http://x") };
        let admission = AdmissionControl::new(&endpoint);
        let (lost, other) = (send(&admission, 1).await, send(&admission, 1).await);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        other.answered();
        drop(other);
        tokio::time::sleep(Duration::from_secs(60 - seconds)).await;
        lost.failed(false, true);
        drop(lost);
        assert_eq!(places(&admission).await, left);
    }
}

fn busy_tier(patience: u64) -> AdmissionControl {
    let options = crate::config::Options { tier: Some(crate::config::Tier::Flex), ..crate::config::Options::default() };
    let wait_for = Duration::from_secs(patience);
    AdmissionControl::new(&Endpoint { concurrency: Concurrency::Fixed(4), wait_for, options, ..Endpoint::sample("openai", "http://x") })
}

async fn with_another(admission: &AdmissionControl) -> Result<InFlight<'_>, NotAdmitted<()>> {
    admission.admit(None, &Usage::default(), 1, Others::OfOtherServices, || Ok(())).await
}

#[tokio::test(start_paused = true)]
async fn a_busy_tier_is_waited_for_and_then_only_probed_if_there_is_another_endpoint() {
    let admission = busy_tier(30);
    let refuse = |call: InFlight<'_>| call.rate_limited(Some(Duration::from_secs(20)));
    refuse(with_another(&admission).await.unwrap());
    let start = Instant::now();
    refuse(with_another(&admission).await.unwrap());
    assert_eq!(start.elapsed().as_secs(), 20, "the pause that it asks for");
    assert!(matches!(with_another(&admission).await, Err(NotAdmitted::FailOver)));
    assert_eq!(start.elapsed().as_secs(), 30, "the end of the patience, though the pause goes on");
    assert!(matches!(with_another(&admission).await, Err(NotAdmitted::FailOver)), "at once");
    assert_eq!(start.elapsed().as_secs(), 30);
    let alone = send(&admission, 1).await;
    assert_eq!(start.elapsed().as_secs(), 40, "a call that no other endpoint can do waits on");
    assert!(matches!(with_another(&admission).await, Err(NotAdmitted::FailOver)), "the probe is in flight");
    alone.answered();
    drop(alone);
    assert!(with_another(&admission).await.is_ok());
    admission.give_way();
    assert!(matches!(with_another(&admission).await, Err(NotAdmitted::FailOver)), "the run ends soon");
    send(&admission, 1).await;
}
