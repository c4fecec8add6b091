//! `depeche export`: rows of the ledger once more, filtered, as CSV or JSON lines.

use std::io::{self, BufWriter, Write};

use super::ExportArguments;
use crate::config::Profile;
use crate::model::{Exit, Fault, Flag, Status};
use crate::record::{Filter, LedgerReader};
use crate::write::Form;

pub(super) fn run(arguments: &ExportArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let filter = filter(arguments)?;
    let form = match (arguments.format.as_str(), arguments.profile.as_deref()) {
        ("jsonl", _) => Form::Jsonl,
        (_, Some("excel-fr")) => Form::Csv(Profile::ExcelFr),
        (_, Some(_)) => Form::Csv(Profile::Plain),
        (_, None) => Form::Csv(config.profile),
    };
    let ledger = LedgerReader::open(&config.output)?;
    let ledger = ledger.ok_or_else(|| Fault::usage(format!("there is no ledger in `{}`", config.output.display())))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut gone = false;
    let fault = |error: &io::Error| Fault::usage(format!("standard output takes no more: {error}"));
    let mut written = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            gone = true;
            Err(fault(&error))
        }
        result => result.map_err(|error| fault(&error)),
    };
    let mut all = || {
        written(form.begin(&mut out))?;
        ledger.each_row(&filter, |row| written(form.row(&row, &mut out)))?;
        written(out.flush())
    };
    let result = all();
    // A reader that has seen enough (`| head`) is no error.
    if gone { Ok(Exit::Done) } else { result.map(|()| Exit::Done) }
}

fn filter(arguments: &ExportArguments) -> Result<Filter, Fault> {
    let status = arguments.status.as_deref().map(|code| match code {
        "failed" => Status::Failed,
        code => Status::of_code(code),
    });
    if let Some(flag) = arguments.flag.as_deref().filter(|flag| Flag::parse(flag).is_none()) {
        let flags: Vec<&str> = Flag::ALL.iter().map(|flag| flag.code()).collect();
        return Err(Fault::usage(format!("there is no flag `{flag}`; there are {}", flags.join(", "))));
    }
    let date = |name: &str, date: &Option<String>| match date {
        Some(date) if date.get(..10).unwrap_or(date).parse::<jiff::civil::Date>().is_err() => {
            Err(Fault::usage(format!("--{name} `{date}` is no date, such as 2026-11-25")))
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
