//! End-to-end tests of `depeche`: the real program, real sockets on loopback, real signals and `kill -9`.

// Always true here. It tells clippy that `unwrap` is allowed.
#![cfg(test)]

mod apertium;
mod bad_bytes;
mod bad_input;
mod books;
mod checks;
mod cli;
mod config;
mod dialects;
mod disk;
mod doctor;
mod duplicates;
mod endpoint;
mod endpoint_stop;
mod failover;
mod formats;
mod glossary;
mod injected;
mod injection;
mod kill;
mod known;
mod ledger;
mod libretranslate;
mod limits;
mod llmock;
mod machine;
mod models;
mod moving_input;
mod night;
mod page;
mod pages;
mod read;
mod ready_made;
mod run;
mod serve;
mod signals;
mod support;
mod table;
mod tables;
mod tls;
mod wasted;
mod wire_faults;
