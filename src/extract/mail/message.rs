//! The article in a message.

use std::borrow::Cow;

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{flowed, forward, frame};
use crate::extract::draft::Draft;
use crate::extract::html::fragment;
use crate::extract::key::Key;
use crate::extract::word_count::count_words;
use crate::extract::wrapped_lines::unwrapped;
use crate::model::{ErrorCode, Reject, clean};
use crate::read::decode;

/// If a message has fewer words and another message attached, it only forwards that message.
const LONGEST_NOTE: usize = 60;
/// How many attached messages may be nested.
const MAX_DEPTH: usize = 5;

/// The article in a message.
///
/// # Errors
/// Fails if the message has no header, or no text.
pub(super) fn draft(bytes: &[u8]) -> Result<Draft, Reject> {
    let bytes = with_text_header(bytes);
    let message = MessageParser::default()
        .parse(bytes.as_ref())
        .ok_or_else(|| Reject::new(ErrorCode::Malformed, "not an e-mail: no header found"))?;
    let id = message.message_id().map_or(Key::Content, |id| Key::Own(id.to_owned()));
    let draft = article(&message, 0)?.ok_or_else(|| Reject::new(ErrorCode::Empty, "the e-mail has no text"))?;
    Ok(Draft { key: id, ..draft })
}

/// The message with its header in UTF-8. Old programs write accented letters into it directly,
/// without declaring an encoding.
fn with_text_header(bytes: &[u8]) -> Cow<'_, [u8]> {
    let ends = [&b"\n\n"[..], b"\r\n\r\n"].map(|end| memchr::memmem::find(bytes, end));
    let (header, body) = bytes.split_at(ends.into_iter().flatten().min().unwrap_or(bytes.len()));
    match std::str::from_utf8(header).map_or_else(|_| decode(header).ok(), |_| None) {
        Some(header) => Cow::Owned([header.text.as_bytes(), body].concat()),
        None => Cow::Borrowed(bytes),
    }
}

/// The article of a message, or of the message that it forwards.
fn article(message: &Message, depth: usize) -> Result<Option<Draft>, Reject> {
    let text = text(message)?;
    if text.as_deref().is_none_or(|text| count_words(text) <= LONGEST_NOTE) && depth < MAX_DEPTH {
        let attached = message.attachments().find_map(|part| match &part.body {
            PartType::Message(inner) => Some(inner),
            _ => None,
        });
        if let Some(draft) = attached.map(|inner| article(inner, depth + 1)).transpose()?.flatten() {
            return Ok(Some(draft));
        }
    }
    let Some(text) = text else { return Ok(None) };
    let inner = forward::forwarded(&text).unwrap_or_default();
    let text = if inner.text.is_empty() { text } else { inner.text };
    let sender = message.from().and_then(Address::first).and_then(|from| from.name.as_deref().or(from.address.as_deref()));
    Ok(Some(Draft {
        title: inner.subject.as_deref().or(message.subject()).map(|subject| forward::bare_subject(subject).to_owned()),
        body: frame::removed(&text),
        published: inner.date.or_else(|| message.date().map(mail_parser::DateTime::to_rfc3339)),
        author: inner.from.or_else(|| sender.map(str::to_owned)),
        language: message.content_language().as_text().map(str::to_owned),
        ..Draft::default()
    }))
}

/// The text of a message. Plain text is preferred, unless it is only a note that there is HTML.
fn text(message: &Message) -> Result<Option<String>, Reject> {
    let plain = message.text_bodies().find_map(|part| match &part.body {
        PartType::Text(text) => Some((part, text.as_ref())),
        _ => None,
    });
    let page = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(page) => Some(page.as_ref()),
        _ => None,
    });
    let is_note = |plain: &str, page: &str| plain.len() * 20 < page.len() && plain.split_whitespace().count() < 40;
    match (plain, page) {
        (Some((_, plain)), Some(page)) if is_note(plain, page) => html(page).map(Some),
        (Some((part, plain)), _) => Ok(Some(lines(part, plain))),
        (None, Some(page)) => html(page).map(Some),
        (None, None) => Ok(None),
    }
}

