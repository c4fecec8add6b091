//! Change detection: finds the files that have not changed since an earlier run. The walk and the
//! ledger's list of files have the same order, so they are compared side by side, one page at a
//! time, and memory does not grow with the number of files.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::discover::{Found, roots};
use crate::model::{Fault, Source, Stamp};
use crate::record::{FileRef, KnownFile, LedgerReader};

/// How many files are read from the ledger at a time.
const PAGE: usize = 1024;
/// If a file was written less than this before it was read, its stamp may not show the next change:
/// some file systems have a resolution of two seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// Whether a file has changed since an earlier run.
pub(super) enum Change {
    /// No: its rows are up to date.
    Unchanged {
        /// How many of its rows are done.
        done: u64,
        /// How many of its rows were skipped.
        skipped: u64,
        /// The run that read it.
        run: i64,
    },
    /// Yes, or it is new: it must be read.
    Changed(Arc<FileRef>),
}

/// What the walk changes in the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TableChanges {
    /// Files whose rows return to the table.
    pub(super) returned: Vec<i64>,
    /// Files whose rows leave it.
    pub(super) gone: Vec<i64>,
    /// Inputs that contain no file, although the table has rows of files in them. These rows stay.
    pub(super) empty: Vec<PathBuf>,
}

/// The comparison of the walk with the ledger.
pub(super) struct ChangeScan<'a> {
    ledger: &'a dyn LedgerReader,
    base: &'a Path,
    settings: i64,
    run: i64,
    /// The number of the next new file.
    next_number: i64,
    /// Inputs that are not files.
    roots: Vec<PathBuf>,
    /// Inputs that are files. They are looked up one by one, because the walk does not reach them
    /// in the order of their folder.
    lone: HashSet<PathBuf>,
    /// The walk's current folder, as a path and as the ledger's key.
    folder: PathBuf,
    key: Vec<u8>,
    /// The ledger's next files of that folder. `last_page`: no more files follow.
    page: VecDeque<KnownFile>,
    last_page: bool,
    visited: HashSet<Vec<u8>>,
    /// Whether the walk found any file.
    found_any: bool,
    allow_empty: bool,
    /// Numbers of files that were looked up one by one.
    looked_up: HashSet<i64>,
    /// Files that were not in the table, and have returned.
    returned: Vec<i64>,
    /// Files in the table that are gone.
    gone: Vec<i64>,
}

