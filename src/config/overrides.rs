//! What the command line sets instead of the config.

use std::path::PathBuf;
use std::time::Duration;

use super::run::RunFlags;

/// What the command line sets instead of the config.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Files and folders, relative to the working folder.
    pub paths: Vec<PathBuf>,
    /// The output folder, relative to the working folder.
    pub output: Option<PathBuf>,
    /// The name of a route.
    pub route: Option<String>,
    /// Concurrent calls to each endpoint.
    pub concurrency: Option<usize>,
    /// The name of a profile.
    pub profile: Option<String>,
    /// What ends the run early.
    pub run: RunFlags,
    /// How long to wait for an unavailable endpoint.
    pub wait_for: Option<Duration>,
    /// Accepts endpoints without a model, so that they can be asked which models they have.
    pub without_models: bool,
}
