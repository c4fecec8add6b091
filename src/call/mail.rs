//! Sends the mail after a run by SMTP.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep_until, timeout};

use super::redact::Redactor;
use crate::config::{MailSettings, MailTls};

/// The first pause before another attempt, and the longest one. Each is twice as long as the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The subject, on one line.
    pub subject: String,
    /// The text.
    pub plain: String,
    /// The same as HTML.
    pub html: String,
    /// Files: name, MIME type and content.
    pub attachments: Vec<(String, &'static str, Vec<u8>)>,
}

/// Why a mail was not sent to a recipient.
#[derive(Clone, Debug)]
pub struct MailError {
    /// What happened, without the password.
    pub message: String,
    /// Whether it may be sent later: the server refused it for now, or cannot be reached.
    pub temporary: bool,
    /// Whether the recipient may have got the mail: the answer to it was lost.
    pub maybe_sent: bool,
}

/// Sends a mail to each recipient. If the server refuses it for now or cannot be reached, reports
/// why to `waiting` and tries again, for at most `wait_for`. A mail that the recipient may have got
/// is not sent again. Returns the server's reply to the last one.
///
/// # Errors
/// The recipients that the mail was not sent to, each with the reason.
pub(crate) async fn send_mail(
    mail: &MailSettings,
    letter: &Letter,
    waiting: &(dyn Fn(&str) + Sync),
) -> Result<String, Vec<(String, MailError)>> {
    let redactor = Redactor::new(mail.login.as_ref().map(|(_, key)| key.clone()));
    let everyone = |error: MailError| mail.to.iter().map(|to| (to.email.to_string(), error.clone())).collect::<Vec<_>>();
    let message =
        message(mail, letter).map_err(|message| everyone(MailError { message, temporary: false, maybe_sent: false }))?.formatted();
    let end = Instant::now() + mail.wait_for;
    let (mut failed, mut said) = (Vec::new(), String::new());
    for to in &mail.to {
        match deliver(mail, &to.email, &message, end, waiting).await {
            Ok(answer) => said = redactor.text(&answer),
            Err(error) => failed.push((to.email.to_string(), MailError { message: redactor.text(&error.message), ..error })),
        }
    }
    if failed.is_empty() { Ok(said) } else { Err(failed) }
}

/// Sends a mail to one recipient, if necessary several times, until `end`.
async fn deliver(
    mail: &MailSettings,
    to: &Address,
    message: &[u8],
    end: Instant,
    waiting: &(dyn Fn(&str) + Sync),
) -> Result<String, MailError> {
    let mut pause = FIRST_PAUSE.min(mail.wait_for);
    loop {
        let error = match attempt(mail, to, message).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let next = Instant::now() + pause;
        if !error.temporary || error.maybe_sent || next > end {
            return Err(error);
        }
        waiting(&error.message);
        sleep_until(next).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn attempt(mail: &MailSettings, to: &Address, message: &[u8]) -> Result<String, MailError> {
    let seconds = mail.timeout.as_secs_f64();
    let connected = timeout(mail.timeout, connect(mail)).await;
    let mut connection = connected
        .unwrap_or_else(|_| Err(MailError { message: format!("no connection within {seconds} s"), temporary: true, maybe_sent: false }))?;
    // Fails only without a recipient.
    let envelope = Envelope::new(Some(mail.from.email.clone()), vec![to.clone()]).map_err(|error| permanent(error.to_string()))?;
    let sent = timeout(mail.timeout, connection.send(&envelope, message)).await;
    match sent {
        Ok(Ok(response)) => {
            // The mail is accepted, whatever the answer is.
            let _ = timeout(mail.timeout, connection.quit()).await;
            Ok(response.message().collect::<Vec<_>>().join(" "))
        }
        // The server refused it by a code.
        Ok(Err(error)) if error.status().is_some() || error.is_client() => Err(refused(&error)),
        Ok(Err(error)) => Err(MailError { message: describe(&error), temporary: false, maybe_sent: true }),
        Err(_) => Err(MailError { message: format!("no answer within {seconds} s"), temporary: false, maybe_sent: true }),
    }
}

/// Connects and logs in.
async fn connect(mail: &MailSettings) -> Result<AsyncSmtpConnection, MailError> {
    // Fails only if a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let hello = ClientId::default();
    let tls = || TlsParameters::new_rustls(mail.host.clone()).map_err(|error| permanent(describe(&error)));
    let implicit = if mail.tls == MailTls::Implicit { Some(tls()?) } else { None };
    let server = (mail.host.as_str(), mail.port);
    let connected = AsyncSmtpConnection::connect_tokio1(server, Some(mail.timeout), &hello, implicit, None).await;
    let mut connection = connected.map_err(|error| refused(&error))?;
    if mail.tls == MailTls::StartTls {
        if !connection.can_starttls() {
            return Err(permanent("the server offers no encryption (STARTTLS), so nothing was sent".into()));
        }
        connection.starttls(tls()?, &hello).await.map_err(|error| refused(&error))?;
    }
    if let Some((user, key)) = &mail.login {
        let credentials = Credentials::new(user.clone(), key.expose_secret().to_owned());
        connection
            .auth(DEFAULT_MECHANISMS, &credentials)
            .await
            .map_err(|error| MailError { message: format!("login as `{user}`: {}", describe(&error)), ..refused(&error) })?;
    }
    Ok(connection)
}

fn permanent(message: String) -> MailError {
    MailError { message, temporary: false, maybe_sent: false }
}

/// The error of a connection over which no mail has gone yet, or of a mail that the server refused.
fn refused(error: &lettre::transport::smtp::Error) -> MailError {
    let message = describe(error);
    // rustls reports a bad certificate as an I/O error, but it is permanent.
    let certificate = message.contains("certificate");
    MailError { message, temporary: !(error.is_permanent() || error.is_client() || certificate), maybe_sent: false }
}

/// An error with its causes, on one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    crate::model::one_line(&message)
}

fn message(mail: &MailSettings, letter: &Letter) -> Result<Message, String> {
    // No automatic answers.
    let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
    let id = format!("<{:032x}@{}>", random()?, mail.from.email.domain());
    let mut builder = Message::builder()
        .from(mail.from.clone())
        .subject(crate::model::one_line(&letter.subject))
        .message_id(Some(id))
        .raw_header(automatic);
    for to in &mail.to {
        builder = builder.to(to.clone());
    }
    let mut parts = MultiPart::mixed().multipart(MultiPart::alternative_plain_html(letter.plain.clone(), letter.html.clone()));
    for (name, kind, content) in &letter.attachments {
        let kind = ContentType::parse(kind).map_err(|error| error.to_string())?;
        parts = parts.singlepart(Attachment::new(name.clone()).body(content.clone(), kind));
    }
    builder.multipart(parts).map_err(|error| error.to_string())
}

fn random() -> Result<u128, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(u128::from_le_bytes(bytes))
}
