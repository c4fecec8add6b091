//! Durations for people.

use std::time::Duration;

/// Formats a duration: `3.2 s`, `2 min 05 s`, `2 h 02 min`.
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", duration.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_fits_the_duration() {
        assert_eq!(human_duration(Duration::from_millis(3210)), "3.2 s");
        assert_eq!(human_duration(Duration::from_secs(125)), "2 min 05 s");
        assert_eq!(human_duration(Duration::from_mins(122)), "2 h 02 min");
    }
}
