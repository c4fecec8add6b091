//! `[mail]`: the mail after a run.

use std::time::Duration;

use lettre::message::Mailbox;
use secrecy::SecretString;
use serde::Deserialize;

use super::endpoint::is_loopback;
use super::key;
use super::raw::{OneOrMore, RawKey};
use super::spanned::Spanned;
use super::validator::Validator;

/// The time limit for connecting and login together, and again for the transfer.
const TIMEOUT: Duration = Duration::from_mins(2);
/// How long to try again while the server asks for that. Greylisting asks for one to five minutes.
const WAIT_FOR: Duration = Duration::from_mins(10);
/// Megabytes of attachments by default: most servers accept 10 to 25, and a mail is a third larger.
const ATTACH: usize = 7;

/// The mail after a run, and the server that takes it.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// The user to log in as, with the password; `None` if the server wants no login.
    pub login: Option<(String, SecretString)>,
    /// The sender.
    pub from: Mailbox,
    /// The recipients; at least one.
    pub to: Vec<Mailbox>,
    /// The largest size of all attachments together, in bytes.
    pub attach: u64,
    /// Whether to send a mail after a run that found nothing new, too.
    pub always: bool,
    /// The time limit for connecting and login together, and again for the transfer.
    pub timeout: Duration,
    /// How long to try again while the server asks for that, or cannot be reached.
    pub wait_for: Duration,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailTls {
    /// From the first byte.
    Implicit,
    /// After a command of SMTP; without it, nothing is sent.
    StartTls,
    /// Not at all.
    None,
}

/// `[mail]` as it is written.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    /// `smtps://HOST` or `smtp://HOST`, with a port if it is not the usual one.
    smtp: Spanned<String>,
    /// `starttls` or `none`, for `smtp://`.
    tls: Option<Spanned<String>>,
    /// The user to log in as.
    user: Option<Spanned<String>>,
    /// Where to find the password.
    key: Option<Spanned<RawKey>>,
    /// The sender's address.
    from: Spanned<String>,
    /// The recipients' addresses.
    to: Spanned<OneOrMore>,
    /// Megabytes of attachments; 0 for none.
    attach_megabytes: Option<Spanned<i64>>,
    /// Whether to send a mail after a run that found nothing new.
    always: Option<bool>,
    /// The time limit for connecting and login together, and again for the transfer.
    timeout: Option<Spanned<String>>,
    /// How long to try again.
    wait_for: Option<Spanned<String>>,
}

