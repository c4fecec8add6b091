//! Which rows of the table repeat another one, and of which it is that they say so. All rows are compared however many there are:
//! what is sorted lies on the disk, sketches come from the ledger, and memory holds a few bytes a row.

use std::collections::HashMap;
use std::io;
use std::iter::Peekable;
use std::path::Path;
use std::sync::Arc;

use super::signature::Signature;
use super::sort::{Sorted, Sorter};
use crate::config::Near;
use crate::model::{Fault, Finding, Flag, Row};
use crate::record::Ledger;

/// Rows that share a mark and are all compared. More share it by a story that everybody has, or by a line that every article of an outlet
/// has: then the first two stand for all. Copies in whose texts every run of words is common are found by the rarer of their marks.
const FEW: usize = 64;
const FIRST: usize = 2;
/// Sketches that are kept at hand: those that all compare themselves with.
const AT_HAND: usize = 512;
/// Rows that are written at once.
const WRITTEN: usize = 1000;
/// Not a copy.
const NONE: u32 = u32::MAX;

/// Finds the near-duplicates among all rows of the table and records them; the original is the row whose source's name comes first. A view
/// of all rows, so that neither the order of the workers nor what an earlier run knew makes a difference. `folder` takes what does not fit
/// into memory.
///
/// # Errors
/// Where the ledger cannot be read or written, or the disk takes no more.
pub fn settle(ledger: &Ledger, (near, folder): (Near, &Path)) -> Result<(), Fault> {
    let refused = |error: io::Error| Fault::usage(format!("copies cannot be looked for in `{}`: {error}", folder.display()));
    let (rows, candidates) = candidates(ledger, (near, folder), &refused)?;
    let mut candidates = candidates.peekable();
    let mut copies = Copies { rows, ..Copies::default() };
    let mut differ = Vec::new();
    ledger.each_signature(|row| {
        let others = of_row(number(copies.duplicates.len()), &mut candidates).map_err(refused)?;
        let original = copies.original(ledger, &row.signature, &others)?;
        let place = original.as_ref().map_or(NONE, |(place, _)| *place);
        copies.duplicates.push(place);
        if original.map_or_else(String::new, |(_, name)| name) != row.copy_of {
            differ.push((row.number, place));
        }
        Ok(())
    })?;
    for some in differ.chunks(WRITTEN) {
        let mut rows = Vec::with_capacity(some.len());
        for (row, original) in some {
            let name = copies.signature(ledger, *original)?.map_or(String::new(), |original| original.0.clone());
            rows.extend(ledger.row_number(*row)?.map(|row| said(row, &name)));
        }
        ledger.mark_copies(&rows)?;
    }
    Ok(())
}

/// Every row's number in the ledger, by its place, and the places of rows that share a mark: the later one in the upper half.
fn candidates(ledger: &Ledger, (near, folder): (Near, &Path), refused: &impl Fn(io::Error) -> Fault) -> Result<(Vec<i64>, Sorted), Fault> {
    let mut rows = Vec::new();
    let mut marks = Sorter::new(folder);
    ledger.each_signature(|row| {
        let place = number(rows.len());
        rows.push(row.number);
        let signature = if near == Near::Off { None } else { Signature::from_bytes(&row.signature) };
        signature.iter().flat_map(Signature::marks).try_for_each(|mark| marks.push(pair(mark, place))).map_err(refused)
    })?;
    let mut shared = Sorter::new(folder);
    let (mut mark, mut group) = (None, Vec::with_capacity(FEW + 1));
    for next in marks.sorted().map_err(refused)? {
        let (its, place) = halves(next.map_err(refused)?);
        if mark.replace(its) != Some(its) {
            pair_up(&group, &mut shared).map_err(refused)?;
            group.clear();
        }
        if group.len() <= FEW {
            group.push(place);
        } else {
            group.iter().take(FIRST).try_for_each(|first| shared.push(pair(place, *first))).map_err(refused)?;
        }
    }
    pair_up(&group, &mut shared).map_err(refused)?;
    Ok((rows, shared.sorted().map_err(refused)?))
}

/// Pairs each place of a group with those before it: all of them, or where the group is large the first.
fn pair_up(group: &[u32], shared: &mut Sorter) -> io::Result<()> {
    let most = if group.len() > FEW { FIRST } else { FEW };
    let pairs = group.iter().enumerate().flat_map(|(at, place)| group.iter().take(at.min(most)).map(|earlier| pair(*place, *earlier)));
    pairs.into_iter().try_for_each(|pair| shared.push(pair))
}

/// The places that share a mark with this one and come before it.
fn of_row(place: u32, candidates: &mut Peekable<Sorted>) -> io::Result<Vec<u32>> {
    let mut places = Vec::new();
    // What belongs to a place before this one has been taken with it; an error is taken too, and told.
    while let Some(next) = candidates.next_if(|next| next.as_ref().map_or(true, |next| halves(*next).0 <= place)) {
        places.push(halves(next?).1);
    }
    Ok(places)
}

/// Which rows of the table are copies, and of which.
#[derive(Default)]
struct Copies {
    /// The numbers of the rows, by their places.
    rows: Vec<i64>,
    /// The places of the rows' duplicates.
    duplicates: Vec<u32>,
    at_hand: HashMap<u32, Option<Arc<(String, Signature)>>>,
}

impl Copies {
    /// The first original, with its source, among these places that the signature repeats. A copy stands for its original.
    fn original(&mut self, ledger: &Ledger, signature: &[u8], places: &[u32]) -> Result<Option<(u32, String)>, Fault> {
        let mut places: Vec<u32> = places
            .iter()
            .map(|place| self.duplicates.get(*place as usize).copied().filter(|place| *place != NONE).unwrap_or(*place))
            .collect();
        places.sort_unstable();
        places.dedup();
        let Some(signature) = Signature::from_bytes(signature) else { return Ok(None) };
        for place in places {
            if let Some(original) = self.signature(ledger, place)?.filter(|original| signature.repeats(&original.1).is_some()) {
                return Ok(Some((place, original.0.clone())));
            }
        }
        Ok(None)
    }

    fn signature(&mut self, ledger: &Ledger, place: u32) -> Result<Option<Arc<(String, Signature)>>, Fault> {
        if let Some(known) = self.at_hand.get(&place) {
            return Ok(known.clone());
        }
        let Some(row) = self.rows.get(place as usize) else { return Ok(None) };
        let found = ledger.signature(*row)?.and_then(|(source, bytes)| Some(Arc::new((source, Signature::from_bytes(&bytes)?))));
        if self.at_hand.len() >= AT_HAND {
            self.at_hand.clear();
        }
        self.at_hand.insert(place, found.clone());
        Ok(found)
    }
}

/// The row that says it is a copy of `original`, or of none where that is empty.
pub fn said(row: Row, original: &str) -> Row {
    let mut findings = row.findings.clone();
    findings.retain(|finding| finding.check != Flag::Copy);
    if !original.is_empty() {
        findings.push(Finding::of_article(Flag::Copy).found("", None).expected(original));
    }
    Row { copy_of: original.to_owned(), ..row }.with_findings(findings)
}

/// Places beyond four thousand million share the last one, and are no copies.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

fn pair(upper: u32, lower: u32) -> u64 {
    u64::from(upper) << 32 | u64::from(lower)
}

#[expect(clippy::cast_possible_truncation, reason = "each half of 64 bits has 32")]
fn halves(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, pair as u32)
}
