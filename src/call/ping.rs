//! Reports how a run ended to a monitoring service for scheduled jobs.

use std::time::Duration;

use crate::config::is_loopback;

/// Short, so that a slow monitoring service does not delay the end of a run.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts `body` to `url`, or to `url/fail` if the run was not a success. Returns an error message
/// if the service does not accept it.
pub(crate) async fn ping(url: &str, success: bool, body: String) -> Result<(), String> {
    // Fails only if a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = if success { url.to_owned() } else { format!("{url}/fail") };
    let local = reqwest::Url::parse(&url).is_ok_and(|url| is_loopback(&url));
    let builder = if local { reqwest::Client::builder().no_proxy() } else { reqwest::Client::builder() };
    let client = builder
        .user_agent(concat!("depeche/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| error.to_string())?;
    // The URL may be a secret, so error messages leave it out.
    let answer = client.post(&url).body(body).send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status().as_u16())) }
}
