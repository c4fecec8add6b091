//! What it means that no answer came, or half of one, in words that say what to mend.

use rustls::CertificateError;

use crate::model::{CallError, ErrorCode, Verdict};

/// What a broken connection means. Only a call that surely never arrived may be repeated: reqwest calls a time-out while the
/// body is written a *request* error, so that class says nothing about what the service has seen.
pub(super) fn broken(error: &reqwest::Error) -> CallError {
    let cause = causes(error);
    if let Some(tls) = find::<rustls::Error>(error) {
        return CallError::new(Verdict::Stop, ErrorCode::Tls, format!("{} ({tls})", in_words(tls)));
    }
    if error.is_connect() {
        let what =
            if cause.contains("dns error") || cause.contains("lookup") { "the host's name does not resolve" } else { "no connection" };
        return CallError::new(Verdict::BackOff, ErrorCode::Away, format!("{what}: {cause}"));
    }
    if error.is_timeout() {
        return CallError::new(
            Verdict::MaybeBilled,
            ErrorCode::Timeout,
            "no whole answer within the endpoint's timeout; the call may have been billed",
        );
    }
    // A TLS server answers plain http with an alert, which is no line of HTTP.
    if cause.contains("invalid HTTP version parsed") {
        return CallError::new(Verdict::Stop, ErrorCode::Tls, "it does not answer in HTTP: does that port want https:// in the url?");
    }
    CallError::new(
        Verdict::MaybeBilled,
        ErrorCode::Broken,
        format!("the connection broke before the answer was whole ({cause}); the call may have been billed"),
    )
}

/// Why TLS did not come about. The certificate is never accepted all the same.
fn in_words(error: &rustls::Error) -> &'static str {
    use rustls::Error;
    match error {
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet; is the clock right here?"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name than the one in the url"
            }
            CertificateError::UnknownIssuer => "its certificate is self-signed, or signed by nobody whom this machine trusts",
            // What webpki says of the usual self-signed one, which is marked as an authority's.
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => "its certificate is self-signed",
            CertificateError::Revoked => "its certificate was revoked",
            _ => "its certificate is not in order",
        },
        Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "it does not speak TLS: does that port want http:// in the url?"
        }
        _ => "no TLS connection comes about",
    }
}

/// The cause of that type in the chain of causes, also within an I/O error, which hides its own.
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

/// The chain of causes below reqwest's own line, which repeats the address.
fn causes(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        parts.push(cause.to_string());
        source = cause.source();
    }
    // Wrappers repeat what they wrap.
    parts.dedup();
    if parts.is_empty() { "unknown cause".into() } else { parts.join(": ") }
}
