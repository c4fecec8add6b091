//! The endpoint that ships with the program: an HTTP server on loopback that summarises and
//! translates without an account.
//!
//! A run calls it like any other service, and `depeche serve` runs it alone. `docs/embedded.md`
//! documents its API.

mod apertium;
mod choose;
mod engine;
mod fetch;
mod firefox;
pub mod models;
mod server;
pub mod summarise;
mod translator;

pub use choose::choose;
pub use fetch::{Progress as FetchProgress, fetch};
pub use server::{Server, start};
pub use translator::Translators;
