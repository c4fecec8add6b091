//! Finds near-duplicates among all rows of the table. However many there are, memory holds a few
//! bytes for each: band keys are sorted on disk, and signatures are read from the ledger when they
//! are compared.

use std::collections::HashMap;
use std::io;
use std::iter::Peekable;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::signature::Signature;
use super::sort::{Sorted, Sorter};
use crate::config::NearDuplicates;
use crate::model::{Fault, Finding, Flag, Row};
use crate::record::{Ledger, LedgerReader};

/// Each row in a bucket is compared with the first `FIRST` rows and the `PREVIOUS` rows before it.
/// So the time is linear in the number of rows, even if they share a lot of text. A copy that one
/// bucket misses is found in the buckets of its other bands.
const FIRST: usize = 2;
const PREVIOUS: usize = 2;
/// How many signatures the cache holds. It mostly serves originals with many copies.
const CACHED: usize = 512;
/// How many rows' band keys are computed together.
const BATCH: usize = 1024;
/// How many rows are recorded in one write.
const WRITTEN: usize = 1000;
/// The place that means "no row".
const NONE: u32 = u32::MAX;

/// Finds the near-duplicates among all rows of the table and records them. The original is the row
/// whose source sorts first. The result depends only on the rows, not on the order of the workers
/// or on earlier runs. What does not fit into memory goes to a file in `folder`.
///
/// # Errors
/// If the ledger cannot be read or written, or the disk is full.
pub fn mark_copies(ledger: &dyn Ledger, near: NearDuplicates, folder: &Path) -> Result<(), Fault> {
    let disk_fault = |error: io::Error| Fault::usage(format!("cannot look for near-duplicates in `{}`: {error}", folder.display()));
    let reader = ledger.reader();
    let (rows, candidates) = candidates(reader, near, folder, &disk_fault)?;
    let mut candidates = candidates.peekable();
    let mut originals = Originals { reader, rows, of: Vec::new(), cache: HashMap::new() };
    let mut changed = Vec::new();
    reader.each_signature(&mut |row| {
        let earlier = earlier_candidates(place(originals.of.len()), &mut candidates).map_err(disk_fault)?;
        let original = originals.find(&row.signature, &earlier)?;
        let at = original.as_ref().map_or(NONE, |(at, _)| *at);
        originals.of.push(at);
        if original.map_or_else(String::new, |(_, source)| source) != row.copy_of {
            changed.push((row.number, at));
        }
        Ok(())
    })?;
    for some in changed.chunks(WRITTEN) {
        let mut rows = Vec::with_capacity(some.len());
        for (number, original) in some {
            let source = originals.signature(*original)?.map_or(String::new(), |original| original.0.clone());
            rows.extend(reader.row_by_number(*number)?.map(|row| as_copy_of(row, &source)));
        }
        ledger.mark_copies(rows)?;
    }
    Ok(())
}

/// Returns the number in the ledger of each row, and the pairs of rows with a common band key. A row's
/// place is its index among the numbers. A pair has the later place in its upper 32 bits, and the
/// earlier one in its lower 32.
fn candidates(
    reader: &dyn LedgerReader,
    near: NearDuplicates,
    folder: &Path,
    disk_fault: &impl Fn(io::Error) -> Fault,
) -> Result<(Vec<i64>, Sorted), Fault> {
    let mut rows = Vec::new();
    let mut keys = Sorter::new(folder);
    let mut batch = Vec::with_capacity(BATCH);
    reader.each_signature(&mut |row| {
        let at = place(rows.len());
        rows.push(row.number);
        if near != NearDuplicates::Off {
            batch.push((at, row.signature));
        }
        if batch.len() < BATCH { Ok(()) } else { push_keys(&mut batch, &mut keys).map_err(disk_fault) }
    })?;
    push_keys(&mut batch, &mut keys).map_err(disk_fault)?;
    let mut pairs = Sorter::new(folder);
    let mut bucket = Bucket::default();
    for next in keys.sorted().map_err(disk_fault)? {
        let (key, at) = halves(next.map_err(disk_fault)?);
        bucket.add(key, at, &mut pairs).map_err(disk_fault)?;
    }
    Ok((rows, pairs.sorted().map_err(disk_fault)?))
}

/// Moves the band keys of a batch of rows to `keys`, with the rows' places. All cores compute them:
/// nothing else runs at the end of a run.
fn push_keys(batch: &mut Vec<(u32, Vec<u8>)>, keys: &mut Sorter) -> io::Result<()> {
    let of_row = |(at, signature): (u32, Vec<u8>)| -> Vec<u64> {
        Signature::from_bytes(&signature).iter().flat_map(Signature::band_keys).map(|key| pair(key, at)).collect()
    };
    let found: Vec<Vec<u64>> = batch.par_drain(..).map(of_row).collect();
    found.into_iter().flatten().try_for_each(|key| keys.push(key))
}

