//! The command line: help, exit codes, and the configs that `init` writes.

use crate::support::test_dir::TestDir;

fn without_trailing_spaces(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one snapshot")]
fn help_is_as_documented() {
    let ended = TestDir::new().run(&["--help"]).exits(0);
    insta::assert_snapshot!(without_trailing_spaces(&ended.stdout), @r"
    Summarise and translate a folder of articles into a French-English table

    Calls the HTTP services named in config.toml. Without a config, calls the embedded endpoint.
    `depeche` without a command is short for `depeche run`.

    [config: KEY] names the config key that sets the default of an option.

    Usage: depeche [OPTIONS] [PATH]...
           depeche <COMMAND>

    Commands:
      run          Summarise and translate articles (the default command)
      plan         Estimate the calls, cost and time of a run, without making calls
      retry        Retry the articles that failed, and nothing else
      batch        Show the batches at services, or cancel them
      work         Take part in a run on a shared ledger, on this or another machine
      status       Show recent runs, failures by reason, and costs
      why          Show an article's status, flags, calls and cost
      export       Print rows from the ledger as CSV or JSON Lines
      forget       Delete old rows, replies and runs from the ledger
      ledger       Copy the ledger from its file to a PostgreSQL server, or back
      read         Print the extracted articles as JSON Lines; no network
      check        Check the summaries or translations in any CSV file; no network
      doctor       Check the config, and whether each endpoint is ready
      serve        Run the embedded endpoint as a server
      init         Write a commented config for a service
      config       Show the config in effect, or its JSON Schema
      models       Show which translation models are installed, or fetch them
      mail         Send the mail about the latest run again, or a test mail
      completions  Print a shell completion script
      man          Write the manual pages into a folder
      help         Print this message or the help of the given subcommand(s)

    Arguments:
      [PATH]...
              Files and folders to read; `-` is standard input [config: input.paths, default: input]

    Options:
      -o, --output <DIR>
              Folder of the table and the ledger [config: output.folder, default: output]

          --config <FILE>
              Config file [default: config.toml, if it exists]

          --route <ROUTE>
              How to summarise and translate an article [config: summary.route, default:
              summarise-then-translate]

              Possible values:
              - summarise-then-translate: Summarise the article, then translate its title and summary
              - translate-then-summarise: Translate the article to English, then summarise it
              - single-call:              Get everything in one call to a chat model

          --concurrency <N>
              Maximum concurrent calls to each endpoint [config: endpoint.concurrency, default: auto]

          --profile <PROFILE>
              Format of the table [config: output.profile, default: plain]

              Possible values:
              - plain:    UTF-8, commas, LF
              - excel-fr: For French Excel: byte order mark, semicolons, decimal commas, CRLF

          --wait-for <DURATION>
              Wait this long for an unavailable endpoint, e.g. 2m [config: endpoint.wait_for, default:
              45s]

          --wait
              Wait if another run is active

          --allow-empty
              Empty the table if the input is empty [config: input.allow_empty]

              By default, the table keeps its rows, and the exit code is 3.

          --new-ledger
              Start a new ledger; all articles are billed again

              Only needed if the table exists but its ledger is gone.

          --piece-size <N>
              With a shared ledger, how many files (of a long file: articles) a process takes at a time

              [default: 200]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Limits (exit code 6):
          --max-cost <SUM>
              Stop before spending more than SUM in 12 hours [config: run.max_cost]

              Earlier runs in the last 12 hours count. Every endpoint needs a price.

          --max-articles <N>
              Stop after N articles [config: run.max_articles]

              Articles that have not changed do not count.

          --max-time <DURATION>
              Stop after this much time, e.g. 4h or 90m [config: run.max_time]

          --deadline <HH:MM>
              Stop at a local time, e.g. 06:30 [config: run.deadline]

          --max-failures <N|N%>
              Stop when more than N articles, or N% of them, have failed [config: run.max_failures]

              A percentage applies from the 20th article on.

    Logging options:
      -q, --quiet
              Print errors only

      -v, --verbose...
              Log decisions (-v), or every attempt too (-vv)

          --log-format <FORMAT>
              Format of the log on standard error [config: run.log, default: text]

              [possible values: text, json]

    Batches (endpoints with [endpoint.batch]):
          --detach
              Send batches and end, with exit code 7 [config: endpoint.batch.mode]

          --collect
              Collect the answers that are ready; send nothing to endpoints with batches

          --now
              Cancel open batches, and make the remaining calls one by one, at the full price

    Examples:
      depeche articles/            Summarise and translate a folder
      depeche plan                 See what a run would do and cost
      depeche run --max-cost 5     Spend at most 5 in 12 hours
      depeche retry                Retry the articles that failed
      depeche why articles/a.txt   See what happened to an article
      depeche init openai          Write a config for OpenAI

    Exit codes:
      0    Success, or nothing to do
      1    Bug in depeche
      2    Wrong usage, or a problem with the config, ledger or output folder
      3    Finished, but some articles failed; or the input is empty
      4    An endpoint refuses calls: fix its key, quota, URL or model
      5    An endpoint is unavailable: try again later
      6    Stopped by a limit that you set
      7    Batches are open: run again later to collect their answers
      11   Another run is active
      130  Interrupted (SIGINT)
      143  Terminated (SIGTERM)
    ");
}

#[test]
fn help_of_run_is_as_documented() {
    let ended = TestDir::new().run(&["run", "--help"]).exits(0);
    insta::assert_snapshot!(without_trailing_spaces(&ended.stdout), @r"
    Summarise and translate articles (the default command)

    Usage: depeche run [OPTIONS] [PATH]...

    Arguments:
      [PATH]...
              Files and folders to read; `-` is standard input [config: input.paths, default: input]

    Options:
      -o, --output <DIR>
              Folder of the table and the ledger [config: output.folder, default: output]

          --config <FILE>
              Config file [default: config.toml, if it exists]

          --route <ROUTE>
              How to summarise and translate an article [config: summary.route, default:
              summarise-then-translate]

              Possible values:
              - summarise-then-translate: Summarise the article, then translate its title and summary
              - translate-then-summarise: Translate the article to English, then summarise it
              - single-call:              Get everything in one call to a chat model

          --concurrency <N>
              Maximum concurrent calls to each endpoint [config: endpoint.concurrency, default: auto]

          --profile <PROFILE>
              Format of the table [config: output.profile, default: plain]

              Possible values:
              - plain:    UTF-8, commas, LF
              - excel-fr: For French Excel: byte order mark, semicolons, decimal commas, CRLF

          --wait-for <DURATION>
              Wait this long for an unavailable endpoint, e.g. 2m [config: endpoint.wait_for, default:
              45s]

          --wait
              Wait if another run is active

          --allow-empty
              Empty the table if the input is empty [config: input.allow_empty]

              By default, the table keeps its rows, and the exit code is 3.

          --new-ledger
              Start a new ledger; all articles are billed again

              Only needed if the table exists but its ledger is gone.

          --piece-size <N>
              With a shared ledger, how many files (of a long file: articles) a process takes at a time

              [default: 200]

      -h, --help
              Print help (see a summary with '-h')

    Limits (exit code 6):
          --max-cost <SUM>
              Stop before spending more than SUM in 12 hours [config: run.max_cost]

              Earlier runs in the last 12 hours count. Every endpoint needs a price.

          --max-articles <N>
              Stop after N articles [config: run.max_articles]

              Articles that have not changed do not count.

          --max-time <DURATION>
              Stop after this much time, e.g. 4h or 90m [config: run.max_time]

          --deadline <HH:MM>
              Stop at a local time, e.g. 06:30 [config: run.deadline]

          --max-failures <N|N%>
              Stop when more than N articles, or N% of them, have failed [config: run.max_failures]

              A percentage applies from the 20th article on.

    Logging options:
      -q, --quiet
              Print errors only

      -v, --verbose...
              Log decisions (-v), or every attempt too (-vv)

          --log-format <FORMAT>
              Format of the log on standard error [config: run.log, default: text]

              [possible values: text, json]

    Batches (endpoints with [endpoint.batch]):
          --detach
              Send batches and end, with exit code 7 [config: endpoint.batch.mode]

          --collect
              Collect the answers that are ready; send nothing to endpoints with batches

          --now
              Cancel open batches, and make the remaining calls one by one, at the full price
    ");
}

#[test]
fn help_of_plan_is_as_documented() {
    let ended = TestDir::new().run(&["plan", "-h"]).exits(0);
    insta::assert_snapshot!(without_trailing_spaces(&ended.stdout), @r"
    Estimate the calls, cost and time of a run, without making calls

    Usage: depeche plan [OPTIONS] [PATH]...

    Arguments:
      [PATH]...  Files and folders to read; `-` is standard input [config: input.paths, default: input]

    Options:
      -o, --output <DIR>     Folder of the table and the ledger [config: output.folder, default: output]
          --config <FILE>    Config file [default: config.toml, if it exists]
          --route <ROUTE>    How to summarise and translate an article [config: summary.route, default:
                             summarise-then-translate] [possible values: summarise-then-translate,
                             translate-then-summarise, single-call]
          --concurrency <N>  Maximum concurrent calls to each endpoint [config: endpoint.concurrency,
                             default: auto]
          --json             Print JSON
      -h, --help             Print help (see more with '--help')
    ");
}

#[test]
fn help_of_ledger_migrate_is_as_documented() {
    let ended = TestDir::new().run(&["ledger", "migrate", "--help"]).exits(0);
    insta::assert_snapshot!(without_trailing_spaces(&ended.stdout), @r"
    Copy the ledger from its file to the PostgreSQL server, or back

    The file is ledger.db in the output folder, and the server is the one under [ledger] in the config.
    The copy is complete or not made at all: the other ledger must be empty, and no run may be active on
    either. The ledger that is copied from does not change.

    Usage: depeche ledger migrate [OPTIONS] --to <LEDGER>

    Options:
          --to <LEDGER>
              Where to copy the ledger

              Possible values:
              - postgres: From the file in the output folder to the server
              - sqlite:   From the server to a new file in the output folder

      -o, --output <DIR>
              Folder of the table and the ledger [config: output.folder, default: output]

          --config <FILE>
              Config file [default: config.toml, if it exists]

      -h, --help
              Print help (see a summary with '-h')

    Logging options:
      -q, --quiet
              Print errors only

      -v, --verbose...
              Log decisions (-v), or every attempt too (-vv)

    It prints what it has copied:
      Copied the ledger in `output` to the ledger on postgres://db/depeche, schema `depeche`
        runs                                             3
        answered calls                               23810
        calls that may have been billed for nothing      4
        rows                                         11905
        files                                        11905
        outputs                                          4
        batches                                          0
        calls for batches                                0
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
        &["plan", "--wait"],
        &["plan", "--max-cost", "5"],
        &["retry", "--new-ledger"],
    ] {
        let ended = dir.run(arguments).exits(2);
        assert!(ended.stderr.starts_with("error: ") && ended.stdout.is_empty(), "{}", ended.stderr);
    }
    assert!(dir.run(&["run", "--concurency", "3"]).stderr.contains("'--concurrency'"));
}

#[test]
fn a_misspelled_command_gets_a_suggestion() {
    let ended = TestDir::new().run(&["stauts"]).exits(2);
    assert_eq!(ended.stderr, "error: no file, folder or command `stauts`\n  hint: did you mean `depeche status`?\n");
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = TestDir::new().run(&["completions", shell]).exits(0);
        for value in ["doctor", "excel-fr", "single-call", "azure-openai", "mojibake"] {
            assert!(ended.stdout.contains(value), "{shell} does not know {value}");
        }
    }
}

#[test]
fn init_writes_a_valid_config_for_every_listed_service() {
    let dir = TestDir::new();
    let listed = dir.run(&["init"]).exits(0).stdout;
    assert_eq!(listed, dir.run(&["init", "--list"]).exits(0).stdout);
    let services: Vec<&str> = listed.lines().map_while(|line| line.split_whitespace().next()).collect();
    assert!(services.len() == 19 && services.contains(&"openai"), "{listed}");
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
        assert_eq!(config.lines().next(), Some("#:schema ./config.schema.json"), "{service}");
        assert!(ended.stdout.starts_with("ok    config.toml: "), "{service}: {}{}", ended.stdout, ended.stderr);
        assert!([0, 4, 5].contains(&ended.code.unwrap()), "{service}: {}{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn init_does_not_overwrite_a_config() {
    let dir = TestDir::new();
    dir.write("config.toml", "# mine\n");
    let ended = dir.run(&["init", "ollama"]).exits(2);
    assert!(ended.stderr.contains("`config.toml` already exists"), "{}", ended.stderr);
    assert_eq!(std::fs::read(dir.path("config.toml")).unwrap(), b"# mine\n");
    assert!(dir.run(&["init", "olama"]).exits(2).stderr.contains("a similar value exists: 'ollama'"));
}
