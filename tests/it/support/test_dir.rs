//! A temporary folder with articles and a config, in which the program runs.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::articles;
use super::process::{Ended, Running};

/// A row of the table, by column name.
pub(crate) type Row = HashMap<String, String>;

/// The folder. It is removed on drop.
pub(crate) struct TestDir {
    dir: TempDir,
}

impl TestDir {
    /// A folder with an empty `input`.
    pub(crate) fn new() -> Self {
        let dir = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(dir.path("input")).unwrap();
        dir
    }

    /// A folder with this config and `count` French articles, `input/001.txt` and so on.
    pub(crate) fn with(config: &str, count: usize) -> Self {
        let dir = Self::new();
        dir.write("config.toml", config);
        (1..=count).for_each(|number| dir.article(number));
        dir
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes the French article with this number.
    pub(crate) fn article(&self, number: usize) {
        self.write(&format!("input/{number:03}.txt"), articles::french(number));
    }

    /// The program with these arguments, in this folder, with a clean environment: no models of the user, no proxy.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_depeche"));
        command.args(arguments).current_dir(self.dir.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C.UTF-8");
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    /// Starts the program.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// Runs the program and waits for its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    /// The table's bytes.
    pub(crate) fn table(&self) -> Vec<u8> {
        fs::read(self.path("output/summaries.csv")).unwrap()
    }

    /// The table's rows.
    pub(crate) fn rows(&self) -> Vec<Row> {
        rows(&self.table(), b',')
    }

    /// The row of one source.
    pub(crate) fn row(&self, source: &str) -> Row {
        let rows = self.rows();
        let found = rows.iter().find(|row| row["source"] == source);
        found.unwrap_or_else(|| panic!("no row of {source} among {:?}", sources(&rows))).clone()
    }

    /// The cells of the table without the column `processed_at`, which differs between runs.
    pub(crate) fn without_times(&self) -> Vec<Vec<String>> {
        without_times(&self.table())
    }

    /// The names of the output files and streams that contain `needle`.
    pub(crate) fn leaks(&self, needle: &str, ended: &Ended) -> Vec<String> {
        let said = [("stdout", ended.stdout.clone().into_bytes()), ("stderr", ended.stderr.clone().into_bytes())];
        let files = fs::read_dir(self.path("output")).unwrap().map(|entry| entry.unwrap().path());
        let files = files.map(|path| (path.display().to_string(), fs::read(&path).unwrap()));
        let all = said.map(|(name, bytes)| (name.to_owned(), bytes)).into_iter().chain(files);
        all.filter(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle.as_bytes())).map(|(name, _)| name).collect()
    }

    /// The program's output with this folder's path replaced by `DIR`.
    pub(crate) fn redact(&self, said: &str) -> String {
        let real = self.dir.path().canonicalize().unwrap();
        said.replace(&real.display().to_string(), "DIR").replace(&self.dir.path().display().to_string(), "DIR").trim_end().to_owned()
    }
}

/// The rows of a table's bytes.
pub(crate) fn rows(table: &[u8], delimiter: u8) -> Vec<Row> {
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(table);
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

/// The sources of the rows, in order.
pub(crate) fn sources(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row["source"].as_str()).collect()
}

/// The cells of a table with its header, without the column `processed_at`.
pub(crate) fn without_times(table: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    let time = records[0].iter().position(|name| name == "processed_at").unwrap();
    let others =
        |record: &csv::StringRecord| record.iter().enumerate().filter(|(at, _)| *at != time).map(|(_, cell)| cell.to_owned()).collect();
    records.iter().map(others).collect()
}

/// The permission bits of a file or folder.
pub(crate) fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}
