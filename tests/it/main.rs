//! `depeche` from outside: the real program, real sockets on loopback, real signals and `kill -9`. One module a theme.

// `cfg(test)` is always on here; clippy takes it as the sign that a module may unwrap.
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod config;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod endpoint_stop;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod models;
#[cfg(test)]
mod read;
#[cfg(test)]
mod run;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod support;
#[cfg(test)]
mod table;
