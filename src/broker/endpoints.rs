//! The endpoints of a run, in the config's order of preference.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{CallCounts, EndpointClient};
use crate::config::{Route, Summary};
use crate::model::{CallRequest, ErrorCode, Exit, Failure, Reject, Task};
use crate::plan::{Candidate, RouteOutput, call_key, reviewer_key, settings_key};

/// A client for every endpoint that the route may use.
pub struct Endpoints(Vec<Arc<EndpointClient>>);

impl Endpoints {
    /// Endpoints in the config's order.
    pub fn new(clients: Vec<Arc<EndpointClient>>) -> Self {
        Self(clients)
    }

    /// Every client, in the config's order.
    pub fn clients(&self) -> impl Iterator<Item = &EndpointClient> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Like [`Endpoints::clients`], to be kept.
    pub fn shared(&self) -> impl Iterator<Item = &Arc<EndpointClient>> {
        self.0.iter()
    }

    /// Calls that all endpoints together may have in flight.
    pub fn max_in_flight(&self) -> usize {
        self.clients().map(|client| client.endpoint.concurrency.max()).sum()
    }

    /// The client of a candidate.
    ///
    /// # Errors
    /// If there is none, which is a bug.
    pub fn client(&self, candidate: &Candidate) -> Result<&EndpointClient, Failure> {
        let client = self.0.get(candidate.number).map(AsRef::as_ref);
        client.ok_or_else(|| Reject::new(ErrorCode::Internal, format!("there is no endpoint number {}", candidate.number)).into())
    }

    /// The ledger's key for a call to `candidate`.
    ///
    /// # Errors
    /// If there is no such endpoint, which is a bug.
    pub fn call_key(&self, candidate: &Candidate, ask: &CallRequest) -> Result<[u8; 32], Failure> {
        self.client(candidate).map(|client| call_key(&client.endpoint, &client.identity, ask))
    }

    /// The endpoints that can do `task`, in order of preference. Disabled endpoints come last.
    /// Among the servers of one `service`, healthy servers come first, and of these the server with
    /// the fewest calls in flight.
    pub fn candidates(&self, task: Task) -> Vec<Candidate> {
        let able = self.clients().enumerate().filter(|(_, client)| client.endpoint.can(task));
        let (disabled, healthy): (Vec<_>, Vec<_>) = able.partition(|(_, client)| client.is_disabled());
        let mut healthy = healthy;
        healthy.sort_by_cached_key(|(number, client)| {
            let Some(service) = &client.endpoint.service else { return (*number, (false, 0)) };
            let first = self.clients().position(|other| other.endpoint.service.as_ref() == Some(service));
            (first.unwrap_or(*number), client.load())
        });
        let ordered: Vec<_> = healthy.into_iter().chain(disabled).collect();
        let is_sibling = |client: &EndpointClient, other: &EndpointClient| {
            client.endpoint.service.is_some() && client.endpoint.service == other.endpoint.service && !other.is_disabled()
        };
        let candidate = |(at, (number, client)): (usize, &(usize, &EndpointClient))| Candidate {
            number: *number,
            name: client.endpoint.name.clone(),
            limits: client.limits(),
            chat: client.endpoint.chat,
            has_sibling: ordered.iter().skip(at + 1).any(|(_, other)| is_sibling(client, other)),
        };
        ordered.iter().enumerate().map(candidate).collect()
    }

    /// The keys of all settings that a good row may have been made with. There is one key for each
    /// pair of endpoints that may have made the summary and the translation. The key of the
    /// preferred pair comes first.
    pub fn settings_keys(&self, summary: &Summary) -> Vec<[u8; 32]> {
        let able = |task: Task| self.clients().filter(move |client| client.endpoint.can(task));
        let mut keys = Vec::new();
        for summariser in able(Task::Summarise) {
            let alone = (summary.route == Route::SingleCall && summariser.endpoint.chat).then_some(summariser);
            for translator in alone.into_iter().chain(able(Task::Translate)) {
                keys.push(settings_key(
                    summary,
                    (&summariser.endpoint, &summariser.identity),
                    (&translator.endpoint, &translator.identity),
                ));
            }
        }
        keys.dedup();
        keys
    }

    /// The key of the settings that `output` was made with.
    pub fn settings_key(&self, summary: &Summary, output: &RouteOutput) -> [u8; 32] {
        let named = |name: &str| self.clients().find(|client| client.endpoint.name == name);
        let settings = |name: &str| named(name).map(|client| (&client.endpoint, client.identity.as_str()));
        match (settings(&output.summary_endpoint), settings(&output.translation_endpoint)) {
            (Some(summariser), Some(translator)) => settings_key(summary, summariser, translator),
            // Nothing had to be translated, or nothing summarised: one endpoint counts as both.
            (Some(only), None) | (None, Some(only)) => settings_key(summary, only, only),
            (None, None) => [0; 32],
        }
    }

    /// The keys of all endpoints that may have reviewed a good row.
    pub fn reviewer_keys(&self) -> Vec<[u8; 32]> {
        let able = self.clients().filter(|client| client.endpoint.can(Task::Review));
        able.map(|client| reviewer_key(&client.endpoint, &client.identity)).collect()
    }

    /// The key of the endpoint of this name as a reviewer; `None` if there is no such endpoint.
    pub fn reviewer_key(&self, name: &str) -> Option<[u8; 32]> {
        let named = self.clients().find(|client| client.endpoint.name == name)?;
        Some(reviewer_key(&named.endpoint, &named.identity))
    }

    /// Ends all calls with `failure`; no further request is sent.
    pub fn halt(&self, failure: &Failure) {
        self.clients().for_each(|client| client.halt(failure));
    }

    /// The first endpoint that was disabled with this exit code, and why.
    pub fn disabled_with(&self, exit: Exit) -> Option<String> {
        self.clients().filter_map(EndpointClient::disabled_reason).find(|failure| failure.exit == exit).map(|failure| failure.reject.reason)
    }

    /// The name of an endpoint whose calls wait although nothing prevents sending them, which is a
    /// bug.
    pub fn stalled(&self) -> Option<&str> {
        self.clients().find(|client| client.is_stalled()).map(|client| client.endpoint.name.as_str())
    }

    /// The longest time that an endpoint may be unavailable.
    pub fn wait_for(&self) -> Duration {
        self.clients().map(|client| client.endpoint.wait_for).max().unwrap_or_default()
    }

    /// Requests to all endpoints.
    pub fn counts(&self) -> CallCounts {
        self.clients().map(EndpointClient::counts).sum()
    }
}
