//! Writes the outputs from the ledger at the end of a run, and replaces the old outputs together.

use super::hand_edits::{Tables, stamp};
use super::{History, Outputs, View, every_name, names};
use crate::config::{Config, RunSettings, hash};
use crate::dedup;
use crate::model::Fault;
use crate::record::{Ledger, LedgerReader, OutputState};

/// Days in the page's chart.
const DAYS: u32 = 30;
/// Rows that are read from the ledger at once.
const PAGE: usize = 256;

/// Writes all outputs, unless they are up to date. `cost`: the cost of the run.
///
/// # Errors
/// If an output cannot be written.
pub fn publish(ledger: &dyn Ledger, config: &Config, cost: Option<f64>, tables: &Tables) -> Result<(), Fault> {
    // Another run may write the same outputs.
    ledger.check_held()?;
    if are_current(ledger.reader(), config)? {
        return Ok(());
    }
    dedup::mark_copies(ledger, config.near, &config.output)?;
    let outputs = fill(ledger.reader(), config)?;
    let past = History { made_at: format!("{:.0}", jiff::Timestamp::now()), cost, days: ledger.reader().days(DAYS)? };
    let outputs = outputs.complete(&past)?;
    let settings_hash = settings_hash(config);
    let earlier = ledger.reader().outputs()?;
    // Recorded before the files get their final names. If the run is killed in between, the next
    // run must not think that somebody edited these files.
    let new = outputs.states()?.into_iter().map(|(name, stamp)| OutputState { name, stamp, settings_hash });
    let recorded = ledger.record_new_outputs(new.collect());
    // If this process was declared dead in the meantime, another process writes the outputs.
    ledger.check_held()?;
    tables.save_changed(config)?;
    // The user needs the table even if the ledger can no longer be written.
    outputs.replace()?;
    recorded?;
    remove_others(&earlier, config);
    let written = names(&config.formats).filter_map(|name| Some((name.to_owned(), stamp(&config.output.join(name))?)));
    ledger.record_outputs(written.map(|(name, stamp)| OutputState { name, stamp, settings_hash }).collect())
}

/// Removes outputs in formats that the config no longer has, because an old table beside the new
/// one would mislead. If somebody has changed an output since depeche wrote it, it stays.
fn remove_others(earlier: &[OutputState], config: &Config) {
    for name in every_name().filter(|name| names(&config.formats).all(|wanted| wanted != *name)) {
        let path = config.output.join(name);
        if earlier.iter().any(|output| output.name == name && stamp(&path) == Some(output.stamp)) {
            // A file that stays does no harm.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether every output is unchanged since it was written, was written with the same settings, and
/// no row has changed since.
fn are_current(reader: &dyn LedgerReader, config: &Config) -> Result<bool, Fault> {
    let written = reader.outputs()?;
    let settings_hash = settings_hash(config);
    Ok(names(&config.formats).all(|name| {
        let found = stamp(&config.output.join(name));
        written.iter().any(|output| output.name == name && Some(output.stamp) == found && output.settings_hash == settings_hash)
    }))
}

/// A hash of the settings that shape the outputs.
fn settings_hash(config: &Config) -> i64 {
    let shaping = Config { run: RunSettings::default(), ledger: None, mail: None, ..config.clone() };
    hash(&format!("{} {shaping:?}", env!("CARGO_PKG_VERSION")))
}

/// Writes every row of the table to all outputs, in the order of their sources.
fn fill(reader: &dyn LedgerReader, config: &Config) -> Result<Outputs, Fault> {
    let rows = reader.statuses()?.into_values().map(|rows| usize::try_from(rows).unwrap_or(usize::MAX)).sum();
    let view = View {
        profile: config.profile,
        formats: config.formats.clone(),
        language: config.page_language,
        rows: Some(rows),
        keep_text: config.summary.keep_text,
        page_rows: config.page_rows,
        output: config.output.canonicalize().unwrap_or_else(|_| config.output.clone()),
        folder: config.folder.clone(),
    };
    let mut outputs = Outputs::begin(&config.output, &view)?;
    outputs.fill(&mut |take| {
        let mut after = String::new();
        loop {
            let page = reader.rows_after(&after, PAGE)?;
            let last = page.len() < PAGE;
            for row in page {
                after.clone_from(&row.source);
                take(row)?;
            }
            if last {
                return Ok(());
            }
        }
    })?;
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Exit, Row, RunSummary, Status, TABLE};
    use crate::record::FileRef;
    use crate::write::inspect_tables;

    /// A ledger with a done row for each source.
    fn ledger(folder: &std::path::Path, sources: &[&str]) -> Arc<dyn Ledger> {
        let ledger = crate::record::open(&config(folder), false, false).unwrap();
        let file = Arc::new(FileRef { number: 1, folder: b"input".to_vec(), name: b"a".to_vec() });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for source in sources {
                let row = Row { source: (*source).into(), status: Status::Done, ..Row::default() };
                ledger.record_row(Box::new(row), Some([1; 32]), &[], &file).await.unwrap();
            }
            ledger.flush().await.unwrap();
        });
        ledger
    }

    fn config(folder: &std::path::Path) -> Config {
        Config { output: folder.to_path_buf(), folder: folder.to_path_buf(), ..Config::sample() }
    }

    #[test]
    fn outputs_are_written_once_and_again_when_a_row_changes_or_a_file_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (config, table) = (config(dir.path()), dir.path().join(TABLE));
        let ledger = ledger(dir.path(), &["b.txt", "a.txt"]);
        let tables = inspect_tables(ledger.reader(), &config).unwrap();
        publish(&*ledger, &config, None, &tables).unwrap();
        let text = std::fs::read_to_string(&table).unwrap();
        assert_eq!(text.lines().map(|line| line.split(',').nth(1).unwrap()).collect::<Vec<_>>(), ["source", "a.txt", "b.txt"]);
        let first = stamp(&table);
        publish(&*ledger, &config, None, &tables).unwrap();
        assert_eq!(stamp(&table), first, "nothing has changed");
        assert!(!are_current(ledger.reader(), &Config { page_rows: 3, ..config.clone() }).unwrap(), "another setting");
        std::fs::remove_file(&table).unwrap();
        publish(&*ledger, &config, None, &tables).unwrap();
        assert!(table.exists());
        ledger.close(Exit::Done, &RunSummary::default()).unwrap();
    }
}
