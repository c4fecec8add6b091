//! `depeche export`: prints rows from the ledger as CSV or JSON Lines.

use std::io::{self, BufWriter, Write};

use super::arguments::{ExportArguments, FilterArguments};
use crate::config::Profile;
use crate::model::{Exit, Fault, Status};
use crate::record::{self, Filter};
use crate::write::ExportFormat;

pub(super) fn run(arguments: &ExportArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let filter = filter(&arguments.filter)?;
    let form = match (arguments.format.as_str(), arguments.profile.as_deref()) {
        ("jsonl", _) => ExportFormat::Jsonl,
        (_, Some("excel-fr")) => ExportFormat::Csv(Profile::ExcelFr),
        (_, Some(_)) => ExportFormat::Csv(Profile::Plain),
        (_, None) => ExportFormat::Csv(config.profile),
    };
    let ledger = record::open_to_read(&config)?;
    let ledger = ledger.ok_or_else(|| Fault::usage(format!("no ledger {}: no run has started yet", record::place(&config))))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut pipe_closed = false;
    let fault = |error: &io::Error| Fault::usage(format!("cannot write to standard output: {error}"));
    let mut written = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            pipe_closed = true;
            Err(fault(&error))
        }
        result => result.map_err(|error| fault(&error)),
    };
    let mut all = || {
        written(form.begin(&mut out))?;
        ledger.each_row(&filter, &mut |row| written(form.row(&row, &mut out)))?;
        written(out.flush())
    };
    let result = all();
    // A closed pipe (`| head`) is not an error.
    if pipe_closed { Ok(Exit::Done) } else { result.map(|()| Exit::Done) }
}

fn filter(arguments: &FilterArguments) -> Result<Filter, Fault> {
    let status = arguments.status.as_deref().map(|code| match code {
        "failed" => Status::Failed,
        code => Status::of_code(code),
    });
    let date = |name: &str, date: &Option<String>| match date {
        Some(date) if date.get(..10).unwrap_or(date).parse::<jiff::civil::Date>().is_err() => {
            Err(Fault::usage(format!("`--{name} {date}`: expected a date such as 2026-11-25")))
        }
        date => Ok(date.clone()),
    };
    Ok(Filter {
        all: arguments.all,
        since: date("since", &arguments.since)?,
        until: date("until", &arguments.until)?,
        published_since: date("published-since", &arguments.published_since)?,
        published_until: date("published-until", &arguments.published_until)?,
        status,
        flag: arguments.flag.clone(),
    })
}
