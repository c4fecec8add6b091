//! Which rows of the table repeat another one, and of which it is that they say so. All rows are compared however many there are:
//! what is sorted lies on the disk, sketches come from the ledger, and memory holds a few bytes a row.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::iter::Peekable;
use std::path::Path;
use std::sync::Arc;

use super::sort::{Sorted, Sorter};
use crate::config::Near;
use crate::extract::Sketch;
use crate::model::{Fault, Finding, Flag, Row};
use crate::record::{Ledger, Sketched};

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

/// The sketches of rows that the ledger does not have yet as they will be, by their sources; empty where one will have none.
pub(super) type Coming = BTreeMap<String, Vec<u8>>;

/// Finds out which rows of the table are copies, those to come included; the original is the one whose source's name comes first. A view of
/// all rows, so that neither the order of the workers nor what an earlier run knew makes a difference. `folder` takes what does not fit
/// into memory; `go_on` is asked at every row.
///
/// # Errors
/// Where the ledger cannot be read, or the disk takes no more; or what `go_on` returned.
pub(super) fn settle(
    ledger: &Ledger,
    coming: &Coming,
    (near, folder): (Near, &Path),
    go_on: impl Fn() -> Result<(), Fault>,
) -> Result<Copies, Fault> {
    let refused = |error: io::Error| Fault::usage(format!("copies cannot be looked for in `{}`: {error}", folder.display()));
    let (rows, candidates) = candidates(ledger, coming, (near, folder), &go_on, &refused)?;
    let coming_in_order = coming.iter().map(|(source, sketch)| (source.clone(), sketch.clone())).collect();
    let mut copies = Copies { coming: coming_in_order, rows, ..Copies::default() };
    let mut candidates = candidates.peekable();
    each_sketch(ledger, coming, |row| {
        go_on()?;
        let place = number(copies.originals.len());
        let others = of_row(place, &mut candidates).map_err(refused)?;
        let original = copies.original(ledger, &row.sketch, &others)?;
        copies.originals.push(original.as_ref().map_or(NONE, |(place, _)| *place));
        let is_to_come = to_come(row.number).is_some();
        if is_to_come || original.map_or_else(String::new, |(_, name)| name) != row.copy_of {
            copies.told.push(place);
            copies.differ.extend((!is_to_come).then_some(place));
        }
        Ok(())
    })?;
    Ok(copies)
}

/// Every row of the table as far as copies are concerned, in the order of their sources' names, those to come included.
fn each_sketch(ledger: &Ledger, coming: &Coming, mut each: impl FnMut(Sketched) -> Result<(), Fault>) -> Result<(), Fault> {
    let new = |(number, (source, sketch)): (i64, (&String, &Vec<u8>))| Sketched {
        number: -number,
        source: source.clone(),
        sketch: sketch.clone(),
        copy_of: String::new(),
    };
    let mut coming = (1..).zip(coming).peekable();
    ledger.each_sketch(|row| {
        while let Some(before) = coming.next_if(|(_, (source, _))| **source < row.source) {
            each(new(before))?;
        }
        // One that will be made anew: it comes with the next row.
        let again = coming.peek().is_some_and(|(_, (source, _))| **source == row.source);
        if again { Ok(()) } else { each(row) }
    })?;
    coming.try_for_each(|after| each(new(after)))
}

/// Which of the rows to come this number stands for, counted from 0; none: it is a row in the ledger.
fn to_come(number: i64) -> Option<usize> {
    usize::try_from(number.checked_neg()?.checked_sub(1)?).ok()
}

