//! One day of the past, in figures.

/// The work of the runs of one day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day {
    /// The day, UTC, ISO 8601.
    pub date: String,
    /// Articles that were done anew.
    pub done: u64,
    /// Articles that failed.
    pub failed: u64,
    /// The cost of the day's calls with known prices.
    pub cost: f64,
}
