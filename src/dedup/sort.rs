//! An external sort: numbers that do not fit into memory are sorted in parts, written to an unnamed
//! file, and merged.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

/// How many numbers are held in memory: 8 MB.
const HELD: usize = 1 << 20;
/// How many numbers are read from a part at a time.
const FETCHED: u64 = 1 << 11;
/// The size of a number in bytes.
const BYTES: u64 = 8;

/// Collects numbers in any order.
pub(super) struct Sorter {
    folder: PathBuf,
    held: Vec<u64>,
    most: usize,
    file: Option<File>,
    /// Where each part in the file ends, in numbers.
    ends: Vec<u64>,
}

impl Sorter {
    /// A sorter that writes what does not fit into memory to a file in `folder` without a name: it
    /// disappears with the process.
    pub(super) fn new(folder: &Path) -> Self {
        // All at once: a vector that grows would touch each page of memory several times.
        let held = Vec::with_capacity(HELD);
        Self { folder: folder.to_path_buf(), held, most: HELD, file: None, ends: Vec::new() }
    }

    /// Adds a number.
    pub(super) fn push(&mut self, number: u64) -> io::Result<()> {
        self.held.push(number);
        if self.held.len() < self.most { Ok(()) } else { self.write_part() }
    }

    fn write_part(&mut self) -> io::Result<()> {
        self.held.par_sort_unstable();
        let bytes: Vec<u8> = self.held.iter().flat_map(|number| number.to_le_bytes()).collect();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        file.write_all(&bytes)?;
        self.ends.push(self.ends.last().unwrap_or(&0) + self.held.len() as u64);
        self.held.clear();
        Ok(())
    }

    /// All numbers in their order, each once.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        self.held.par_sort_unstable();
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut parts: Vec<Part> = starts.zip(&self.ends).map(|(next, end)| Part { next, end: *end, here: VecDeque::new() }).collect();
        parts.push(Part { next: 0, end: 0, here: self.held.into() });
        let mut sorted = Sorted { file: self.file, parts, first: BinaryHeap::new(), last: None };
        (0..sorted.parts.len()).try_for_each(|part| sorted.fetch(part))?;
        Ok(sorted)
    }
}

struct Part {
    next: u64,
    end: u64,
    here: VecDeque<u64>,
}

/// The sorted numbers.
pub(super) struct Sorted {
    file: Option<File>,
    parts: Vec<Part>,
    /// The next number of each part.
    first: BinaryHeap<Reverse<(u64, usize)>>,
    last: Option<u64>,
}

impl Sorted {
    /// Moves the next number of a part to `first`.
    fn fetch(&mut self, number: usize) -> io::Result<()> {
        let Some(part) = self.parts.get_mut(number) else { return Ok(()) };
        if part.here.is_empty()
            && part.next < part.end
            && let Some(file) = &self.file
        {
            let count = FETCHED.min(part.end - part.next);
            let mut bytes = vec![0; usize::try_from(count * BYTES).unwrap_or(0)];
            file.read_exact_at(&mut bytes, part.next * BYTES)?;
            part.here.extend(bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)));
            part.next += count;
        }
        if let Some(next) = part.here.pop_front() {
            self.first.push(Reverse((next, number)));
        }
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = io::Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse((number, part)) = self.first.pop()?;
            if let Err(error) = self.fetch(part) {
                return Some(Err(error));
            }
            if self.last.replace(number) != Some(number) {
                return Some(Ok(number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_number_comes_once_and_in_order(numbers in prop::collection::vec(0..50_u64, 0..200), most in 1..80_usize) {
            let dir = tempfile::tempdir().unwrap();
            let mut sorter = Sorter { most, ..Sorter::new(dir.path()) };
            numbers.iter().try_for_each(|number| sorter.push(*number)).unwrap();
            let sorted: Vec<u64> = sorter.sorted().unwrap().collect::<Result<_, _>>().unwrap();
            let expected: std::collections::BTreeSet<u64> = numbers.into_iter().collect();
            prop_assert_eq!(sorted, expected.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_part_is_read_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter { most: 5000, ..Sorter::new(dir.path()) };
        (0..12_345).rev().try_for_each(|number| sorter.push(number)).unwrap();
        assert!(sorter.sorted().unwrap().map(Result::unwrap).eq(0..12_345));
    }
}
