//! The endpoint that ships with the program: an HTTP server on loopback that summarises and translates without an account.
//! The run calls it like any other service; `depeche serve` runs it alone. Its API is documented in `docs/embedded.md`.

mod apertium;
mod fetch;
mod firefox;
pub mod models;
mod server;
pub mod summarise;
mod translator;

pub use fetch::{Progress as FetchProgress, fetch};
pub use server::{Server, start};
pub use translator::{Translators, choose};
