//! E-mail: a single message (EML) or a mailbox (MBOX).

mod flowed;
mod forward;
mod frame;
mod message;

use super::draft::Draft;
use super::format::{Item, Items, Stream};
use super::key::{Key, content_key};
use super::line_reader::{Line, next_line};
use crate::config::Fields;
use crate::model::{ErrorCode, Reject};
use crate::read::Bytes;

/// A single message.
pub(super) struct Eml;
/// A mailbox. Each message starts with a line `From sender date` after a blank line.
pub(super) struct Mbox;

/// The header fields that a message starts with.
const FIRST_FIELDS: &[&str] =
    &["from:", "date:", "subject:", "received:", "return-path:", "mime-version:", "message-id:", "delivered-to:", "to:"];

impl Stream for Eml {
    fn extensions(&self) -> &'static [&'static str] {
        &["eml"]
    }

    fn looks_like(&self, start: &str) -> bool {
        let head = start.split("\n\n").next().and_then(|head| head.split("\r\n\r\n").next()).unwrap_or(start).to_ascii_lowercase();
        let has = |name: &str| head.lines().any(|line| line.starts_with(name));
        self.fits(start) && has("from:") && (has("mime-version:") || has("message-id:") || has("received:"))
    }

    fn fits(&self, start: &str) -> bool {
        let name = start.split_inclusive(':').next().unwrap_or_default();
        FIRST_FIELDS.contains(&name.to_ascii_lowercase().as_str()) || (name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_graphic()))
    }

    fn items(&self, bytes: Bytes, _: &Fields) -> Result<Items, Reject> {
        let draft = message::draft(&bytes.read_all()?)?;
        Ok(Box::new(std::iter::once(Ok(Draft { key: Key::File, ..draft }))))
    }
}

impl Stream for Mbox {
    fn extensions(&self) -> &'static [&'static str] {
        &["mbox", "mbx"]
    }

    fn looks_like(&self, start: &str) -> bool {
        self.fits(start) && start.split_once('\n').is_some_and(|(_, rest)| Eml.fits(rest))
    }

    fn fits(&self, start: &str) -> bool {
        start.starts_with("From ")
    }

    fn starts_anywhere(&self) -> bool {
        true
    }

    fn items(&self, mut bytes: Bytes, _: &Fields) -> Result<Items, Reject> {
        Ok(Box::new(std::iter::from_fn(move || next(&mut bytes).unwrap_or_else(|reject| Some(Err((Key::File, reject)))))))
    }
}

/// The next message. This also reads the first line of the message after it, which has nothing of
/// use.
fn next(bytes: &mut Bytes) -> Result<Option<Item>, Reject> {
    let max = bytes.max();
    let (mut collected, mut too_long, mut blank) = (Vec::new(), false, true);
    loop {
        match next_line(bytes, max)? {
            Line::Whole(line) if blank && line.starts_with(b"From ") => {
                if too_long || !collected.is_empty() {
                    break;
                }
                blank = false;
            }
            Line::Whole(line) => {
                blank = line.trim_ascii().is_empty();
                too_long |= (collected.len() + line.len()) as u64 > max;
                if !too_long {
                    collected.extend_from_slice(unquoted(&line));
                }
            }
            Line::TooLong => (too_long, blank) = (true, false),
            // Half a message is useless. The next call returns the reason why it ends there.
            Line::Cut(_) => {}
            Line::End if collected.is_empty() && !too_long => return Ok(None),
            Line::End => break,
        }
    }
    let key = || Key::Own(content_key(&collected));
    if too_long {
        let reason = format!("the message is over the limit input.max_megabytes = {}; raise the limit to read it", max >> 20);
        return Ok(Some(Err((key(), Reject::new(ErrorCode::TooLarge, reason)))));
    }
    Ok(Some(message::draft(&collected).map_err(|reject| (key(), reject))))
}

/// A line of a message: a mailbox escapes `From` at the start of a line as `>From`.
fn unquoted(line: &[u8]) -> &[u8] {
    let quoted = line.starts_with(b">") && line.iter().skip_while(|byte| **byte == b'>').take(5).eq(b"From ");
    line.get(usize::from(quoted)..).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::draft::Markup;

    const HEAD: &str =
        "From: =?utf-8?q?H=C3=A9l=C3=A8ne_E=2E?= <h@a.invalid>\r\nDate: Fri, 13 Nov 2026 08:00:00 +0100\r\nMessage-ID: <1@a.invalid>\r\n";

    fn eml(text: &str) -> Draft {
        Eml.items(Bytes::of(text, 10 << 20).unwrap(), &Fields::default()).unwrap().next().unwrap().unwrap()
    }

    #[test]
    fn encoded_words_charsets_and_parts_are_decoded() {
        let draft = eml(&format!(
            "{HEAD}Subject: =?iso-8859-1?q?La_digue_c=E8de?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nL=92=E9t=E9 finit.\r\n\
             --b\r\nContent-Type: text/html\r\n\r\n<p>L'&eacute;t&eacute; finit.</p>\r\n--b--\r\n"
        ));
        assert_eq!((draft.title.as_deref(), draft.body.trim()), (Some("La digue cède"), "L’été finit."));
        assert_eq!((draft.author.as_deref(), draft.published.as_deref()), (Some("Hélène E."), Some("2026-11-13T08:00:00+01:00")));
        assert_eq!((draft.key, draft.markup), (Key::File, Markup::Plain));
    }

    #[test]
    fn an_html_message_is_read_as_text() {
        let draft = eml(&format!("{HEAD}Subject: T\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Le texte.</p>\r\n"));
        assert_eq!((draft.body.as_str(), draft.markup), ("Le texte.", Markup::Plain));
    }

    #[test]
    fn a_mailbox_is_split_into_messages() {
        let one = |subject: &str, text: &str| {
            format!("From a@a.invalid Fri Nov 13 08:00:00 2026\n{}Subject: {subject}\n\n{text}\n\n", HEAD.replace("\r\n", "\n"))
        };
        let text = format!("{}{}", one("Un", "Premier.\n>From là, il part.\nFrom ici aussi."), one("Deux", "Second."));
        let drafts: Vec<Draft> = Mbox.items(Bytes::of(text, 10 << 20).unwrap(), &Fields::default()).unwrap().map(Result::unwrap).collect();
        assert_eq!(drafts.len(), 2);
        assert_eq!((drafts[0].title.as_deref(), drafts[0].key.clone()), (Some("Un"), Key::Own("1@a.invalid".into())));
        assert!(drafts[0].body.contains("\nFrom là") && drafts[0].body.contains("\nFrom ici"), "{}", drafts[0].body);
        assert_eq!(drafts[1].body.trim(), "Second.");
    }

    #[test]
    fn a_message_may_start_anywhere_in_the_read_buffer() {
        for before_end in 0..8 {
            let first = format!("From a\n{HEAD}\r\n");
            let filled = "x".repeat((64 << 10) - before_end - first.len() - 2);
            let text = format!("{first}{filled}\n\nFrom b\n{HEAD}\r\nSecond.\n");
            let drafts: Vec<Item> = Mbox.items(Bytes::of(text, 10 << 20).unwrap(), &Fields::default()).unwrap().collect();
            assert_eq!(drafts.len(), 2, "{before_end}");
        }
    }
}
