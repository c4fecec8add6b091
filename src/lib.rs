//! `depeche` reads a folder of articles, has each one summarised and translated over HTTP, and
//! writes a French-English table.
//!
//! The modules are the stages that an article passes through, in their order. A stage uses `model`,
//! `config` and the stages before it, never a later one. `pipeline` drives all stages, and
//! `command` is what the user types. ARCHITECTURE.md says more.
//!
//! ```text
//! discover → read → extract → plan ⇒ dialect, call → check → record → write
//! └─────── rayon, CPU ───────┘     └─── tokio, I/O ───┘  └─ ledger ─┘
//! ```

// The blank lines keep rustfmt from sorting the modules: their order is that of the stages, and a
// test below checks it.

pub mod model;

pub mod config;

pub mod discover;

pub mod read;

pub mod extract;

pub mod plan;

pub mod dialect;

pub mod call;

pub mod check;

pub mod record;

pub mod dedup;

pub mod broker;

pub mod write;

pub mod report;

pub mod embedded;

pub mod pipeline;

pub mod command;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Every module with a file of its own, by its path (`call::breaker`), with the file's text up
    /// to its tests.
    fn modules() -> BTreeMap<String, String> {
        fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { visit(&path, found) } else { found.push(path) }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        visit(&root, &mut files);
        let files = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
        let module = |file: &PathBuf| {
            let path = file.strip_prefix(&root).unwrap().with_extension("");
            let mut parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
            parts.pop_if(|last| matches!(*last, "mod" | "lib" | "main"));
            let text = fs::read_to_string(file).unwrap();
            (parts.join("::"), text.split("#[cfg(test)]").next().unwrap().to_owned())
        };
        files.map(module).filter(|(name, _)| !name.is_empty()).collect()
    }

    /// The paths in the `use` lines of a module, absolute: `crate::a::{b, c::d}` gives `a::b` and
    /// `a::c::d`.
    fn uses(module: &str, text: &str) -> Vec<Vec<String>> {
        fn expand(prefix: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
            let Some((head, group)) = tree.split_once('{') else {
                let path = tree.split(" as ").next().unwrap().split("::").map(|part| part.trim().to_owned());
                return paths.push(prefix.iter().cloned().chain(path).collect());
            };
            let head = head.trim_end_matches("::").split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty());
            let prefix: Vec<String> = prefix.iter().cloned().chain(head).collect();
            let (mut depth, mut start) = (0, 0);
            let group = group.trim_end().strip_suffix('}').unwrap();
            for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        let part = group.get(start..at).unwrap().trim();
                        if !part.is_empty() {
                            expand(&prefix, part, paths);
                        }
                        start = at + 1;
                    }
                    _ => {}
                }
            }
        }
        let code: String = text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
        let mut paths = Vec::new();
        for statement in code.split(';') {
            let Some((_, tree)) = statement.rsplit_once("use ").filter(|(before, _)| {
                before.lines().last().is_none_or(|line| matches!(line.trim(), "" | "pub" | "pub(crate)" | "pub(super)"))
            }) else {
                continue;
            };
            expand(&[], tree.trim(), &mut paths);
        }
        let absolute = |path: Vec<String>| {
            let mut base: Vec<String> = module.split("::").map(str::to_owned).collect();
            let mut rest = path.as_slice();
            match rest.first().map(String::as_str) {
                Some("crate") => base.clear(),
                Some("self" | "super") => {}
                _ => return None,
            }
            while let Some((first, others)) = rest.split_first().filter(|(first, _)| matches!(first.as_str(), "crate" | "self" | "super")) {
                if first == "super" {
                    base.pop();
                }
                rest = others;
            }
            Some(base.into_iter().chain(rest.iter().cloned()).collect())
        };
        paths.into_iter().filter_map(absolute).collect()
    }

    /// The modules above are in the order of the stages: none uses a later one.
    #[test]
    fn a_stage_uses_only_what_comes_before_it() {
        let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
        let stages: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
        let place = |name: &str| stages.iter().position(|stage| *stage == name);
        let mut seen = 0;
        for (module, text) in modules() {
            let own = place(module.split("::").next().unwrap()).unwrap();
            for used in text.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(other) = place(&name) else { continue };
                seen += 1;
                assert!(other <= own, "`{module}` uses `{name}`, which comes after it");
            }
        }
        assert!(seen > 50, "the search found only {seen} uses");
    }

    /// Another ledger backend changes nothing outside its folder.
    #[test]
    fn only_the_ledger_backend_names_its_database() {
        for (backend, words) in [
            ("record::sqlite", ["rusqlite", "SqliteLedger", "SqliteReader"]),
            ("record::postgres", ["tokio_postgres", "PostgresLedger", "PostgresReader"]),
        ] {
            let (backend, others): (Vec<_>, Vec<_>) = modules().into_iter().partition(|(module, _)| module.starts_with(backend));
            let names = |text: &str| words.iter().any(|word| text.contains(word));
            assert!(backend.iter().any(|(_, text)| names(text)));
            for (module, text) in others {
                assert!(!names(&text), "`{module}` names the database of the ledger");
            }
        }
    }

    /// No two files need each other, even through others. A folder's `mod.rs` and the files in the
    /// folder count as one.
    #[test]
    fn no_files_use_each_other_in_a_circle() {
        let modules = modules();
        let within = |inner: &str, outer: &str| inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"));
        let owner =
            |path: &[String]| (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|name| modules.contains_key(name));
        let mut edges: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (module, text) in &modules {
            let used = uses(module, text).into_iter().filter_map(|path| owner(&path));
            edges.insert(module, used.filter(|other| !within(module, other) && !within(other, module)).collect());
        }
        let count: usize = edges.values().map(BTreeSet::len).sum();
        assert!(count > 300, "the search found only {count} edges");
        // Removes modules that only use modules removed before. The modules that are left in the
        // end are in a circle, or use one.
        let mut left: BTreeSet<&str> = edges.keys().copied().collect();
        loop {
            let free: Vec<&str> =
                left.iter().copied().filter(|module| !edges[module].iter().any(|used| left.contains(used.as_str()))).collect();
            if free.is_empty() {
                break;
            }
            left.retain(|module| !free.contains(module));
        }
        assert!(left.is_empty(), "in a circle, or using one: {left:?}");
    }
}
