//! The input's files, so that an unchanged one need not be opened.

use std::collections::HashMap;

use tokio_postgres::Error;

use super::calls::count;
use super::connect::Session;
use crate::model::Stamp;
use crate::record::{CompletedFile, FileRef};

/// A new file, or a file that this run has not begun yet, is marked to be read again.
const BEGIN: &str = "INSERT INTO file AS known (number, path_hash, folder, folder_hash, name, in_table, run)
    SELECT number, path_hash, folder, folder_hash, name, true, $6
    FROM unnest($1::int8[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[]) AS new (number, path_hash, folder, folder_hash, name)
    ON CONFLICT (path_hash) DO UPDATE SET in_table = true, settings_hash = 0, run = excluded.run
    WHERE known.run <> excluded.run OR NOT known.in_table";
const END: &str = "INSERT INTO file AS known
        (number, path_hash, folder, folder_hash, name, size, modified, inode, settings_hash, done, skipped, in_table, run)
    SELECT *, true, $12 FROM unnest($1::int8[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::int8[], $7::int8[], $8::int8[],
        $9::int8[], $10::int8[], $11::int8[])
    ON CONFLICT (path_hash) DO UPDATE SET size = excluded.size, modified = excluded.modified, inode = excluded.inode,
        settings_hash = excluded.settings_hash, done = excluded.done, skipped = excluded.skipped, in_table = true, run = excluded.run";

/// The hash of a file's path.
pub(super) fn path_hash(folder: &[u8], name: &[u8]) -> Vec<u8> {
    // No folder has a NUL in it.
    blake3::Hasher::new().update(folder).update(b"\0").update(name).finalize().as_bytes().to_vec()
}

/// The hash of a folder.
pub(super) fn folder_hash(folder: &[u8]) -> Vec<u8> {
    blake3::hash(folder).as_bytes().to_vec()
}

/// The columns that name files.
struct Named {
    numbers: Vec<i64>,
    path_hashes: Vec<Vec<u8>>,
    folders: Vec<Vec<u8>>,
    folder_hashes: Vec<Vec<u8>>,
    names: Vec<Vec<u8>>,
}

impl Named {
    fn of<'a>(files: impl Iterator<Item = &'a FileRef> + Clone) -> Self {
        Self {
            numbers: files.clone().map(|file| file.number).collect(),
            path_hashes: files.clone().map(|file| path_hash(&file.folder, &file.name)).collect(),
            folders: files.clone().map(|file| file.folder.clone()).collect(),
            folder_hashes: files.clone().map(|file| folder_hash(&file.folder)).collect(),
            names: files.map(|file| file.name.clone()).collect(),
        }
    }
}

/// Begins files in this run: puts their rows into the table, and marks them to be read again until
/// they have been read to their ends.
pub(super) async fn begin(session: &Session, files: &[&FileRef], run: i64) -> Result<(), Error> {
    let distinct: HashMap<i64, &FileRef> = files.iter().map(|file| (file.number, *file)).collect();
    let mut distinct: Vec<&FileRef> = distinct.into_values().collect();
    distinct.sort_unstable_by_key(|file| file.number);
    let Named { numbers, path_hashes, folders, folder_hashes, names } = Named::of(distinct.into_iter());
    session.execute(BEGIN, &[&numbers, &path_hashes, &folders, &folder_hashes, &names, &run]).await?;
    Ok(())
}

/// Ends files in this run; returns whether rows left the table.
pub(super) async fn end(session: &Session, read: &[&CompletedFile], run: i64) -> Result<bool, Error> {
    let distinct: HashMap<i64, &CompletedFile> = read.iter().map(|read| (read.file.number, *read)).collect();
    let mut read: Vec<&CompletedFile> = distinct.into_values().collect();
    read.sort_unstable_by_key(|read| read.file.number);
    let Named { numbers, path_hashes, folders, folder_hashes, names } = Named::of(read.iter().map(|read| &*read.file));
    let sizes: Vec<i64> = read.iter().map(|read| read.stamp.size.cast_signed()).collect();
    let modified: Vec<i64> = read.iter().map(|read| read.stamp.modified).collect();
    let inodes: Vec<i64> = read.iter().map(|read| read.stamp.inode.cast_signed()).collect();
    let settings: Vec<i64> = read.iter().map(|read| read.settings).collect();
    let done: Vec<i64> = read.iter().map(|read| count(read.done)).collect();
    let skipped: Vec<i64> = read.iter().map(|read| count(read.skipped)).collect();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 12] =
        [&numbers, &path_hashes, &folders, &folder_hashes, &names, &sizes, &modified, &inodes, &settings, &done, &skipped, &run];
    session.execute(END, &values).await?;
    let leave = "UPDATE row SET file = NULL, in_table = false WHERE file = ANY($1::int8[]) AND run <> $2";
    Ok(session.execute(leave, &[&numbers, &run]).await? > 0)
}

/// See [`crate::record::RowStore::move_rows`]; returns whether the table changes.
pub(super) async fn move_rows(session: &Session, returned: &[i64], gone: &[i64]) -> Result<bool, Error> {
    let mut changed = 0;
    for (files, in_table) in [(returned, true), (gone, false)] {
        session.execute("UPDATE file SET in_table = $2 WHERE number = ANY($1::int8[])", &[&files, &in_table]).await?;
        let rows = "UPDATE row SET in_table = $2 WHERE file = ANY($1::int8[]) AND in_table <> $2";
        changed += session.execute(rows, &[&files, &in_table]).await?;
    }
    Ok(changed > 0)
}

/// The stamp in three columns from this one on.
pub(super) fn stamp(row: &tokio_postgres::Row, from: usize) -> Stamp {
    let number = |at: usize| row.get::<_, i64>(at);
    Stamp { size: number(from).cast_unsigned(), modified: number(from + 1), inode: number(from + 2).cast_unsigned() }
}
