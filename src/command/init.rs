//! `depeche init`: writes a commented config for a service, and the JSON Schema that it names.

pub(super) mod services;

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use self::services::{SERVICES, Service};
use super::arguments::InitArguments;
use crate::config::{SCHEMA, SHIPPED_PROMPTS};
use crate::model::{Exit, Fault};
use crate::report::print_stdout;

pub(super) fn run(arguments: &InitArguments) -> Result<Exit, Fault> {
    if let Some(folder) = &arguments.prompts {
        return prompts(folder);
    }
    let Some(service) = arguments.service.as_deref().and_then(Service::named).filter(|_| !arguments.list) else {
        list();
        return Ok(Exit::Done);
    };
    let text = service.config;
    if arguments.output.as_os_str() == "-" {
        print_stdout(text.trim_end());
        return Ok(Exit::Done);
    }
    let path = arguments.output.as_path();
    create(path, text).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Fault::usage(format!("`{}` already exists\n  hint: write to another file with --output", path.display()))
        }
        _ => cannot_write(path, &error),
    })?;
    schema_beside(path)?;
    print_stdout(&format!("wrote `{}`, and the schema that it names for your editor; check it with `depeche doctor`", path.display()));
    Ok(Exit::Done)
}

/// Writes the JSON Schema that the first line of the config names, unless there is one already.
fn schema_beside(config: &Path) -> Result<(), Fault> {
    let path = config.with_file_name("config.schema.json");
    match create(&path, SCHEMA) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(cannot_write(&path, &error)),
        _ => Ok(()),
    }
}

/// Writes a file that does not exist yet.
fn create(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()))
}

fn cannot_write(path: &Path, error: &io::Error) -> Fault {
    Fault::usage(format!("cannot write `{}`: {error}", path.display()))
}

fn list() {
    for Service { name, about, .. } in SERVICES {
        print_stdout(&format!("{name:<17} {about}"));
    }
    print_stdout("\nWrite a config for one of them with `depeche init SERVICE`.");
}

/// Writes the built-in prompt templates to `folder`, to be edited and named in the config.
fn prompts(folder: &Path) -> Result<Exit, Fault> {
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    for (name, text) in SHIPPED_PROMPTS {
        let path = folder.join(format!("{name}.j2"));
        create(&path, text).map_err(|error| cannot_write(&path, &error))?;
    }
    print_stdout(&format!("wrote `{}`; edit the prompts and name them under [prompts] in the config", folder.display()));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, load};
    use crate::dialect;

    #[test]
    fn every_config_loads_once_its_key_is_set() {
        for Service { name, config, .. } in SERVICES {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("config.toml");
            // A file instead of an environment variable.
            std::fs::write(dir.path().join("key"), "sk-test").unwrap();
            let lines = config.lines().map(|line| if line.starts_with("key = { env") { "key = { file = \"key\" }" } else { line });
            std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
            let loaded = load(Some(&path), &Overrides::default(), &dialect::facts());
            assert!(loaded.is_ok(), "{name}: {:?}", loaded.err());
        }
    }
}
