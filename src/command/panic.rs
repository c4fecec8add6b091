//! Turns a panic into exit code 1 and one line on standard error.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook};

use crate::model::Exit;
use crate::report;
use crate::write;

/// Replaces the process's panic hook. Only `main` may call this: in a test, it would hide the
/// messages of failed assertions.
pub fn install_panic_hook() {
    set_hook(Box::new(|panic| {
        if !write::is_write_failure() {
            report::print_bug(&message(panic.location()));
        }
    }));
}

/// Calls `run`, and returns [`Exit::Bug`] if it panics.
pub(super) fn catch(run: impl FnOnce() -> Exit) -> Exit {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Exit::Bug)
}

/// Prints the place of the bug, but not the panic's message, which may contain text of an article
/// or a key.
fn message(location: Option<&Location>) -> String {
    let place = location.map_or_else(|| "an unknown place".into(), ToString::to_string);
    format!("bug in depeche at {place}; please report it, with the file if one is named")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_exit_code_1() {
        assert_eq!(catch(|| Exit::SomeFailed), Exit::SomeFailed);
        assert_eq!(catch(|| panic!("expected by this test")), Exit::Bug);
    }

    #[test]
    fn the_message_names_the_place() {
        assert!(message(Some(Location::caller())).contains("panic.rs:"));
    }
}
