//! `depeche doctor`: is the config in order, does each endpoint answer, does it know its work, how fast. Costs nothing.

use std::sync::Arc;
use std::time::Instant;

use super::{Common, endpoints, runtime};
use crate::call::HttpClient;
use crate::config::{Config, Endpoint, Overrides};
use crate::dialect::{self, Dialect, Request};
use crate::model::{CallError, ErrorCode, Exit, Fault, Task, Verdict};
use crate::report::{self, Progress, harmless, say};

pub(super) fn run(common: &Common) -> Result<Exit, Fault> {
    let config = common.load(&Overrides::default())?;
    let progress = Arc::new(Progress::new(common.loudness(), &[]));
    report::start_log(common.loudness(), false, &progress);
    let name = common.config.as_deref().map_or_else(|| "config.toml".into(), |path| path.display().to_string());
    say(&format!(
        "ok    {name}: {} endpoint{}, route {}",
        config.endpoints.len(),
        if config.endpoints.len() == 1 { "" } else { "s" },
        config.summary.route
    ));
    runtime()?.block_on(examine(&config, &progress))
}

async fn examine(config: &Config, progress: &Arc<Progress>) -> Result<Exit, Fault> {
    let mut exit = Exit::Done;
    for endpoint in &config.endpoints {
        let found = if endpoint.dialect == "embedded" { embedded(config, endpoint, progress).await } else { ask(endpoint).await };
        progress.end();
        match found {
            Ok(words) => say(&format!("ok    endpoint `{}`: {}", endpoint.name, harmless(&words))),
            Err(fault) => {
                exit = exit.worse(fault.exit);
                say(&format!("fail  endpoint `{}`: {}", endpoint.name, fault.message));
            }
        }
    }
    Ok(exit)
}

/// The embedded endpoint is started, as a run would, and then asked over HTTP like any other.
async fn embedded(config: &Config, endpoint: &Endpoint, progress: &Arc<Progress>) -> Result<String, Fault> {
    let server = endpoints::start(config, endpoint.does.contains(&Task::Translate), progress).await?;
    ask(&Endpoint { url: server.url, key: server.token, ..endpoint.clone() }).await
}

async fn ask(endpoint: &Endpoint) -> Result<String, Fault> {
    let Some(dialect) = dialect::find(endpoint.dialect) else { return Err(Fault::new(Exit::Bug, "its dialect is not there")) };
    let start = Instant::now();
    let Some(probe) = dialect.probe(endpoint) else {
        return Ok("is in order as far as can be seen: it names no `probe` that costs nothing".into());
    };
    let client = HttpClient::new(endpoint)?;
    let mut body = good(dialect, endpoint, &client, probe).await;
    if body.as_ref().is_err_and(|error| error.code == ErrorCode::NotFound)
        && let Some(probe) = dialect.second_probe(endpoint)
        && let Ok(second) = good(dialect, endpoint, &client, probe).await
    {
        body = Ok(second);
    }
    let body = body.map_err(|error| Fault::new(exit_of(&error), advice(dialect, endpoint, &error)))?;
    let words = dialect.probed(endpoint, &body).map_err(|missing| Fault::new(Exit::EndpointStop, client.redact(&missing)))?;
    Ok(format!("{words}; answered in {} ms", start.elapsed().as_millis()))
}

/// The body of a good answer.
async fn good(dialect: &dyn Dialect, endpoint: &Endpoint, client: &HttpClient, probe: Request) -> Result<Vec<u8>, CallError> {
    let response = client.send(probe).await?;
    let refused = |error: CallError| CallError { message: client.redact(&error.message), ..error };
    if (200..300).contains(&response.status) { Ok(response.body) } else { Err(refused(dialect.refusal(endpoint, &response))) }
}

fn exit_of(error: &CallError) -> Exit {
    match error.verdict {
        Verdict::Stop | Verdict::Never | Verdict::Once => Exit::EndpointStop,
        Verdict::Wait(_) | Verdict::BackOff | Verdict::MaybeBilled => Exit::EndpointAway,
    }
}

/// What is wrong, and what to do about it.
fn advice(dialect: &dyn Dialect, endpoint: &Endpoint, error: &CallError) -> String {
    let hint = match error.code {
        ErrorCode::Away => format!("is the service running, and is {} its address?", endpoint.url),
        ErrorCode::KeyRefused if endpoint.key.is_none() => "it wants a key: add key = { env = \"VARIABLE\" }".into(),
        ErrorCode::KeyRefused => "it refuses the key: is it the right one, and still valid?".into(),
        ErrorCode::NotFound => format!(
            "nothing there answers like `{}`: are the url and the model's name right? (Some gateways have no such page; then a run of one article shows more.)",
            dialect.facts().name
        ),
        ErrorCode::Timeout => "it took the call and did not answer in time: is it overloaded?".into(),
        ErrorCode::Tls => "put the url or the certificate right; none is ever accepted unchecked".into(),
        _ => "see the service's own log".into(),
    };
    format!("{}\n        hint: {hint}", harmless(&error.message))
}
