//! The outputs are filled while the last answers are awaited: once the walk has ended, all rows are known but those of the articles on
//! their way, and of these the sketches are. What is not as it was foreseen is thrown away, and the outputs are filled once more at the end.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Work;
use super::awaited::{Awaited, Broken};
use super::copies::{self, Coming, said};
use super::outputs::stand;
use super::reading::behind_the_others;
use crate::config::Config;
use crate::model::Fault;
use crate::record::Ledger;
use crate::write::{Outputs, Take, View};

/// Rows that are read at once.
const PAGE: usize = 256;
/// Bytes that stay free beside what the outputs may take: answers that are on their way are paid for, and come first.
const KEPT_FREE: u64 = 64 << 20;

/// Outputs with every row, which are yet to take their places.
pub struct Filled {
    pub(super) outputs: Outputs,
    /// How many they were.
    pub(super) rows: u64,
}

/// Outputs that are being filled.
pub(super) struct Filling(oneshot::Receiver<Filled>);

impl Filling {
    /// Begins, on a thread of its own; to be called when every article was begun.
    pub(super) fn begin(work: &Arc<Work>) -> Option<Self> {
        if work.stop.get().is_some() {
            return None;
        }
        let (tell, told) = oneshot::channel();
        let work = Arc::clone(work);
        let fill = move || {
            behind_the_others(0);
            match ahead(&work) {
                // A run that was broken off does not wait for it.
                Ok(filled) => drop(filled.map(|filled| tell.send(filled))),
                Err(fault) => tracing::debug!("the outputs are written at the end: {}", fault.message),
            }
        };
        // A run without this thread ends a little later.
        std::thread::Builder::new().name("outputs".into()).spawn(fill).ok()?;
        Some(Self(told))
    }

    /// Waits until they are filled; none where that came to nothing.
    pub(super) async fn filled(self) -> Option<Filled> {
        self.0.await.ok()
    }
}

/// None where nothing is gained: the outputs stand, or no row is awaited.
fn ahead(work: &Work) -> Result<Option<Filled>, Fault> {
    let (ledger, config) = (work.desk.ledger(), &work.config);
    let coming = work.awaited.all();
    if coming.is_empty() {
        return Ok(None);
    }
    // Rows that are not among them are in the ledger's queue.
    ledger.flush_here()?;
    if stand(ledger, config)? || !has_room(ledger, config) {
        return Ok(None);
    }
    fill(ledger, &ledger.beside()?, config, (&work.awaited, &coming)).map(Some)
}

/// The outputs hold little more than the ledger does.
fn has_room(ledger: &Ledger, config: &Config) -> bool {
    let free = rustix::fs::statvfs(&config.output).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    free > KEPT_FREE + 2 * ledger.bytes()
}

/// Settles which rows are copies, and fills the outputs with all rows in the order of their sources, each when those before it have come.
/// `reader` is read from while others use `ledger`; `coming` are those that were awaited when all others were in the ledger.
pub(super) fn fill(ledger: &Ledger, reader: &Ledger, config: &Config, (awaited, coming): (&Awaited, &Coming)) -> Result<Filled, Fault> {
    let expected = copies::settle(reader, coming, (config.near, &config.output), |rows| ledger.mark_copies(rows))?;
    let view = View {
        profile: config.profile,
        page_rows: config.page_rows,
        output: config.output.canonicalize().unwrap_or_else(|_| config.output.clone()),
        folder: config.folder.clone(),
    };
    let mut outputs = Outputs::begin(&config.output, &view)?;
    let (mut rows, mut changed) = (0, Vec::new());
    outputs.fill(&mut |take| {
        final_rows((ledger, reader), (awaited, coming), &mut |row| {
            let Some(row) = row else { return take(None) };
            rows += 1;
            let Some(sketch) = coming.get(&row.source) else { return take(Some(row)) };
            if row.sketch != *sketch {
                return Err(Fault::usage(format!("`{}` is not the article that it was", row.source)));
            }
            let original = expected.get(&row.source).map_or("", String::as_str);
            if row.copy_of == original {
                return take(Some(row));
            }
            let row = said(row, original);
            changed.push(row.clone());
            take(Some(row))
        })
    })?;
    if !changed.is_empty() {
        ledger.mark_copies(changed)?;
    }
    Ok(Filled { outputs, rows })
}

/// Hands over every row, in the order of their sources, as far as no row before it is awaited.
fn final_rows((ledger, reader): (&Ledger, &Ledger), (awaited, coming): (&Awaited, &Coming), take: Take) -> Result<(), Fault> {
    let (mut after, mut left) = (String::new(), usize::MAX);
    while left > 0 {
        let first;
        (left, first) = awaited.half_of(left).map_err(|Broken| Fault::usage("a row does not come"))?;
        // Rows that have ended are in the ledger's queue.
        if !coming.is_empty() {
            ledger.flush_here()?;
        }
        loop {
            let page = reader.rows_between(&after, first.as_deref(), PAGE)?;
            let whole = page.len() == PAGE;
            for row in page {
                after.clone_from(&row.source);
                take(Some(row))?;
            }
            if !whole {
                break;
            }
        }
        if first.is_some() {
            take(None)?;
        }
    }
    Ok(())
}
