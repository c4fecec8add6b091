//! Batches and their lines. They belong to the ledger: the next run collects them, whichever process
//! made them.

use tokio_postgres::Row;

use super::ledger::PostgresLedger;
use super::reader::PostgresReader;
use super::rows::text;
use crate::model::{ErrorCode, Fault};
use crate::record::messages::Write;
use crate::record::writer_handle::WriterHandle;
use crate::record::{BatchReader, BatchRecord, BatchState, BatchStore, BatchWrite, Line, LineState, Pending};

const ALL: &str =
    "SELECT number, state, endpoint, url, tag, file, id, lines, bytes, tokens, cost, made_at, sent_at, cancelled_at, ended_at,
    expires_at, said, completed, failed, total FROM batch ORDER BY number";
const OPEN: &str =
    "SELECT number, state, endpoint, url, tag, file, id, lines, bytes, tokens, cost, made_at, sent_at, cancelled_at, ended_at,
    expires_at, said, completed, failed, total FROM batch WHERE state NOT IN ('collected', 'dissolved') ORDER BY number";
const STATES: &str = "SELECT batch, tries, code, message, key FROM line WHERE key > $1 ORDER BY key LIMIT 10000";
const FREE: &str = "SELECT key, endpoint, task, characters, request, longer FROM line
    WHERE batch IS NULL AND code = '' AND endpoint = $1 AND tries < $2 AND key > $3
        AND NOT EXISTS (SELECT FROM call WHERE call.key = line.key AND call.reply IS NOT NULL)
    ORDER BY key LIMIT $4";
const WITH: &str =
    "SELECT key, endpoint, task, characters, request, longer, batch, tries, code, message FROM line WHERE key = ANY($1::bytea[])";
const ABOUT: &str = "SELECT batch FROM line WHERE batch IS NOT NULL AND strpos(request, $1) > 0 LIMIT 1";

impl BatchReader for PostgresReader {
    fn ledger_id(&self) -> Result<String, Fault> {
        Ok(self.database.rows("SELECT id FROM ledger", &[])?.first().map_or_else(String::new, |row| row.get(0)))
    }

    fn batches(&self, open: bool) -> Result<Vec<BatchRecord>, Fault> {
        Ok(self.database.rows(if open { OPEN } else { ALL }, &[])?.iter().map(batch).collect())
    }

    fn each_line(&self, each: &mut dyn FnMut([u8; 32], LineState)) -> Result<(), Fault> {
        let mut after: Vec<u8> = Vec::new();
        loop {
            let page = self.database.rows(STATES, &[&after])?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.get(4);
            for row in &page {
                each(key(row, 4), state(row, 0));
            }
        }
    }

    fn free_lines(&self, endpoint: &str, tries: u32, after: Option<&[u8; 32]>, most: usize) -> Result<Vec<Line>, Fault> {
        let (tries, most) = (i32::try_from(tries).unwrap_or(i32::MAX), i64::try_from(most).unwrap_or(i64::MAX));
        let after = after.map_or(&[][..], |key| key.as_slice());
        Ok(self.database.rows(FREE, &[&endpoint, &tries, &after, &most])?.iter().map(line).collect())
    }

    fn batch_with(&self, title: &str) -> Result<Option<i64>, Fault> {
        // Calls are stored as JSON, so the title is looked up in its JSON form.
        let title = serde_json::to_string(title).unwrap_or_default();
        Ok(self.database.rows(ABOUT, &[&text(&title)])?.first().map(|row| row.get(0)))
    }

    fn lines_with(&self, keys: &[[u8; 32]]) -> Result<Vec<(Line, LineState)>, Fault> {
        let keys: Vec<&[u8]> = keys.iter().map(<[u8; 32]>::as_slice).collect();
        Ok(self.database.rows(WITH, &[&keys])?.iter().map(|row| (line(row), state(row, 6))).collect())
    }

    fn keys_in(&self, batch: i64) -> Result<Vec<[u8; 32]>, Fault> {
        Ok(self.database.rows("SELECT key FROM line WHERE batch = $1", &[&batch])?.iter().map(|row| key(row, 0)).collect())
    }
}

/// The keys are only ever written with 32 bytes.
fn key(row: &Row, at: usize) -> [u8; 32] {
    row.get::<_, &[u8]>(at).try_into().unwrap_or_default()
}

fn line(row: &Row) -> Line {
    Line {
        key: key(row, 0),
        endpoint: row.get(1),
        task: row.get(2),
        characters: row.get::<_, i64>(3).cast_unsigned(),
        request: row.get(4),
        longer: row.get(5),
    }
}

fn state(row: &Row, first: usize) -> LineState {
    let code: &str = row.get(first + 2);
    let code = ErrorCode::ALL.iter().find(|known| known.as_str() == code).copied();
    let tries = row.get::<_, i32>(first + 1).cast_unsigned();
    LineState { batch: row.get(first), tries, refused: code.map(|code| (code, row.get(first + 3))) }
}

fn batch(row: &Row) -> BatchRecord {
    let number = |at: usize| row.get::<_, i64>(at).cast_unsigned();
    let optional = |at: usize| row.get::<_, Option<i64>>(at).map(i64::cast_unsigned);
    let word: &str = row.get(1);
    BatchRecord {
        number: row.get(0),
        state: BatchState::WORDS.iter().find(|(_, known)| *known == word).map_or(BatchState::Dissolved, |(state, _)| *state),
        endpoint: row.get(2),
        url: row.get(3),
        tag: row.get(4),
        file: row.get(5),
        id: row.get(6),
        lines: number(7),
        bytes: number(8),
        tokens: number(9),
        cost: row.get(10),
        made_at: row.get(11),
        sent_at: row.get(12),
        cancelled_at: row.get(13),
        ended_at: row.get(14),
        expires_at: row.get(15),
        said: row.get(16),
        completed: optional(17),
        failed: optional(18),
        total: optional(19),
    }
}

impl BatchReader for PostgresLedger {
    fn ledger_id(&self) -> Result<String, Fault> {
        self.own_reader().ledger_id()
    }

    fn batches(&self, open: bool) -> Result<Vec<BatchRecord>, Fault> {
        BatchReader::batches(self.own_reader(), open)
    }

    fn each_line(&self, each: &mut dyn FnMut([u8; 32], LineState)) -> Result<(), Fault> {
        self.own_reader().each_line(each)
    }

    fn free_lines(&self, endpoint: &str, tries: u32, after: Option<&[u8; 32]>, most: usize) -> Result<Vec<Line>, Fault> {
        self.own_reader().free_lines(endpoint, tries, after, most)
    }

    fn batch_with(&self, title: &str) -> Result<Option<i64>, Fault> {
        self.own_reader().batch_with(title)
    }

    fn lines_with(&self, keys: &[[u8; 32]]) -> Result<Vec<(Line, LineState)>, Fault> {
        self.own_reader().lines_with(keys)
    }

    fn keys_in(&self, batch: i64) -> Result<Vec<[u8; 32]>, Fault> {
        self.own_reader().keys_in(batch)
    }
}

impl BatchStore for PostgresLedger {
    fn write_batch(&self, write: BatchWrite) -> Pending<'_, ()> {
        Box::pin(async move {
            if let BatchWrite::Gather(_) = write {
                return self.send(Write::Batch(Box::new(write)), None).await;
            }
            // After a write of a batch, the batch is sent. A process without a lease may not do
            // that.
            self.wait_for_lease().await?;
            self.write_durably(Write::Batch(Box::new(write))).await
        })
    }
}
