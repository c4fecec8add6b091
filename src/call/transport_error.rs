//! Classifies requests that got no answer, or only a part of one.

use rustls::CertificateError;

use crate::model::{CallError, ErrorCode, Verdict};

/// Classifies an error of the HTTP client. Only a request that certainly never arrived is retried
/// freely. reqwest's class *request* does not prove that: it includes time-outs while the body is
/// written.
pub(super) fn transport_error(error: &reqwest::Error) -> CallError {
    let cause = causes(error);
    if let Some(tls) = find::<rustls::Error>(error) {
        return CallError::new(Verdict::Stop, ErrorCode::Tls, format!("{} ({tls})", tls_message(tls)));
    }
    if error.is_connect() && cause.contains("proxy auth") {
        return CallError::new(Verdict::Stop, ErrorCode::KeyRefused, format!("the proxy requires a user name and password: {cause}"));
    }
    if error.is_connect() {
        let what = if cause.contains("dns error") || cause.contains("lookup") { "cannot resolve the host name" } else { "no connection" };
        return CallError::new(Verdict::BackOff, ErrorCode::Away, format!("{what}: {cause}"));
    }
    if error.is_timeout() {
        return CallError::new(
            Verdict::MaybeBilled,
            ErrorCode::Timeout,
            "no complete answer within the endpoint's timeout; the call may have been billed",
        );
    }
    // A TLS server answers plain HTTP with an alert, which is not valid HTTP.
    if cause.contains("invalid HTTP version parsed") {
        return CallError::new(Verdict::Stop, ErrorCode::Tls, "the server does not speak HTTP; does this port need https:// in the url?");
    }
    CallError::new(
        Verdict::MaybeBilled,
        ErrorCode::Broken,
        format!("the connection broke before the answer was complete ({cause}); the call may have been billed"),
    )
}

/// Says what to fix. No error makes the program accept a certificate.
fn tls_message(error: &rustls::Error) -> &'static str {
    use rustls::Error;
    match error {
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet; is the clock of this machine right?"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for a different host name than the url"
            }
            CertificateError::UnknownIssuer => "its certificate is self-signed, or this machine does not trust the issuer",
            // webpki's error for the usual self-signed certificate, which is marked as a CA.
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => "its certificate is self-signed",
            CertificateError::Revoked => "its certificate was revoked",
            _ => "its certificate is not valid",
        },
        Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS; does this port need http:// in the url?"
        }
        _ => "the TLS handshake failed",
    }
}

/// Finds a cause of type `E`. Looks into I/O errors too, whose `source` skips the error inside.
fn find<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let inside = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        if let Some(found) = cause.downcast_ref::<E>().or_else(|| inside.and_then(|inside| inside.downcast_ref::<E>())) {
            return Some(found);
        }
        source = inside.map_or_else(|| cause.source(), |inside| Some(inside as &(dyn std::error::Error + 'static)));
    }
    None
}

/// Joins the chain of causes, without reqwest's own message, which repeats the address.
fn causes(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        parts.push(cause.to_string());
        source = cause.source();
    }
    // Some wrappers repeat the message that they wrap.
    parts.dedup();
    if parts.is_empty() { "unknown cause".into() } else { parts.join(": ") }
}
