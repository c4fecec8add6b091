//! Suggests commands to a user after a run.

use super::ending::Ending;
use super::printable;

/// How many steps are named.
const STEPS: usize = 3;

/// The most useful commands, each with an explanation. They have the options that name this run's
/// config and output.
pub fn next_steps(ending: &Ending) -> Vec<[String; 2]> {
    let Ending { summary, exit, failures, flags, options, .. } = ending;
    let step = |command: &str, does: &str| [format!("depeche {command}{options}"), does.to_owned()];
    let mut steps = Vec::new();
    if matches!(exit, 4 | 5) {
        steps.push(step("doctor", "check each endpoint"));
    }
    if summary.pending > 0 {
        steps.push(step("run", "do the rest"));
    }
    if let Some((source, _)) = failures.first() {
        steps.push(step("retry", "try the failed articles again"));
        steps.push(step(&format!("why {}", quoted(source)), "see what happened to one"));
    }
    if ending.review > 0 {
        let doubt = flags.iter().filter(|(flag, _)| is_doubt(flag)).max_by_key(|(_, rows)| *rows);
        steps.extend(doubt.map(|(flag, _)| step(&format!("export --flag {flag}"), "list rows with this flag")));
    }
    if flags.iter().any(|(flag, _)| flag == "draft") {
        steps.push(["depeche init --list".into(), "see better translators".into()]);
    }
    steps.push(step("status", "see runs and their costs"));
    steps.push(step("plan", "estimate the next run"));
    steps.truncate(STEPS);
    steps
}

/// Whether somebody should look at a row with this flag. Some flags are only remarks.
pub fn is_doubt(flag: &str) -> bool {
    crate::model::Flag::parse(flag).is_some_and(|flag| !flag.is_remark())
}

/// A name as a word for a shell.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@".contains(c);
    if name.chars().all(plain) && !name.starts_with('-') {
        name.to_owned()
    } else {
        format!("'{}'", printable(name).replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunSummary;
    use crate::report::{Align, columns};

    fn commands(ending: &Ending) -> Vec<String> {
        next_steps(ending).into_iter().map(|[command, _]| command).collect()
    }

    #[test]
    fn the_steps_fit_a_narrow_terminal() {
        let flags = vec![("draft".into(), 9), ("unreviewed".into(), 1)];
        let summary = RunSummary { pending: 4, ..RunSummary::default() };
        let failures = vec![("input/a.txt".into(), "unreadable".into())];
        for ending in [
            Ending { flags, review: 3, ..Ending::default() },
            Ending { exit: 5, summary, ..Ending::default() },
            Ending { failures, exit: 3, ..Ending::default() },
            Ending::default(),
        ] {
            for line in columns([Align::Left; 2], &next_steps(&ending)) {
                assert!(line.chars().count() + 2 <= 60, "{line}");
            }
        }
    }

    #[test]
    fn the_steps_fit_what_happened() {
        let ending = Ending::default();
        assert_eq!(commands(&ending), ["depeche status", "depeche plan"]);
        let failures = vec![("input/l'été #1.txt".into(), "unreadable".into())];
        let failed = Ending { failures, exit: 3, options: " --config night.toml".into(), ..ending.clone() };
        assert_eq!(
            commands(&failed),
            [
                "depeche retry --config night.toml",
                "depeche why 'input/l'\\''été #1.txt' --config night.toml",
                "depeche status --config night.toml"
            ]
        );
        let flags = vec![("draft".into(), 9), ("name".into(), 1), ("number".into(), 2)];
        let doubtful = Ending { flags, review: 3, ..ending.clone() };
        assert_eq!(commands(&doubtful), ["depeche export --flag number", "depeche init --list", "depeche status"]);
        let stopped = Ending { exit: 5, summary: RunSummary { pending: 4, ..RunSummary::default() }, ..ending };
        assert_eq!(commands(&stopped), ["depeche doctor", "depeche run", "depeche status"]);
    }
}
