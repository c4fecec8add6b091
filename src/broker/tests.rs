use std::sync::atomic::AtomicUsize;

use axum::Router;
use axum::routing::post;

use super::*;
use crate::config::{Endpoint, Price};
use crate::model::{Answer, CallLimits, CallRequest, Fault, Lang, SummarySpec, Usage};
use crate::record::{KnownReply, Pending};

/// A ledger in memory that notes the order of its writes.
#[derive(Default)]
struct Store {
    replies: Mutex<HashMap<[u8; 32], KnownReply>>,
    events: Mutex<Vec<&'static str>>,
    refuses_replies: bool,
}

impl Store {
    fn note(&self, event: &'static str) -> Pending<'_, ()> {
        lock(&self.events).push(event);
        Box::pin(async { Ok(()) })
    }
}

impl CallStore for Store {
    fn reply(&self, key: &[u8; 32]) -> Result<Option<KnownReply>, Fault> {
        Ok(lock(&self.replies).get(key).cloned())
    }

    fn claim(&self, _: Claim) -> Pending<'_, ()> {
        self.note("claim")
    }

    fn keep(&self, call: AnsweredCall, _: UnusableSpend) -> Pending<'_, ()> {
        if self.refuses_replies {
            return Box::pin(async { Err(Fault::usage("the disk is full")) });
        }
        let reply = serde_json::from_str(&call.reply_json).unwrap();
        lock(&self.replies).insert(call.key, KnownReply { reply, cost: call.cost });
        self.note("keep")
    }

    fn fail(&self, _: [u8; 32], _: UnusableSpend) -> Pending<'_, ()> {
        self.note("fail")
    }
}

/// A service that answers with this status and counts its requests.
async fn service(status: u16, requests: Arc<AtomicUsize>) -> String {
    let answer = move || async move {
        requests.fetch_add(1, Ordering::SeqCst);
        let content = "Le conseil a voté le budget de la digue mardi.";
        let body = serde_json::json!({
            "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10},
        });
        (axum::http::StatusCode::from_u16(status).unwrap(), axum::Json(body))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

struct Setup {
    broker: Broker,
    store: Arc<Store>,
    requests: Arc<AtomicUsize>,
}

async fn setup(status: u16, store: Store) -> Setup {
    let requests = Arc::new(AtomicUsize::new(0));
    let url = service(status, Arc::clone(&requests)).await;
    let price = Some(Price { tokens_in: 1.0, tokens_out: 1.0, characters: 0.0 });
    let endpoint = Endpoint { model: Some("m".into()), price, ..Endpoint::sample("openai", &url) };
    let client = EndpointClient::new(endpoint, String::new()).unwrap();
    let store = Arc::new(store);
    let calls: Arc<dyn CallStore> = Arc::clone(&store) as _;
    let broker = Broker::new(calls, Arc::new(Endpoints::new(vec![Arc::new(client)])), Spending::default());
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
        let candidate = Candidate { number: 0, name: "e".into(), limits, chat: true };
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
