//! Downloads the model of a direction from Mozilla or a mirror.
//!
//! Resumes an interrupted download, even in a later run. Verifies every file before it is kept.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fxtranslate::cache::verify_and_decompress;
use fxtranslate::remote::{CDN_ROOT, COLLECTION, PROD_ENDPOINT, Record, parse_records, pick};

use super::models::{self, CHECKSUMS, ModelFiles, cache_folder, pair};
use crate::config::Embedded;
use crate::model::Lang;

/// Called during a download with the name of the file, the bytes so far, and the size of the file
/// if known.
pub(crate) type Progress<'a> = &'a (dyn Fn(&str, u64, Option<u64>) + Sync);

/// The time limit for connecting, and again for the start of a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit between two chunks of a body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of attempts at a download; each resumes where the last one stopped.
const MAX_ATTEMPTS: u32 = 4;
/// The most bytes of a file. The record list has about 300 kB, the largest model 60 MB.
const MAX_FILE_BYTES: u64 = 500 << 20;

/// Downloads the model from `from` to `to` into the cache and verifies it.
///
/// # Errors
/// If it cannot, with the address and the reason.
pub(crate) async fn fetch(config: &Embedded, from: Lang, to: Lang, progress: Progress<'_>) -> Result<ModelFiles, String> {
    let root = cache_folder().ok_or("there is no home folder for models: set XDG_CACHE_HOME, or models_dir in the config")?;
    let folder = root.join(&config.model).join(pair(from, to));
    let write_error = |error: std::io::Error| format!("cannot write to `{}`: {error}", folder.display());
    let server = ModelServer::new(config.mirror.as_deref())?;
    let records = server.records().await?;
    let records = select_records(&records, &config.model, from, to)?;
    fs::create_dir_all(&folder).map_err(write_error)?;
    let lock = File::create(folder.join(".lock")).map_err(write_error)?;
    tokio::task::block_in_place(|| lock.lock()).map_err(write_error)?;
    if folder.join(CHECKSUMS).is_file() {
        // Another run has downloaded the model while this one waited for the lock.
        return models::load(&folder);
    }
    let mut sums = Vec::new();
    for record in records {
        let hash = record.decompressed_hash.as_deref().ok_or_else(|| format!("the record of {} has no hash", record.name))?;
        if record.name.contains(['/', '\\']) || record.name.starts_with('.') {
            return Err(format!("the record list has the invalid file name `{}`", record.name));
        }
        server.download_file(record, hash, &folder, progress).await?;
        sums.push(format!("{}  {}\n", hash.to_ascii_lowercase(), record.name));
    }
    write_atomically(&folder.join(CHECKSUMS), sums.concat().as_bytes()).map_err(write_error)?;
    models::load(&folder)
}

/// Selects the records of all files that a direction needs.
fn select_records<'a>(records: &'a [Record], architecture: &str, from: Lang, to: Lang) -> Result<Vec<&'a Record>, String> {
    let matches = |record: &&Record| record.architecture.as_deref().is_none_or(|other| other == architecture);
    let find = |kind: &str| {
        let candidates: Vec<Record> = records.iter().filter(matches).cloned().collect();
        let location = &pick(&candidates, kind, from.code(), to.code())?.location;
        records.iter().find(|record| record.location == *location)
    };
    let missing = |kind: &str| format!("the record list has no {kind} of the architecture `{architecture}` for {from}→{to}");
    let mut selected = vec![find("model").ok_or_else(|| missing("model"))?];
    match find("vocab") {
        Some(vocabulary) => selected.push(vocabulary),
        None => selected
            .extend([find("srcvocab").ok_or_else(|| missing("vocabulary"))?, find("trgvocab").ok_or_else(|| missing("vocabulary"))?]),
    }
    selected.extend(find("lex"));
    Ok(selected)
}

/// The server that models are downloaded from.
struct ModelServer {
    http: reqwest::Client,
    records: String,
    files: String,
}

