//! `depeche forget`: prunes the ledger by age.

use jiff::{Span, Timestamp, tz::TimeZone};

use super::ForgetArguments;
use crate::model::{Exit, Fault};
use crate::record::{self, RunLock};
use crate::report::say;

pub(super) fn run(arguments: &ForgetArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let before = before(&arguments.older_than)?;
    let _lock = RunLock::take(&config.output, |_| false)?;
    let forgotten = record::forget(&config.output, &before, arguments.dry_run)?;
    let done = if arguments.dry_run { "would be forgotten" } else { "forgotten" };
    say(&format!(
        "{} rows that are no longer in the table, {} replies that no row needs, {} runs: {done} (before {before})",
        forgotten.rows, forgotten.calls, forgotten.runs
    ));
    Ok(Exit::Done)
}

/// The moment so long ago, UTC.
fn before(age: &str) -> Result<String, Fault> {
    let span = age.parse::<Span>().ok().filter(jiff::Span::is_positive);
    let then = span.and_then(|span| Timestamp::now().to_zoned_datetime(TimeZone::UTC).checked_sub(span).ok());
    let then = then.ok_or_else(|| Fault::usage(format!("--older-than `{age}` is no age, such as 90d or 6mo")))?;
    Ok(format!("{:.0}", then.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_spans_of_time_that_lie_behind_us() {
        for age in ["90d", "6mo", "2 weeks", "1h"] {
            assert!(before(age).unwrap() < format!("{:.0}", Timestamp::now()), "{age}");
        }
        for age in ["", "old", "-3d", "0d", "90"] {
            assert!(before(age).is_err(), "{age}");
        }
    }
}
