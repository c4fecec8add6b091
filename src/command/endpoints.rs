//! Opens a client for each endpoint, and starts the embedded endpoint if the route uses it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use secrecy::SecretString;

use crate::call::EndpointClient;
use crate::config::{Config, Endpoint};
use crate::embedded::{self, Server};
use crate::model::{Exit, Fault, Task};
use crate::report::{Progress, print_stderr};

/// Opens a client for each endpoint, in the config's order. If the embedded endpoint cannot start,
/// this fails if it is the first choice for a task. If it is only a fallback, the run goes on
/// without it.
pub(super) async fn open(config: &Config, progress: &Arc<Progress>) -> Result<Vec<Arc<EndpointClient>>, Fault> {
    // The embedded server without translators, and the one with translators.
    let mut servers: [Option<Server>; 2] = [None, None];
    let mut clients = Vec::new();
    for endpoint in &config.endpoints {
        let translates = endpoint.can(Task::Translate);
        let server = &mut servers[usize::from(translates)];
        if endpoint.dialect == "embedded" && server.is_none() {
            match start(config, translates, progress).await {
                Ok(started) => *server = Some(started),
                Err(fault) if config.tasks().into_iter().any(|task| is_first(config, endpoint, task)) => return Err(fault),
                Err(fault) => {
                    tracing::warn!("endpoint `{}` is not available as a backup: {fault}", endpoint.name);
                    continue;
                }
            }
        }
        clients.push(Arc::new(client(endpoint, server.as_ref())?));
    }
    Ok(clients)
}

/// Opens clients that will make no calls. Fetches no models, and keeps an embedded endpoint that
/// cannot start.
pub(super) async fn for_estimate(config: &Config, progress: &Arc<Progress>) -> Result<Vec<Arc<EndpointClient>>, Fault> {
    let mut config = config.clone();
    config.embedded.fetch = false;
    match open(&config, progress).await {
        Ok(clients) => Ok(clients),
        Err(_) => config.endpoints.iter().map(|endpoint| client(endpoint, None).map(Arc::new)).collect(),
    }
}

fn is_first(config: &Config, endpoint: &Endpoint, task: Task) -> bool {
    config.endpoints_for(task).next().is_some_and(|first| first.name == endpoint.name)
}

/// Opens a client for one endpoint; for the embedded one, with the address of its running server.
fn client(endpoint: &Endpoint, server: Option<&Server>) -> Result<EndpointClient, Fault> {
    match server.filter(|_| endpoint.dialect == "embedded") {
        Some(server) => {
            let endpoint = Endpoint { url: server.url.clone(), key: server.token.clone(), ..endpoint.clone() };
            EndpointClient::new(endpoint, server.identity.clone())
        }
        None => EndpointClient::new(endpoint.clone(), String::new()),
    }
}

/// Starts the embedded endpoint for this run, on a free loopback port with a random token. Loads
/// translators only if `translates` is set.
pub(super) async fn start(config: &Config, translates: bool, progress: &Arc<Progress>) -> Result<Server, Fault> {
    let translators = if translates { translators(config, progress).await? } else { embedded::Translators::default() };
    let mut token = [0_u8; 32];
    getrandom::fill(&mut token).map_err(|error| Fault::new(Exit::Usage, format!("cannot get random numbers from the system: {error}")))?;
    let token = SecretString::from(blake3::Hash::from_bytes(token).to_hex().to_string());
    embedded::start(translators, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Some(token)).await
}

/// Loads the embedded endpoint's translators, with a bar for each download.
pub(super) async fn translators(config: &Config, progress: &Arc<Progress>) -> Result<embedded::Translators, Fault> {
    let bar = DownloadBar::new(progress);
    embedded::choose(&config.embedded, &|name, done, total| bar.show(name, done, total)).await
}

/// A bar for the current download, removed on drop.
pub(super) struct DownloadBar<'a> {
    progress: &'a Progress,
    shown: Mutex<Option<(String, ProgressBar)>>,
}

impl<'a> DownloadBar<'a> {
    pub(super) fn new(progress: &'a Progress) -> Self {
        Self { progress, shown: Mutex::new(None) }
    }

    /// Shows that `done` bytes of the file `name` have been fetched.
    pub(super) fn show(&self, name: &str, done: u64, total: Option<u64>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref().is_none_or(|(earlier, _)| earlier != name) {
            if let Some((_, earlier)) = shown.take() {
                earlier.finish_and_clear();
            }
            if self.progress.prints_lines() {
                print_stderr(&format!("depeche: downloading the translation model {name} (once)"));
            }
            *shown = Some((name.to_owned(), self.progress.download(name)));
        }
        if let Some((_, bar)) = shown.as_ref() {
            bar.set_length(total.unwrap_or(done));
            bar.set_position(done);
        }
    }
}

impl Drop for DownloadBar<'_> {
    fn drop(&mut self) {
        if let Some((_, bar)) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}
