//! `depeche` reads a folder of articles, has each one summarised and translated over HTTP, and writes a French-English table.
//!
//! The modules are the stages of an article's way, in its order; a stage uses `model`, `config` and what stands before it, never
//! what comes after. `pipeline` knows them all, and `command` is what the user types. ARCHITECTURE.md is the tour.
//!
//! ```text
//! discover → read → extract → plan ⇒ dialect, call → check → record → write
//! └─────── rayon, CPU ───────┘     └─── tokio, I/O ───┘  └─ ledger ─┘
//! ```

// Blank lines between, so that the formatter keeps the order, which is the order of the data; a test below holds everybody to it.

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
    use std::fs;
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { sources(&path, found) } else { found.push(path) }
        }
    }

    /// The order of the modules above is the order of the data; nothing looks to its right.
    #[test]
    fn a_stage_uses_only_what_stands_before_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let lib = fs::read_to_string(root.join("lib.rs")).unwrap();
        let stages: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
        let place = |name: &str| stages.iter().position(|stage| *stage == name);
        let mut files = Vec::new();
        sources(&root, &mut files);
        let mut seen = 0;
        for file in files {
            let relative = file.strip_prefix(&root).unwrap();
            let Some(own) = place(relative.components().next().unwrap().as_os_str().to_str().unwrap()) else { continue };
            let text = fs::read_to_string(&file).unwrap();
            for used in text.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(other) = place(&name) else { continue };
                seen += 1;
                assert!(other <= own, "{} uses `{name}`, which stands after it", relative.display());
            }
        }
        assert!(seen > 50, "the search found only {seen} uses");
    }
}
