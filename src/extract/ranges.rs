//! Divides the articles of a long file into ranges that several processes read, and reads one
//! range. A range yields the same articles with the same names as the whole file does at that
//! place.

use std::sync::Arc;

use super::format::{Item, Items, up_to_failure};
use super::key::Names;
use super::registry::{self, Kind};
use super::{Unfinished, named};
use crate::config::Fields;
use crate::model::{ArticleRange, Place, Reject, Source};
use crate::read::{self, Bytes, Position};

/// A range that starts in the middle of a compressed member is at least one sixteenth (1 /
/// `MOST_UNPACKED`) as long as the data that must be unpacked to reach its start. Only the last
/// range may be shorter. So all ranges together skip at most about this many times what the file
/// holds.
const MOST_UNPACKED: u64 = 16;

/// Divides a file into ranges of `most` articles. Returns `None` if its format must be read from the
/// start, whatever its extension says.
///
/// # Errors
/// Fails if the file cannot be read.
pub(crate) fn divide(
    source: &Source,
    bytes: Bytes,
    fields: &Fields,
    most: u64,
) -> Result<Option<impl Iterator<Item = ArticleRange> + use<>>, Reject> {
    let start = Place::default();
    let opened = items_from(source, bytes, fields, &start)?;
    let names = Names::observed(&source.name);
    Ok(opened.map(|(items, position)| Ranges { items, position, names, most, start, first: 0, articles: 0, ended: false }))
}

/// Reads the articles of a range. They may be fewer than the range has if the file has changed.
/// Returns `None` if the format must be read from the start.
///
/// # Errors
/// Fails if the file cannot be read.
pub(crate) fn articles_in(
    source: &Source,
    bytes: Bytes,
    fields: &Fields,
    range: &ArticleRange,
) -> Result<Option<impl Iterator<Item = Unfinished> + use<>>, Reject> {
    let mut names = Names::after(&source.name, &range.uses);
    let most = range.articles.map_or(usize::MAX, |articles| usize::try_from(articles).unwrap_or(usize::MAX));
    let opened = items_from(source, bytes, fields, &range.start)?;
    Ok(opened.map(|(items, _)| items.take(most).map(move |item| named(item, &mut names))))
}

/// The articles from a place on, and the place up to which they are read.
fn items_from(
    source: &Source,
    mut bytes: Bytes,
    fields: &Fields,
    place: &Place,
) -> Result<Option<(impl Iterator<Item = Item> + use<>, Arc<Position>)>, Reject> {
    let head = bytes.head()?;
    let is_text = registry::document_of(head).is_none() && !read::is_wide(head);
    let Kind::Stream(stream) = registry::kind_of(source, head) else { return Ok(None) };
    if !is_text || !stream.starts_anywhere() {
        return Ok(None);
    }
    let Some((bytes, position)) = bytes.at(place)? else { return Ok(None) };
    let trailing = bytes.trailing();
    let items: Items = stream.items(bytes, fields)?;
    Ok(Some((up_to_failure(items, trailing), position)))
}

/// The ranges of a file, as its articles are read.
struct Ranges<I> {
    items: I,
    position: Arc<Position>,
    names: Names,
    most: u64,
    /// The range that is being read: its start, its first article, and how many it has so far.
    start: Place,
    first: u64,
    articles: u64,
    ended: bool,
}

impl<I: Iterator<Item = Item>> Iterator for Ranges<I> {
    type Item = ArticleRange;

    fn next(&mut self) -> Option<ArticleRange> {
        while !self.ended {
            let place = (self.articles >= self.most).then(|| self.position.place()).filter(|place| self.is_long_enough(place));
            let Some(item) = self.items.next() else {
                self.ended = true;
                return Some(ArticleRange { articles: None, ..self.end_range(self.start) });
            };
            let range = place.map(|place| self.end_range(place));
            named(item, &mut self.names);
            self.articles += 1;
            if range.is_some() {
                return range;
            }
        }
        None
    }
}

impl<I> Ranges<I> {
    fn is_long_enough(&self, end: &Place) -> bool {
        (end.offset() - self.start.offset()).saturating_mul(MOST_UNPACKED) >= self.start.skip
    }

