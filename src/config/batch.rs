//! `[endpoint.batch]`: whether and how an endpoint's calls go into batches, which cost less and are
//! answered within a day.

use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;

use super::DialectFacts;
use super::spanned::Spanned;
use super::validator::Validator;

/// How to use the batches of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Whether a run waits for its batches.
    pub mode: BatchMode,
    /// The local time at which open batches are cancelled.
    pub until: Option<Time>,
    /// What happens to calls that have no answer at that time.
    pub late: Late,
    /// With fewer calls, no batch is made.
    pub smallest: usize,
    /// The most calls of a batch.
    pub lines: usize,
    /// The most prompt tokens of all open batches together, if the service limits them.
    pub queued_tokens: Option<u64>,
    /// How often a call is put into a batch before it is made without one.
    pub waves: u32,
    /// The share of the price that a batch costs; `None` if it is not known for the service.
    pub discount: Option<f64>,
    /// The shortest time between two looks at an open batch.
    pub poll: Duration,
    /// The model or deployment for batches, if it is not the endpoint's model.
    pub model: Option<String>,
    /// The time within which the service must answer, written as the service expects it.
    pub window: String,
    /// Whether the files stay at the service after their results are collected.
    pub keep: bool,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            mode: BatchMode::Wait,
            until: None,
            late: Late::RealTime,
            smallest: 20,
            lines: 10_000,
            queued_tokens: None,
            waves: 2,
            discount: None,
            poll: DEFAULT_POLL,
            model: None,
            window: "24h".into(),
            keep: false,
        }
    }
}

/// The wire format of a service's batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BatchForm {
    /// Files and batches of `OpenAI`'s form.
    #[default]
    OpenAi,
    /// Files and jobs of Mistral's form.
    Mistral,
    /// Anthropic's Message Batches.
    Anthropic,
}

/// Whether a run waits for its batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchMode {
    /// It waits, collects the answers and makes the rows.
    Wait,
    /// It ends once the batches are sent; a later run collects them.
    Detach,
}

/// What happens to the calls of a batch that is not answered in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Late {
    /// They are made one by one, at the full price.
    RealTime,
    /// They are left to a later run.
    Leave,
}

#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawBatch {
    /// "wait": a run waits for its batches; "detach": a later run collects them; "off": no batches.
    /// Default: "wait".
    mode: Option<Spanned<String>>,
    /// The form of the service's batches, if it is not the usual one of the dialect and the service.
    pub(super) form: Option<Spanned<String>>,
    /// The local time at which open batches are cancelled, such as "05:30".
    until: Option<Spanned<String>>,
    /// What happens to calls that have no answer at that time. Default: "realtime".
    late: Option<Spanned<String>>,
    /// With fewer calls, no batch is made. Default: 20.
    smallest: Option<Spanned<i64>>,
    /// The most calls of a batch, up to 50000, or 100000 at Anthropic and Mistral. Default: 10000.
    lines: Option<Spanned<i64>>,
    /// The most prompt tokens of all open batches together, if the service limits them.
    queued_tokens: Option<Spanned<i64>>,
    /// How often a call is put into a batch before it is made by itself. Default: 2.
    waves: Option<Spanned<i64>>,
    /// The share of the full price that a batch costs.
    discount: Option<Spanned<f64>>,
    /// The shortest time between two looks at an open batch. Default: "30s".
    poll: Option<Spanned<String>>,
    /// The model or deployment for batches, if the service uses another name for it.
    model: Option<String>,
    /// The time within which the service must answer, written as the service expects it. Default: "24h".
    window: Option<String>,
    /// Whether the files stay at the service after their results are collected.
    keep: Option<bool>,
}

pub(super) const FORMS: &[(&str, BatchForm)] =
    &[("openai", BatchForm::OpenAi), ("mistral", BatchForm::Mistral), ("anthropic", BatchForm::Anthropic)];
pub(super) const MODES: &[(&str, Option<BatchMode>)] =
    &[("wait", Some(BatchMode::Wait)), ("detach", Some(BatchMode::Detach)), ("off", None)];
