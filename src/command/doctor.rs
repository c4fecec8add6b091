//! `depeche doctor`: checks the config, the ledger's server if there is one, and whether each endpoint
//! answers and can do its tasks. This costs nothing.

use std::sync::Arc;
use std::time::Instant;

use super::arguments::DoctorArguments;
use super::{endpoints, runtime};
use crate::call::{EndpointClient, HttpClient};
use crate::config::{Config, Endpoint, Overrides};
use crate::dialect::{self, Dialect, Request};
use crate::model::{CallError, ErrorCode, Exit, Fault, Task, Verdict};
use crate::record;
use crate::report::{self, Progress, Verbosity, counted, print_stderr, print_stdout, printable};

pub(super) fn run(arguments: &DoctorArguments) -> Result<Exit, Fault> {
    // If the config only lacks a model, the service can still say which models it has.
    let whole = arguments.config.load(&Overrides::default());
    let (config, problem) = match whole {
        Ok(config) => (config, None),
        Err(problem) => match arguments.config.load(&Overrides { without_models: true, ..Overrides::default() }) {
            Ok(config) => (config, Some(problem)),
            Err(_) => return Err(problem),
        },
    };
    let progress = Arc::new(Progress::new(arguments.log.verbosity(), &[]));
    report::start_log(arguments.log.verbosity(), false, &progress);
    let name = arguments.config.file.as_deref().map_or_else(|| "config.toml".into(), |path| path.display().to_string());
    let quiet = arguments.log.verbosity() == Verbosity::Quiet;
    if !quiet && problem.is_none() {
        print_stdout(&format!("ok    {name}: {}, route {}", counted(config.endpoints.len() as u64, "endpoint"), config.summary.route));
    }
    let ledger = check_ledger(&config, quiet);
    let exit = runtime()?.block_on(check_endpoints(&config, &progress, quiet))?.worse(ledger);
    problem.map_or(Ok(exit), Err)
}

/// Checks the ledger's server. If `quiet`, prints only a fault, to standard error.
fn check_ledger(config: &Config, quiet: bool) -> Exit {
    match record::probe(config) {
        Ok(Some(words)) if !quiet => print_stdout(&format!("ok    the ledger on {}", printable(&words))),
        Ok(_) => {}
        Err(fault) => {
            print_failure(&fault.message, quiet);
            return fault.exit;
        }
    }
    Exit::Done
}

fn print_failure(what: &str, quiet: bool) {
    let line = format!("fail  {what}");
    if quiet { print_stderr(&line) } else { print_stdout(&line) }
}

/// Checks the endpoints. If `quiet`, only those that fail are printed, to standard error.
async fn check_endpoints(config: &Config, progress: &Arc<Progress>, quiet: bool) -> Result<Exit, Fault> {
    let mut exit = Exit::Done;
    for endpoint in &config.endpoints {
        let found = if endpoint.dialect == "embedded" { probe_embedded(config, endpoint, progress).await } else { probe(endpoint).await };
        progress.finish();
        match found {
            Ok(_) if quiet => {}
            Ok(words) => print_stdout(&format!("ok    endpoint `{}`: {}", endpoint.name, printable(&words))),
            Err(fault) => {
                exit = exit.worse(fault.exit);
                print_failure(&format!("endpoint `{}`: {}", endpoint.name, fault.message), quiet);
            }
        }
    }
    Ok(exit)
}

/// Starts the embedded endpoint like a run does, and then checks it over HTTP like any other.
async fn probe_embedded(config: &Config, endpoint: &Endpoint, progress: &Arc<Progress>) -> Result<String, Fault> {
    let server = endpoints::start(config, endpoint.does.contains(&Task::Translate), progress).await?;
    probe(&Endpoint { url: server.url, key: server.token, ..endpoint.clone() }).await
}

/// The result of the endpoint's probe, in a few words, and how long it took.
async fn probe(endpoint: &Endpoint) -> Result<String, Fault> {
    let Some(dialect) = dialect::find(endpoint.dialect) else { return Err(Fault::new(Exit::Bug, "unknown dialect")) };
    let start = Instant::now();
    // If the config names no model, only the list of models helps.
    let list = endpoint.model.as_deref().is_none_or(str::is_empty).then(|| dialect.fallback_probe(endpoint)).flatten();
    let Some(request) = list.or_else(|| dialect.probe(endpoint)) else {
        return Ok("config valid; not contacted, as its template has no free `probe`".into());
    };
    let client = HttpClient::new(endpoint)?;
    let mut body = fetch(dialect, endpoint, &client, request).await;
    if body.as_ref().is_err_and(|error| error.code == ErrorCode::NotFound)
        && let Some(request) = dialect.fallback_probe(endpoint)
        && let Ok(second) = fetch(dialect, endpoint, &client, request).await
    {
        body = Ok(second);
    }
    let body = body.map_err(|error| Fault::new(exit_of(&error), advice(dialect, endpoint, &error)))?;
    let words = dialect.check_probe(endpoint, &body).map_err(|missing| Fault::new(Exit::EndpointStop, client.redact(&missing)))?;
    let batches = batches(endpoint).await?;
    Ok(format!("{words}{batches}; answered in {} ms", start.elapsed().as_millis()))
}

/// If the endpoint is configured for batches: whether the service lists them. This costs nothing.
async fn batches(endpoint: &Endpoint) -> Result<&'static str, Fault> {
    if endpoint.batch.is_none() {
        return Ok("");
    }
    let client = EndpointClient::new(endpoint.clone(), String::new())?;
    let missing = |error: CallError| {
        let message = format!("its batches cannot be listed: {error}\n  hint: remove [endpoint.batch] if the service has none");
        Fault::new(exit_of(&error), message)
    };
    client.list_batches().await.map(|_| ", has batches").map_err(missing)
}

/// Sends a request and returns the body of its answer; an error for any status but 2xx.
async fn fetch(dialect: &dyn Dialect, endpoint: &Endpoint, client: &HttpClient, request: Request) -> Result<Vec<u8>, CallError> {
    let refused = |error: CallError| CallError { message: client.redact(&error.message), ..error };
    let response = client.send(request).await.map_err(refused)?;
    if (200..300).contains(&response.status) { Ok(response.body) } else { Err(refused(dialect.classify_error(endpoint, &response))) }
}

fn exit_of(error: &CallError) -> Exit {
    match error.verdict {
        Verdict::Stop | Verdict::Never | Verdict::Once | Verdict::MoreRoom => Exit::EndpointStop,
        Verdict::Wait(_) | Verdict::BackOff | Verdict::MaybeBilled => Exit::EndpointAway,
    }
}

/// The error message with a hint.
fn advice(dialect: &dyn Dialect, endpoint: &Endpoint, error: &CallError) -> String {
    let hint = match error.code {
        ErrorCode::Away => format!("is the service running, and is {} its address?", endpoint.url),
        ErrorCode::KeyRefused if endpoint.key.is_none() => "it requires a key; add key = { env = \"VARIABLE\" }".into(),
        ErrorCode::KeyRefused => "it rejected the key; is it the right one, and still valid?".into(),
        ErrorCode::NotFound => format!(
            "nothing there answers like `{}`; are the URL and the model name right? Some gateways lack this page: then try a run with one article",
            dialect.facts().name
        ),
        ErrorCode::Timeout => "it accepted the request but did not answer in time; is it overloaded?".into(),
        ErrorCode::Tls => "fix the URL or certificate; verification cannot be disabled".into(),
        _ => "see the log of the service".into(),
    };
    format!("{}\n        hint: {hint}", printable(&error.message))
}
