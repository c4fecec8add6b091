//! `depeche serve`: the embedded endpoint alone, for other programs.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::{ServeArguments, endpoints, runtime};
use crate::config::Overrides;
use crate::embedded;
use crate::model::{Exit, Fault};
use crate::report::{self, Progress, say};

pub(super) fn run(arguments: &ServeArguments) -> Result<Exit, Fault> {
    let config = arguments.common.load(&Overrides::default())?;
    let key = match &arguments.key_env {
        Some(name) => {
            let key = std::env::var(name).ok().filter(|key| !key.trim().is_empty());
            Some(SecretString::from(
                key.ok_or_else(|| Fault::usage(format!("the environment variable `{name}` of --key-env is not set or empty")))?.trim(),
            ))
        }
        None => None,
    };
    if !arguments.listen.ip().is_loopback() && key.is_none() {
        return Err(Fault::usage(format!("{} can be reached from other machines: name a key with --key-env VARIABLE", arguments.listen)));
    }
    let progress = Arc::new(Progress::new(arguments.common.loudness(), &[]));
    report::start_log(arguments.common.loudness(), &progress);
    runtime()?.block_on(async {
        let translators = endpoints::translators(&config, &progress).await?;
        progress.end();
        let names = translators.names();
        let server = embedded::start(translators, arguments.listen, key).await?;
        say(&format!("depeche: serving at {} ({names}); Ctrl-C ends it", server.url));
        Ok(wait().await)
    })
}

/// Until a signal comes; that is how a server is meant to end.
async fn wait() -> Exit {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return Exit::Bug };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}
