//! Long files, and the ranges of articles that they are divided into.

use std::sync::Arc;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::calls::{Me, count};
use super::connect::Session;
use super::files::{self, stamp};
use crate::model::{ArticleRange, Place};
use crate::record::{CompletedFile, EndedRange, FileRef, LongFile, RangePiece};

/// A file is divided only once in a run, even if it is listed again because the process that listed
/// it died.
pub(super) const ADD_LONG: &str = "INSERT INTO piece (run, files, folders, names, last_file, most, size, modified, inode)
    SELECT number, $3, $4, $5, ($3::int8[])[1], $6, $7, $8, $9 FROM run WHERE number = $1 AND lister = $2
        AND NOT EXISTS (SELECT FROM piece WHERE run = $1 AND most IS NOT NULL AND names = $5::bytea[] AND folders = $4::bytea[])";
/// Another process may be about to record that the file has changed. One of the two waits for the
/// other.
pub(super) const ADD_RANGE: &str = "WITH long AS (
        SELECT * FROM piece WHERE run = $1 AND worker = $2 AND number = $3 AND state = 'taken' FOR SHARE
    ), added AS (
        INSERT INTO piece (run, files, folders, names, last_file, size, modified, inode, part_of, first, articles, byte, unpacked, skip, line, uses)
        SELECT run, files, folders, names, last_file, size, modified, inode, number, $4, $5, $6, $7, $8, $9, $10 FROM long
        ON CONFLICT (part_of, first) WHERE part_of IS NOT NULL DO NOTHING)
    SELECT number FROM long";
pub(super) const KEEP_WHOLE: &str = "UPDATE piece SET most = NULL WHERE run = $1 AND worker = $2 AND number = $3 AND state = 'taken'";
/// A range that is taken stays: its process notices the change itself.
pub(super) const READ_WHOLE: &str = "WITH long AS (
        UPDATE piece SET state = 'done' WHERE run = $1 AND number = $2 AND state <> 'done' RETURNING run, files, folders, names, last_file
    ), open AS (UPDATE piece SET state = 'done' WHERE part_of = $2 AND state = 'open')
    INSERT INTO piece (run, files, folders, names, last_file, again) SELECT *, true FROM long";
const END: &str = "UPDATE piece SET state = 'done', settings_hash = $3, done = $4, skipped = $5, failed = $6
    WHERE number = $1 AND worker = $2 AND state = 'taken' RETURNING part_of";
const DIVIDED: &str = "UPDATE piece SET state = 'divided', settings_hash = $3 WHERE number = $1 AND worker = $2 AND state = 'taken'";
/// Two processes may end ranges of a file at the same time, or one may end the last range while the
/// other ends dividing the file. Then the second process waits, and sees the changes of the first.
const LOCK: &str = "SELECT files[1], folders[1], names[1], settings_hash, size, modified, inode, state = 'divided' FROM piece WHERE number = $1 FOR UPDATE";
const SUM: &str = "SELECT sum(done)::int8, sum(skipped)::int8, bool_or(settings_hash = 0) FROM piece WHERE part_of = $1
    HAVING bool_and(state = 'done')";
const COMPLETE: &str = "UPDATE piece SET state = 'done' WHERE number = $1";

/// The bytes of a use: a hash and a number.
const USE: usize = 12;

/// The values of [`ADD_LONG`] after the run and the process.
pub(super) fn add_long<T>(long: &LongFile, run: impl FnOnce(&[&(dyn ToSql + Sync)]) -> T) -> T {
    let LongFile { file, stamp, most } = long;
    let (numbers, folders, names) = ([file.number].to_vec(), [file.folder.as_slice()].to_vec(), [file.name.as_slice()].to_vec());
    run(&[&numbers, &folders, &names, &count(*most), &stamp.size.cast_signed(), &stamp.modified, &stamp.inode.cast_signed()])
}

/// The values of [`ADD_RANGE`] after the run and the process.
pub(super) fn add_range<T>(number: i64, range: &ArticleRange, run: impl FnOnce(&[&(dyn ToSql + Sync)]) -> T) -> T {
    let Place { byte, unpacked, skip, line } = range.start;
    let [byte, unpacked, skip, line, first] = [byte, unpacked, skip, line, range.first].map(count);
    let uses: Vec<u8> = range.uses.iter().flat_map(|(key, uses)| [&key.to_le_bytes()[..], &uses.to_le_bytes()].concat()).collect();
    run(&[&number, &first, &range.articles.map(count), &byte, &unpacked, &skip, &line, &uses])
}

