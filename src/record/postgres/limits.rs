//! The amounts that the processes of a run may use together. Each budget has a purse, from which
//! each process draws parts.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::types::ToSql;

use super::calls::Me;
use super::database::Database;
use super::workers::Lease;
use crate::call::{ServicePart, ServiceShare, ServiceUse};
use crate::model::Fault;
use crate::record::{Budget, Draw, Drawn, Pending, SharedLimits};

const DRAW: &str = "SELECT granted, used_by_others, others_hold FROM draw_part($1, $2, $3, $4, $5, $6, $7, $8)";

/// In the order of the services, so that two processes never wait for each other.
const SHARE: &str = "SELECT at - 1, my_places, my_rate, paused
    FROM unnest($2::text[], $3::text[], $4::int8[], $5::int8[], $6::float8[], $7::bool[], $8::float8[])
        WITH ORDINALITY AS used (service, endpoint, told, places, rate, active, pause, at),
        LATERAL share_service($1, service, endpoint, told, places, rate, active, pause)";

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

    fn share<'a>(&'a self, uses: &'a [ServiceUse]) -> Pending<'a, Vec<ServiceShare>> {
        Box::pin(async move {
            let mut order: Vec<usize> = (0..uses.len()).collect();
            order.sort_by_key(|at| uses.get(*at).map(|used| (&used.service, &used.endpoint)));
            let sorted = || order.iter().filter_map(|at| uses.get(*at));
            let count = |places: usize| i64::try_from(places).unwrap_or(i64::MAX);
            let services: Vec<&str> = sorted().map(|used| used.service.as_str()).collect();
            let endpoints: Vec<&str> = sorted().map(|used| used.endpoint.as_str()).collect();
            let told: Vec<Option<i64>> = sorted().map(|used| used.places.map(count)).collect();
            let places: Vec<i64> = sorted().map(|used| count(used.part.places)).collect();
            let rates: Vec<f64> = sorted().map(|used| used.part.rate).collect();
            let active: Vec<bool> = sorted().map(|used| used.is_active).collect();
            let pauses: Vec<f64> = sorted().map(|used| used.pause.as_secs_f64()).collect();
            let values: [&(dyn ToSql + Sync); 8] = [&self.me.worker, &services, &endpoints, &told, &places, &rates, &active, &pauses];
            let found = self.database.query(SHARE, &values).await?;
            let mut shares = vec![None; uses.len()];
            for row in &found {
                let at = usize::try_from(row.get::<_, i64>(0)).ok().and_then(|at| order.get(at)).copied();
                let part = ServicePart { places: usize::try_from(row.get::<_, i64>(1)).unwrap_or(0), rate: row.get(2) };
                let pause = Duration::try_from_secs_f64(row.get(3)).unwrap_or_default();
                if let Some(share) = at.and_then(|at| shares.get_mut(at)) {
                    *share = Some(ServiceShare { part, pause });
                }
            }
            shares.into_iter().collect::<Option<_>>().ok_or_else(|| self.lost())
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
