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
/// the reason to `waiting` once, and tries again for at most `wait_for`. If a recipient may have
/// got the mail, it is not sent again. Returns the server's last reply.
///
/// # Errors
/// The recipients to which the mail was not sent, each with the reason.
pub(crate) async fn send_mail(
    mail: &MailSettings,
    letter: &Letter,
    waiting: &(dyn Fn(&str) + Sync),
) -> Result<String, Vec<(String, MailError)>> {
    let redactor = Redactor::new(mail.login.as_ref().map(|(_, key)| key.clone()));
    let mut open: Vec<&Address> = mail.to.iter().map(|to| &to.email).collect();
    let named = |(to, error): (&Address, MailError)| (to.to_string(), MailError { message: redactor.text(&error.message), ..error });
    let message = message(mail, letter)
        .map_err(|message| open.iter().map(|to| named((to, permanent(message.clone())))).collect::<Vec<_>>())?
        .formatted();
    let end = Instant::now() + mail.wait_for;
    let mut pause = FIRST_PAUSE.min(mail.wait_for);
    let (mut failed, mut said, mut told) = (Vec::new(), String::new(), false);
    loop {
        let refused = round(mail, &open, &message, &mut said).await;
        let next = Instant::now() + pause;
        let (later, never): (Vec<_>, Vec<_>) =
            refused.into_iter().partition(|(_, error)| error.temporary && !error.maybe_sent && next <= end);
        failed.extend(never);
        let Some((_, first)) = later.first() else { break };
        // The reason may contain a number of seconds, which differs each time.
        if !std::mem::replace(&mut told, true) {
            waiting(&redactor.text(&first.message));
        }
        open = later.into_iter().map(|(to, _)| to).collect();
        sleep_until(next).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    if failed.is_empty() { Ok(redactor.text(&said)) } else { Err(failed.into_iter().map(named).collect()) }
}

/// Tries once to send a mail to each of `open`. Sets `said` to the server's reply to the last
/// accepted mail, and returns the other recipients with the reasons. All are tried before one is
/// tried again, because a greylist makes each recipient wait separately.
async fn round<'a>(mail: &MailSettings, open: &[&'a Address], message: &[u8], said: &mut String) -> Vec<(&'a Address, MailError)> {
    let mut refused = Vec::new();
    let mut unreachable: Option<MailError> = None;
    for to in open {
        let sent = match &unreachable {
            // This failure would also affect the other recipients.
            Some(error) => Err(error.clone()),
            None => match connect_in_time(mail).await {
                Ok(connection) => transfer(mail, connection, to, message).await,
                Err(error) => Err(unreachable.insert(error).clone()),
            },
        };
        match sent {
            Ok(answer) => *said = answer,
            Err(error) => refused.push((*to, error)),
        }
    }
    refused
}

/// Sends a mail to one recipient.
async fn transfer(mail: &MailSettings, mut connection: AsyncSmtpConnection, to: &Address, message: &[u8]) -> Result<String, MailError> {
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
        Err(_) => {
            let message = format!("no answer within {} s", mail.timeout.as_secs_f64());
            Err(MailError { message, temporary: false, maybe_sent: true })
        }
    }
}

async fn connect_in_time(mail: &MailSettings) -> Result<AsyncSmtpConnection, MailError> {
    timeout(mail.timeout, connect(mail)).await.unwrap_or_else(|_| {
        let message = format!("no connection within {} s", mail.timeout.as_secs_f64());
        Err(MailError { message, temporary: true, maybe_sent: false })
    })
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

/// The error of a connection before any mail was sent over it, or of a mail that the server
/// refused.
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
        // An error may begin with the text of the one around it.
        if text.starts_with(&message) {
            message = text;
        } else if !message.contains(&text) {
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
