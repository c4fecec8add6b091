//! The wire: one client an endpoint, its calls at once, its failed attempts and what follows from them.

mod attempts;
mod breaker;
mod broken;
mod client;
mod gate;
mod line;
mod pace;
mod ping;
mod places;
mod ready;
mod retry;
mod sense;
mod throttle;

pub use attempts::Tally;
pub use client::Client;
pub use line::Line;
pub use ping::ping;
