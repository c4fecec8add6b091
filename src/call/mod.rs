//! The wire: one client an endpoint, its calls at once, its failed attempts and what follows from them.

mod client;
mod line;
mod retry;

pub use client::Client;
pub use line::{Line, Tally};