    /// Ends the range before an article that starts at this place.
    fn end_range(&mut self, place: Place) -> ArticleRange {
        let articles = std::mem::take(&mut self.articles);
        let (first, start) = (self.first, std::mem::replace(&mut self.start, place));
        self.first += articles;
        ArticleRange { first, articles: Some(articles), start, uses: self.names.take_uses() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use super::*;
    use crate::extract::articles;

    const MAX: u64 = 10 << 20;

    fn source(path: &Path, name: &str) -> Source {
        Source { path: path.to_path_buf(), name: name.into(), size: std::fs::metadata(path).unwrap().len(), stamp: None }
    }

    fn bytes(source: &Source) -> Bytes {
        read::open(source, MAX).unwrap()
    }

    fn texts(articles: impl Iterator<Item = Unfinished>) -> Vec<String> {
        articles.map(|Unfinished { name, draft }| format!("{name}: {draft:?}")).collect()
    }

    /// Checks that the ranges of a file, read one by one, have the same articles as the whole file.
    /// Returns the ranges.
    fn divided(name: &str, content: &[u8], most: u64) -> Vec<ArticleRange> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        let (source, fields) = (source(&path, name), Fields::default());
        let whole = texts(articles(&source, bytes(&source), &fields).unwrap());
        let ranges: Vec<ArticleRange> = divide(&source, bytes(&source), &fields, most).unwrap().unwrap().collect();
        let mut parts = Vec::new();
        for range in &ranges {
            assert_eq!(range.first, parts.len() as u64, "{name}");
            let part = texts(articles_in(&source, bytes(&source), &fields, range).unwrap().unwrap());
            assert!(range.articles.is_none_or(|articles| articles == part.len() as u64), "{name}: {range:?}");
            parts.extend(part);
        }
        assert_eq!(parts, whole, "{name}");
        assert!(ranges.iter().rev().skip(1).all(|range| range.articles >= Some(most)) && ranges.last().unwrap().articles.is_none());
        ranges
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    fn text(number: usize) -> String {
        format!("Le conseil municipal a voté mardi le budget numéro {number}, a annoncé la mairie dans un communiqué.")
    }

    /// Lines with ids that repeat, without ids, blank, broken and too long.
    fn json_lines() -> Vec<String> {
        let line = |number: usize| match number % 10 {
            3 => format!("{{\"title\":\"Titre\",\"text\":\"{}\"}}\n", text(number % 4)),
            5 => format!("{{\"id\":\"same\",\"text\":\"{}\"}}\n", text(number % 3)),
            7 => format!("{{\"id\":{number},\"text\":\n"),
            8 => format!("\n  \r\n{{\"id\":\"{}\",\"text\":\"{}\"}}\r\n", number / 2, text(number)),
            _ => format!("{{\"id\":\"{number}\",\"title\":\"Titre {number}\",\"text\":\"{}\"}}\n", text(number)),
        };
        (0..95).map(line).collect()
    }

    fn mailbox() -> Vec<String> {
        let message = |number: usize| {
            let id = if number % 6 == 4 { String::new() } else { format!("Message-ID: <{}@a.invalid>\n", number / 3) };
            format!(
                "From a@a.invalid Fri Nov 13 08:00:00 2026\nFrom: H <h@a.invalid>\n{id}Subject: Titre {number}\n\n{}\n>From là.\n\n",
                text(number)
            )
        };
        (0..40).map(message).collect()
    }

    fn warc() -> Vec<String> {
        let record = |number: usize| {
            let (kind, status) =
                (["response", "response", "request"][number % 3], ["200 OK", "404 Not Found"][usize::from(number % 7 == 6)]);
            let page = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}", text(number));
            let (length, address) = (page.len(), number / 4);
            format!(
                "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://a.invalid/{address}\r\nContent-Length: {length}\r\n\r\n{page}\r\n\r\n"
            )
        };
        (0..60).map(record).collect()
    }

    #[test]
    fn ranges_have_the_articles_of_the_whole_file() {
        for (name, records) in [("a.jsonl", json_lines()), ("a.mbox", mailbox()), ("a.warc", warc())] {
            let whole = records.concat().into_bytes();
            let each = |pack: fn(&[u8]) -> Vec<u8>| records.iter().flat_map(|record| pack(record.as_bytes())).collect::<Vec<u8>>();
            for most in [1, 7, 1000] {
                let plain = divided(name, &whole, most);
                assert_eq!(plain.len() > 1, most < 1000, "{name}");
                assert!(plain.iter().all(|range| range.start.skip == 0));
                for (extension, content) in [("gz", each(gzip)), ("zst", each(zstd)), ("gz", gzip(&whole)), ("zst", zstd(&whole))] {
                    divided(&format!("{name}.{extension}"), &content, most);
                }
                for cut in [whole.len() - 30, whole.len() / 2] {
                    divided(name, &whole[..cut], most);
                    let packed = gzip(&whole);
                    divided(&format!("{name}.gz"), &packed[..cut.min(packed.len() - 9)], most);
                }
                divided(&format!("{name}.gz"), &[each(gzip), b"x".to_vec()].concat(), most);
            }
        }
    }

    #[test]
    fn a_range_starts_at_its_member_or_has_a_part_of_what_must_be_unpacked_before_it() {
        let records = json_lines();
        let members: Vec<u8> = records.iter().flat_map(|record| gzip(record.as_bytes())).collect();
        let by_member = divided("a.jsonl.gz", &members, 1);
        assert!(by_member.len() > 80 && by_member.iter().skip(1).all(|range| range.start.byte > 0 && range.start.skip < 200));
        let whole = records.concat().repeat(20);
        let ranges = divided("a.jsonl.gz", &gzip(whole.as_bytes()), 1);
        assert!(ranges.iter().all(|range| range.start.byte == 0));
        let skipped: u64 = ranges.iter().map(|range| range.start.skip).sum();
        assert!(ranges.len() > 50 && skipped <= (MOST_UNPACKED + 1) * whole.len() as u64, "{}: {skipped}", ranges.len());
    }

    #[test]
    fn a_file_that_must_be_read_from_its_start_is_not_divided() {
        let wide: Vec<u8> =
            [0xfeff].into_iter().chain("{\"id\":1,\"text\":\"Été.\"}\n".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for content in [wide, b"[{\"id\":1,\"text\":\"Un.\"}]".to_vec(), b"id,text\n1,Un.\n".to_vec(), b"%PDF-1.7".to_vec()] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.jsonl");
            std::fs::write(&path, content).unwrap();
            let source = source(&path, "a.jsonl");
            assert!(divide(&source, bytes(&source), &Fields::default(), 1).unwrap().is_none());
        }
    }
}
