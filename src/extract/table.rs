//! CSV and TSV: one article per row. Columns have the names of the JSON fields. Rows are read one
//! at a time.

use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::draft::{Draft, Markup};
use super::format::{Item, Items, Stream};
use super::json;
use super::key::{Key, content_key};
use super::lead::{LEADS, with_lead};
use super::site_name::FIELDS;
use crate::config::Fields;
use crate::model::{ErrorCode, Flag, Reject};
use crate::read::{Bytes, decode, unreadable};

pub(super) struct Table;

const DELIMITERS: &[u8] = b",;\t|";

impl Stream for Table {
    fn extensions(&self) -> &'static [&'static str] {
        &["csv", "tsv", "tab"]
    }

    /// Excel saves tables as `.txt`, too. The first line of a prose text has commas, but no names of columns.
    fn looks_like(&self, start: &str) -> bool {
        declared_delimiter(start.as_bytes()).is_some() || has_column_names(start)
    }

    fn fits(&self, start: &str) -> bool {
        !start.starts_with('<') && !start.starts_with("{\"")
    }

    fn items(&self, mut bytes: Bytes, fields: &Fields) -> Result<Items, Reject> {
        let declared = declared_delimiter(bytes.head()?);
        if let Some((_, length)) = declared {
            bytes.consume(length);
        }
        let (delimiter, columns) = header(bytes.head()?, fields, declared.map(|(delimiter, _)| delimiter))?;
        let skipped = u64::from(declared.is_some());
        let (read, max) = (Arc::new(AtomicU64::new(0)), bytes.max());
        let limited = LimitedRows { bytes, read: Arc::clone(&read), max };
        let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(limited);
        Ok(Box::new(std::iter::from_fn(move || {
            read.store(0, Ordering::Relaxed);
            next(&mut reader, &columns, skipped)
        })))
    }
}

/// The next row that is not blank. `skipped` lines come before the table.
fn next(reader: &mut Reader<LimitedRows>, columns: &Columns, skipped: u64) -> Option<Item> {
    let mut record = ByteRecord::new();
    loop {
        let line = reader.position().line() + skipped;
        match reader.read_byte_record(&mut record) {
            Ok(false) => return None,
            Ok(true) if record.iter().all(<[u8]>::is_empty) => {}
            Ok(true) => {
                let place = record.position().map_or(line, |position| position.line() + skipped);
                let failed = |reject: Reject| (Key::Own(content_key(record.as_slice())), in_row(place, &reject));
                return Some(columns.draft(&record).map_err(failed));
            }
            Err(error) => return Some(Err(reject_error(error, line, skipped))),
        }
    }
}

/// A row with the wrong number of cells is rejected alone; a read error rejects the rest of the
/// file.
fn reject_error(error: csv::Error, line: u64, skipped: u64) -> (Key, Reject) {
    match error.into_kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let place = pos.map_or(line, |pos| pos.line() + skipped);
            let what = format!("expected {expected_len} cells as in the first row, found {len}; a quote may be missing");
            (Key::Own(format!("line-{place}")), in_row(place, &Reject::new(ErrorCode::Malformed, what)))
        }
        csv::ErrorKind::Io(error) => (Key::File, in_row(line, &unreadable(&error))),
        kind => (Key::File, in_row(line, &Reject::new(ErrorCode::Malformed, format!("invalid CSV: {kind:?}")))),
    }
}

fn in_row(line: u64, reject: &Reject) -> Reject {
    Reject::new(reject.code, format!("line {line}: {}", reject.reason))
}

/// The position of each column.
#[derive(Debug, PartialEq, Eq)]
struct Columns {
    title: Option<usize>,
    body: usize,
    lead: Option<usize>,
    published: Option<usize>,
    url: Option<usize>,
    author: Option<usize>,
    section: Option<usize>,
    language: Option<usize>,
    id: Option<usize>,
    /// The names of the site.
    sites: Vec<usize>,
}

/// The delimiter in a first line `sep=;`, which tells Excel how to read the file, and the length of the
/// line.
fn declared_delimiter(head: &[u8]) -> Option<(u8, usize)> {
    let line = head.split_inclusive(|byte| *byte == b'\n').next()?;
    let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let bare = text.strip_suffix(b"\n").unwrap_or(text);
    let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
    let bare = bare.strip_prefix(b"\"").and_then(|bare| bare.strip_suffix(b"\"")).unwrap_or(bare);
    match bare {
        [s, e, p, b'=', delimiter] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" && delimiter.is_ascii() => {
            Some((*delimiter, line.len()))
        }
        _ => None,
    }
}

