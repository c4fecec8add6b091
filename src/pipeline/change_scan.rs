//! Which files of the input the ledger knows, so that an unchanged one is not opened. The walk and the ledger's list are both in order, so
//! they are compared side by side, a page at a time: memory stays flat for a million files.

use std::collections::{HashSet, VecDeque};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::discover::{Found, roots};
use crate::model::{Fault, Source, Stamp};
use crate::record::{FileRef, KnownFile, Ledger};

/// Files that are fetched from the ledger at once.
const PAGE: usize = 1024;
/// A file that was written to so shortly before it was read may change again and look the same: some file systems count in two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// What the ledger says of a file that was found.
pub(super) enum Sight {
    /// It is as an earlier run left it, and so are its rows.
    Unchanged {
        /// Rows that are done.
        done: u64,
        /// Rows that were skipped.
        skipped: u64,
    },
    /// It has to be read.
    New(Arc<FileRef>),
}

/// The ledger's list on one side of the comparison.
pub(super) struct ChangeScan<'a> {
    ledger: &'a Ledger,
    base: &'a Path,
    settings: i64,
    /// Inputs that are files: looked up by themselves, not in the order of their folder.
    lone: HashSet<PathBuf>,
    /// The folder that the walk is in, as a path and as the ledger's key.
    folder: PathBuf,
    key: Vec<u8>,
    /// Files of that folder that the walk has not come to; their last page was fetched.
    page: VecDeque<KnownFile>,
    whole: bool,
    visited: HashSet<Vec<u8>>,
    /// Numbers of files that were looked up by themselves.
    met: HashSet<i64>,
    back: Vec<i64>,
    gone: Vec<i64>,
}

impl<'a> ChangeScan<'a> {
    pub(super) fn new(ledger: &'a Ledger, base: &'a Path, inputs: &[PathBuf], settings: i64) -> Self {
        let lone = roots(inputs).into_iter().filter(|root| root.is_file()).collect();
        Self {
            ledger,
            base,
            settings,
            lone,
            folder: PathBuf::new(),
            key: Vec::new(),
            page: VecDeque::new(),
            whole: true,
            visited: HashSet::new(),
            met: HashSet::new(),
            back: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Looks a file up that the walk has come to.
    pub(super) fn look(&mut self, found: &Found) -> Result<Sight, Fault> {
        let source = match found {
            Ok(source) => source,
            Err((name, _)) => return self.lone(b"", name.as_bytes(), None),
        };
        let (Some(folder), Some(name)) = (source.path.parent(), source.path.file_name()) else {
            return self.lone(b"", source.name.as_bytes(), source.stamp);
        };
        let name = name.as_bytes();
        if source.stamp.is_none() || self.lone.contains(&source.path) {
            return self.lone(&self.key(folder), name, source.stamp);
        }
        if folder != self.folder {
            self.enter(folder)?;
        }
        let known = self.advance(name)?;
        Ok(self.judge(known, || name.to_vec(), source.stamp))
    }

    /// What is to be put into the table and taken out of it, now that the walk has come to its end.
    pub(super) fn end(mut self) -> Result<(Vec<i64>, Vec<i64>), Fault> {
        self.leave()?;
        for folder in self.ledger.folders()? {
            if !self.visited.contains(&folder) {
                (self.key, self.whole) = (folder, false);
                self.leave()?;
            }
        }
        Ok((self.back, self.gone))
    }

    fn key(&self, folder: &Path) -> Vec<u8> {
        folder.strip_prefix(self.base).unwrap_or(folder).as_os_str().as_bytes().to_vec()
    }

    /// A file outside the order.
    fn lone(&mut self, folder: &[u8], name: &[u8], stamp: Option<Stamp>) -> Result<Sight, Fault> {
        let known = self.ledger.file(folder, name)?;
        self.met.extend(known.as_ref().map(|known| known.number));
        let file = FileRef { number: 0, folder: folder.to_vec(), name: name.to_vec() };
        Ok(match self.judge(known, Vec::new, stamp) {
            Sight::New(judged) => Sight::New(Arc::new(FileRef { number: judged.number, ..file })),
            unchanged @ Sight::Unchanged { .. } => unchanged,
        })
    }

    fn judge(&mut self, known: Option<KnownFile>, name: impl FnOnce() -> Vec<u8>, stamp: Option<Stamp>) -> Sight {
        if let Some(known) = &known
            && Some(known.stamp) == stamp
            && known.settings == self.settings
        {
            self.back.extend((!known.listed).then_some(known.number));
            return Sight::Unchanged { done: known.done, skipped: known.skipped };
        }
        let number = known.map_or_else(|| self.ledger.new_file_number(), |known| known.number);
        Sight::New(Arc::new(FileRef { number, folder: self.key.clone(), name: name() }))
    }

    fn enter(&mut self, folder: &Path) -> Result<(), Fault> {
        self.leave()?;
        self.folder = folder.to_path_buf();
        self.key = self.key(folder);
        self.whole = false;
        self.visited.insert(self.key.clone());
        Ok(())
    }

    /// The known file of that name; those before it are gone.
    fn advance(&mut self, name: &[u8]) -> Result<Option<KnownFile>, Fault> {
        while let Some(known) = self.next()? {
            match known.name.as_slice().cmp(name) {
                std::cmp::Ordering::Less => self.miss(&known),
                std::cmp::Ordering::Equal => return Ok(Some(known)),
                std::cmp::Ordering::Greater => {
                    self.page.push_front(known);
                    break;
                }
            }
        }
        Ok(None)
    }

    /// All that is left of the folder is gone.
    fn leave(&mut self) -> Result<(), Fault> {
        while let Some(known) = self.next()? {
            self.miss(&known);
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<KnownFile>, Fault> {
        if self.page.is_empty() && !self.whole {
            self.page = self.ledger.files(&self.key, None, PAGE)?.into();
            self.whole = self.page.len() < PAGE;
        } else if self.page.len() == 1
            && !self.whole
            && let Some(last) = self.page.front()
        {
            let more = self.ledger.files(&self.key, Some(&last.name), PAGE)?;
            self.whole = more.len() < PAGE;
            self.page.extend(more);
        }
        Ok(self.page.pop_front())
    }

    /// A file that the ledger knows was not found. What this run has listed itself, it has found.
    fn miss(&mut self, known: &KnownFile) {
        if known.listed && known.run != self.ledger.run() && !self.met.contains(&known.number) {
            self.gone.push(known.number);
        }
    }
}

/// Whether the file is still as it was found, and cannot change any more without showing it.
pub(super) fn is_settled(source: &Source) -> bool {
    let Some(found) = source.stamp else { return false };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let written = Duration::from_nanos(u64::try_from(found.modified).unwrap_or(0));
    // A time in the future proves nothing either.
    let settled = now.checked_sub(written).is_some_and(|since| since >= SETTLED);
    settled && source.path.symlink_metadata().is_ok_and(|meta| Stamp::of(&meta) == found)
}
