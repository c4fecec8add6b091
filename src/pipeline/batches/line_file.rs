//! The file of a batch's calls, while it is written.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::call::WrittenLine;
use crate::model::Fault;

/// The limits of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) lines: usize,
    pub(super) bytes: u64,
    pub(super) tokens: u64,
    /// `None` if there is no limit.
    pub(super) cost: Option<f64>,
}

/// Why a line does not fit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Full {
    /// No batch could take it.
    TooLong,
    /// The batch is full.
    Batch,
    /// The service's limit of waiting tokens is reached.
    Tokens,
    /// The cost limit leaves less than the cost of the line.
    Cost(f64),
}

/// The file, and the size of its content so far.
pub(super) struct LineFile {
    file: BufWriter<File>,
    room: Room,
    /// What stands between two lines.
    separator: &'static str,
    pub(super) keys: Vec<[u8; 32]>,
    pub(super) bytes: u64,
    pub(super) tokens: u64,
    /// `None` if a price is unknown.
    pub(super) cost: Option<f64>,
}

impl LineFile {
    /// A file without a name in `folder`, so that a kill leaves nothing behind.
    pub(super) fn new(folder: &Path, room: Room, separator: &'static str) -> Result<Self, Fault> {
        let file = tempfile::tempfile_in(folder).map_err(|error| fault(folder, &error))?;
        Ok(Self { file: BufWriter::new(file), room, separator, keys: Vec::new(), bytes: 0, tokens: 0, cost: Some(0.0) })
    }

    /// Whether the line fits, and if not, why.
    pub(super) fn check(&self, line: &WrittenLine) -> Result<(), Full> {
        let size = (line.bytes.len() + self.separator.len()) as u64;
        if size > self.room.bytes {
            return Err(Full::TooLong);
        }
        if self.keys.len() >= self.room.lines || self.bytes + size > self.room.bytes {
            return Err(Full::Batch);
        }
        if self.tokens + line.tokens > self.room.tokens {
            return Err(Full::Tokens);
        }
        let cost = self.cost.unwrap_or_default() + line.cost.unwrap_or_default();
        match self.room.cost {
            Some(room) if cost > room => Err(Full::Cost(line.cost.unwrap_or_default())),
            _ => Ok(()),
        }
    }

    pub(super) fn push(&mut self, folder: &Path, key: [u8; 32], line: &WrittenLine) -> Result<(), Fault> {
        let separator = if self.keys.is_empty() { "" } else { self.separator };
        for bytes in [separator.as_bytes(), &line.bytes] {
            self.file.write_all(bytes).map_err(|error| fault(folder, &error))?;
            self.bytes += bytes.len() as u64;
        }
        self.keys.push(key);
        self.tokens += line.tokens;
        self.cost = self.cost.zip(line.cost).map(|(sum, cost)| sum + cost);
        Ok(())
    }

    /// The file, at its start. Every handle reads from the same place.
    pub(super) fn rewind(&mut self, folder: &Path) -> Result<File, Fault> {
        let mut rewind = || {
            self.file.flush()?;
            self.file.get_mut().seek(SeekFrom::Start(0))?;
            self.file.get_ref().try_clone()
        };
        rewind().map_err(|error: std::io::Error| fault(folder, &error))
    }
}

fn fault(folder: &Path, error: &std::io::Error) -> Fault {
    Fault::usage(format!("cannot write the file of a batch in `{}`: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn line(size: usize) -> WrittenLine {
        WrittenLine { bytes: vec![b'x'; size], tokens: 10, cost: Some(0.5) }
    }

    #[test]
    fn a_batch_takes_lines_until_one_of_its_limits() {
        let dir = tempfile::tempdir().unwrap();
        let room = Room { lines: 2, bytes: 100, tokens: 1_000, cost: None };
        let with = |room: Room| {
            let mut file = LineFile::new(dir.path(), room, "\n").unwrap();
            file.push(dir.path(), [1; 32], &line(60)).unwrap();
            file
        };
        let mut file = with(room);
        assert_eq!(file.check(&line(100)), Err(Full::TooLong), "with what stands between two lines");
        assert_eq!(file.check(&line(40)), Err(Full::Batch));
        assert_eq!(file.check(&line(39)), Ok(()));
        assert_eq!(with(Room { tokens: 15, ..room }).check(&line(1)), Err(Full::Tokens));
        assert_eq!(with(Room { cost: Some(0.9), ..room }).check(&line(1)), Err(Full::Cost(0.5)));
        file.push(dir.path(), [2; 32], &line(39)).unwrap();
        assert_eq!(file.check(&line(0)), Err(Full::Batch));
        for _ in 0..2 {
            let mut read = Vec::new();
            file.rewind(dir.path()).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!((read.len() as u64, read[60]), (file.bytes, b'\n'), "it is read from its start each time");
        }
    }
}