/// Whether the first line is the header of a table: short cells, among them the names of the text and of
/// another column.
fn has_column_names(start: &str) -> bool {
    const LONGEST_NAME: usize = 40;
    static FIELDS: LazyLock<Fields> = LazyLock::new(Fields::default);
    let mut lines = start.lines();
    let line = lines.next().unwrap_or_default();
    let row = lines.next().unwrap_or_default();
    let is_header = |delimiter: u8| {
        let cells: Vec<&str> = line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"')).collect();
        cells.len() > 1 && cells.iter().all(|cell| cell.len() <= LONGEST_NAME)
    };
    if !DELIMITERS.iter().any(|delimiter| is_header(*delimiter)) {
        return false;
    }
    header(line.as_bytes(), &FIELDS, None).is_ok_and(|(delimiter, columns)| {
        let Columns { title, published, url, author, .. } = columns;
        is_header(delimiter) && row.contains(char::from(delimiter)) && [title, published, url, author].iter().any(Option::is_some)
    })
}

/// Chooses the delimiter with which most columns of the first row are known, unless one is declared.
fn header(head: &[u8], fields: &Fields, declared: Option<u8>) -> Result<(u8, Columns), Reject> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let read = |delimiter: u8| {
        let mut record = ByteRecord::new();
        let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(head);
        let found = reader.read_byte_record(&mut record).unwrap_or(false);
        let names: Vec<String> = record.iter().filter(|_| found).map(|name| normalised(&String::from_utf8_lossy(name))).collect();
        let column = |wanted: &[String]| wanted.iter().find_map(|name| names.iter().position(|known| *known == normalised(name)));
        // If two columns have the same name, it is unclear which one is meant.
        let written: Vec<String> = record.iter().filter(|_| found).map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let is_twice = |at: usize| written.get(at).is_some_and(|name| written.iter().filter(|other| *other == name).count() > 1);
        let leads = LEADS.map(str::to_owned).to_vec();
        let wanted = [&fields.title, &leads, &fields.published, &fields.url, &fields.author, &fields.section, &fields.language, &fields.id];
        let all = wanted.map(|wanted| column(wanted));
        let sites: Vec<usize> = FIELDS.iter().filter_map(|name| column(&[(*name).to_owned()])).collect();
        let body = column(&fields.body);
        let twice = all.iter().copied().chain([body]).flatten().find(|at| is_twice(*at)).and_then(|at| written.get(at).cloned());
        (delimiter, names.len(), body, all, sites, twice)
    };
    let delimiters = declared.as_ref().map_or(DELIMITERS, std::slice::from_ref);
    let best = delimiters.iter().map(|delimiter| read(*delimiter)).max_by_key(|(_, width, body, all, _, _)| {
        let known = all.iter().flatten().count() + usize::from(body.is_some());
        (known, *width)
    });
    match best {
        Some((_, _, Some(_), _, _, Some(name))) => {
            Err(Reject::new(ErrorCode::Malformed, format!("two columns have the name `{name}`; rename one of them")))
        }
        Some((delimiter, _, Some(body), [title, lead, published, url, author, section, language, id], sites, None)) => {
            Ok((delimiter, Columns { title, body, lead, published, url, author, section, language, id, sites }))
        }
        _ => Err(Reject::new(
            ErrorCode::Malformed,
            "no column of the first row has a known name for the text (text, body, content …); set `body` under [input.fields] to the name of yours",
        )),
    }
}

/// A column name in the form in which it is compared.
fn normalised(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '\u{a0}', '-'], "_")
}

impl Columns {
    fn draft(&self, record: &ByteRecord) -> Result<Draft, Reject> {
        let mut flags: Vec<Flag> = Vec::new();
        let mut cell = |column: Option<usize>| -> Result<Option<String>, Reject> {
            let Some(bytes) = column.and_then(|column| record.get(column)).filter(|bytes| !bytes.trim_ascii().is_empty()) else {
                return Ok(None);
            };
            let text = decode(bytes)?;
            flags.extend(text.flags.iter().filter(|flag| !flags.contains(flag)).copied().collect::<Vec<_>>());
            Ok(Some(text.text.trim().to_owned()))
        };
        let body = cell(Some(self.body))?.unwrap_or_default();
        let body = with_lead(json::listed(&body).map_or(body, |list| list.join("\n\n")), cell(self.lead)?);
        let (title, published, author, language) = (cell(self.title)?, cell(self.published)?, cell(self.author)?, cell(self.language)?);
        let author = author.map(|author| json::listed(&author).map_or(author, |names| names.join(", ")));
        let (section, url, id) = (cell(self.section)?, cell(self.url)?, cell(self.id)?);
        let sites = self.sites.iter().map(|column| cell(Some(*column))).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let key = id.or_else(|| url.clone()).map_or(Key::Content, Key::Own);
        Ok(Draft {
            key,
            title,
            markup: Markup::of(&body),
            body,
            published,
            url,
            author,
            section,
            sites,
            language,
            flags,
            ..Draft::default()
        })
    }
}

/// Limits the length of a row. A missing quote would make the rest of the file one row.
struct LimitedRows {
    bytes: Bytes,
    read: Arc<AtomicU64>,
    max: u64,
}

