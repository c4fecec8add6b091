//! Gets the endpoints ready: starts the embedded one where the route uses it, and opens a line to each.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use indicatif::ProgressBar;
use secrecy::SecretString;

use crate::call::Line;
use crate::config::{Config, Endpoint};
use crate::embedded::{self, Server};
use crate::model::{Exit, Fault, Task};
use crate::report::Progress;

/// A line for each task of the route; one endpoint that does several has one line.
pub(super) async fn open(config: &Config, progress: &Arc<Progress>) -> Result<Vec<(Task, Arc<Line>)>, Fault> {
    let mut lines: Vec<(Task, Arc<Line>)> = Vec::new();
    let mut server: Option<Server> = None;
    for task in config.tasks() {
        // The config has made sure of it.
        let Some(endpoint) = config.endpoint_for(*task) else { continue };
        let open = lines.iter().find(|(_, line)| line.endpoint.name == endpoint.name).map(|(_, line)| Arc::clone(line));
        let line = if let Some(line) = open {
            line
        } else {
            if endpoint.dialect == "embedded" && server.is_none() {
                server = Some(start(config, progress).await?);
            }
            Arc::new(line(endpoint, server.as_ref())?)
        };
        lines.push((*task, line));
    }
    Ok(lines)
}

/// The line to one endpoint; the embedded one by way of its running server.
pub(super) fn line(endpoint: &Endpoint, server: Option<&Server>) -> Result<Line, Fault> {
    match server.filter(|_| endpoint.dialect == "embedded") {
        Some(server) => {
            let endpoint = Endpoint { url: server.url.clone(), key: server.token.clone(), ..endpoint.clone() };
            Line::new(endpoint, server.identity.clone())
        }
        None => Line::new(endpoint.clone(), String::new()),
    }
}

/// Starts the embedded endpoint for this run alone: a free port on loopback, a random token.
pub(super) async fn start(config: &Config, progress: &Arc<Progress>) -> Result<Server, Fault> {
    let translators = translators(config, progress).await?;
    let mut token = [0_u8; 32];
    getrandom::fill(&mut token).map_err(|error| Fault::new(Exit::Usage, format!("this machine gives no random numbers: {error}")))?;
    let token = SecretString::from(blake3::Hash::from_bytes(token).to_hex().to_string());
    embedded::start(translators, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Some(token)).await
}

/// The embedded endpoint's translators, with a bar for what must be fetched.
pub(super) async fn translators(config: &Config, progress: &Arc<Progress>) -> Result<embedded::Translators, Fault> {
    let bar: std::sync::Mutex<Option<(String, ProgressBar)>> = std::sync::Mutex::new(None);
    let show = |name: &str, done: u64, total: Option<u64>| {
        let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if bar.as_ref().is_none_or(|(shown, _)| shown != name) {
            if let Some((_, old)) = bar.take() {
                old.finish_and_clear();
            }
            if progress.prints_lines() {
                crate::report::complain(&format!("depeche: fetching the translation model {name}, once"));
            }
            *bar = Some((name.to_owned(), progress.download(name)));
        }
        if let Some((_, bar)) = bar.as_ref() {
            bar.set_length(total.unwrap_or(done));
            bar.set_position(done);
        }
    };
    let chosen = embedded::choose(&config.embedded, &show).await;
    if let Some((_, bar)) = bar.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        bar.finish_and_clear();
    }
    chosen
}
