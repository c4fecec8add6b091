//! Shows the config in effect: every value after options and defaults, and where it comes from.

mod known;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use self::known::{Known, endpoint, sections};
use super::DialectFacts;
use super::overrides::Overrides;
use super::problem::{Problem, line_of};
use super::resolve::ConfigFile;

/// The config in effect.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The file; `None` if there is none, so that the config that ships with the program applies.
    pub file: Option<PathBuf>,
    /// Its sections, in the order of the shipped config.
    pub sections: Vec<Section>,
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its head, such as `[input]`.
    pub head: String,
    /// The values in effect.
    pub settings: Vec<Setting>,
    /// The keys that have neither a value nor a default.
    pub unset: Vec<&'static str>,
}

/// A value in effect.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// The value in TOML, without secrets.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The config file, in this line, from 1.
    File(usize),
    /// An option of the command line.
    Option(&'static str),
    /// The default.
    Default,
}

/// The config that a run with these overrides would use. It is loaded as for a run.
///
/// # Errors
/// Returns everything that is wrong with the config.
pub fn show(file: Option<&Path>, overrides: &Overrides, dialects: &[DialectFacts]) -> Result<Shown, Vec<Problem>> {
    let file = ConfigFile::find(file).map_err(|problem| vec![problem])?;
    let config = file.load(overrides, dialects)?;
    let table = DeTable::parse(&file.text).map_err(|error| vec![Problem::from_toml(&file.path, &file.text, &error)])?;
    let written = Written { text: &file.text, shipped: !file.exists };
    let mut shown = Vec::new();
    for (name, known) in sections(&config, overrides) {
        if name == "endpoint" {
            let tables = table.get_ref().get(name).and_then(|endpoints| endpoints.get_ref().as_array());
            for (written_endpoint, resolved) in tables.into_iter().flatten().zip(&config.endpoints) {
                let known = endpoint(resolved, overrides, dialects);
                written.section("[[endpoint]]".into(), name, known, written_endpoint.get_ref().as_table(), &mut shown);
            }
        } else {
            let table = table.get_ref().get(name).and_then(|section| section.get_ref().as_table());
            written.section(format!("[{name}]"), name, known, table, &mut shown);
        }
    }
    Ok(Shown { file: file.exists.then_some(file.path), sections: shown })
}

/// The text of the config file.
struct Written<'a> {
    text: &'a str,
    /// Whether it ships with the program, so that its values are defaults.
    shipped: bool,
}

impl Written<'_> {
    /// Adds a section, and those below it.
    fn section(&self, head: String, path: &str, known: Vec<Known>, table: Option<&DeTable<'_>>, shown: &mut Vec<Section>) {
        let mut section = Section { head, settings: Vec::new(), unset: Vec::new() };
        let mut below = Vec::new();
        let mut others: Vec<_> = table.into_iter().flatten().map(|(key, value)| (key.get_ref().as_ref(), value)).collect();
        for known in known {
            let at = others.iter().position(|(key, _)| *key == known.key);
            let in_file = at.map(|at| others.remove(at).1);
            let set = |value, origin| Setting { key: known.key.into(), value, origin };
            match (known.option, in_file, known.default) {
                (Some((name, value)), ..) => section.settings.push(set(value, Origin::Option(name))),
                (None, Some(value), _) => self.written(path, known.key, value.span(), value.get_ref(), &mut section, &mut below),
                (None, None, Some(value)) => section.settings.push(set(value, Origin::Default)),
                (None, None, None) => section.unset.push(known.key),
            }
        }
        for (key, value) in others {
            self.written(path, key, value.span(), value.get_ref(), &mut section, &mut below);
        }
        if !section.settings.is_empty() || !section.unset.is_empty() {
            shown.push(section);
        }
        for (path, table) in below {
            self.section(format!("[{path}]"), &path, Vec::new(), Some(table), shown);
        }
    }

    /// Adds a value of the file to its section. A table with a head of its own becomes a section
    /// below.
    fn written<'v>(
        &self,
        path: &str,
        key: &str,
        span: Range<usize>,
        value: &'v DeValue<'_>,
        section: &mut Section,
        below: &mut Vec<(String, &'v DeTable<'v>)>,
    ) {
        let text = self.text.get(span.clone()).unwrap_or_default();
        if let Some(table) = value.as_table().filter(|_| !text.starts_with('{')) {
            return below.push((format!("{path}.{key}"), table));
        }
        let origin = if self.shipped { Origin::Default } else { Origin::File(line_of(self.text, span.start)) };
        section.settings.push(Setting { key: quoted(key), value: without_secrets(path, key, value, text), origin });
    }
}

/// A key as TOML writes it.
fn quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { key.to_owned() } else { known::text(key) }
}

/// The value as it is written, but without possible secrets. These are headers with literal values,
/// and the path of a `ping`, which identifies the user to its service.
fn without_secrets(path: &str, key: &str, value: &DeValue<'_>, text: &str) -> String {
    match value {
        DeValue::Table(headers) if key == "headers" => {
            let one = |name: &str, value: &DeValue<'_>| format!("{} = {}", quoted(name), header(value));
            let all: Vec<String> = headers.iter().map(|(name, value)| one(name.get_ref(), value.get_ref())).collect();
            format!("{{ {} }}", all.join(", "))
        }
        DeValue::String(_) if path.ends_with(".headers") => header(value),
        DeValue::String(url) if key == "ping" => {
            let shown = url.split('/').take(3).collect::<Vec<_>>().join("/");
            known::text(&format!("{shown}/…"))
        }
        _ => text.to_owned(),
    }
}

/// The value of a header: shown if it is made of placeholders.
fn header(value: &DeValue<'_>) -> String {
    known::text(value.as_str().filter(|value| value.contains("{{")).unwrap_or("…"))
}