impl Read for LimitedRows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        if self.read.fetch_add(read as u64, Ordering::Relaxed) > self.max {
            let what = format!("the row is over the limit input.max_megabytes = {}; a quote may be missing", self.max >> 20);
            return Err(io::Error::other(Reject::new(ErrorCode::TooLarge, what)));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::format::up_to_failure;

    fn items(text: impl Into<Vec<u8>>) -> Vec<Item> {
        let bytes = Bytes::of(text, 10 << 20).unwrap();
        let trailing = bytes.trailing();
        up_to_failure(Table.items(bytes, &Fields::default()).unwrap(), trailing).collect()
    }

    #[test]
    fn delimiters_and_column_names_are_recognised() {
        for delimiter in [',', ';', '\t', '|'] {
            let text = "\u{feff}ID,Titre,Publish date,Text\n7,Un titre,2026-11-10,\"Le texte\nsur deux lignes.\"\n\n"
                .replace(',', &delimiter.to_string());
            let draft = items(text).remove(0).unwrap();
            assert_eq!((draft.key, draft.title.as_deref()), (Key::Own("7".into()), Some("Un titre")), "{delimiter:?}");
            assert_eq!((draft.body.as_str(), draft.published.as_deref()), ("Le texte\nsur deux lignes.", Some("2026-11-10")));
        }
    }

    #[test]
    fn the_delimiter_that_excel_is_told_is_used() {
        for first in ["sep=;\r\n", "\u{feff}sep=;\n", "\"sep=;\"\n", "SEP=;\n"] {
            let items = items(format!("{first}\"titre\";\"texte\"\n\"A\";\"Un ; deux.\nTrois.\"\nB\n"));
            assert_eq!(items[0].as_ref().unwrap().body, "Un ; deux.\nTrois.", "{first:?}");
            assert!(items[1].as_ref().unwrap_err().1.reason.contains("line 5"), "{:?}", items[1]);
        }
        assert_eq!(items("title,text\nA,\"[\"\"Un, deux.\"\", \"\"Trois.\"\"]\"\n")[0].as_ref().unwrap().body, "Un, deux.\n\nTrois.");
        let python = items("title,text,authors\nA,\"['Un, deux.', 'Trois.']\",\"['Jeanne E.', 'Luc M.']\"\n").remove(0).unwrap();
        assert_eq!((python.body.as_str(), python.author.as_deref()), ("Un, deux.\n\nTrois.", Some("Jeanne E., Luc M.")));
        assert_eq!(items("sep=,\ntext,a;b;c\nUn.,2\n")[0].as_ref().unwrap().body, "Un.");
    }

    #[test]
    fn a_table_is_recognised_by_its_column_names() {
        for start in ["Titre\tTexte\tDate\nA\tUn.\t2026", "sep=;\nx", "\"id\";\"title\";\"text\"\n1;A;B", "url,text\na,b"] {
            assert!(Table.looks_like(start), "{start}");
        }
        for start in [
            "Texte, titre et date : ce qui change\n",
            "Un titre\tun autre\n",
            "texte;autre\n",
            "Titre, texte\n\nUn, deux, trois.",
            "Le budget, la digue, l'école\n",
            "",
        ] {
            assert!(!Table.looks_like(start), "{start}");
        }
    }

    #[test]
    fn a_bad_row_is_rejected_alone() {
        let items = items(b"title,text\nA,Un.\nB\nC,D\xe9j\xe0.\n".to_vec());
        assert_eq!(items[1].as_ref().unwrap_err().1.code, ErrorCode::Malformed);
        assert!(items[1].as_ref().unwrap_err().1.reason.contains("line 3"), "{:?}", items[1]);
        assert_eq!(items[2].as_ref().unwrap().body, "Déjà.");
    }

    #[test]
    fn a_missing_quote_does_not_fill_the_memory() {
        let text = format!("title,text\nA,Un.\nB,\"{}", "mot ".repeat(3 << 20));
        let items = items(text);
        assert_eq!(items.len(), 2);
        assert_eq!(items[1].as_ref().unwrap_err().1.code, ErrorCode::TooLarge);
    }

    #[test]
    fn a_table_without_texts_is_rejected() {
        assert_eq!(Table.items(Bytes::of("a,b\n1,2\n", 10 << 20).unwrap(), &Fields::default()).err().unwrap().code, ErrorCode::Malformed);
    }

    #[test]
    fn two_columns_of_one_name_are_refused_if_the_name_is_a_field() {
        let refused = |text: &str| Table.items(Bytes::of(text, 10 << 20).unwrap(), &Fields::default()).err();
        let reject = refused("title,text,title\nA,Un.,B\n").unwrap();
        assert_eq!((reject.code, reject.reason.as_str()), (ErrorCode::Malformed, "two columns have the name `title`; rename one of them"));
        assert!(refused("title,text,note,note\nA,Un.,x,y\n").is_none());
    }
}
