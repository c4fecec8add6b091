//! The command line: help, exit codes, and the configs that `init` writes.

use crate::support::test_dir::TestDir;

#[test]
fn help_is_as_documented() {
    let ended = TestDir::new().run(&["--help"]).exits(0);
    insta::assert_snapshot!(ended.stdout, @r"
    Reads a folder of articles, has each one summarised and translated by the HTTP services that
    config.toml names, and writes a bilingual French-English table. Without a subcommand it does `run`.

    Usage: depeche [OPTIONS] [PATH]...
           depeche <COMMAND>

    Commands:
      run          Make or renew the table (this is what happens without a subcommand)
      plan         Show what a run would do and cost; makes no call
      retry        Try again what failed, and nothing else
      status       Show the last runs, failures by reason, and costs
      why          Show what happened to an article: when, which calls, what they cost
      export       Print rows of the ledger once more, as CSV or JSON lines
      forget       Prune the ledger by age; the table stays as it is
      read         Show what is understood of each article, as JSON lines; calls nobody
      check        Check summaries or translations in a table that somebody else made; calls nobody
      doctor       Check the config and ask each endpoint whether it is there and knows its work
      serve        Run the embedded endpoint alone, for other programs
      init         Write a commented config for a service
      models       Show which translation models are here; fetch them with --fetch
      completions  Print the completions for a shell
      help         Print this message or the help of the given subcommand(s)

    Arguments:
      [PATH]...
              Files and folders to read, `-` for standard input [default: input.paths of the config]

    Options:
          --config <FILE>
              The config [default: config.toml, else the one that ships with the program]

      -q, --quiet
              Say only what went wrong

      -v, --verbose...
              Say more; twice: every attempt

      -o, --output <DIR>
              Folder for the table and the ledger [default: output.folder of the config]

          --route <ROUTE>
              summarise-then-translate, translate-then-summarise, or single-call

          --concurrency <N>
              Calls at once to each endpoint

          --profile <PROFILE>
              plain, or excel-fr: BOM, semicolons, CRLF

          --wait-for <TIME>
              How long an endpoint that is away is waited for [default: what the endpoint says, else
              45s]

          --new-ledger
              Begin a new ledger although the table is there: everything is paid for again

          --wait
              Where another run holds the ledger, wait for its end

          --log-format <FORMAT>
              The log on standard error: text or json

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Limits (exit code 6):
          --max-cost <SUM>
              End before the call that would make the night cost more

          --max-articles <N>
              End when so many articles were made

          --max-time <TIME>
              End after so long, as 4h or 90m

          --deadline <HH:MM>
              End by this time of day, as 06:30

          --max-failures <N|N%>
              End when more fail: a number, or a share as 10%

    Exit codes:
      0  all done, nothing to do, or skipped  5    an endpoint is away; later may help
      1  a bug of depeche                     6    stopped by a limit that you set
      2  usage, config, or state files        11   another run holds the ledger
      3  finished, but some articles failed   130  interrupted
      4  an endpoint says stop: mend it       143  terminated
    ");
}

#[test]
fn help_of_run_is_as_documented() {
    let ended = TestDir::new().run(&["run", "--help"]).exits(0);
    insta::assert_snapshot!(ended.stdout, @r"
    Make or renew the table (this is what happens without a subcommand)

    Usage: depeche run [OPTIONS] [PATH]...

    Arguments:
      [PATH]...  Files and folders to read, `-` for standard input [default: input.paths of the config]

    Options:
          --config <FILE>        The config [default: config.toml, else the one that ships with the
                                 program]
      -q, --quiet                Say only what went wrong
      -v, --verbose...           Say more; twice: every attempt
      -o, --output <DIR>         Folder for the table and the ledger [default: output.folder of the
                                 config]
          --route <ROUTE>        summarise-then-translate, translate-then-summarise, or single-call
          --concurrency <N>      Calls at once to each endpoint
          --profile <PROFILE>    plain, or excel-fr: BOM, semicolons, CRLF
          --wait-for <TIME>      How long an endpoint that is away is waited for [default: what the
                                 endpoint says, else 45s]
          --new-ledger           Begin a new ledger although the table is there: everything is paid for
                                 again
          --wait                 Where another run holds the ledger, wait for its end
          --log-format <FORMAT>  The log on standard error: text or json
      -h, --help                 Print help

    Limits (exit code 6):
          --max-cost <SUM>       End before the call that would make the night cost more
          --max-articles <N>     End when so many articles were made
          --max-time <TIME>      End after so long, as 4h or 90m
          --deadline <HH:MM>     End by this time of day, as 06:30
          --max-failures <N|N%>  End when more fail: a number, or a share as 10%
    ");
}

#[test]
fn version_is_that_of_the_package() {
    let ended = TestDir::new().run(&["--version"]).exits(0);
    assert_eq!(ended.stdout, concat!("depeche ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_exits_with_2() {
    let dir = TestDir::new();
    for arguments in [
        &["run", "--concurency", "3"][..],
        &["run", "--concurrency", "0"],
        &["run", "--concurrency", "x"],
        &["read"],
        &["serve", "--listen", "nowhere"],
        &["run", "--quiet", "--verbose"],
    ] {
        let ended = dir.run(arguments).exits(2);
        assert!(ended.stderr.starts_with("error: ") && ended.stdout.is_empty(), "{}", ended.stderr);
    }
    assert!(dir.run(&["run", "--concurency", "3"]).stderr.contains("'--concurrency'"));
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = TestDir::new().run(&["completions", shell]).exits(0);
        assert!(ended.stdout.contains("depeche") && ended.stdout.contains("doctor"), "{shell}");
    }
}

#[test]
fn init_writes_a_valid_config_for_every_listed_service() {
    let dir = TestDir::new();
    let listed = dir.run(&["init", "--list"]).exits(0).stdout;
    let services: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(services.len() >= 8 && services.contains(&"openai"), "{listed}");
    for service in services {
        let dir = TestDir::new();
        dir.run(&["init", service]).exits(0);
        let config = std::fs::read_to_string(dir.path("config.toml")).unwrap();
        assert_eq!(dir.run(&["init", service, "--output", "-"]).exits(0).stdout.trim_end(), config.trim_end(), "{service}");
        // Keep all traffic on this machine: every service gets a port on which nothing listens, and models are not fetched.
        let lines = config.lines().map(|line| match line {
            line if line.starts_with("url = ") => "url = \"http://127.0.0.1:1/v1\"".to_owned(),
            line => line.replace("fetch = true ", "fetch = false "),
        });
        let moved = lines.collect::<Vec<_>>().join("\n");
        dir.write("config.toml", if moved.contains("[embedded]") { moved } else { format!("{moved}\n[embedded]\nfetch = false\n") });
        let mut command = dir.command(&["doctor"]);
        let named = |line: &str| line.split_once("env = \"")?.1.split_once('"').map(|(name, _)| name.to_owned());
        config.lines().filter(|line| line.starts_with("key = ")).filter_map(named).for_each(|name| {
            command.env(name, "sk-test");
        });
        let ended = crate::support::process::Running::start(&mut command).wait();
        assert!(ended.stdout.starts_with("ok    config.toml: "), "{service}: {}{}", ended.stdout, ended.stderr);
        assert!([0, 4, 5].contains(&ended.code.unwrap()), "{service}: {}{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn init_does_not_overwrite_a_config() {
    let dir = TestDir::new();
    dir.write("config.toml", "# mine\n");
    let ended = dir.run(&["init", "ollama"]).exits(2);
    assert!(ended.stderr.contains("`config.toml` is there already and was left as it is"), "{}", ended.stderr);
    assert_eq!(std::fs::read(dir.path("config.toml")).unwrap(), b"# mine\n");
    assert!(dir.run(&["init", "olama"]).exits(2).stderr.contains("no config for `olama` is known"));
}
