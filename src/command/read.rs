//! `depeche read`: prints the extracted articles as JSON Lines, without network.

use serde_json::json;

use super::arguments::ReadArguments;
use crate::config::Overrides;
use crate::discover::{article_id, walk};
use crate::model::{Exit, Fault, Understood};
use crate::pipeline::read_all;
use crate::report::print_stdout;

pub(super) fn run(arguments: &ReadArguments) -> Result<Exit, Fault> {
    let config = arguments.config.load(&Overrides { paths: arguments.paths.clone(), ..Overrides::default() })?;
    let mut exit = Exit::Done;
    let print = |lines: Vec<(String, bool)>| {
        if lines.iter().any(|(_, failed)| *failed) {
            exit = exit.worse(Exit::SomeFailed);
        }
        let lines: Vec<String> = lines.into_iter().map(|(line, _)| line).collect();
        if !lines.is_empty() {
            print_stdout(&lines.join("\n"));
        }
    };
    read_all(walk(&config.input, &config.folder, &config.output), &config, line, print);
    Ok(exit)
}

/// An article as a line of JSON, and whether it failed.
fn line(article: Understood) -> (String, bool) {
    let (line, failed) = match article {
        Ok(article) => (serde_json::to_string(&article), false),
        Err((source, reject)) => {
            let error = json!({"code": reject.code, "reason": reject.reason});
            (serde_json::to_string(&json!({"id": article_id(&source), "source": source, "error": error})), true)
        }
    };
    // Strings and numbers always serialise.
    (line.unwrap_or_default(), failed)
}