impl<'a> ChangeScan<'a> {
    /// A comparison for run number `run`, whose settings have the hash `settings`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(super) fn new(ledger: &'a dyn LedgerReader, config: &'a Config, settings: i64, run: i64) -> Result<Self, Fault> {
        let (lone, roots) = roots(&config.input).into_iter().partition::<Vec<_>, _>(|root| root.is_file());
        Ok(Self {
            ledger,
            base: &config.folder,
            settings,
            run,
            next_number: ledger.last_file_number()? + 1,
            roots,
            lone: lone.into_iter().collect(),
            found_any: false,
            allow_empty: config.run.allow_empty,
            folder: PathBuf::new(),
            key: Vec::new(),
            page: VecDeque::new(),
            last_page: true,
            visited: HashSet::new(),
            looked_up: HashSet::new(),
            returned: Vec::new(),
            gone: Vec::new(),
        })
    }

    /// Looks up the walk's next file.
    pub(super) fn look_up(&mut self, found: &Found) -> Result<Change, Fault> {
        let source = match found {
            Ok(source) => {
                self.found_any = true;
                source
            }
            Err((name, _)) => return self.look_up_alone(b"", name.as_bytes(), None),
        };
        let (Some(folder), Some(name)) = (source.path.parent(), source.path.file_name()) else {
            return self.look_up_alone(b"", source.name.as_bytes(), source.stamp);
        };
        let name = name.as_bytes();
        if source.stamp.is_none() || self.lone.contains(&source.path) {
            return self.look_up_alone(&self.key(folder), name, source.stamp);
        }
        if folder != self.folder {
            self.enter(folder)?;
        }
        let known = self.advance(name)?;
        Ok(self.compare(known, || name.to_vec(), source.stamp))
    }

    /// Ends the comparison. The rows of an input without files stay, because its disk is probably
    /// not mounted.
    pub(super) fn end(mut self) -> Result<TableChanges, Fault> {
        self.leave()?;
        let suspects = self.inputs_without_files();
        let mut empty = BTreeSet::new();
        for folder in self.ledger.folders()? {
            if self.visited.contains(&folder) {
                continue;
            }
            let path = self.base.join(OsStr::from_bytes(&folder));
            (self.key, self.last_page) = (folder, false);
            // If there is no file at all, the rows of other inputs stay too.
            let under = suspects.iter().find(|root| !self.found_any || path.starts_with(root));
            let gone = self.gone.len();
            self.leave()?;
            if let Some(root) = under
                && self.gone.len() > gone
            {
                self.gone.truncate(gone);
                empty.insert(root.clone());
            }
        }
        Ok(TableChanges { returned: self.returned, gone: self.gone, empty: empty.into_iter().collect() })
    }

    /// The inputs that contain no file; none if `allow_empty` is set.
    fn inputs_without_files(&self) -> Vec<PathBuf> {
        if self.allow_empty {
            return Vec::new();
        }
        let visited: Vec<PathBuf> = self.visited.iter().map(|folder| self.base.join(OsStr::from_bytes(folder))).collect();
        let with_files: HashSet<&Path> = visited.iter().flat_map(|folder| folder.ancestors()).collect();
        let is_empty = |root: &&PathBuf| root.as_os_str() != Source::STDIN && !with_files.contains(root.as_path());
        self.roots.iter().filter(is_empty).cloned().collect()
    }

    fn key(&self, folder: &Path) -> Vec<u8> {
        folder.strip_prefix(self.base).unwrap_or(folder).as_os_str().as_bytes().to_vec()
    }

    /// Looks up a file outside the order of a folder.
    fn look_up_alone(&mut self, folder: &[u8], name: &[u8], stamp: Option<Stamp>) -> Result<Change, Fault> {
        let known = self.ledger.file(folder, name)?;
        self.looked_up.extend(known.as_ref().map(|known| known.number));
        let file = FileRef { number: 0, folder: folder.to_vec(), name: name.to_vec() };
        Ok(match self.compare(known, Vec::new, stamp) {
            Change::Changed(compared) => Change::Changed(Arc::new(FileRef { number: compared.number, ..file })),
            unchanged @ Change::Unchanged { .. } => unchanged,
        })
    }

    fn compare(&mut self, known: Option<KnownFile>, name: impl FnOnce() -> Vec<u8>, stamp: Option<Stamp>) -> Change {
        if let Some(known) = &known
            && Some(known.stamp) == stamp
            && known.settings == self.settings
        {
            self.returned.extend((!known.in_table).then_some(known.number));
            return Change::Unchanged { done: known.done, skipped: known.skipped, run: known.run };
        }
        let number = known.map_or(self.next_number, |known| known.number);
        self.next_number += i64::from(number == self.next_number);
        Change::Changed(Arc::new(FileRef { number, folder: self.key.clone(), name: name() }))
    }

    fn enter(&mut self, folder: &Path) -> Result<(), Fault> {
        self.leave()?;
        self.folder = folder.to_path_buf();
        self.key = self.key(folder);
        self.last_page = false;
        self.visited.insert(self.key.clone());
        Ok(())
    }

    /// The ledger's file of this name. Files before it are gone.
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

    /// Leaves the folder: the files that the ledger still lists in it are gone.
    fn leave(&mut self) -> Result<(), Fault> {
        while let Some(known) = self.next()? {
            self.miss(&known);
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<KnownFile>, Fault> {
        if self.page.is_empty() && !self.last_page {
            self.page = self.ledger.files(&self.key, None, PAGE)?.into();
            self.last_page = self.page.len() < PAGE;
        } else if self.page.len() == 1
            && !self.last_page
            && let Some(last) = self.page.front()
        {
            let more = self.ledger.files(&self.key, Some(&last.name), PAGE)?;
            self.last_page = more.len() < PAGE;
            self.page.extend(more);
        }
        Ok(self.page.pop_front())
    }

    /// Notes that the walk did not find a file, unless this run has found it under another input.
    fn miss(&mut self, known: &KnownFile) {
        if known.in_table && known.run != self.run && !self.looked_up.contains(&known.number) {
            self.gone.push(known.number);
        }
    }
}

/// Whether a file is still as the walk found it, and its stamp will show any later change.
pub(super) fn is_settled(source: &Source) -> bool {
    let Some(found) = source.stamp else { return false };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let written = Duration::from_nanos(u64::try_from(found.modified).unwrap_or(0));
    // A time in the future proves nothing.
    let settled = now.checked_sub(written).is_some_and(|since| since >= SETTLED);
    settled && source.path.symlink_metadata().is_ok_and(|meta| Stamp::of(&meta) == found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Exit, RunSummary};
    use crate::record::{CompletedFile, Ledger};

    const SETTINGS: i64 = 7;

    fn stamp(size: u64) -> Stamp {
        Stamp { size, modified: 1, inode: 1 }
    }

    fn source(name: &str, size: u64) -> Source {
        Source { path: Path::new("/base/input").join(name), name: name.into(), size, stamp: Some(stamp(size)) }
    }

    /// A ledger with these files of the folder `input`, as an earlier run left them.
    fn ledger(folder: &Path, names: &[&str]) -> Arc<dyn Ledger> {
        let config = Config { output: folder.to_path_buf(), ..Config::sample() };
        let ledger = crate::record::open(&config, false, false).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (number, name) in (1..).zip(names) {
            let file = Arc::new(FileRef { number, folder: b"input".to_vec(), name: name.as_bytes().to_vec() });
            runtime.block_on(ledger.record_file(CompletedFile { file, stamp: stamp(5), settings: SETTINGS, done: 2, skipped: 1 })).unwrap();
        }
        ledger.close(Exit::Done, &RunSummary::default()).unwrap();
        crate::record::open(&config, false, false).unwrap()
    }

    fn config() -> Config {
        Config { input: vec!["/base/input".into()], folder: "/base".into(), ..Config::sample() }
    }

    #[test]
    fn unchanged_files_are_passed_over_and_missing_ones_leave_the_table() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path(), &["a", "b", "c", "d"]);
        let config = config();
        let mut scan = ChangeScan::new(ledger.reader(), &config, SETTINGS, ledger.run()).unwrap();
        assert!(matches!(scan.look_up(&Ok(source("a", 5))).unwrap(), Change::Unchanged { done: 2, skipped: 1, .. }));
        // `b` is gone, `c` has another size, and `e` is new.
        let Change::Changed(c) = scan.look_up(&Ok(source("c", 6))).unwrap() else { panic!("its size changed") };
        let Change::Changed(e) = scan.look_up(&Ok(source("e", 5))).unwrap() else { panic!("it is new") };
        assert_eq!((c.number, e.number), (3, 5));
        assert_eq!(scan.end().unwrap(), TableChanges { gone: vec![2, 4], ..TableChanges::default() });
    }

    #[test]
    fn an_input_without_files_keeps_its_rows_unless_that_is_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path(), &["a", "b"]);
        let scan = |config: &Config, found: &[Source]| {
            let mut scan = ChangeScan::new(ledger.reader(), config, SETTINGS, ledger.run()).unwrap();
            for source in found {
                scan.look_up(&Ok(source.clone())).unwrap();
            }
            scan.end().unwrap()
        };
        let kept = TableChanges { empty: vec!["/base/input".into()], ..TableChanges::default() };
        assert_eq!(scan(&config(), &[]), kept);
        let two = Config { input: vec!["/base/input".into(), "/base/other".into()], ..config() };
        let other = Source { path: "/base/other/c".into(), ..source("c", 5) };
        assert_eq!(scan(&two, std::slice::from_ref(&other)), kept, "one of two is not mounted");
        let elsewhere = Config { input: vec!["/base/other".into()], ..config() };
        assert_eq!(scan(&elsewhere, &[]).empty, [PathBuf::from("/base/other")], "nothing at all was found");
        let moved = TableChanges { gone: vec![1, 2], ..TableChanges::default() };
        assert_eq!(scan(&elsewhere, &[other]), moved, "another input");
        let mut allowed = config();
        allowed.run.allow_empty = true;
        assert_eq!(scan(&allowed, &[]), moved);
    }

    #[test]
    fn after_a_change_of_settings_every_file_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path(), &["a"]);
        let config = config();
        let mut scan = ChangeScan::new(ledger.reader(), &config, SETTINGS + 1, ledger.run()).unwrap();
        assert!(matches!(scan.look_up(&Ok(source("a", 5))).unwrap(), Change::Changed(_)));
    }
}
