//! Bad certificates and ports that speak another protocol: exit code 4 at the first call, with a message that says what to do.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::configs::openai;
use crate::support::http::Request;
use crate::support::mock::{Action, Mock};
use crate::support::process::{Ended, Running};
use crate::support::test_dir::TestDir;
use crate::support::{repository, wire};

/// A service behind TLS with a certificate from `tests/data/tls`, and its count of requests.
fn server(certificate: &str) -> (SocketAddr, Arc<AtomicUsize>) {
    let path = repository(&format!("tests/data/tls/{certificate}.pem"));
    let chain: Vec<_> = CertificateDer::pem_file_iter(&path).unwrap().map(Result::unwrap).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(chain, PrivateKeyDer::from_pem_file(&path).unwrap()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, requests) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (config, counted) = (Arc::clone(&config), Arc::clone(&counted));
            std::thread::spawn(move || serve(stream, config, &counted));
        }
    });
    (address, requests)
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, counted: &AtomicUsize) {
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config).unwrap(), stream));
    while let Some(request) = Request::read(&mut stream) {
        counted.fetch_add(1, Ordering::SeqCst);
        let stream = stream.get_mut();
        if wire::answer(&request).write(stream, usize::MAX).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// A folder whose endpoint is at `url`, with enough articles for several calls at once.
fn dir(url: &str) -> TestDir {
    let mock = Mock::good();
    TestDir::with(&openai(&mock).replace(&mock.url(), url), 8)
}

/// Runs the program in an environment that trusts only the tests' own certificate authority.
fn run(dir: &TestDir, arguments: &[&str]) -> Ended {
    Running::start(dir.command(arguments).env("SSL_CERT_FILE", repository("tests/data/tls/ca.pem"))).wait()
}

#[test]
fn a_valid_certificate_is_trusted() {
    let (address, requests) = server("good");
    run(&dir(&format!("https://{address}")), &["run"]).exits(0);
    assert_eq!(requests.load(Ordering::SeqCst), 16);
}

#[test]
fn each_bad_certificate_ends_the_run_with_an_explanation() {
    for (certificate, said) in [
        ("self", "its certificate is self-signed"),
        ("expired", "its certificate has expired"),
        ("other", "its certificate is for a different host name than the url"),
    ] {
        let (address, requests) = server(certificate);
        let dir = dir(&format!("https://{address}"));
        let ended = run(&dir, &["run"]).exits(4);
        let error = dir.row("input/008.txt")["error"].clone();
        assert!(error.starts_with(&format!("tls: endpoint `llm`: {said}")), "{certificate}: {error}");
        assert!(ended.stdout.lines().any(|line| line.starts_with("calls") && !line.contains("retried")), "{}", ended.stdout);
        assert_eq!(requests.load(Ordering::SeqCst), 0, "{certificate}: nothing is sent");
        let doctor = run(&dir, &["doctor"]).exits(4);
        assert!(doctor.stdout.contains(said), "{}", doctor.stdout);
    }
}

#[test]
fn a_wrong_scheme_for_a_port_is_explained() {
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let secure = dir(&format!("https://{}", plain.local_addr().unwrap()));
    // A web server's answer to the start of a TLS handshake.
    let bad_request = |mut stream: TcpStream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    std::thread::spawn(move || plain.incoming().map_while(Result::ok).try_for_each(bad_request));
    run(&secure, &["run"]).exits(4);
    let error = secure.row("input/001.txt")["error"].clone();
    assert!(error.starts_with("tls: ") && error.contains("does this port need http:// in the url?"), "{error}");

    let (address, requests) = server("good");
    let bare = dir(&format!("http://{address}"));
    run(&bare, &["run"]).exits(4);
    let error = bare.row("input/001.txt")["error"].clone();
    assert!(error.starts_with("tls: ") && error.contains("does this port need https:// in the url?"), "{error}");
    assert_eq!(requests.load(Ordering::SeqCst), 0);

    let nginx = Mock::scripted(|_, _| Action::status(400, "<html><title>400 The plain HTTP request was sent to HTTPS port</title>"));
    run(&dir(&nginx.url()), &["run"]).exits(4);
    assert!(nginx.count() <= 4);
}
