//! `depeche forget`: deletes old data from the ledger.

use std::sync::Arc;

use jiff::{Span, Timestamp, tz::TimeZone};

use super::arguments::ForgetArguments;
use crate::model::{Exit, Fault};
use crate::record;
use crate::report::{self, Align, Progress, Verbosity, columns, print_stdout};

pub(super) fn run(arguments: &ForgetArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let before = before(&arguments.older_than)?;
    let verbosity = arguments.log.verbosity();
    report::start_log(verbosity, false, &Arc::new(Progress::new(verbosity, &[])));
    let say = |text: &str| {
        if verbosity != Verbosity::Quiet {
            print_stdout(text);
        }
    };
    let Some(forgotten) = record::forget(&config, &before, arguments.dry_run)? else {
        say(&format!("no ledger {}: nothing was processed yet, so there is nothing to delete", record::place(&config)));
        return Ok(Exit::Done);
    };
    let done = if arguments.dry_run { "Would delete" } else { "Deleted" };
    let rows = [("rows no longer in the table", forgotten.rows), ("unneeded replies", forgotten.calls), ("runs", forgotten.runs)]
        .map(|(name, count)| [format!("  {name}"), count.to_string()]);
    let lines = columns([Align::Left, Align::Right], &rows);
    say(&format!("{done}, from before {before}\n{}", lines.join("\n")));
    Ok(Exit::Done)
}

/// The time in UTC that is `age` ago.
fn before(age: &str) -> Result<String, Fault> {
    let span = age.parse::<Span>().ok().filter(jiff::Span::is_positive);
    let then = span.and_then(|span| Timestamp::now().to_zoned_datetime(TimeZone::UTC).checked_sub(span).ok());
    let then = then.ok_or_else(|| Fault::usage(format!("`--older-than {age}`: expected an age such as 90d or 6mo")))?;
    Ok(format!("{:.0}", then.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_positive_durations() {
        for age in ["90d", "6mo", "2 weeks", "1h"] {
            assert!(before(age).unwrap() < format!("{:.0}", Timestamp::now()), "{age}");
        }
        for age in ["", "old", "-3d", "0d", "90"] {
            assert!(before(age).is_err(), "{age}");
        }
    }
}
