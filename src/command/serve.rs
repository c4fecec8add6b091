//! `depeche serve`: runs the embedded endpoint for other programs.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::ServeArguments;
use super::{endpoints, runtime};
use crate::config::Overrides;
use crate::embedded;
use crate::model::{Exit, Fault};
use crate::report::{self, Progress, print_stdout};

pub(super) fn run(arguments: &ServeArguments) -> Result<Exit, Fault> {
    let config = arguments.config.load(&Overrides::default())?;
    let key = match &arguments.key_env {
        Some(name) => {
            let key = std::env::var(name).ok().filter(|key| !key.trim().is_empty());
            Some(SecretString::from(
                key.ok_or_else(|| Fault::usage(format!("the environment variable `{name}` (--key-env) is not set, or is empty")))?.trim(),
            ))
        }
        None => None,
    };
    if !arguments.listen.ip().is_loopback() && key.is_none() {
        return Err(Fault::usage(format!(
            "{} can be reached from other machines and needs a key; set one with --key-env VARIABLE",
            arguments.listen
        )));
    }
    let progress = Arc::new(Progress::new(arguments.log.verbosity(), &[]));
    report::start_log(arguments.log.verbosity(), false, &progress);
    runtime()?.block_on(async {
        let translators = endpoints::translators(&config, &progress).await?;
        progress.finish();
        let names = translators.names();
        let server = embedded::start(translators, arguments.listen, key).await?;
        // Handle signals before printing the line below: a program that waits for it may send one
        // right away.
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            return Err(Fault::new(Exit::Bug, "cannot listen for signals"));
        };
        print_stdout(&format!("depeche: serving at {} ({names}); press Ctrl-C to stop", server.url));
        Ok(tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        })
    })
}
