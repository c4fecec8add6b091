//! The part of a service that one process may use, if other processes of its run call the service
//! too. It is a part of the places and rates that the config sets. Each process learns the other
//! limits on its own.

use std::time::Duration;

use crate::config::{Concurrency, Endpoint, is_loopback};

/// The share of its part of a rate that a process uses. It is less than 1, because several
/// processes keep a common rate less exactly than one.
const USED_PART: f64 = 0.97;

/// A part of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServicePart {
    /// Calls in flight.
    pub places: usize,
    /// The share of the rates, from 0 to 1.
    pub rate: f64,
}

/// What an endpoint of this process uses of its service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceUse {
    /// The service's name.
    pub service: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// The places of the whole service, if the config sets them.
    pub places: Option<usize>,
    /// The places that it has. It may use more until calls have ended.
    pub part: ServicePart,
    /// Whether calls are under way or wait.
    pub is_active: bool,
    /// How long no call may be sent, because the service asked this process for a pause.
    pub pause: Duration,
}

/// What an endpoint may use from now on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceShare {
    /// Its part.
    pub part: ServicePart,
    /// How long no call may be sent, because the service asked any process for a pause.
    pub pause: Duration,
}

/// What a process may use of a service.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// All of it: no other process calls it.
    Whole,
    /// Not known yet: the process must not send anything.
    Unknown,
    /// This.
    Known(ServicePart),
}

impl Part {
    /// What it was told.
    pub(super) fn known(self) -> Option<ServicePart> {
        match self {
            Self::Known(part) => Some(part),
            Self::Whole | Self::Unknown => None,
        }
    }
}

impl ServicePart {
    /// The share of a rate that is used.
    pub(super) fn used_rate(self) -> f64 {
        if self.rate < 1.0 { self.rate * USED_PART } else { 1.0 }
    }
}

/// The places that the config sets.
pub(super) fn told_places(endpoint: &Endpoint) -> Option<usize> {
    match endpoint.concurrency {
        Concurrency::Fixed(places) => Some(places),
        Concurrency::Auto { .. } => None,
    }
}

/// The name of the service that an endpoint calls. At a loopback address, each machine has a
/// different service.
pub(super) fn service_name(endpoint: &Endpoint) -> String {
    if let Some(service) = &endpoint.service {
        return service.clone();
    }
    if reqwest::Url::parse(&endpoint.url).is_ok_and(|url| is_loopback(&url)) {
        return format!("{} on {}", endpoint.url, rustix::system::uname().nodename().to_string_lossy());
    }
    endpoint.url.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_by_the_config_or_its_url_or_its_machine() {
        let named = |url: &str, service: Option<&str>| {
            service_name(&Endpoint { service: service.map(Into::into), ..Endpoint::sample("openai", url) })
        };
        assert_eq!(named("http://gpu1:8000/v1", Some("vllm")), "vllm");
        assert_eq!(named("https://api.example.org/v1", None), "https://api.example.org/v1");
        assert!(named("http://127.0.0.1:8000/v1", None).starts_with("http://127.0.0.1:8000/v1 on "));
    }
}
