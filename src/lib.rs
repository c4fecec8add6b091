//! `depeche` reads a folder of articles, has each one summarised and translated over HTTP, and writes a French-English table.
//!
//! The modules are the stages of an article's way, in its order; a stage uses `model`, `config` and what stands before it, never
//! what comes after. `pipeline` knows them all, and `command` is what the user types. ARCHITECTURE.md is the tour.
//!
//! ```text
//! discover → read → extract → plan ⇒ dialect, call → check → record → write
//! └─────── rayon, CPU ───────┘     └─── tokio, I/O ───┘  └─ ledger ─┘
//! ```

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

pub mod write;

pub mod report;

pub mod embedded;

pub mod pipeline;

pub mod command;
