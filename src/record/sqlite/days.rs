//! What was done on each day and what it cost, for the page's chart.

use std::collections::BTreeMap;

use rusqlite::Row;

use super::reader::SqliteReader;
use crate::model::{Day, Fault};

/// What the calls of each day cost. It steps from the last day with calls to the one before, so
/// that the time does not grow with the ledger, and it reads the index `call_spent` alone, which
/// also holds the few claims in flight. `~` sorts after every time of its day.
const COSTS: &str = "WITH RECURSIVE last (day) AS (
        SELECT substr(max(made_at), 1, 10) FROM call
        UNION ALL SELECT (SELECT substr(max(made_at), 1, 10) FROM call WHERE made_at < last.day) FROM last WHERE last.day IS NOT NULL LIMIT ?1)
    SELECT day, 0, 0, (SELECT total(cost) FROM call WHERE made_at BETWEEN day AND day || '~') FROM last WHERE day IS NOT NULL";
/// How many articles the runs of each day made, and the most failures of one run. A killed run has
/// no counts.
const ROWS: &str = "SELECT substr(started_at, 1, 10) AS day, coalesce(sum(done - earlier), 0), coalesce(max(failed), 0), 0.0 FROM run WHERE done IS NOT NULL \
    GROUP BY day ORDER BY day DESC LIMIT ?1";

/// See [`crate::record::Reports::days`].
pub(super) fn days(reader: &SqliteReader, most: u32) -> Result<Vec<Day>, Fault> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for query in [COSTS, ROWS] {
        let found = reader.read(|connection| connection.prepare(query)?.query_map([most], day_of)?.collect::<Result<Vec<_>, _>>())?;
        for day in found {
            let known = days.entry(day.date.clone()).or_insert_with(|| Day { date: day.date, ..Day::default() });
            known.done += day.done;
            known.failed += day.failed;
            known.cost += day.cost;
        }
    }
    let first = days.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(days.into_values().skip(first).collect())
}

fn day_of(row: &Row) -> rusqlite::Result<Day> {
    let count = |column| row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Day { date: row.get(0)?, done: count(1)?, failed: count(2)?, cost: row.get(3)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_the_cost_of_its_calls_and_the_articles_of_its_runs() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = crate::record::sqlite::SqliteLedger::open(dir.path(), false).unwrap();
        let insert = "
            INSERT INTO run (started_at, done, earlier, failed) VALUES
                ('2026-11-23T02:00:00Z', 10, 4, 1), ('2026-11-23T12:00:00Z', 12, 11, 2), ('2026-11-24T02:00:00Z', 5, 5, 0), ('2026-11-24T03:00:00Z', NULL, NULL, NULL);
            INSERT INTO call (key, state, run, endpoint, task, characters, cost, made_at) VALUES
                (x'01', 'answered', 1, '', '', 1, 0.5, '2026-11-23T02:00:01Z'), (x'02', 'answered', 1, '', '', 1, 0.25, '2026-11-23T02:00:02Z'),
                (x'03', 'answered', 1, '', '', 1, NULL, '2026-11-22T02:00:00Z');";
        ledger.reader.read(|connection| connection.execute_batch(insert)).unwrap();
        let day = |date: &str, done, failed, cost| Day { date: date.into(), done, failed, cost };
        let all = [day("2026-11-22", 0, 0, 0.0), day("2026-11-23", 7, 2, 0.75), day("2026-11-24", 0, 0, 0.0)];
        assert_eq!(days(&ledger.reader, 30).unwrap(), all);
        assert_eq!(days(&ledger.reader, 2).unwrap(), all[1..]);
    }
}
