//! End-to-end tests of `depeche`: the real program, real sockets on loopback, real signals and `kill -9`.

// Always true here. It tells clippy that `unwrap` is allowed.
#![cfg(test)]

mod answers;
mod apertium;
mod bad_input;
mod batch_clock;
mod batch_faults;
mod batch_forms;
mod batches;
#[cfg(feature = "postgres")]
mod batches_shared;
mod checks;
mod cli;
mod config;
mod cost_limit;
mod damaged_files;
#[cfg(feature = "postgres")]
mod database_failures;
mod dialects;
mod disk;
mod doctor;
mod duplicates;
mod edited_tables;
mod empty_input;
mod encodings;
mod endpoint_errors;
mod endpoint_stop;
mod failover;
mod fault_injection;
mod flex;
mod formats;
mod glossary;
#[cfg(feature = "postgres")]
mod interleavings;
mod kill;
mod ledger;
mod ledger_batches;
mod ledger_commands;
mod ledger_suite;
mod libretranslate;
mod limits;
mod llmock;
#[cfg(feature = "postgres")]
mod long_files;
mod machine_limits;
mod mail;
mod maybe_billed;
#[cfg(feature = "postgres")]
mod migrate;
mod models;
mod moving_input;
mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod prompt_injection;
mod read;
mod review;
mod run;
mod saved_pages;
mod serve;
#[cfg(feature = "postgres")]
mod shared_claims;
#[cfg(feature = "postgres")]
mod shared_limits;
#[cfg(feature = "postgres")]
mod shared_runs;
mod signals;
mod support;
mod table;
mod template_configs;
mod tls;
mod unattended;
mod unchanged;
mod wire_faults;
