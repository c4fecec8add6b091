//! What error responses mean. Rules are tried in order, first the service's own, then the common
//! ones. docs/services.md lists them, and a test keeps it up to date.

use serde_json::Value;

use super::requested_pause::{is_daily_quota, requested_pause};
use super::{Response, excerpt};
use crate::model::{CallError, ErrorCode, Verdict};

/// A kind of error response: what it looks like, and what it means. An empty field matches
/// everything.
#[derive(Clone, Copy, Debug)]
pub struct ErrorRule {
    /// The HTTP status; 0 matches any.
    pub status: u16,
    /// The service's code; a leading `*` matches any prefix.
    pub code: &'static str,
    /// Words in the service's message, in lower case. Used only if the service has no code for this
    /// error.
    pub message: &'static str,
    /// What may follow.
    pub verdict: Verdict,
    /// The error code in the row.
    pub error: ErrorCode,
}

/// An error recognised by its status alone.
pub(super) const fn by_status(status: u16, verdict: Verdict, error: ErrorCode) -> ErrorRule {
    ErrorRule { status, code: "", message: "", verdict, error }
}

/// An error recognised by the service's code, with any status.
pub(super) const fn by_code(code: &'static str, verdict: Verdict, error: ErrorCode) -> ErrorRule {
    ErrorRule { status: 0, code, message: "", verdict, error }
}

/// An error recognised by its status and the service's message.
pub(super) const fn by_message(status: u16, message: &'static str, verdict: Verdict, error: ErrorCode) -> ErrorRule {
    ErrorRule { status, code: "", message, verdict, error }
}

/// The rules for every service. Any other 5xx is a failure of the service, and any other status
/// rejects this article alone.
pub(super) const COMMON: &[ErrorRule] = &[
    // Plain HTTP on a TLS port of nginx, Go and Apache.
    by_message(400, "https port", Verdict::Stop, ErrorCode::Tls),
    by_message(400, "https server", Verdict::Stop, ErrorCode::Tls),
    by_message(400, "ssl-enabled server port", Verdict::Stop, ErrorCode::Tls),
    by_status(401, Verdict::Stop, ErrorCode::KeyRefused),
    by_status(402, Verdict::Stop, ErrorCode::Quota),
    by_status(403, Verdict::Stop, ErrorCode::KeyRefused),
    by_status(404, Verdict::Stop, ErrorCode::NotFound),
    by_status(405, Verdict::Stop, ErrorCode::NotFound),
    by_status(408, Verdict::BackOff, ErrorCode::Unavailable),
    by_status(413, Verdict::Never, ErrorCode::TooLarge),
    by_status(414, Verdict::Never, ErrorCode::TooLarge),
    by_status(429, Verdict::BackOff, ErrorCode::Busy),
    by_status(500, Verdict::BackOff, ErrorCode::Unavailable),
    by_status(502, Verdict::BackOff, ErrorCode::Unavailable),
    by_status(503, Verdict::BackOff, ErrorCode::Unavailable),
    by_status(504, Verdict::BackOff, ErrorCode::Unavailable),
    by_status(529, Verdict::BackOff, ErrorCode::Overloaded),
];

impl ErrorRule {
    fn matches(&self, status: u16, codes: &[String], message: &str) -> bool {
        let same_code = |code: &String| match self.code.strip_prefix('*') {
            Some(end) => code.ends_with(end),
            None => code == self.code,
        };
        (self.status == 0 || self.status == status)
            && (self.code.is_empty() || codes.iter().any(same_code))
            && (self.message.is_empty() || message.contains(self.message))
    }
}

