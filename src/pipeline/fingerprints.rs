//! Decides which rows of earlier runs are up to date. This run would make such a row again without
//! a change.

use std::path::PathBuf;

use super::review::Reviewed;
use crate::broker::Endpoints;
use crate::config::{Checks, Concurrency, Config, Profile, Rates, RunSettings, hash};
use crate::model::{Article, Field, Row};
use crate::plan::{Glossary, RouteOutput, content_key, reviewed_fingerprint, row_fingerprint};

/// The parts of fingerprints that come from the settings of this run.
pub struct Fingerprints {
    checks: Checks,
    checks_key: String,
    /// See [`Endpoints::settings_keys`].
    settings: Vec<[u8; 32]>,
    /// See [`Endpoints::reviewer_keys`]; empty if rows are not reviewed.
    reviewers: Vec<[u8; 32]>,
    /// Hash of the settings that shape rows. A file that was read under other settings is read
    /// again.
    pub settings_hash: i64,
}

impl Fingerprints {
    /// The fingerprints of a run over `config`.
    pub fn new(config: &Config, endpoints: &Endpoints) -> Self {
        let settings = endpoints.settings_keys(&config.summary);
        let settings_hash = settings_hash(config, endpoints);
        let reviewers = if config.checks.review_share().is_some() { endpoints.reviewer_keys() } else { Vec::new() };
        Self { checks: config.checks.clone(), checks_key: config.checks.key(), settings, reviewers, settings_hash }
    }

    /// The hash of an article's content, with the glossary's terms and the checks that apply to it.
    pub fn content(&self, article: &Article, glossary: &Glossary) -> [u8; 32] {
        content_key(article, &glossary.of_article(article), &self.checks_key)
    }

    /// The fingerprints of rows that are as good as a new row of `content`. The fingerprint for the
    /// preferred endpoints comes first.
    pub fn good(&self, content: [u8; 32]) -> impl Iterator<Item = [u8; 32]> {
        self.settings.iter().flat_map(move |settings| {
            let row = row_fingerprint(&content, settings);
            std::iter::once(row).chain(self.reviewers.iter().map(move |reviewer| reviewed_fingerprint(&row, Some(reviewer))))
        })
    }

    /// Whether an earlier row is as good as a new one of `content`.
    pub fn is_good(&self, content: [u8; 32], row: &Row, fingerprint: Option<&[u8; 32]>) -> bool {
        fingerprint.is_some_and(|fingerprint| self.good(content).any(|good| good == *fingerprint)) && self.has_configured_actions(row)
    }

    /// Whether the config still has the actions that the row's findings had. If an action changes,
    /// the rows that it concerns are made again.
    pub fn has_configured_actions(&self, row: &Row) -> bool {
        row.findings.iter().all(|finding| finding.field == Field::Article || finding.action == self.checks.action(finding.check))
    }
}

/// The fingerprint of a row of `content` with this output and review. If the review failed, no run
/// finds the row up to date, so the next one tries again.
pub(super) fn of_output(config: &Config, endpoints: &Endpoints, content: &[u8; 32], output: &RouteOutput, reviewed: &Reviewed) -> [u8; 32] {
    let row = row_fingerprint(content, &endpoints.settings_key(&config.summary, output));
    match reviewed {
        Reviewed::NotAsked => row,
        Reviewed::By(name) => reviewed_fingerprint(&row, endpoints.reviewer_key(name).as_ref()),
        Reviewed::Failed(_) => reviewed_fingerprint(&row, None),
    }
}

/// A hash of everything that shapes a row except its file: the identity of the endpoints, the
/// program's version, and the config without its paths, the format of the outputs, and the limits of
/// runs and services. Too many settings in it only cause files to be read again, not calls. The hash
/// must not contain what may differ between the processes of a run. Otherwise each run would read
/// files again that another process has read.
fn settings_hash(config: &Config, endpoints: &Endpoints) -> i64 {
    let mut shaping = Config {
        folder: PathBuf::new(),
        input: Vec::new(),
        output: PathBuf::new(),
        ledger: None,
        profile: Profile::Plain,
        formats: Vec::new(),
        page_rows: 0,
        page_language: None,
        mail: None,
        run: RunSettings::default(),
        ..config.clone()
    };
    for endpoint in &mut shaping.endpoints {
        endpoint.key = None;
        (endpoint.concurrency, endpoint.rates) = (Concurrency::Fixed(0), Rates::default());
        (endpoint.timeout, endpoint.connect_timeout, endpoint.wait_for) = Default::default();
        // The servers of one service differ only in their addresses.
        if endpoint.service.is_some() {
            endpoint.url.clear();
        }
    }
    let identities: Vec<&str> = endpoints.clients().map(|client| client.identity.as_str()).collect();
    hash(&format!("{} {shaping:?} {identities:?}", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Endpoint;

    #[test]
    fn what_may_differ_between_processes_is_not_in_the_hash_of_the_settings() {
        let config = |endpoint| Config { endpoints: vec![endpoint], ..Config::sample() };
        let hash = |config: &Config| settings_hash(config, &Endpoints::new(Vec::new()));
        let usual = Endpoint::sample("openai", "http://x");
        let waits_longer = Endpoint {
            key: Some("key".to_owned().into()),
            timeout: Duration::from_secs(7),
            connect_timeout: Duration::from_secs(7),
            wait_for: Duration::from_secs(7),
            ..usual.clone()
        };
        let run = RunSettings { max_time: Some(Duration::from_secs(7)), ..RunSettings::default() };
        let other = Config { folder: "/other".into(), run, ..config(waits_longer) };
        assert_eq!(hash(&config(usual.clone())), hash(&other));
        assert_ne!(hash(&config(usual.clone())), hash(&config(Endpoint { max_characters: Some(700), ..usual })));
    }
}
