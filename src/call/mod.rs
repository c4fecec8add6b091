//! The HTTP client of an endpoint: rate and concurrency limits, retries and the circuit breaker.

mod admission;
mod attempts;
mod backoff;
mod batch_client;
mod breaker;
mod concurrency;
mod counters;
mod endpoint_client;
mod excess;
mod http;
mod learned_places;
mod learned_rate;
mod mail;
mod negotiated;
mod others;
mod payment;
mod ping;
mod preflight;
mod random_refusals;
mod rate_evidence;
mod rate_limit;
mod redact;
mod retry_after;
mod service_limits;
mod service_part;
#[cfg(test)]
mod simulated_service;
mod stop_state;
mod tier;
mod transfer;
mod transport_error;
mod validate;

pub(crate) use batch_client::{Calls, NotCreated, UnusableLine, WrittenLine};
pub use counters::CallCounts;
pub use endpoint_client::EndpointClient;
pub(crate) use http::HttpClient;
pub(crate) use mail::send_mail;
pub use mail::{Letter, MailError};
pub(crate) use others::Others;
pub(crate) use payment::Payment;
pub(crate) use ping::ping;
pub use service_part::{ServicePart, ServiceShare, ServiceUse};
pub(crate) use transfer::ResultLines;