pub(super) const LATE: &[(&str, Late)] = &[("realtime", Late::RealTime), ("leave", Late::Leave)];
const DEFAULT_POLL: Duration = Duration::from_secs(30);
/// Azure asks for at least this much time between two looks.
const AZURE_POLL: Duration = Duration::from_mins(1);

impl Validator<'_> {
    /// The batches of an endpoint at `url`; `None` if they are off.
    pub(super) fn batch(&mut self, written: &Spanned<RawBatch>, url: &str) -> Option<Batch> {
        let raw = written.get_ref().clone();
        let mode = self.choose(raw.mode, "mode", MODES, Some(BatchMode::Wait));
        let host = host_of(url);
        let is_azure = host.ends_with(".azure.com");
        let queued = raw.queued_tokens.map(|written| self.number(Some(written), "queued_tokens", 0, 1_000..=1_000_000_000_000) as u64);
        let usual = Batch::default();
        let batch = Batch {
            mode: mode.unwrap_or(BatchMode::Wait),
            until: raw.until.and_then(|written| self.time_of_day(&written, "until")),
            late: self.choose(raw.late, "late", LATE, Late::RealTime),
            smallest: self.number(raw.smallest, "smallest", usual.smallest, 1..=100_000),
            lines: self.number(raw.lines, "lines", usual.lines, 1..=100_000),
            queued_tokens: queued,
            waves: u32::try_from(self.number(raw.waves, "waves", 2, 1..=10)).unwrap_or(usual.waves),
            discount: raw.discount.map(|written| self.discount(&written)).or_else(|| known_discount(&host)),
            poll: raw.poll.and_then(|written| self.duration(&written)).unwrap_or(if is_azure { AZURE_POLL } else { usual.poll }),
            model: raw.model,
            window: raw.window.unwrap_or(usual.window),
            keep: raw.keep.unwrap_or(false),
        };
        mode.map(|_| batch)
    }

    /// The form of the batches of an endpoint; `None` if its dialect has none.
    pub(super) fn batch_form(&mut self, written: Option<Spanned<String>>, facts: &DialectFacts, url: &str) -> Option<BatchForm> {
        if !facts.keys.contains(&"batch") {
            return None;
        }
        let is_anthropic = facts.name == "anthropic";
        let usual = match is_anthropic {
            true => BatchForm::Anthropic,
            false if host_of(url) == "api.mistral.ai" => BatchForm::Mistral,
            false => BatchForm::OpenAi,
        };
        let Some(written) = written else { return Some(usual) };
        let span = written.span();
        let form = self.choose(Some(written), "form", FORMS, usual);
        if is_anthropic != (form == BatchForm::Anthropic) {
            let hint = "the forms `openai` and `mistral` are for the dialect `openai`".to_owned();
            self.problem(&span, format!("the dialect `{}` has no batches of this `form`", facts.name), Some(hint));
        }
        Some(form)
    }
}

fn host_of(url: &str) -> String {
    reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// The share of the price that a batch costs at services whose prices are public.
fn known_discount(host: &str) -> Option<f64> {
    let known = [
        ("api.openai.com", 0.5),
        (".openai.azure.com", 0.5),
        ("api.anthropic.com", 0.5),
        ("api.mistral.ai", 0.5),
        ("api.groq.com", 0.5),
        ("dashscope.aliyuncs.com", 0.5),
        ("dashscope-intl.aliyuncs.com", 0.5),
        ("api.deepinfra.com", 0.8),
    ];
    known.iter().find(|(name, _)| host == *name || name.starts_with('.') && host.ends_with(name)).map(|(_, discount)| *discount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_discount_is_known_for_public_prices_only() {
        assert_eq!(known_discount("api.openai.com"), Some(0.5));
        assert_eq!(known_discount("desk.openai.azure.com"), Some(0.5));
        assert_eq!(known_discount("api.openai.com.example.org"), None);
        assert_eq!(known_discount("127.0.0.1"), None);
    }
}
