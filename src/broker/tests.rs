use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::*;
use crate::config::{Concurrency, Endpoint, Price};
use crate::model::{Answer, CallLimits, CallRequest, Fault, Lang, SummarySpec, Usage};
use crate::record::{Claimed, Elsewhere, KnownReply, Pending};

/// A ledger in memory that notes the order of its writes.
#[derive(Default)]
struct Store {
    replies: Mutex<HashMap<[u8; 32], KnownReply>>,
    events: Mutex<Vec<&'static str>>,
    refuses_replies: bool,
    /// Never finishes storing a reply.
    hangs: bool,
    /// The results of the next claims. After these, every claim succeeds.
    claims: Mutex<VecDeque<Claimed>>,
    /// The states of the next calls that other processes make. After these, every such call is
    /// over.
    looks: Mutex<VecDeque<Elsewhere>>,
}

impl Store {
    fn note(&self, event: &'static str) -> Pending<'_, ()> {
        lock(&self.events).push(event);
        Box::pin(async { Ok(()) })
    }
}

impl CallStore for Store {
    fn reply(&self, key: [u8; 32]) -> Pending<'_, Option<KnownReply>> {
        let known = lock(&self.replies).get(&key).cloned();
        Box::pin(async { Ok(known) })
    }

    fn claim(&self, _: Claim) -> Pending<'_, Claimed> {
        lock(&self.events).push("claim");
        let claimed = lock(&self.claims).pop_front().unwrap_or(Claimed::Here);
        Box::pin(async move { Ok(claimed) })
    }

    fn look(&self, _: [u8; 32]) -> Pending<'_, Elsewhere> {
        lock(&self.events).push("look");
        let found = lock(&self.looks).pop_front().unwrap_or(Elsewhere::Over);
        Box::pin(async move { Ok(found) })
    }

    fn may_send(&self) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn keep(&self, call: AnsweredCall, _: Waste) -> Pending<'_, ()> {
        if self.refuses_replies {
            return Box::pin(async { Err(Fault::usage("the disk is full")) });
        }
        if self.hangs {
            return Box::pin(std::future::pending());
        }
        let reply = serde_json::from_str(&call.reply_json).unwrap();
        lock(&self.replies).insert(call.key, KnownReply { reply, cost: call.cost });
        self.note("keep")
    }

    fn fail(&self, _: [u8; 32], _: Waste, _: Option<Reject>) -> Pending<'_, ()> {
        self.note("fail")
    }
}

/// An answer with this status.
fn answer(status: u16) -> Response {
    answer_that_used(status, 100)
}

/// An answer with this status to a prompt of this many tokens.
fn answer_that_used(status: u16, prompt_tokens: u32) -> Response {
    let content = "Le conseil a voté le budget de la digue mardi.";
    let body = serde_json::json!({
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 10},
    });
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