/// Every row's number in the ledger (below 0: of those to come), by its place, and the places of rows that share a mark: the later one in
/// the upper half.
fn candidates(
    ledger: &Ledger,
    coming: &Coming,
    (near, folder): (Near, &Path),
    go_on: &impl Fn() -> Result<(), Fault>,
    refused: &impl Fn(io::Error) -> Fault,
) -> Result<(Vec<i64>, Sorted), Fault> {
    let mut rows = Vec::new();
    let mut marks = Sorter::new(folder);
    each_sketch(ledger, coming, |row| {
        go_on()?;
        let place = number(rows.len());
        rows.push(row.number);
        let sketch = if near == Near::Off { None } else { Sketch::from_bytes(&row.sketch) };
        sketch.iter().flat_map(Sketch::marks).try_for_each(|mark| marks.push(pair(mark, place))).map_err(refused)
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
pub(super) struct Copies {
    /// The rows to come, in the order of their sources.
    coming: Vec<(String, Vec<u8>)>,
    /// The numbers of the rows, by their places.
    rows: Vec<i64>,
    /// The places of the rows' originals.
    originals: Vec<u32>,
    /// The places of the rows that have to be told what to say: those that say something else, and those to come.
    told: Vec<u32>,
    /// How many of them were told.
    next: usize,
    /// The places of rows that say something else in the ledger.
    differ: Vec<u32>,
    at_hand: HashMap<u32, Option<Arc<(String, Sketch)>>>,
}

impl Copies {
    /// The row of that number as it has to be. Rows come in the order of their sources.
    ///
    /// # Errors
    /// Where the ledger cannot be read, or a row that was to come is of another article.
    pub(super) fn say(&mut self, ledger: &Ledger, number: i64, row: Row) -> Result<Row, Fault> {
        let Some(place) = self.told.get(self.next).copied() else { return Ok(row) };
        let told = self.rows.get(place as usize).copied().unwrap_or_default();
        let coming = to_come(told).and_then(|at| self.coming.get(at));
        match coming {
            Some((source, sketch)) if *source == row.source && *sketch != row.sketch => {
                return Err(Fault::usage(format!("`{source}` is not the article that it was")));
            }
            Some((source, _)) if *source == row.source => {}
            None if told == number => {}
            _ => return Ok(row),
        }
        self.next += 1;
        let is_to_come = coming.is_some();
        let name = self.name(ledger, place)?;
        if row.copy_of == name {
            return Ok(row);
        }
        self.differ.extend(is_to_come.then_some(place));
        Ok(said(row, &name))
    }

    /// Puts into the ledger what rows have to say that say something else there.
    ///
    /// # Errors
    /// Where the ledger cannot be read or written.
    pub(super) fn mark(mut self, ledger: &Ledger) -> Result<(), Fault> {
        let differ = std::mem::take(&mut self.differ);
        for some in differ.chunks(WRITTEN) {
            let mut rows = Vec::with_capacity(some.len());
            for place in some {
                let number = self.rows.get(*place as usize).copied().unwrap_or_default();
                let row = match to_come(number).and_then(|at| self.coming.get(at)) {
                    Some((source, _)) => ledger.row(source)?.map(|(row, _)| row),
                    None => ledger.row_number(number)?,
                };
                let name = self.name(ledger, *place)?;
                rows.extend(row.map(|row| said(row, &name)));
            }
            ledger.mark_copies(&rows)?;
        }
        Ok(())
    }

    /// The source of the original of the row at this place; empty where it has none.
    fn name(&mut self, ledger: &Ledger, place: u32) -> Result<String, Fault> {
        let original = self.originals.get(place as usize).copied().unwrap_or(NONE);
        Ok(self.sketch(ledger, original)?.map_or(String::new(), |original| original.0.clone()))
    }

    /// The first original, with its source, among these places that the sketch repeats. A copy stands for its original.
    fn original(&mut self, ledger: &Ledger, sketch: &[u8], places: &[u32]) -> Result<Option<(u32, String)>, Fault> {
        let mut places: Vec<u32> = places
            .iter()
            .map(|place| self.originals.get(*place as usize).copied().filter(|place| *place != NONE).unwrap_or(*place))
            .collect();
        places.sort_unstable();
        places.dedup();
        let Some(sketch) = Sketch::from_bytes(sketch) else { return Ok(None) };
        for place in places {
            if let Some(original) = self.sketch(ledger, place)?.filter(|original| sketch.repeats(&original.1).is_some()) {
                return Ok(Some((place, original.0.clone())));
            }
        }
        Ok(None)
    }

    fn sketch(&mut self, ledger: &Ledger, place: u32) -> Result<Option<Arc<(String, Sketch)>>, Fault> {
        if let Some(known) = self.at_hand.get(&place) {
            return Ok(known.clone());
        }
        let Some(row) = self.rows.get(place as usize) else { return Ok(None) };
        let found = match to_come(*row) {
            Some(coming) => self.coming.get(coming).cloned(),
            None => ledger.sketch(*row)?,
        };
        let found = found.and_then(|(source, bytes)| Some(Arc::new((source, Sketch::from_bytes(&bytes)?))));
        if self.at_hand.len() >= AT_HAND {
            self.at_hand.clear();
        }
        self.at_hand.insert(place, found.clone());
        Ok(found)
    }
}

/// The row that says it is a copy of `original`, or of none where that is empty.
pub(super) fn said(row: Row, original: &str) -> Row {
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