/// Classifies an error response by the service's own `rules`, then by the common ones.
pub(super) fn classify(response: &Response, rules: &[ErrorRule]) -> CallError {
    let status = response.status;
    let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = error_message(&value, &response.body);
    let codes: Vec<String> = ["/error/code", "/code"].iter().filter_map(|at| value.pointer(at)?.as_str().map(str::to_owned)).collect();
    let message = if text.is_empty() { format!("status {status}") } else { format!("status {status}: {text}") };
    if (300..400).contains(&status) {
        return CallError::new(Verdict::Stop, ErrorCode::Redirect, message);
    }
    let lower = text.to_lowercase();
    let rule = rules.iter().chain(COMMON).find(|rule| rule.matches(status, &codes, &lower));
    let (verdict, error) = match rule {
        Some(rule) if rule.error == ErrorCode::Busy && is_daily_quota(&response.body) => (Verdict::Stop, ErrorCode::Quota),
        Some(rule) => (rule.verdict, rule.error),
        // Cloudflare's 520 to 530 and others: the service's fault, and not the article's.
        None if (500..600).contains(&status) => (Verdict::BackOff, ErrorCode::Unavailable),
        None => (Verdict::Never, ErrorCode::RefusedRequest),
    };
    let verdict = match (verdict, response.retry_after.or_else(|| requested_pause(&response.body))) {
        (Verdict::BackOff, Some(pause)) => Verdict::Wait(pause),
        (verdict, _) => verdict,
    };
    CallError::new(verdict, error, message)
}

/// The service's message: that of its error object, or else the beginning of the body. Sanitised.
fn error_message(value: &Value, body: &[u8]) -> String {
    let error = value.get("error").unwrap_or(value);
    // Apertium's message only repeats the status, its explanation is better. Some services return a
    // list of errors.
    let first = value.get(0).and_then(|first| first.pointer("/error/message").or_else(|| first.get("message")));
    let texts = [value.get("explanation"), error.get("message"), value.get("message"), value.get("detail"), first, Some(error)];
    match texts.into_iter().flatten().find_map(Value::as_str) {
        Some(message) => excerpt(message.as_bytes()),
        None if body.trim_ascii_start().starts_with(b"<") => excerpt(without_tags(body).as_bytes()),
        None => excerpt(body),
    }
}

/// The text of an HTML page, such as a proxy's error page.
fn without_tags(page: &[u8]) -> String {
    let page = String::from_utf8_lossy(page);
    let (mut text, mut in_tag) = (String::new(), false);
    for c in page.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> CallError {
        classify(&Response::new(status, body), &[])
    }

    #[test]
    fn an_error_is_classified_by_its_status_and_keeps_the_services_message() {
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
    fn an_unknown_5xx_is_the_services_failure() {
        for status in [501, 505, 507, 508, 520, 522, 530, 599] {
            assert_eq!((refused(status, "").verdict, refused(status, "").code), (Verdict::BackOff, ErrorCode::Unavailable), "{status}");
        }
        assert_eq!(refused(499, "").verdict, Verdict::Never);
    }

    #[test]
    fn a_pause_in_the_body_is_kept_and_a_daily_quota_stops_the_endpoint() {
        let pause = Verdict::Wait(std::time::Duration::from_millis(9_300));
        assert_eq!(refused(429, "Please try again in 9.3s").verdict, pause);
        assert_eq!(refused(503, "Please try again in 9.3s").verdict, pause);
        assert_eq!(refused(400, "Please try again in 9.3s").verdict, Verdict::Never);
        let daily = refused(429, "Limit of requests per day reached. Please try again in 9.3s");
        assert_eq!((daily.verdict, daily.code), (Verdict::Stop, ErrorCode::Quota));
    }

    #[test]
    fn a_requested_pause_is_kept() {
        let pause = std::time::Duration::from_secs(7);
        let verdict = |status| classify(&Response { retry_after: Some(pause), ..Response::new(status, "") }, &[]).verdict;
        assert_eq!(verdict(429), Verdict::Wait(pause));
        assert_eq!(verdict(503), Verdict::Wait(pause));
        assert_eq!(verdict(401), Verdict::Stop, "waiting does not help a refused key");
    }
}
