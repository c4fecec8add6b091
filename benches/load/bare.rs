//! The floor: a client that posts each article and reads the answer. It looks at nothing, keeps nothing and writes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long it takes over the articles of `folder`, with so many calls at once, and the seconds of CPU: the same work in every hour, so they
/// tell how fast the machine is just now.
pub(crate) fn run(folder: &Path, port: u16, places: usize) -> (Duration, f64) {
    let (start, before) = (Instant::now(), cpu());
    let files: Arc<Vec<PathBuf>> = Arc::new(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().http1_only().no_proxy().tcp_nodelay(true).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("http://127.0.0.1:{port}/v1/chat/completions");
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..places {
            let (files, next, client, url) = (Arc::clone(&files), Arc::clone(&next), client.clone(), url.clone());
            tasks.spawn(async move {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let text = std::fs::read_to_string(file).unwrap();
                    let body = serde_json::json!({"model": "mock", "messages": [{"role": "user", "content": text}]});
                    let answer = client.post(&url).header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
                    answer.bytes().await.unwrap();
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    });
    (start.elapsed(), cpu() - before)
}

/// Seconds of CPU that this thread has used: all of the client runs on it.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