/// A service that calls `respond` with the number of the request and its body.
async fn service<F>(respond: impl Fn(usize, String) -> F + Clone + Send + Sync + 'static, requests: Arc<AtomicUsize>) -> String
where
    F: Future<Output = Response> + Send,
{
    let handle = move |body: String| async move { respond(requests.fetch_add(1, Ordering::SeqCst), body).await };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(handle));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

struct Setup {
    broker: Broker,
    store: Arc<Store>,
    requests: Arc<AtomicUsize>,
}

async fn setup(status: u16, store: Store) -> Setup {
    setup_with(move |_, _| async move { answer(status) }, store, Spending::default()).await
}

async fn setup_with<F>(respond: impl Fn(usize, String) -> F + Clone + Send + Sync + 'static, store: Store, spending: Spending) -> Setup
where
    F: Future<Output = Response> + Send,
{
    let requests = Arc::new(AtomicUsize::new(0));
    let url = service(respond, Arc::clone(&requests)).await;
    let price = Some(Price { tokens_in: 1.0, tokens_out: 1.0, characters: 0.0 });
    let concurrency = Concurrency::Fixed(1);
    let endpoint = Endpoint { model: Some("m".into()), price, concurrency, ..Endpoint::sample("openai", &url) };
    let client = EndpointClient::new(endpoint, String::new()).unwrap();
    let store = Arc::new(store);
    let calls: Arc<dyn CallStore> = Arc::clone(&store) as _;
    let broker = Broker::new(calls, Arc::new(Endpoints::new(vec![Arc::new(client)])), spending);
    Setup { broker, store, requests }
}

impl Setup {
    async fn answer(&self, text: &str) -> Result<Answered, Failure> {
        let request = CallRequest::Summarise {
            title: "Titre".into(),
            text: text.into(),
            language: Lang::FR,
            spec: SummarySpec { words: 60, ..SummarySpec::default() },
            note: String::new(),
        };
        let limits = CallLimits { characters: 1000, texts: 1, bytes: 1000 };
        let candidate = Candidate { number: 0, name: "e".into(), limits, chat: true, has_sibling: false };
        self.broker.answer(&candidate, &request, *blake3::hash(text.as_bytes()).as_bytes(), true).await
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn the_same_call_at_once_is_made_once_and_kept_before_it_is_used() {
    let setup = setup(200, Store::default()).await;
    let (first, second) = tokio::join!(setup.answer("a"), setup.answer("a"));
    assert_eq!(first.unwrap().reply, second.unwrap().reply);
    assert_eq!((setup.requests(), lock(&setup.store.events).clone()), (1, vec!["claim", "keep"]));
    let outcome = setup.broker.outcome(Exit::Done);
    assert_eq!((outcome.paid, outcome.cached), (1, 1));
}

#[tokio::test]
async fn a_reply_in_the_ledger_is_not_asked_for_again() {
    let store = Store::default();
    let reply = Reply { answer: Answer::Summary("Un résumé.".into()), usage: Usage::default(), draft: false };
    lock(&store.replies).insert(*blake3::hash(b"a").as_bytes(), KnownReply { reply: reply.clone(), cost: Some(0.5) });
    let setup = setup(200, store).await;
    let answered = setup.answer("a").await.unwrap();
    assert_eq!((answered.reply, answered.cost, setup.requests()), (reply, Some(0.5), 0));
}

#[tokio::test]
async fn a_call_that_failed_for_good_is_not_made_again_in_this_run() {
    let setup = setup(413, Store::default()).await;
    let failure = setup.answer("a").await.unwrap_err();
    assert_eq!((failure.reject.code, failure.exit), (ErrorCode::TooLarge, Exit::SomeFailed));
    let requests = setup.requests();
    assert_eq!(setup.answer("a").await.unwrap_err(), failure);
    assert_eq!(setup.requests(), requests);
    assert_eq!(lock(&setup.store.events).clone(), ["claim", "fail"]);
}

#[tokio::test]
async fn a_reply_that_cannot_be_kept_is_not_used() {
    let setup = setup(200, Store { refuses_replies: true, ..Store::default() }).await;
    let failure = setup.answer("a").await.unwrap_err();
    assert_eq!((failure.reject.code, failure.exit), (ErrorCode::BrokenOff, Exit::Usage));
}

#[tokio::test]
async fn a_call_holds_one_reservation_and_gives_back_what_its_attempts_did_not_cost() {
    let (store, spending) = (Store::default(), Spending::with_cap(1.0));
    let claim = Claim {
        key: [0; 32],
        task: crate::model::Task::Summarise,
        endpoint: "e".into(),
        characters: 1,
        cost: None,
        attempts: 0,
        made_at: String::new(),
    };
    let earlier = Waste::default();
    let payment = CallPayment { spending: &spending, calls: &store, claim, earlier, is_free: false, state: Mutex::default() };
    payment.reserve(Waste::default(), Some(0.6)).await.unwrap();
    // Another form of the request allows more. Both together would not fit.
    payment.reserve(Waste::default(), Some(0.9)).await.unwrap();
    let failed = Waste { unusable: 1, at_most: 0.3, ..Waste::default() };
    payment.settle(failed.at_most);
    payment.reserve(failed, Some(0.7)).await.unwrap();
    payment.settle_answer(Some(0.2), false);
    assert!(payment.reserve(failed, Some(0.6)).await.is_err());
    assert_eq!(spending.reached(), Some("max_cost: 0.5000 of 1 is spent, and the next call may cost up to 0.6000"));
    assert_eq!(lock(&store.events).clone(), ["claim", "claim", "claim"]);
}

#[tokio::test]
async fn what_an_answer_cost_counts_before_the_next_call_is_sent() {
    // The ledger is still storing the first reply when the second call asks for money.
    let store = Store { hangs: true, ..Store::default() };
    let setup = setup_with(|_, _| async { answer_that_used(200, 1_990) }, store, Spending::with_cap(0.002)).await;
    let second = tokio::select! {
        biased;
        _ = setup.answer("a") => panic!("the reply was used before it was stored"),
        second = setup.answer("b") => second,
    };
    assert_eq!(second.unwrap_err().exit, Exit::Limit);
    assert_eq!((setup.requests(), setup.broker.spending().open()), (1, 0));
}

#[tokio::test]
async fn no_call_waits_for_money_while_it_holds_a_place() {
    let held = Arc::new(tokio::sync::Notify::new());
    let both_paid = Arc::clone(&held);
    let respond = move |number: usize, body: String| {
        let held = Arc::clone(&held);
        async move {
            match number {
                0 => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
                1 => held.notified().await,
                _ => {}
            }
            if body.contains("\"max_tokens\"") {
                // The other form allows 4,000 tokens more.
                return (StatusCode::BAD_REQUEST, r#"{"error": {"message": "Use 'max_completion_tokens'."}}"#).into_response();
            }
            answer(200)
        }
    };
    // Enough for one call in that form if no other call holds a reservation. When the second call
    // needs that, the first one is tried again: it has money, and waits for the only place.
    let setup = setup_with(respond, Store::default(), Spending::with_cap(0.0075)).await;
    let calls = async { tokio::join!(setup.answer("a"), setup.answer("b"), setup.answer("c")) };
    let release = async {
        while setup.requests() < 2 || setup.broker.spending().open() < 2 {
            tokio::task::yield_now().await;
        }
        both_paid.notify_one();
    };
    let all = async { tokio::join!(calls, release).0 };
    let (a, b, c) = tokio::time::timeout(std::time::Duration::from_mins(1), Box::pin(all)).await.unwrap();
    for answered in [a, b, c] {
        assert_eq!(answered.unwrap().cost, Some(0.000_11));
    }
    assert!(setup.broker.spending().reached().is_none());
    assert_eq!(setup.broker.spending().open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_another_process_is_awaited_and_not_made() {
    let store = Store::default();
    lock(&store.claims).extend([Claimed::Elsewhere]);
    lock(&store.looks).extend([Elsewhere::UnderWay, Elsewhere::UnderWay]);
    let failed = Store::default();
    lock(&failed.claims).extend([Claimed::Elsewhere]);
    lock(&failed.looks).extend([Elsewhere::Failed(Reject::new(ErrorCode::TooLarge, "too large"))]);
    let (setup, of_failed) = (setup(200, store).await, setup(200, failed).await);
    // The other process gave the call up, so we make it.
    setup.answer("a").await.unwrap();
    assert_eq!((setup.requests(), lock(&setup.store.events).clone()), (1, vec!["claim", "look", "look", "look", "claim", "keep"]));
    for _ in 0..2 {
        assert_eq!(of_failed.answer("a").await.unwrap_err().reject.code, ErrorCode::TooLarge);
    }
    assert_eq!((of_failed.requests(), lock(&of_failed.store.events).clone()), (0, vec!["claim", "look"]));
}
