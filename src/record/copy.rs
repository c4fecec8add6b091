//! Defines how a ledger is copied: the tables and columns that every backend has, and the traits
//! for reading one ledger and writing the other.

use crate::model::Fault;

/// Records that are in memory at once take about this much.
pub(super) const GROUP_BYTES: usize = 4 << 20;

/// Reads a ledger while no process writes to it.
pub(super) trait CopySource {
    /// Calls `each` with the records of a table, group by group.
    ///
    /// # Errors
    /// If the ledger cannot be read; or whatever `each` returns.
    fn each_group(&mut self, table: &Table, each: &mut dyn FnMut(Vec<Record>) -> Result<(), Fault>) -> Result<(), Fault>;
}

/// Writes an empty ledger. Nothing of it is visible before [`CopyTarget::commit`].
pub(super) trait CopyTarget {
    /// Writes records of a table.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    fn write(&mut self, table: &Table, group: Vec<Record>) -> Result<(), Fault>;

    /// Makes everything that was written durable and visible.
    ///
    /// # Errors
    /// If that fails; then the ledger is as empty as before.
    fn commit(self: Box<Self>) -> Result<(), Fault>;
}

/// A record: its values, in the order of [`Table::columns`].
pub(super) type Record = Vec<Cell>;

/// A value of a record. A truth value is the number 0 or 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// About how much memory it takes.
    pub(super) fn size(&self) -> usize {
        let more = match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Null | Self::Integer(_) | Self::Real(_) => 0,
        };
        size_of::<Self>() + more
    }
}

/// The columns of a table that every backend has.
pub(super) struct Table {
    /// Its name in every backend.
    pub(super) name: &'static str,
    /// The name of its records in the summary. `None`: they are not counted.
    pub(super) label: Option<&'static str>,
    /// The columns that every backend has.
    pub(super) columns: &'static [&'static str],
    /// The end of the query: the records to copy, and their order.
    pub(super) records: &'static str,
}

impl Table {
    /// The names of the columns, for a statement.
    pub(super) fn names(&self) -> String {
        self.columns.join(", ")
    }
}

/// Every table that is copied. Tables that are stored in the order of a key are copied in this
/// order, because it is by far the fastest way to fill them.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "run",
        label: Some("runs"),
        columns: &[
            "number",
            "started_at",
            "ended_at",
            "exit",
            "version",
            "process",
            "found",
            "done",
            "earlier",
            "skipped",
            "failed",
            "pending",
            "flagged",
            "requests",
            "paid",
            "retried",
            "maybe_billed",
            "cached",
            "cost",
            "seconds",
            "estimated",
        ],
        records: "FROM run ORDER BY number",
    },
    // A call without a reply is not copied. Its attempts are copied as waste, because no run is
    // active.
    Table {
        name: "call",
        label: Some("answered calls"),
        columns: &[
            "key",
            "state",
            "run",
            "endpoint",
            "task",
            "characters",
            "cost",
            "made_at",
            "attempts",
            "dialect",
            "model",
            "reply",
            "tokens_in",
            "tokens_out",
            "milliseconds",
        ],
        records: "FROM call WHERE state = 'answered' ORDER BY key",
    },
    // A call that was in flight when its run was killed becomes waste, as the next run would record
    // it. Several processes of a run may have waste for the same call.
    Table {
        name: "waste",
        label: Some("calls that may have been billed for nothing"),
        columns: &["run", "key", "endpoint", "task", "characters", "cost", "made_at", "outcome", "attempts"],
        records: "FROM (SELECT run, key, min(endpoint) AS endpoint, min(task) AS task, max(characters) AS characters,
                CASE WHEN count(*) = 1 THEN max(cost) WHEN count(cost) = count(*) THEN sum(cost * attempts) / sum(attempts) END AS cost,
                max(made_at) AS made_at, max(outcome) AS outcome, sum(attempts) AS attempts
            FROM (SELECT run, key, endpoint, task, characters, cost, made_at, outcome, attempts FROM waste
                UNION ALL SELECT run, key, endpoint, task, characters, cost, made_at, 'killed', attempts FROM call WHERE state = 'claimed'
            ) AS attempt GROUP BY run, key) AS waste ORDER BY run, key",
    },
    Table {
        name: "row",
        label: Some("rows"),
        columns: &[
            "source",
            "fingerprint",
            "run",
            "id",
            "title_fr",
            "title_en",
            "summary_fr",
            "summary_en",
            "language",
            "published",
            "url",
            "status",
            "flags",
            "error",
            "words",
            "summary_endpoint",
            "translation_endpoint",
            "cost",
            "processed_at",
            "text_fr",
            "text_en",
            "author",
            "section",
            "copy_of",
            "findings",
            "signature",
            "calls",
            "file",
            "in_table",
        ],
        records: "FROM row",
    },
    Table {
        name: "file",
        label: Some("files"),
        columns: &["folder", "name", "number", "size", "modified", "inode", "settings_hash", "in_table", "run", "done", "skipped"],
        records: "FROM file ORDER BY folder, name",
    },
    Table {
        name: "output",
        label: Some("outputs"),
        columns: &["name", "size", "modified", "inode", "settings_hash"],
        records: "FROM output ORDER BY name",
    },
    Table {
        name: "batch",
        label: Some("batches"),
        columns: &[
            "number",
            "state",
            "run",
            "endpoint",
            "url",
            "tag",
            "file",
            "id",
            "lines",
            "bytes",
            "tokens",
            "cost",
            "made_at",
            "sent_at",
            "cancelled_at",
            "ended_at",
            "expires_at",
            "said",
            "completed",
            "failed",
            "total",
        ],
        records: "FROM batch ORDER BY number",
    },
    Table {
        name: "line",
        label: Some("calls for batches"),
        columns: &["key", "batch", "endpoint", "task", "characters", "request", "tries", "longer", "code", "message"],
        records: "FROM line ORDER BY key",
    },
    // The ledger's name is in its batches, so the copy must keep it.
    Table { name: "ledger", label: None, columns: &["id"], records: "FROM ledger" },
];
