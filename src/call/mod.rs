//! The wire: one client an endpoint, its calls at once, its failed attempts and what follows from them.

mod adaptive_rate;
mod admission;
mod attempts;
mod breaker;
mod concurrency;
mod endpoint_client;
mod http;
mod ping;
mod preflight;
mod rate_limit;
mod retry;
mod transport_error;
mod validate;

pub use attempts::Tally;
pub use endpoint_client::EndpointClient;
pub use http::HttpClient;
pub use ping::ping;
