//! What an answer with a bad status means. Tables, looked through from the top: the service's own first, then what all share. They
//! are shown in docs/services.md, and a test holds the two together.

use serde_json::Value;

use super::{Response, excerpt};
use crate::model::{CallError, ErrorCode, Verdict};

/// A kind of refusal: what it looks like, and what it means. An empty field fits everything.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The status; 0: any.
    pub status: u16,
    /// The service's code for it; `*` at its beginning stands for anything.
    pub code: &'static str,
    /// Words in the service's message, in small letters; only where a service has no code for it.
    pub says: &'static str,
    /// What may be done next.
    pub verdict: Verdict,
    /// Our own word for it, as it stands in the row.
    pub word: ErrorCode,
}

/// A refusal that its status alone tells.
pub(super) const fn status(status: u16, verdict: Verdict, word: ErrorCode) -> Rule {
    Rule { status, code: "", says: "", verdict, word }
}

/// A refusal that the service's code tells, whatever the status.
pub(super) const fn code(code: &'static str, verdict: Verdict, word: ErrorCode) -> Rule {
    Rule { status: 0, code, says: "", verdict, word }
}

/// A refusal that only the service's message tells apart from others of its status.
pub(super) const fn says(status: u16, says: &'static str, verdict: Verdict, word: ErrorCode) -> Rule {
    Rule { status, code: "", says, verdict, word }
}

/// What all services share. A status that stands nowhere condemns this request alone.
pub const COMMON: &[Rule] = &[
    // What nginx, Go and Apache say of plain http on their TLS port.
    says(400, "https port", Verdict::Stop, ErrorCode::Tls),
    says(400, "https server", Verdict::Stop, ErrorCode::Tls),
    says(400, "ssl-enabled server port", Verdict::Stop, ErrorCode::Tls),
    status(401, Verdict::Stop, ErrorCode::KeyRefused),
    status(402, Verdict::Stop, ErrorCode::Quota),
    status(403, Verdict::Stop, ErrorCode::KeyRefused),
    status(404, Verdict::Stop, ErrorCode::NotFound),
    status(405, Verdict::Stop, ErrorCode::NotFound),
    status(408, Verdict::BackOff, ErrorCode::Unavailable),
    status(413, Verdict::Never, ErrorCode::TooLarge),
    status(414, Verdict::Never, ErrorCode::TooLarge),
    status(429, Verdict::BackOff, ErrorCode::Busy),
    status(500, Verdict::BackOff, ErrorCode::Unavailable),
    status(502, Verdict::BackOff, ErrorCode::Unavailable),
    status(503, Verdict::BackOff, ErrorCode::Unavailable),
    status(504, Verdict::BackOff, ErrorCode::Unavailable),
    status(529, Verdict::BackOff, ErrorCode::Overloaded),
];

impl Rule {
    fn fits(&self, status: u16, codes: &[String], message: &str) -> bool {
        let same = |code: &String| match self.code.strip_prefix('*') {
            Some(end) => code.ends_with(end),
            None => code == self.code,
        };
        (self.status == 0 || self.status == status)
            && (self.code.is_empty() || codes.iter().any(same))
            && (self.says.is_empty() || message.contains(self.says))
    }
}

/// What a refusal means by the service's own `rules`, else by those that all share.
pub(super) fn judge(response: &Response, rules: &[Rule]) -> CallError {
    let status = response.status;
    let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let said = said(&value, &response.body);
    let codes: Vec<String> = ["/error/code", "/code"].iter().filter_map(|at| value.pointer(at)?.as_str().map(str::to_owned)).collect();
    let message = if said.is_empty() { format!("status {status}") } else { format!("status {status}: {said}") };
    if (300..400).contains(&status) {
        return CallError::new(Verdict::Stop, ErrorCode::Redirect, message);
    }
    let lower = said.to_lowercase();
    let rule = rules.iter().chain(COMMON).find(|rule| rule.fits(status, &codes, &lower));
    let (verdict, word) = rule.map_or((Verdict::Never, ErrorCode::RefusedRequest), |rule| (rule.verdict, rule.word));
    let verdict = match (verdict, response.retry_after) {
        (Verdict::BackOff, Some(pause)) => Verdict::Wait(pause),
        (verdict, _) => verdict,
    };
    CallError::new(verdict, word, message)
}

/// What the service said of its refusal: the message of its error object, else the beginning of its body; made harmless.
fn said(value: &Value, body: &[u8]) -> String {
    let error = value.get("error").unwrap_or(value);
    // Apertium's message only repeats the status; its explanation explains. Some services answer with a list of errors.
    let first = value.get(0).and_then(|first| first.pointer("/error/message").or_else(|| first.get("message")));
    let texts = [value.get("explanation"), error.get("message"), value.get("message"), value.get("detail"), first, Some(error)];
    match texts.into_iter().flatten().find_map(Value::as_str) {
        Some(message) => excerpt(message.as_bytes()),
        None if body.trim_ascii_start().starts_with(b"<") => excerpt(without_tags(body).as_bytes()),
        None => excerpt(body),
    }
}

/// What a page says: a proxy's or a web server's own words for the status.
fn without_tags(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    let (mut text, mut within) = (String::new(), false);
    for c in page.chars() {
        match c {
            '<' => within = true,
            '>' if within => {
                within = false;
                text.push(' ');
            }
            c if !within => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> CallError {
        judge(&Response::new(status, body), &[])
    }

    #[test]
    fn a_refusal_is_judged_by_its_status_and_says_what_the_service_said() {
        assert_eq!(refused(401, "").verdict, Verdict::Stop);
        assert_eq!(refused(400, "").verdict, Verdict::Never);
        assert_eq!(refused(503, "").verdict, Verdict::BackOff);
        assert_eq!(refused(307, "").code, ErrorCode::Redirect);
        assert_eq!(refused(400, r#"{"error":{"message":"bad model"}}"#).message, "status 400: bad model");
        assert_eq!(refused(400, r#"{"error":"Invalid request"}"#).message, "status 400: Invalid request");
        assert_eq!(refused(502, "<html>\n<b>\u{1b}[31mBad").message, "status 502: [31mBad");
        let apache = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>400 Bad Request</title>\n</head><body>\n<h1>Bad Request</h1>\n\
            <p>Your browser sent a request that this server could not understand.<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.";
        assert_eq!((refused(400, apache).verdict, refused(400, apache).code), (Verdict::Stop, ErrorCode::Tls));
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept() {
        let pause = std::time::Duration::from_secs(7);
        let told = |status| judge(&Response { retry_after: Some(pause), ..Response::new(status, "") }, &[]).verdict;
        assert_eq!(told(429), Verdict::Wait(pause));
        assert_eq!(told(503), Verdict::Wait(pause));
        assert_eq!(told(401), Verdict::Stop, "a bad key is as bad in an hour");
    }
}
