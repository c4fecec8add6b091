//! The outputs at a run's two ends: what somebody has done to the tables since they were written is told and kept before they are made anew.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::config::hash;
use crate::config::{Config, RunSettings};
use crate::dedup;
use crate::model::{Fault, Row, Stamp, Status};
use crate::record::Ledger;
use crate::write::{self, Outputs, Past, View};

/// Rows that are read at once; some hold two whole texts.
const PAGE: usize = 64;
/// Days that the page looks back.
const DAYS: u32 = 30;

/// What the tables looked like when the run began.
pub struct Tables(Vec<(&'static str, Option<Stamp>)>);

/// Looks at the tables before any row changes. One that is not as it was written is compared with the ledger; where somebody's run is
/// in it, it is kept beside under a name of its own, and that is said.
///
/// # Errors
/// Where the ledger cannot be read, or a table with somebody's run cannot be kept.
pub fn look_at_tables(ledger: &Ledger, config: &Config) -> Result<Tables, Fault> {
    let written = ledger.outputs()?;
    let mut tables = Vec::new();
    for (name, quarantined) in write::tables() {
        let path = config.output.join(name);
        let found = stamp(&path);
        let known = written.iter().find(|(known, ..)| known == name).map(|(_, left, _)| *left);
        if found.is_some()
            && found != known
            && let Some(what) = edited(ledger, &path, quarantined)?
        {
            keep(&path, &what)?;
        }
        tables.push((name, found));
    }
    Ok(Tables(tables))
}

/// What somebody has done to this table, in words; none where it says what the ledger would write.
fn edited(ledger: &Ledger, path: &Path, quarantined: bool) -> Result<Option<String>, Fault> {
    // A link that somebody planted is not followed, and a pipe not waited for: neither was written here, and both are replaced.
    let Some(table) = open(path) else { return Ok(None) };
    let of_table = |row: &Row| row.quarantined() == quarantined;
    let is_quarantined = |status: &str| status == Status::Quarantined.code();
    let rows = ledger.statuses()?.into_iter().filter(|(status, _)| is_quarantined(status) == quarantined).map(|(_, rows)| rows).sum();
    let edits = write::edits(table, rows, |source| Ok(ledger.row(source)?.map(|(row, _)| row).filter(of_table)))?;
    let parts = [(edits.changed, "written or changed by hand"), (edits.missing, "taken out")];
    let parts: Vec<String> = parts.iter().filter(|(rows, _)| *rows > 0).map(|(rows, what)| format!("{rows} {what}")).collect();
    Ok((!parts.is_empty()).then(|| format!("is not as it was written (rows: {})", parts.join(", "))))
}

fn open(path: &Path) -> Option<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    file.metadata().is_ok_and(|meta| meta.is_file()).then_some(file)
}

/// Keeps a table as it is under another name, and says so. The new one then takes the first name, so that none is ever missing.
fn keep(path: &Path, what: &str) -> Result<(), Fault> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ");
    let names = (1..).map(|number: u32| match number {
        1 => path.with_file_name(format!("{stem}-edited-{now}.csv")),
        _ => path.with_file_name(format!("{stem}-edited-{now}-{number}.csv")),
    });
    for kept in names {
        // The same file under a second name costs no room; where the disk knows no such thing it is copied.
        let linked = std::fs::hard_link(path, &kept).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            _ => copy(path, &kept),
        });
        match linked {
            Ok(()) => {
                tracing::error!("`{}` {what}; it is kept as `{}`, and made anew from the ledger", path.display(), kept.display());
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(Fault::usage(format!(
                    "`{}` {what}, and cannot be kept as `{}`: {error}\n  hint: move it away, and start again",
                    path.display(),
                    kept.display()
                )));
            }
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut kept = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(from)?, &mut kept)?;
    kept.sync_all()
}

fn stamp(path: &Path) -> Option<Stamp> {
    path.symlink_metadata().ok().map(|meta| Stamp::of(&meta))
}

/// A hash of what shapes the outputs beside the rows.
fn made_with(config: &Config) -> i64 {
    let shaping = Config { run: RunSettings::default(), ..config.clone() };
    hash(&format!("{} {shaping:?}", env!("CARGO_PKG_VERSION")))
}

/// Whether every output stands as it was written, and no row has changed since.
fn stand(ledger: &Ledger, config: &Config) -> Result<bool, Fault> {
    let made_with = made_with(config);
    let before = ledger.outputs()?;
    let now = |name: &str| stamp(&config.output.join(name));
    let stands = |name: &str| before.iter().any(|(known, left, with)| known == name && Some(*left) == now(name) && *with == made_with);
    Ok(write::names().all(stands))
}

/// Puts every output in its place (`cost` is that of the run), unless all stand as they were written and no row has changed since.
///
/// # Errors
/// Where one cannot be written.
pub fn write_outputs(ledger: &Ledger, config: &Config, cost: Option<f64>, tables: &Tables) -> Result<(), Fault> {
    if stand(ledger, config)? {
        return Ok(());
    }
    dedup::settle(ledger, (config.near, &config.output))?;
    let outputs = fill(ledger, config)?;
    let past = Past { made_at: format!("{:.0}", jiff::Timestamp::now()), cost, days: ledger.days(DAYS)? };
    let path = |name: &str| config.output.join(name);
    for (name, then) in &tables.0 {
        let path = path(name);
        let now = stamp(&path);
        if now.is_some() && now != *then {
            keep(&path, "was written to while the run was at run")?;
        }
        opened_elsewhere(&path);
    }
    outputs.replace(&past)?;
    let written: Vec<_> = write::names().filter_map(|name| Some((name.to_owned(), stamp(&path(name))?))).collect();
    ledger.outputs_written(&written, made_with(config))
}

/// Writes every row of the table to all outputs, in the order of their sources.
fn fill(ledger: &Ledger, config: &Config) -> Result<Outputs, Fault> {
    let view = View {
        profile: config.profile,
        page_rows: config.page_rows,
        output: config.output.canonicalize().unwrap_or_else(|_| config.output.clone()),
        folder: config.folder.clone(),
    };
    let mut outputs = Outputs::begin(&config.output, &view)?;
    outputs.fill(&mut |take| {
        let mut after = String::new();
        loop {
            let page = ledger.rows_between(&after, PAGE)?;
            let whole = page.len() == PAGE;
            for row in page {
                after.clone_from(&row.source);
                take(row)?;
            }
            if !whole {
                return Ok(());
            }
        }
    })?;
    Ok(outputs)
}

/// Says so where a spreadsheet has the table open: it shows the old rows, and saving them would write them over the new ones.
fn opened_elsewhere(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let locks = [format!(".~lock.{name}#"), format!("~${name}")].map(|lock| path.with_file_name(lock));
    if let Some(lock) = locks.iter().find(|lock| lock.symlink_metadata().is_ok()) {
        tracing::warn!(
            "`{}` is open in a spreadsheet (`{}` is there): open it again to see the new rows; if the old ones are saved over them, the next run keeps \
             what was saved and makes the table anew",
            path.display(),
            lock.display()
        );
    }
}
