//! `depeche man`: writes the manual pages, one for each command.

use std::io;
use std::path::Path;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::model::{Exit, Fault};
use crate::report::print_stdout;

/// The files that commands with a config read and write.
const FILES: &[(&str, &str)] = &[
    ("config.toml", "The config, unless --config names another file. Paths in it are relative to its folder."),
    ("output/summaries.csv", "The table."),
    ("output/digest.html", "The page to read."),
    ("output/ledger.db", "Every reply. Without this file, every reply is paid for again."),
    ("output/report.json, output/metrics.prom", "The figures of the last run."),
    ("~/.cache/depeche/models", "Models of the embedded endpoint. If XDG_CACHE_HOME is set, they are there."),
];

/// Writes the pages of `root` and its commands to `folder`.
pub(super) fn run(root: clap::Command, folder: &Path) -> Result<Exit, Fault> {
    let cannot = |path: &Path, error: &io::Error| Fault::usage(format!("cannot write `{}`: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    let pages = pages(root).map_err(|error| cannot(folder, &error))?;
    for (name, page) in &pages {
        let path = folder.join(name);
        std::fs::write(&path, page).map_err(|error| cannot(&path, &error))?;
    }
    print_stdout(&format!("wrote {} manual pages to `{}`", pages.len(), folder.display()));
    Ok(Exit::Done)
}

/// The names and contents of the pages of `root` and its commands.
fn pages(root: clap::Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    fn visit(command: &clap::Command, help: &str, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
        let man = Man::new(command.clone()).source(concat!("depeche ", env!("CARGO_PKG_VERSION")));
        pages.push((man.get_filename(), page(command, &man, help)?));
        command.get_subcommands().filter(|command| !command.is_hide_set()).try_for_each(|command| visit(command, help, pages))
    }
    let mut root = root.disable_help_subcommand(true);
    // Gives the commands their full names.
    root.build();
    let help = root.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut pages = Vec::new();
    visit(&root, &help, &mut pages)?;
    Ok(pages)
}

/// A page. `root_help` is the end of the long help, which has the exit codes.
fn page(command: &clap::Command, man: &Man, root_help: &str) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    let own_help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    for (heading, lines) in help_sections(&own_help).into_iter().filter(|(heading, _)| *heading == "Examples") {
        literal(&mut roff, heading, &lines);
    }
    for (_, lines) in help_sections(root_help).into_iter().filter(|(heading, _)| *heading == "Exit codes") {
        literal(&mut roff, "Exit status", &lines);
    }
    if command.get_arguments().any(|argument| argument.get_long() == Some("config")) {
        roff.control("SH", ["FILES"]);
        for (name, what) in FILES {
            roff.control("TP", []).text([bold(*name)]).text([roman(*what)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    let also = if command.get_name() == "depeche" { "/usr/share/doc/depeche" } else { "depeche(1)" };
    roff.text([roman(also)]);
    roff.to_writer(&mut page)?;
    Ok(page)
}

/// The sections of a help text: headings that end in a colon, and the indented lines below them.
fn help_sections(help: &str) -> Vec<(&str, Vec<&str>)> {
    fn section(text: &str) -> Option<(&str, Vec<&str>)> {
        let (heading, lines) = text.split_once(":\n")?;
        Some((heading.trim(), lines.lines().map(str::trim_start).collect()))
    }
    help.split("\n\n").filter_map(section).collect()
}

/// Adds a section whose lines stay as they are.
fn literal(roff: &mut Roff, heading: &str, lines: &[&str]) {
    roff.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
    for line in lines {
        roff.text([roman(*line)]);
    }
    roff.control("fi", []);
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::command::Arguments;

    #[test]
    fn every_command_has_a_page_with_exit_codes() {
        let pages = pages(Arguments::command()).unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["depeche.1", "depeche-run.1", "depeche-init.1", "depeche-config-show.1"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for (name, page) in &pages {
            let page = String::from_utf8(page.clone()).unwrap();
            assert!(page.contains("EXIT STATUS") && page.contains("An endpoint refuses calls"), "{name}: {page}");
        }
        let (_, run) = pages.iter().find(|(name, _)| name == "depeche-run.1").unwrap();
        assert!(String::from_utf8_lossy(run).contains("summaries.csv"));
    }
}