/// The columns of a piece, as [`long`] and [`range`] read them.
macro_rules! columns {
    () => {
        "number, files, folders, names, again, most, size, modified, inode, part_of, first, articles, byte, unpacked, skip, line, uses"
    };
}
pub(super) use columns;
/// The place of the stamp among them.
const STAMP: usize = 6;

/// The long file of a piece; `None` if the piece is not a long file.
pub(super) fn long(row: &Row, file: &Arc<FileRef>) -> Option<LongFile> {
    let most = row.get::<_, Option<i64>>("most")?;
    Some(LongFile { file: Arc::clone(file), stamp: stamp(row, STAMP), most: most.cast_unsigned() })
}

/// The range of a piece; `None` if the piece is not a range.
pub(super) fn range(row: &Row, file: &Arc<FileRef>) -> Option<RangePiece> {
    let part_of = row.get::<_, Option<i64>>("part_of")?;
    let number = |name: &str| row.get::<_, i64>(name).cast_unsigned();
    let start = Place { byte: number("byte"), unpacked: number("unpacked"), skip: number("skip"), line: number("line") };
    let articles = row.get::<_, Option<i64>>("articles").map(i64::cast_unsigned);
    let uses = uses(row.get("uses"));
    let range = ArticleRange { first: number("first"), articles, start, uses };
    Some(RangePiece { number: row.get("number"), part_of, file: Arc::clone(file), stamp: stamp(row, STAMP), range })
}

fn uses(bytes: &[u8]) -> Vec<(u64, u32)> {
    let one = |bytes: &[u8]| Some((u64::from_le_bytes(*bytes.first_chunk()?), u32::from_le_bytes(*bytes.last_chunk()?)));
    bytes.chunks_exact(USE).filter_map(one).collect()
}

/// Ends ranges; returns whether rows left the table.
pub(super) async fn end(session: &Session, ranges: &[&EndedRange], me: Me) -> Result<bool, Error> {
    let mut long: Vec<i64> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let [done, skipped, failed] = [range.done, range.skipped, range.failed].map(count);
        let ended = session.query(END, &[&range.number, &me.worker, &range.settings, &done, &skipped, &failed]).await?;
        long.extend(ended.first().map(|row| row.get::<_, i64>(0)));
    }
    // Files are locked in the same order by every process.
    long.sort_unstable();
    long.dedup();
    let mut rows_left = false;
    for number in long {
        rows_left |= complete(session, number, me).await?;
    }
    Ok(rows_left)
}

/// Records that a long file has all its ranges; returns whether rows left the table.
pub(super) async fn end_dividing(session: &Session, number: i64, settings: i64, me: Me) -> Result<bool, Error> {
    session.execute(DIVIDED, &[&number, &me.worker, &settings]).await?;
    complete(session, number, me).await
}

/// Records a long file if all its ranges are done; returns whether rows left the table.
async fn complete(session: &Session, number: i64, me: Me) -> Result<bool, Error> {
    let divided = session.query(LOCK, &[&number]).await?;
    let Some(divided) = divided.first().filter(|row| row.get(7)) else { return Ok(false) };
    let sum = session.query(SUM, &[&number]).await?;
    let Some(sum) = sum.first() else { return Ok(false) };
    let settings = if sum.get(2) { 0 } else { divided.get(3) };
    let file = Arc::new(FileRef { number: divided.get(0), folder: divided.get(1), name: divided.get(2) });
    let [done, skipped] = [0, 1].map(|at| sum.get::<_, i64>(at).cast_unsigned());
    let read = CompletedFile { file, stamp: stamp(divided, 4), settings, done, skipped };
    session.execute(COMPLETE, &[&number]).await?;
    files::end(session, &[&read], me.run).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_stored_and_read() {
        let range = ArticleRange { first: 1, articles: None, start: Place::default(), uses: vec![(u64::MAX, 1), (7, u32::MAX)] };
        let stored: Vec<u8> = add_range(1, &range, |values| {
            let mut bytes = tokio_postgres::types::private::BytesMut::new();
            values.last().unwrap().to_sql_checked(&tokio_postgres::types::Type::BYTEA, &mut bytes).unwrap();
            bytes.to_vec()
        });
        assert_eq!(uses(&stored), range.uses);
    }
}
