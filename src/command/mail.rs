//! `depeche mail`, and the mail after a run.

use super::arguments::MailArguments;
use super::runtime;
use crate::call::{self, Letter, MailError};
use crate::config::{Config, MailSettings};
use crate::model::{Exit, Fault, Lang, RunSummary};
use crate::record::{self, PastRun};
use crate::report::{human_duration, print_stderr, print_stdout, printable};
use crate::write;

/// Sends the mail of the latest run again, or a test mail.
pub(super) fn run(arguments: &MailArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let Some(mail) = &config.mail else {
        return Err(Fault::usage("the config has no [mail] section, which says where to send a mail\n  hint: docs/mail.md has an example"));
    };
    let letter = if arguments.test {
        write::test_letter(config.page_language.unwrap_or(Lang::FR))
    } else {
        latest_run(&config)?
            .map_or_else(|| Err(Fault::usage("no run has ended yet, so there is nothing to report")), |run| letter(&config, mail, &run))?
    };
    let said = send(mail, &letter).map_err(|failed| {
        let exit = if failed.iter().all(|(_, error)| error.temporary) { Exit::EndpointAway } else { Exit::EndpointStop };
        Fault::new(exit, format!("the mail was not sent: {}", reasons(&failed)))
    })?;
    let to: Vec<String> = mail.to.iter().map(|to| to.email.to_string()).collect();
    print_stdout(&format!("sent to {}; {} answered: {}", to.join(", "), mail.host, printable(&said)));
    Ok(Exit::Done)
}

/// Sends the mail about the run that began at `began`, if the run has news. A mail that cannot be
/// sent is a warning.
pub(super) fn after_run(config: &Config, began: jiff::Timestamp) {
    let Some(mail) = &config.mail else { return };
    let sent = latest_run(config).and_then(|run| {
        let run = run.filter(|run| is_of(run, began) && (mail.always || has_news(&run.summary, run.exit)));
        run.map(|run| letter(config, mail, &run)).transpose()
    });
    let failure = match sent {
        Ok(None) => return,
        Ok(Some(letter)) => send(mail, &letter).err().map(|failed| reasons(&failed)),
        Err(fault) => Some(fault.message),
    };
    if let Some(failure) = failure {
        print_stderr(&format!("depeche: warning: the mail was not sent: {failure}"));
    }
}

/// Whether a run has news: it did or tried something, or was stopped before it could.
fn has_news(summary: &RunSummary, exit: Option<i64>) -> bool {
    summary.done > summary.earlier || summary.failed > 0 || summary.pending > 0 || exit != Some(0)
}

/// Whether this is the run that began at `began`, and not an earlier one.
fn is_of(run: &PastRun, began: jiff::Timestamp) -> bool {
    // The ledger has whole seconds.
    run.started_at.parse::<jiff::Timestamp>().is_ok_and(|started| started.as_second() >= began.as_second())
}

/// The latest run, if it has ended.
fn latest_run(config: &Config) -> Result<Option<PastRun>, Fault> {
    let Some(ledger) = record::open_to_read(config)? else { return Ok(None) };
    Ok(ledger.runs(1)?.pop().filter(|run| run.ended_at.is_some()))
}

fn letter(config: &Config, mail: &MailSettings, run: &PastRun) -> Result<Letter, Fault> {
    let ledger = record::open_to_read(config)?.ok_or_else(|| Fault::usage("the ledger is gone"))?;
    write::letter(&*ledger, config, mail.attach, run)
}

fn send(mail: &MailSettings, letter: &Letter) -> Result<String, Vec<(String, MailError)>> {
    let most = human_duration(mail.wait_for);
    let waiting = |why: &str| print_stderr(&format!("depeche: the mail waits for {} (up to {most}): {}", mail.host, printable(why)));
    match runtime() {
        Ok(runtime) => runtime.block_on(call::send_mail(mail, letter, &waiting)),
        Err(fault) => Err(vec![(mail.host.clone(), MailError { message: fault.message, temporary: true, maybe_sent: false })]),
    }
}

/// The recipients who did not get the mail, with the reasons.
fn reasons(failed: &[(String, MailError)]) -> String {
    let reason = |(to, error): &(String, MailError)| {
        let maybe = if error.maybe_sent { "; it may have arrived, so it is not sent again" } else { "" };
        printable(&format!("{to}: {}{maybe}", error.message))
    };
    failed.iter().map(reason).collect::<Vec<_>>().join("; ")
}