impl Validator<'_> {
    /// The settings of the mail; `None` if there is no `[mail]` or if it has problems.
    pub(super) fn mail(&mut self, raw: Option<RawMail>) -> Option<MailSettings> {
        let raw = raw?;
        let server = self.server(&raw.smtp, raw.tls);
        let login = self.login(raw.user, raw.key, server.as_ref());
        let from = self.mailbox(&Spanned::new(raw.from.span(), raw.from.get_ref().clone()));
        let span = raw.to.span();
        let to: Vec<Mailbox> = raw.to.into_inner().0.into_iter().filter_map(|to| self.mailbox(&Spanned::new(span.clone(), to))).collect();
        if to.is_empty() && self.problems.is_empty() {
            self.problem(&span, "`to` is empty", Some("use to = \"desk@example.org\", or a list".into()));
        }
        let (host, port, tls, _) = server?;
        Some(MailSettings {
            host,
            port,
            tls,
            login: login?,
            from: from?,
            to,
            attach: (self.number(raw.attach_megabytes, "attach_megabytes", ATTACH, 0..=100) as u64) << 20,
            always: raw.always.unwrap_or(false),
            timeout: raw.timeout.and_then(|written| self.duration(&written)).unwrap_or(TIMEOUT),
            wait_for: raw.wait_for.and_then(|written| self.duration(&written)).unwrap_or(WAIT_FOR),
        })
    }

    /// Host, port and encryption of the server, and whether it is this machine.
    fn server(&mut self, smtp: &Spanned<String>, tls: Option<Spanned<String>>) -> Option<(String, u16, MailTls, bool)> {
        let hint = || Some("use a URL such as \"smtps://mail.example.org\" or \"smtp://localhost:25\"".to_owned());
        let url = match reqwest::Url::parse(smtp.get_ref()) {
            Ok(url) if !matches!(url.scheme(), "smtp" | "smtps") => {
                Err(format!("`{}://` is not supported, only smtps and smtp", url.scheme()))
            }
            // Does not repeat the URL, which contains a password.
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                Err("the URL contains a user name or password; use `user` and `key`".to_owned())
            }
            Ok(url) if url.host_str().is_none_or(str::is_empty) => Err("the URL has no host".to_owned()),
            Ok(url) if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() => {
                Err("the URL has more than a host and a port".to_owned())
            }
            Ok(url) => Ok(url),
            Err(error) => Err(format!("`smtp` is not a URL: {error}")),
        };
        let url = match url {
            Ok(url) => url,
            Err(message) => {
                self.problem(&smtp.span(), message, hint());
                return None;
            }
        };
        let (implicit, local) = (url.scheme() == "smtps", is_loopback(&url));
        if implicit && let Some(tls) = &tls {
            self.problem(&tls.span(), "`tls` is for smtp://; smtps:// is always encrypted", None);
        }
        let default = if local { MailTls::None } else { MailTls::StartTls };
        let chosen = self.choose(tls, "tls", &[("starttls", MailTls::StartTls), ("none", MailTls::None)], default);
        let tls = if implicit { MailTls::Implicit } else { chosen };
        let usual = if implicit {
            465
        } else if local {
            25
        } else {
            587
        };
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), url.port().unwrap_or(usual), tls, local))
    }

    /// User and password. The inner `None`: there is no login. The outer `None`: there is a
    /// problem.
    #[expect(clippy::option_option, reason = "no login is not a problem")]
    fn login(
        &mut self,
        user: Option<Spanned<String>>,
        key: Option<Spanned<RawKey>>,
        server: Option<&(String, u16, MailTls, bool)>,
    ) -> Option<Option<(String, SecretString)>> {
        let (user, written) = match (user, key) {
            (None, None) => return Some(None),
            (Some(user), Some(key)) => (user, key),
            (Some(one), None) => {
                self.problem(&one.span(), "`user` without `key`", Some("add key = { env = \"VARIABLE\" }".into()));
                return None;
            }
            (None, Some(one)) => {
                self.problem(&one.span(), "`key` without `user`", Some("add user = \"…\"".into()));
                return None;
            }
        };
        if matches!(server, Some((_, _, MailTls::None, false))) {
            let message = "the password would be sent to another machine without encryption";
            self.problem(&written.span(), message, Some("use smtps://, or tls = \"starttls\"".into()));
            return None;
        }
        match key::read(written.get_ref(), &self.folder) {
            Ok(key) => Some(Some((user.into_inner(), key))),
            Err(message) => {
                self.problem(&written.span(), message, None);
                None
            }
        }
    }

    fn mailbox(&mut self, written: &Spanned<String>) -> Option<Mailbox> {
        let parsed = written.get_ref().parse::<Mailbox>();
        if let Err(error) = &parsed {
            let hint = "use an address such as \"desk@example.org\" or \"Desk <desk@example.org>\"".to_owned();
            self.problem(&written.span(), format!("`{}` is not a mail address: {error}", written.get_ref()), Some(hint));
        }
        parsed.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn settings(lines: &str) -> Result<MailSettings, String> {
        let lines = format!("from = \"depeche@example.org\"\nto = \"desk@example.org\"\n{lines}");
        let raw = toml::from_str::<RawMail>(&lines).map_err(|error| error.to_string())?;
        let mut validator = Validator { path: Path::new("c"), text: &lines, folder: PathBuf::new(), dialects: &[], problems: Vec::new() };
        let mail = validator.mail(Some(raw));
        match validator.problems.first() {
            Some(problem) => Err(problem.to_string()),
            None => Ok(mail.unwrap()),
        }
    }

    #[test]
    fn the_url_sets_port_and_encryption() {
        for (lines, expected) in [
            ("smtp = \"smtps://mail.example.org\"", ("mail.example.org", 465, MailTls::Implicit)),
            ("smtp = \"smtp://mail.example.org\"", ("mail.example.org", 587, MailTls::StartTls)),
            ("smtp = \"smtp://mail.example.org:26\"\ntls = \"none\"", ("mail.example.org", 26, MailTls::None)),
            ("smtp = \"smtp://localhost\"", ("localhost", 25, MailTls::None)),
            ("smtp = \"smtp://[::1]:2525\"\ntls = \"starttls\"", ("::1", 2525, MailTls::StartTls)),
        ] {
            let mail = settings(lines).unwrap();
            assert_eq!((mail.host.as_str(), mail.port, mail.tls), expected, "{lines}");
        }
    }

    #[test]
    fn what_cannot_work_or_would_leak_is_reported_with_its_place() {
        for (lines, message) in [
            ("smtp = \"http://mail.example.org\"", "`http://` is not supported"),
            ("smtp = \"smtps://me:hunter2@mail.example.org\"", "the URL contains a user name or password"),
            ("smtp = \"mail.example.org:25\"", "is not supported"),
            ("smtp = \"smtps://mail.example.org/a\"", "more than a host and a port"),
            ("smtp = \"smtps://mail.example.org\"\ntls = \"none\"", "always encrypted"),
            ("smtp = \"smtps://mail.example.org\"\nuser = \"me\"", "`user` without `key`"),
            ("smtp = \"smtps://mail.example.org\"\nkey = { env = \"PATH\" }", "`key` without `user`"),
            ("smtp = \"smtp://mail.example.org\"\ntls = \"none\"\nuser = \"me\"\nkey = { env = \"PATH\" }", "without encryption"),
            ("smtp = \"smtps://mail.example.org\"\nuser = \"me\"\nkey = { env = \"DEPECHE_NO_SUCH_KEY\" }", "is not set"),
            ("smtp = \"smtps://mail.example.org\"\nattach_megabytes = 101", "must be between 0 and 100"),
        ] {
            let problem = settings(lines).unwrap_err();
            assert!(problem.starts_with("c:") && problem.contains(message), "{lines}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let raw = "smtp = \"smtps://mail.example.org\"\nfrom = \"desk\"\nto = [\"a@example.org\", \"b c\"]";
        let mut validator = Validator { path: Path::new("c"), text: raw, folder: PathBuf::new(), dialects: &[], problems: Vec::new() };
        assert!(validator.mail(Some(toml::from_str(raw).unwrap())).is_none());
        assert_eq!(validator.problems.len(), 2, "{:?}", validator.problems);
    }
}
