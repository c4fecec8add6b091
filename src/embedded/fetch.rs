//! Fetches a direction's model once: from Mozilla's list of records, or a mirror of it. Resumed where it was cut, also by a later
//! run; checked before it is kept.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fxtranslate::cache::verify_and_decompress;
use fxtranslate::remote::{CDN_ROOT, COLLECTION, PROD_ENDPOINT, Record, parse_records, pick};

use super::models::{self, ModelFiles, SUMS, cache, pair};
use crate::config::Embedded;
use crate::model::Lang;

/// Told while a file comes in: its name, bytes so far, bytes in all where known.
pub type Progress<'a> = &'a (dyn Fn(&str, u64, Option<u64>) + Sync);

/// No answer within this is «not reachable».
const ANSWER: Duration = Duration::from_secs(5);
/// Between two pieces of a body.
const PIECE: Duration = Duration::from_secs(30);
/// Times that a download goes on from where it was cut.
const MOST_CUTS: u32 = 4;
/// Bytes; the record list has some 300 kB, the largest model 60 MB.
const LARGEST: u64 = 500 << 20;

/// Fetches the model from `from` to `to` into the cache, and checks it.
///
/// # Errors
/// Why it could not be had, in a sentence that names the address.
pub async fn fetch(config: &Embedded, from: Lang, to: Lang, progress: Progress<'_>) -> Result<ModelFiles, String> {
    let root = cache().ok_or("there is no home folder to keep models in: set XDG_CACHE_HOME, or models_dir in the config")?;
    let folder = root.join(&config.model).join(pair(from, to));
    let keep = |error: std::io::Error| format!("models cannot be kept in `{}`: {error}", folder.display());
    let source = Site::new(config.mirror.as_deref())?;
    let records = source.records().await?;
    let wanted = choose(&records, &config.model, from, to)?;
    fs::create_dir_all(&folder).map_err(keep)?;
    // Two runs that both miss the model: the second waits here and then finds it whole.
    let lock = File::create(folder.join(".lock")).map_err(keep)?;
    tokio::task::block_in_place(|| lock.lock()).map_err(keep)?;
    let mut sums = Vec::new();
    for record in wanted {
        let hash = record.decompressed_hash.as_deref().ok_or_else(|| format!("the record of {} has no hash", record.name))?;
        if record.name.contains(['/', '\\']) || record.name.starts_with('.') {
            return Err(format!("the record list names a file `{}`", record.name));
        }
        source.file(record, hash, &folder, progress).await?;
        sums.push(format!("{}  {}\n", hash.to_ascii_lowercase(), record.name));
    }
    write_whole(&folder.join(SUMS), sums.concat().as_bytes()).map_err(keep)?;
    models::load(&folder)
}

/// The records of all files that a direction needs.
fn choose<'a>(records: &'a [Record], architecture: &str, from: Lang, to: Lang) -> Result<Vec<&'a Record>, String> {
    let fits = |record: &&Record| record.architecture.as_deref().is_none_or(|named| named == architecture);
    let of = |kind: &str| {
        let some: Vec<Record> = records.iter().filter(fits).cloned().collect();
        let name = pick(&some, kind, from.code(), to.code())?.location.clone();
        records.iter().find(|record| record.location == name)
    };
    let missing = |kind: &str| format!("the record list has no {kind} of the architecture `{architecture}` for {from}→{to}");
    let mut wanted = vec![of("model").ok_or_else(|| missing("model"))?];
    match of("vocab") {
        Some(vocabulary) => wanted.push(vocabulary),
        None => wanted.extend([of("srcvocab").ok_or_else(|| missing("vocabulary"))?, of("trgvocab").ok_or_else(|| missing("vocabulary"))?]),
    }
    wanted.extend(of("lex"));
    Ok(wanted)
}

/// Where models are to be had.
struct Site {
    http: reqwest::Client,
    records: String,
    files: String,
}