impl ModelServer {
    fn new(mirror: Option<&str>) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = mirror.and_then(|mirror| reqwest::Url::parse(mirror).ok());
        let is_loopback = url.is_some_and(|url| crate::config::is_loopback(&url));
        let builder = if is_loopback { reqwest::Client::builder().no_proxy() } else { reqwest::Client::builder() };
        let http = builder
            .user_agent(concat!("depeche/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(RESPONSE_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::limited(3))
            .build()
            .map_err(|error| format!("cannot set up TLS: {error}"))?;
        let (records, files) = match mirror {
            Some(mirror) => (format!("{mirror}/records.json"), mirror.to_owned()),
            None => (format!("{PROD_ENDPOINT}/v1/buckets/main/collections/{COLLECTION}/records"), CDN_ROOT.to_owned()),
        };
        Ok(Self { http, records, files })
    }

    async fn records(&self) -> Result<Vec<Record>, String> {
        let address = &self.records;
        let response = self.get(address, 0).await.map_err(|error| error.message)?;
        let body = tokio::time::timeout(READ_TIMEOUT, response.bytes()).await;
        let body = body
            .map_err(|_| format!("{address} did not finish within 30 seconds"))?
            .map_err(|error| format!("{address} was interrupted: {error}"))?;
        let text = std::str::from_utf8(&body).map_err(|_| format!("{address} is not a record list"))?;
        parse_records(text).map_err(|error| format!("{address} is not a record list: {error}"))
    }

    /// Sends a GET request for the bytes from `start` on.
    async fn get(&self, address: &str, start: u64) -> Result<reqwest::Response, DownloadError> {
        let mut request = self.http.get(address);
        if start > 0 {
            request = request.header("range", format!("bytes={start}-"));
        }
        let unreachable = |why: String| DownloadError { message: format!("{address} is not reachable: {why}"), retry: false };
        let response = tokio::time::timeout(RESPONSE_TIMEOUT, request.send()).await;
        let response = response.map_err(|_| unreachable("no answer in 5 seconds".into()))?;
        let response = response.map_err(|error| unreachable(root_cause(&error)))?;
        let status = response.status();
        if !status.is_success() {
            let message = format!("{address} answered with status {}", status.as_u16());
            return Err(DownloadError { message, retry: status.is_server_error() });
        }
        Ok(response)
    }

    /// Downloads one file, unpacks it, verifies it and moves it into `folder`.
    async fn download_file(&self, record: &Record, hash: &str, folder: &Path, progress: Progress<'_>) -> Result<(), String> {
        let write_error = |error: std::io::Error| format!("cannot write to `{}`: {error}", folder.display());
        // The hash is part of the name, so that a partial download of another version is not
        // resumed.
        let part = folder.join(format!(".{}.{}.part", record.name, hash.get(..12).unwrap_or(hash)));
        let mut resumed = self.download(record, &part, progress).await?;
        loop {
            let packed = fs::read(&part).map_err(write_error)?;
            match verify_and_decompress(&packed, Some(&hash.to_ascii_lowercase())) {
                Ok(bytes) => {
                    write_atomically(&folder.join(&record.name), &bytes).map_err(write_error)?;
                    return fs::remove_file(&part).map_err(write_error);
                }
                Err(error) => {
                    fs::remove_file(&part).map_err(write_error)?;
                    if !resumed {
                        return Err(format!("the download of {} is damaged and was deleted: {error}", record.name));
                    }
                    // The parts may come from two versions: try once more from the start.
                    tracing::warn!("the resumed download of {} is damaged ({error}); downloading it again", record.name);
                    self.download(record, &part, progress).await?;
                    resumed = false;
                }
            }
        }
    }

    /// Downloads a file to `part` in up to [`MAX_ATTEMPTS`]. Returns whether it was resumed.
    async fn download(&self, record: &Record, part: &Path, progress: Progress<'_>) -> Result<bool, String> {
        let address = format!("{}/{}", self.files, record.location);
        let mut resumed = false;
        for attempts_left in (0..MAX_ATTEMPTS).rev() {
            match self.download_once(&address, record, part, progress).await {
                Ok(this_resumed) => return Ok(resumed || this_resumed),
                Err(error) if error.retry && attempts_left > 0 => {
                    tracing::warn!("{}; resuming the download", error.message);
                    resumed = true;
                }
                Err(error) => return Err(error.message),
            }
        }
        Ok(resumed)
    }

    /// Downloads the rest of a file to `part`. Returns whether the server resumed at the end of
    /// `part`.
    async fn download_once(&self, address: &str, record: &Record, part: &Path, progress: Progress<'_>) -> Result<bool, DownloadError> {
        let write_error =
            |error: std::io::Error| DownloadError { message: format!("cannot write `{}`: {error}", part.display()), retry: false };
        let present = fs::metadata(part).map_or(0, |meta| meta.len());
        let mut response = match self.get(address, present).await {
            // 416: there are no bytes after the present ones.
            Err(error) if present > 0 && error.message.ends_with("status 416") => return Ok(true),
            response => response?,
        };
        let resumed = response.status().as_u16() == 206;
        let start = if resumed { present } else { 0 };
        let total = response.content_length().map(|length| length + start);
        let mut file = OpenOptions::new().create(true).write(true).truncate(!resumed).append(resumed).open(part).map_err(write_error)?;
        let mut done = start;
        progress(&record.name, done, total);
        loop {
            let chunk = response.chunk().await.map_err(|error| DownloadError {
                message: format!("{address} was interrupted after {done} bytes: {}", root_cause(&error)),
                retry: true,
            })?;
            let Some(chunk) = chunk else { break };
            done += chunk.len() as u64;
            if done > MAX_FILE_BYTES {
                return Err(DownloadError { message: format!("{address} is larger than any model"), retry: false });
            }
            file.write_all(&chunk).map_err(write_error)?;
            progress(&record.name, done, total);
        }
        file.sync_all().map_err(write_error)?;
        Ok(resumed)
    }
}

/// Why a download stopped.
struct DownloadError {
    message: String,
    /// Whether another attempt may succeed.
    retry: bool,
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn write_atomically(path: &PathBuf, bytes: &[u8]) -> std::io::Result<()> {
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
    fn the_newest_model_of_the_right_architecture_is_selected() {
        let records = [
            record("model", "fr", "tiny", "3.0"),
            record("model", "fr", "tiny", "3.1"),
            record("model", "fr", "base-memory", "3.2"),
            record("model", "fr", "tiny", "4.0"),
            record("vocab", "fr", "tiny", "3.0"),
        ];
        let names: Vec<&str> =
            select_records(&records, "tiny", Lang::FR, Lang::EN).unwrap().iter().map(|record| record.location.as_str()).collect();
        assert_eq!(names, ["model-fr-tiny-3.1", "vocab-fr-tiny-3.0"]);
        assert!(select_records(&records, "tiny", Lang::EN, Lang::FR).unwrap_err().contains("no model"));
    }
}