/// The rows with a common band key, as far as the next row is compared with them.
#[derive(Default)]
struct Bucket {
    key: Option<u32>,
    places: Vec<u32>,
}

impl Bucket {
    /// Adds a row, and its pairs to `pairs`.
    fn add(&mut self, key: u32, at: u32, pairs: &mut Sorter) -> io::Result<()> {
        if self.key.replace(key) != Some(key) {
            self.places.clear();
        }
        self.places.iter().try_for_each(|earlier| pairs.push(pair(at, *earlier)))?;
        if self.places.len() == FIRST + PREVIOUS {
            self.places.remove(FIRST);
        }
        self.places.push(at);
        Ok(())
    }
}

/// The candidates of the row at this place.
fn earlier_candidates(at: u32, candidates: &mut Peekable<Sorted>) -> io::Result<Vec<u32>> {
    let mut places = Vec::new();
    // This takes an error from the iterator too, and returns it.
    while let Some(next) = candidates.next_if(|next| next.as_ref().map_or(true, |next| halves(*next).0 <= at)) {
        places.push(halves(next?).1);
    }
    Ok(places)
}

/// Finds out which row repeats which other row.
struct Originals<'a> {
    reader: &'a dyn LedgerReader,
    /// The numbers of the rows, by their places.
    rows: Vec<i64>,
    /// The places of the rows' originals, for the rows so far; [`NONE`] for a row that is no copy.
    of: Vec<u32>,
    cache: HashMap<u32, Option<Arc<(String, Signature)>>>,
}

impl Originals<'_> {
    /// Looks up the originals of the rows at `places`; a row that is no copy is its own. Returns the
    /// place and source of the first one that this signature repeats.
    fn find(&mut self, signature: &[u8], places: &[u32]) -> Result<Option<(u32, String)>, Fault> {
        let original = |at: &u32| self.of.get(*at as usize).copied().filter(|original| *original != NONE).unwrap_or(*at);
        let mut places: Vec<u32> = places.iter().map(original).collect();
        places.sort_unstable();
        places.dedup();
        let Some(signature) = Signature::from_bytes(signature) else { return Ok(None) };
        for at in places {
            if let Some(original) = self.signature(at)?.filter(|original| signature.repeats(&original.1).is_some()) {
                return Ok(Some((at, original.0.clone())));
            }
        }
        Ok(None)
    }

    /// The source and the signature of the row at this place.
    fn signature(&mut self, at: u32) -> Result<Option<Arc<(String, Signature)>>, Fault> {
        if let Some(known) = self.cache.get(&at) {
            return Ok(known.clone());
        }
        let Some(number) = self.rows.get(at as usize) else { return Ok(None) };
        let found = self.reader.signature(*number)?;
        let found = found.and_then(|(source, bytes)| Some(Arc::new((source, Signature::from_bytes(&bytes)?))));
        if self.cache.len() >= CACHED {
            self.cache.clear();
        }
        self.cache.insert(at, found.clone());
        Ok(found)
    }
}

/// The row, marked as a copy of `original`, or as no copy if that is empty.
pub fn as_copy_of(row: Row, original: &str) -> Row {
    let mut findings = row.findings.clone();
    findings.retain(|finding| finding.check != Flag::Copy);
    if !original.is_empty() {
        findings.push(Finding::of_article(Flag::Copy).found("", None).expected(original));
    }
    Row { copy_of: original.to_owned(), ..row }.with_findings(findings)
}

/// Rows beyond four billion share the last place, and are never copies.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

fn pair(upper: u32, lower: u32) -> u64 {
    u64::from(upper) << 32 | u64::from(lower)
}

#[expect(clippy::cast_possible_truncation, reason = "each half of 64 bits has 32")]
fn halves(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, pair as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_pairs_each_row_with_the_first_and_the_previous_ones() {
        let folder = tempfile::tempdir().unwrap();
        let mut pairs = Sorter::new(folder.path());
        let mut bucket = Bucket::default();
        for at in 0..6 {
            bucket.add(7, at, &mut pairs).unwrap();
        }
        bucket.add(8, 6, &mut pairs).unwrap();
        let found: Vec<(u32, u32)> = pairs.sorted().unwrap().map(|pair| halves(pair.unwrap())).collect();
        let of = |at: u32| found.iter().filter(|(later, _)| *later == at).map(|(_, earlier)| *earlier).collect::<Vec<_>>();
        assert_eq!((of(1), of(4), of(5), of(6)), (vec![0], vec![0, 1, 2, 3], vec![0, 1, 3, 4], vec![]));
    }

    #[test]
    fn a_row_names_its_original_only_once() {
        let copy = as_copy_of(as_copy_of(Row::default(), "a.txt"), "b.txt");
        assert_eq!((copy.copy_of.as_str(), copy.flags.as_str(), copy.findings.len()), ("b.txt", "copy", 1));
        assert_eq!(as_copy_of(copy, ""), Row::default());
    }
}
