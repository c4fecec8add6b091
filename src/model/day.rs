//! One day of the past, in figures.

/// What the runs of one day did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day {
    /// The day, UTC, ISO 8601.
    pub date: String,
    /// Articles that were done anew.
    pub done: u64,
    /// Articles that failed.
    pub failed: u64,
    /// What the day's calls cost, as far as their prices are known.
    pub cost: f64,
}
