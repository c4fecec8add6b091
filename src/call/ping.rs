//! Tells an address how the run ended, for services that watch over nightly jobs.

use std::time::Duration;

use crate::config::is_loopback;

/// A run does not wait longer for whoever watches it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends `body` to `url`, or to the same with `/fail` behind it.
///
/// # Errors
/// Why it was not taken, in words.
pub async fn ping(url: &str, well: bool, body: String) -> Result<(), String> {
    // Fails only where a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = if well { url.to_owned() } else { format!("{url}/fail") };
    let here = reqwest::Url::parse(&url).is_ok_and(|url| is_loopback(&url));
    let builder = if here { reqwest::Client::builder().no_proxy() } else { reqwest::Client::builder() };
    let client = builder
        .user_agent(concat!("depeche/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(|error| error.to_string())?;
    // The address itself may be a secret, so errors are told without it.
    let answer = client.post(&url).body(body).send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status().as_u16())) }
}