fn html(page: &str) -> Result<String, Reject> {
    let text = fragment::text(&clean(page))?;
    Ok(text.lines().map(str::trim).collect::<Vec<_>>().join("\n"))
}

/// The lines of plain text, joined where the sender broke them.
fn lines(part: &MessagePart, plain: &str) -> String {
    let says = |name: &str, value: &str| {
        part.content_type().and_then(|kind| kind.attribute(name)).is_some_and(|known| known.eq_ignore_ascii_case(value))
    };
    let text = clean(plain);
    if says("format", "flowed") { flowed::joined(&text, says("delsp", "yes")) } else { unwrapped(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "From: Luc Modèle <l@a.invalid>\r\nDate: Fri, 13 Nov 2026 08:00:00 +0100\r\nSubject: Tr: Le budget\r\nMIME-Version: 1.0\r\n";

    fn read(rest: &str) -> Draft {
        draft(format!("{HEAD}{rest}").as_bytes()).unwrap()
    }

    #[test]
    fn flowed_text_is_joined_as_its_header_says() {
        let body = "Le conseil municipal a ado=20\r\npt=C3=A9 le budget.\r\n";
        let message = |kind: &str| {
            format!("Content-Type: text/plain; charset=utf-8; {kind}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{body}")
        };
        assert_eq!(read(&message("format=flowed; delsp=yes")).body, "Le conseil municipal a adopté le budget.");
        assert_eq!(read(&message("Format=Flowed; DelSp=no")).body, "Le conseil municipal a ado pté le budget.");
    }

    #[test]
    fn a_forwarded_or_attached_message_is_the_article() {
        let inner = "De : Jeanne Exemple\nDate : 3 mars 2026\nObjet : Le budget adopté\n\nLe conseil a voté.";
        let forwarded =
            read(&format!("Content-Type: text/plain; charset=utf-8\r\n\r\nPour info.\n\n----- Message transféré -----\n{inner}"));
        let attached = read(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nPour info.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: Jeanne Exemple <j@a.invalid>\r\nDate: Tue, 3 Mar 2026 08:00:00 +0100\r\nSubject: Le budget =?utf-8?q?adopt=C3=A9?=\r\n\r\nLe conseil a voté.\r\n--b--\r\n",
        );
        for draft in [forwarded, attached] {
            assert_eq!((draft.title.as_deref(), draft.author.as_deref()), (Some("Le budget adopté"), Some("Jeanne Exemple")));
            assert_eq!(draft.body, "Le conseil a voté.");
        }
        assert_eq!(read("Content-Type: text/plain; charset=utf-8\r\n\r\nLe conseil a voté.").title.as_deref(), Some("Le budget"));
    }

    #[test]
    fn letters_in_a_header_without_an_encoding_are_read() {
        let bytes = b"From: H\xe9l\xe8ne <h@a.invalid>\nSubject: L\x92\xe9t\xe9 d\xe9j\xe0\nContent-Type: text/plain; charset=iso-8859-1\n\nC\x92est l\xe0.";
        let draft = draft(bytes).unwrap();
        assert_eq!(
            (draft.title.as_deref(), draft.author.as_deref(), draft.body.as_str()),
            (Some("L’été déjà"), Some("Hélène"), "C’est là.")
        );
    }

    #[test]
    fn the_frame_of_an_html_newsletter_is_removed() {
        let page = "<html><body><div style='display:none'>Aperçu</div><a href='#'>Voir en ligne</a><h1>Le budget</h1><p>Le conseil a voté.</p><p>Vous recevez ce message. <a href='#'>Se désinscrire</a></p></body></html>";
        assert_eq!(read(&format!("Content-Type: text/html; charset=utf-8\r\n\r\n{page}")).body, "Le budget\nLe conseil a voté.");
    }
}
