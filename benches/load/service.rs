//! A chat service on loopback, as fast as one thread can be: it answers every request with the same digest, after a while, up to a
//! limit, or with the faults of a bad night.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the service behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// Between request and answer.
    pub(crate) latency: Duration,
    /// Requests in any second; more are refused with 429.
    pub(crate) a_second: Option<usize>,
    /// The requests come from a bucket that holds so many, instead.
    pub(crate) bucket: Option<u32>,
    /// Requests in progress at any time; more are refused with 429.
    pub(crate) at_once: Option<usize>,
    /// Whether a refusal says when to come again.
    pub(crate) retry_after: bool,
    /// 2 % of answers are a 500, 0.5 % never come, 0.5 % are cut.
    pub(crate) faults: bool,
}

/// What the service has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: usize,
    pub(crate) refused: usize,
    /// When each accepted request came.
    pub(crate) accepted: Vec<Instant>,
    /// When each answer had been given away.
    pub(crate) answered: Vec<Instant>,
    /// Between requests and answers, all together.
    pub(crate) latency: Duration,
    window: VecDeque<Instant>,
    /// Of the bucket: what it lacks, and when that was measured.
    lacks: f64,
    measured: Option<Instant>,
}

const LATE: Duration = Duration::from_millis(1);

const DIGEST: &str = r#"{"title_fr":"La digue du port sera rehaussée","title_en":"The harbour wall will be raised","summary_fr":"Le conseil municipal a décidé mardi de rehausser la digue du port avant l’hiver. Les travaux commenceront au printemps et dureront plusieurs mois.","summary_en":"The town council decided on Tuesday to raise the harbour wall before the winter. The work will begin in spring and last several months."}"#;

/// Starts the service on a free port; it lives as long as the process.
pub(crate) fn start(manner: Manner) -> (u16, Arc<Mutex<Seen>>) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = Arc::clone(&seen);
    let (told, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            told.send(listener.local_addr().expect("an address").port()).expect("somebody waits");
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, manner, Arc::clone(&shared)));
                }
            }
        });
    });
    (port.recv().expect("the service starts"), seen)
}

async fn serve(mut stream: TcpStream, manner: Manner, seen: Arc<Mutex<Seen>>) {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(16 << 10);
    while let Some(end) = request(&mut stream, &mut buffer).await {
        buffer.drain(..end);
        let came = Instant::now();
        let (number, refused) = count(&mut seen.lock().expect("nobody panics"), manner);
        if refused {
            let retry = if manner.retry_after { "retry-after: 1\r\n" } else { "" };
            let body = r#"{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}"#;
            let head = format!(
                "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n{retry}content-length: {}\r\n\r\n{body}",
                body.len()
            );
            if stream.write_all(head.as_bytes()).await.is_err() {
                return;
            }
            continue;
        }
        if !manner.latency.is_zero() {
            // Tokio's timers count whole milliseconds and are late by about one.
            tokio::time::sleep(manner.latency.saturating_sub(LATE)).await;
        }
        let answer = answer();
        let latency = came.elapsed();
        let sent = match number % 1000 {
            // Spread evenly, so that each run has the same number of each.
            kind if manner.faults && kind % 50 == 7 => stream.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n").await,
            kind if manner.faults && kind % 200 == 33 => std::future::pending().await,
            kind if manner.faults && kind % 200 == 133 => {
                let _ = stream.write_all(&answer[..answer.len() / 2]).await;
                return;
            }
            _ => stream.write_all(&answer).await,
        };
        if sent.is_err() {
            return;
        }
        let mut seen = seen.lock().expect("nobody panics");
        seen.answered.push(Instant::now());
        seen.latency += latency;
    }
}

/// Reads until a whole request stands in the buffer; returns its length.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length: usize = text.split("content-length:").nth(1)?.lines().next()?.trim().parse().ok()?;
            if buffer.len() >= head + 4 + length {
                return Some(head + 4 + length);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn count(seen: &mut Seen, manner: Manner) -> (usize, bool) {
    let now = Instant::now();
    let number = seen.requests;
    seen.requests += 1;
    if manner.at_once.is_some_and(|places| seen.accepted.len() - seen.answered.len() >= places) {
        seen.refused += 1;
        return (number, true);
    }
    if manner.a_second.is_some_and(|a_second| exceeds(seen, now, a_second, manner.bucket)) {
        seen.refused += 1;
        return (number, true);
    }
    seen.accepted.push(now);
    (number, false)
}

/// Whether a request exceeds the limit; if not, it counts.
fn exceeds(seen: &mut Seen, now: Instant, a_second: usize, bucket: Option<u32>) -> bool {
    if let Some(bucket) = bucket {
        let since = seen.measured.replace(now).map_or(0.0, |at| (now - at).as_secs_f64());
        seen.lacks = (seen.lacks - since * a_second as f64).max(0.0);
        let exceeds = seen.lacks + 1.0 > f64::from(bucket);
        seen.lacks += f64::from(u8::from(!exceeds));
        return exceeds;
    }
    while seen.window.front().is_some_and(|first| now - *first > Duration::from_secs(1)) {
        seen.window.pop_front();
    }
    let exceeds = seen.window.len() >= a_second;
    seen.window.extend((!exceeds).then_some(now));
    exceeds
}

fn answer() -> Vec<u8> {
    let content = serde_json::Value::from(DIGEST);
    let body = format!(
        r#"{{"id":"1","object":"chat.completion","model":"mock","choices":[{{"index":0,"message":{{"role":"assistant","content":{content}}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":900,"completion_tokens":160,"total_tokens":1060}}}}"#
    );
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