impl Site {
    fn new(mirror: Option<&str>) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = mirror.and_then(|mirror| reqwest::Url::parse(mirror).ok());
        let here = url.is_some_and(|url| crate::config::is_loopback(&url));
        let builder = if here { reqwest::Client::builder().no_proxy() } else { reqwest::Client::builder() };
        let http = builder
            .user_agent(concat!("depeche/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(ANSWER)
            .read_timeout(PIECE)
            .redirect(reqwest::redirect::Policy::limited(3))
            .build()
            .map_err(|error| format!("TLS cannot be set up here: {error}"))?;
        let (records, files) = match mirror {
            Some(mirror) => (format!("{mirror}/records.json"), mirror.to_owned()),
            None => (format!("{PROD_ENDPOINT}/v1/buckets/main/collections/{COLLECTION}/records"), CDN_ROOT.to_owned()),
        };
        Ok(Self { http, records, files })
    }

    async fn records(&self) -> Result<Vec<Record>, String> {
        let address = &self.records;
        let answer = self.get(address, 0).await.map_err(|cut| cut.message)?;
        let body = tokio::time::timeout(PIECE, answer.bytes()).await;
        let body = body.map_err(|_| format!("{address} does not end"))?.map_err(|error| format!("{address} broke off: {error}"))?;
        let text = std::str::from_utf8(&body).map_err(|_| format!("{address} is not a record list"))?;
        parse_records(text).map_err(|error| format!("{address} is not a record list: {error}"))
    }

    /// One GET that must begin to answer soon; from byte `start` on where that is not 0.
    async fn get(&self, address: &str, start: u64) -> Result<reqwest::Response, Cut> {
        let mut request = self.http.get(address);
        if start > 0 {
            request = request.header("range", format!("bytes={start}-"));
        }
        let unreachable = |why: String| Cut { message: format!("{address} is not reachable: {why}"), again: false };
        let answer = tokio::time::timeout(ANSWER, request.send()).await.map_err(|_| unreachable("no answer in 5 seconds".into()))?;
        let answer = answer.map_err(|error| unreachable(root_cause(&error)))?;
        if !answer.status().is_success() {
            return Err(Cut {
                message: format!("{address} answered with status {}", answer.status().as_u16()),
                again: answer.status().is_server_error(),
            });
        }
        Ok(answer)
    }

    /// One file: downloaded in as many pieces as it takes, unpacked, checked, kept.
    async fn file(&self, record: &Record, hash: &str, folder: &Path, progress: Progress<'_>) -> Result<(), String> {
        let keep = |error: std::io::Error| format!("`{}` cannot be written: {error}", folder.display());
        // The hash in the name: what another version left half done is never gone on with.
        let part = folder.join(format!(".{}.{}.part", record.name, hash.get(..12).unwrap_or(hash)));
        let mut resumed = self.download(record, &part, progress).await?;
        loop {
            let packed = fs::read(&part).map_err(keep)?;
            match verify_and_decompress(&packed, Some(&hash.to_ascii_lowercase())) {
                Ok(bytes) => {
                    write_whole(&folder.join(&record.name), &bytes).map_err(keep)?;
                    return fs::remove_file(&part).map_err(keep);
                }
                Err(error) => {
                    fs::remove_file(&part).map_err(keep)?;
                    if !resumed {
                        return Err(format!("{} arrived damaged and was thrown away: {error}", record.name));
                    }
                    // Put together from pieces of two versions, perhaps: once more in one piece.
                    tracing::warn!("{} was put together wrongly ({error}); fetching it anew", record.name);
                    self.download(record, &part, progress).await?;
                    resumed = false;
                }
            }
        }
    }

    /// Downloads to `part`, going on where an earlier try was cut; says whether it was put together from pieces.
    async fn download(&self, record: &Record, part: &Path, progress: Progress<'_>) -> Result<bool, String> {
        let address = format!("{}/{}", self.files, record.location);
        let mut resumed = false;
        for tries_left in (0..MOST_CUTS).rev() {
            match self.piece(&address, record, part, progress).await {
                Ok(went_on) => return Ok(resumed || went_on),
                Err(cut) if cut.again && tries_left > 0 => {
                    tracing::warn!("{}; going on from there", cut.message);
                    resumed = true;
                }
                Err(cut) => return Err(cut.message),
            }
        }
        Ok(resumed)
    }

    async fn piece(&self, address: &str, record: &Record, part: &Path, progress: Progress<'_>) -> Result<bool, Cut> {
        let disk = |error: std::io::Error| Cut { message: format!("`{}` cannot be written: {error}", part.display()), again: false };
        let have = fs::metadata(part).map_or(0, |meta| meta.len());
        let mut answer = match self.get(address, have).await {
            // 416: there is nothing after what is there already.
            Err(cut) if have > 0 && cut.message.ends_with("status 416") => return Ok(true),
            answer => answer?,
        };
        let went_on = answer.status().as_u16() == 206;
        let start = if went_on { have } else { 0 };
        let total = answer.content_length().map(|length| length + start);
        let mut file = OpenOptions::new().create(true).write(true).truncate(!went_on).append(went_on).open(part).map_err(disk)?;
        let mut done = start;
        progress(&record.name, done, total);
        loop {
            let chunk = answer
                .chunk()
                .await
                .map_err(|error| Cut { message: format!("{address} was cut after {done} bytes: {}", root_cause(&error)), again: true })?;
            let Some(chunk) = chunk else { break };
            done += chunk.len() as u64;
            if done > LARGEST {
                return Err(Cut { message: format!("{address} is larger than any model"), again: false });
            }
            file.write_all(&chunk).map_err(disk)?;
            progress(&record.name, done, total);
        }
        file.sync_all().map_err(disk)?;
        Ok(went_on)
    }
}

/// A download that did not come to its end.
struct Cut {
    message: String,
    /// Whether going on from there may help.
    again: bool,
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn write_whole(path: &PathBuf, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str, from: &str, architecture: &str, version: &str) -> Record {
        Record {
            name: format!("{kind}.bin"),
            file_type: kind.into(),
            src: from.into(),
            trg: "en".into(),
            version: version.into(),
            architecture: Some(architecture.into()),
            decompressed_hash: None,
            location: format!("{kind}-{from}-{architecture}-{version}"),
        }
    }

    #[test]
    fn the_newest_model_of_the_right_architecture_is_chosen() {
        let records = [
            record("model", "fr", "tiny", "3.0"),
            record("model", "fr", "tiny", "3.1"),
            record("model", "fr", "base-memory", "3.2"),
            record("model", "fr", "tiny", "4.0"),
            record("vocab", "fr", "tiny", "3.0"),
        ];
        let names: Vec<&str> =
            choose(&records, "tiny", Lang::FR, Lang::EN).unwrap().iter().map(|record| record.location.as_str()).collect();
        assert_eq!(names, ["model-fr-tiny-3.1", "vocab-fr-tiny-3.0"]);
        assert!(choose(&records, "tiny", Lang::EN, Lang::FR).unwrap_err().contains("no model"));
    }
}
