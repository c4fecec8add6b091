//! Finds what is installed of Apertium, without starting anything.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::error::Error;
use super::mode::{self, Program};
use super::pipeline::Pipeline;
use super::{Direction, Leg, Translator};

/// The folder of the mode files in Debian's packages.
pub(in crate::embedded) const MODES: &str = "/usr/share/apertium/modes";

/// Increase this when [`super::polish`] changes, so that cached translations are not used any more.
const POLISH_VERSION: u32 = 3;

/// The programs of a direction's two pipelines: into Spanish, and out of Spanish.
type Legs = [Vec<Program>; 2];

/// The programs of each direction, or what is missing.
#[derive(Debug, Clone)]
pub(in crate::embedded) struct Installed {
    fr_en: Result<Legs, Vec<String>>,
    en_fr: Result<Legs, Vec<String>>,
    version: String,
}

impl Installed {
    /// Looks for the mode files in `modes` (usually [`MODES`]), the programs that they name and
    /// their dictionaries.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if neither direction is complete, [`Error::BadMode`] if a mode file
    /// cannot be used.
    pub(in crate::embedded) fn find(modes: &Path) -> Result<Self, Error> {
        let fr_en = find_legs(modes, Direction::FrEn)?;
        let en_fr = find_legs(modes, Direction::EnFr)?;
        if let (Err(one), Err(other)) = (&fr_en, &en_fr) {
            let mut missing: Vec<String> = one.iter().chain(other).cloned().collect();
            missing.sort();
            missing.dedup();
            return Err(Error::Missing { missing });
        }
        let version = version(fr_en.iter().chain(&en_fr).flatten().flatten());
        Ok(Self { fr_en, en_fr, version })
    }

    /// Whether a direction is complete.
    #[cfg(test)]
    pub(super) const fn has(&self, direction: Direction) -> bool {
        self.legs(direction).is_ok()
    }

    /// Identifies the programs, the dictionaries and the polishing. It changes whenever a
    /// translation can change.
    #[must_use]
    pub(in crate::embedded) fn version(&self) -> &str {
        &self.version
    }

    /// Starts the programs of one direction.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if the direction is not complete, [`Error::Start`] if a program does not
    /// start.
    pub(in crate::embedded) fn translator(&self, direction: Direction, timeout: Duration) -> Result<Translator, Error> {
        let legs = self.legs(direction).clone().map_err(|missing| Error::Missing { missing })?;
        let mut legs = legs.map(|programs| Leg { programs, pipeline: None });
        for leg in &mut legs {
            leg.pipeline = Some(Pipeline::start(&leg.programs)?);
        }
        Ok(Translator { direction, legs, timeout })
    }

    const fn legs(&self, direction: Direction) -> &Result<Legs, Vec<String>> {
        match direction {
            Direction::FrEn => &self.fr_en,
            Direction::EnFr => &self.en_fr,
        }
    }
}

/// The pipelines of a direction, or what is missing.
fn find_legs(modes: &Path, direction: Direction) -> Result<Result<Legs, Vec<String>>, Error> {
    let mut missing = Vec::new();
    let mut leg = |name: &str| -> Result<Vec<Program>, Error> {
        let file = modes.join(name).with_extension("mode");
        let Ok(text) = fs::read_to_string(&file) else {
            missing.push(file.display().to_string());
            return Ok(Vec::new());
        };
        Ok(mode::resolve(mode::parse(&file, &text)?, &mut missing))
    };
    let [first, second] = direction.modes();
    let legs = [leg(first)?, leg(second)?];
    Ok(if missing.is_empty() { Ok(legs) } else { Err(missing) })
}

/// Hashes the name, size and time of every program and dictionary. This is cheap, and a package
/// update changes it.
fn version<'a>(programs: impl Iterator<Item = &'a Program>) -> String {
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for program in programs {
        add(program.path.as_os_str().as_encoded_bytes());
        for arg in &program.args {
            add(arg.as_bytes());
        }
        let files = program.args.iter().map(Path::new).filter(|arg| arg.is_absolute());
        for data in files.chain([program.path.as_path()]).filter_map(|file| fs::metadata(file).ok()) {
            let time = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
            add(&data.len().to_le_bytes());
            add(&time.as_secs().to_le_bytes());
        }
    }
    format!("apertium-{hash:016x}-p{POLISH_VERSION}")
}
