//! Reads a CSV file with any usual delimiter, in UTF-8 or Windows-1252, with or without a byte
//! order mark.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder};

use crate::model::Fault;

/// The column names must fit in this many bytes.
const HEAD: usize = 1 << 20;
const DELIMITERS: &[u8] = b",;\t|";

/// The cells that the checks need from a row.
#[derive(Debug, PartialEq)]
pub(super) struct Cells {
    /// The cell in the column `id`, or the row's number, from 1.
    pub(super) id: String,
    pub(super) source: String,
    pub(super) target: String,
}

/// An open table, read row by row.
pub(super) struct Table {
    name: String,
    reader: Reader<Box<dyn Read>>,
    id: Option<usize>,
    columns: [usize; 2],
    row: u64,
}

impl Table {
    /// Opens `path` (`-` is standard input), which must have both columns.
    pub(super) fn open(path: &Path, columns: [&str; 2]) -> Result<Self, Fault> {
        let name = path.display().to_string();
        let cannot = |what: String| Fault::usage(format!("cannot read `{name}`: {what}"));
        let input: Box<dyn Read> =
            if name == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(|error| cannot(error.to_string()))?) };
        let mut input = BufReader::with_capacity(HEAD, input);
        let head = input.fill_buf().map_err(|error| cannot(error.to_string()))?;
        if head.is_empty() {
            return Err(cannot("the file is empty".into()));
        }
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(cannot("the file is UTF-16; save it as UTF-8".into()));
        }
        let mark = usize::from(head.starts_with(b"\xef\xbb\xbf")) * 3;
        let head = head.get(mark..).unwrap_or_default();
        let (delimiter, line) = told_delimiter(head).unwrap_or_else(|| (delimiter(head, columns), 0));
        input.consume(mark + line);
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(Box::new(input) as Box<dyn Read>);
        let names: Vec<String> =
            reader.byte_headers().map_err(|error| cannot(error.to_string()))?.iter().map(|name| text(name).trim().to_owned()).collect();
        if let Some(twice) = columns.iter().find(|wanted| names.iter().filter(|name| name == *wanted).count() > 1) {
            return Err(Fault::usage(format!("`{name}` has two columns `{twice}`\n  hint: rename one of them")));
        }
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let find = |wanted: &str| {
            place(wanted)
                .ok_or_else(|| Fault::usage(format!("`{name}` has no column `{wanted}`\n  hint: the columns are {}", names.join(", "))))
        };
        let columns = [find(columns[0])?, find(columns[1])?];
        Ok(Self { id: place("id"), name: name.clone(), reader, columns, row: 0 })
    }
}

impl Iterator for Table {
    type Item = Result<Cells, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = ByteRecord::new();
        self.row += 1;
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(Fault::usage(format!("cannot read `{}` from row {} on: {error}", self.name, self.row)))),
        }
        let cell = |at: usize| record.get(at).map(text).unwrap_or_default();
        let id = self.id.map(cell).filter(|id| !id.is_empty()).unwrap_or_else(|| self.row.to_string());
        Some(Ok(Cells { id, source: cell(self.columns[0]), target: cell(self.columns[1]) }))
    }
}

/// The delimiter that a first line `sep=;` tells Excel, and the length of that line.
fn told_delimiter(head: &[u8]) -> Option<(u8, usize)> {
    let end = head.iter().position(|byte| *byte == b'\n')? + 1;
    let line = head.get(..end)?.trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some((*delimiter, end)),
        // The tab is at the end of its line.
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] => Some((b'\t', end)),
        _ => None,
    }
}

/// The delimiter with which both columns exist, or else the delimiter that gives the most columns.
fn delimiter(head: &[u8], columns: [&str; 2]) -> u8 {
    let names = |delimiter: u8| {
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(head);
        let names = reader.byte_headers().map(|names| names.iter().map(|name| text(name).trim().to_owned()).collect::<Vec<_>>());
        names.unwrap_or_default()
    };
    let fits = |delimiter: &&u8| {
        let names = names(**delimiter);
        columns.iter().all(|column| names.iter().any(|name| name == column))
    };
    let most = || DELIMITERS.iter().max_by_key(|delimiter| names(**delimiter).len());
    DELIMITERS.iter().find(fits).or_else(most).copied().unwrap_or(b',')
}

/// Decodes a cell as UTF-8, or else as Windows-1252.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn rows(content: &[u8]) -> Result<Vec<Cells>, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let table = Table::open(file.path(), ["fr", "en"]).map_err(|fault| fault.message)?;
        table.collect::<Result<_, _>>().map_err(|fault: Fault| fault.message)
    }

    fn cells(id: &str, source: &str, target: &str) -> Cells {
        Cells { id: id.into(), source: source.into(), target: target.into() }
    }

    #[test]
    fn delimiter_bom_and_encoding_are_detected() {
        assert_eq!(rows(b"fr,en\n\xc3\xa9t\xc3\xa9,summer\n").unwrap(), [cells("1", "été", "summer")]);
        assert_eq!(rows(b"\xef\xbb\xbfid;fr;en\r\nx;\"a;b\";c\r\n").unwrap(), [cells("x", "a;b", "c")]);
        assert_eq!(rows(b"en\tfr\nsummer\t\xe9t\xe9\n").unwrap(), [cells("1", "été", "summer")]);
        assert_eq!(rows(b"\"fr\"|\"en\"\na, b|c\nshort\n").unwrap(), [cells("1", "a, b", "c"), cells("2", "short", "")]);
    }

    #[test]
    fn a_first_line_tells_the_delimiter() {
        for head in ["sep=;\r\n", "\u{feff}sep=;\n", "\"sep=;\"\n"] {
            assert_eq!(rows(format!("{head}fr;en\na,b;c\n").as_bytes()).unwrap(), [cells("1", "a,b", "c")]);
        }
        assert_eq!(rows(b"sep=\t\nfr\ten\na,b\tc\n").unwrap(), [cells("1", "a,b", "c")]);
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        assert!(rows(b"fr,en,fr\na,b,c\n").unwrap_err().contains("has two columns `fr`"));
    }

    #[test]
    fn a_file_that_is_not_such_a_table_is_rejected_with_a_hint() {
        assert!(rows(b"").unwrap_err().contains("empty"));
        assert!(rows(b"\xff\xfef\0").unwrap_err().contains("save it as UTF-8"));
        assert!(rows(b"french,english\n").unwrap_err().ends_with("the columns are french, english"));
    }
}
