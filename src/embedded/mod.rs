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
mod listen;
pub(crate) mod models;
mod request;
mod server;
pub mod summarise;
mod translator;

pub(crate) use choose::choose;
pub(crate) use fetch::fetch;
pub(crate) use server::{Server, start};
pub(crate) use translator::Translators;
