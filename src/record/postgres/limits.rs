//! What the processes of a run may use together: a purse for each budget, of which each draws parts.

use std::sync::Arc;

use tokio_postgres::types::ToSql;

use super::calls::Me;
use super::database::Database;
use super::workers::Lease;
use crate::model::Fault;
use crate::record::{Budget, Draw, Drawn, Pending, SharedLimits};

const DRAW: &str = "SELECT granted, used_by_others, others_hold FROM draw_part($1, $2, $3, $4, $5, $6, $7, $8)";

/// The shared limits, as one process sees them.
pub(super) struct PostgresLimits {
    pub(super) database: Arc<Database>,
    pub(super) me: Me,
    pub(super) lease: Arc<Lease>,
}

impl SharedLimits for PostgresLimits {
    fn draw(&self, draw: Draw) -> Pending<'_, Drawn> {
        Box::pin(async move {
            let Draw { budget, cap, before, used, held, wanted } = draw;
            let Me { run, worker } = self.me;
            let values: [&(dyn ToSql + Sync); 8] = [&run, &worker, &name(budget), &cap, &before, &used, &held, &wanted];
            let found = self.database.query(DRAW, &values).await?;
            if let Some(row) = found.first() {
                return Ok(Drawn { granted: row.get(0), used_by_others: row.get(1), others_hold: row.get(2) });
            }
            Err(self.lost())
        })
    }
}

impl PostgresLimits {
    /// This process was declared dead.
    fn lost(&self) -> Fault {
        self.lease.lose(&self.database.address.place)
    }
}

fn name(budget: Budget) -> &'static str {
    match budget {
        Budget::Money => "money",
        Budget::Articles => "articles",
        Budget::Failures => "failures",
    }
}
