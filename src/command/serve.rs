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
    report::start_log(arguments.common.loudness(), false, &progress);
    runtime()?.block_on(async {
        let translators = endpoints::translators(&config, &progress).await?;
        progress.end();
        let names = translators.names();
        let server = embedded::start(translators, arguments.listen, key).await?;
        // Listened for before anybody is told: whoever reads the line may send one at once.
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            return Err(Fault::new(Exit::Bug, "this machine's signals cannot be listened for"));
        };
        say(&format!("depeche: serving at {} ({names}); Ctrl-C ends it", server.url));
        // That is how a server is meant to end.
        Ok(tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        })
    })
}
