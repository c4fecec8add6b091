//! A mail server on loopback that fails on demand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::repository;

/// What the server does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// A certificate from `tests/data/tls`: the connection is encrypted from its first byte, or with
    /// `starttls` after that command.
    pub(crate) certificate: Option<&'static str>,
    pub(crate) starttls: bool,
    /// The login that it demands, as `AUTH PLAIN` encodes it.
    pub(crate) login: Option<&'static str>,
    /// It refuses this many recipients for now, before it accepts one.
    pub(crate) greylisted: usize,
    /// It refuses recipients that contain this.
    pub(crate) unknown: Option<&'static str>,
    /// It accepts connections and says nothing.
    pub(crate) silent: bool,
    /// It closes the connection when the mail is there, without an answer.
    pub(crate) loses_answers: bool,
}

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) to: String,
    pub(crate) text: String,
}

/// The server. Its thread ends with the test.
pub(crate) struct SmtpServer {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    manner: Manner,
    tls: Option<Arc<ServerConfig>>,
    mails: Mutex<Vec<Arrived>>,
    /// The recipients that clients asked for, in order.
    asked: Mutex<Vec<String>>,
    connections: AtomicUsize,
    refused: AtomicUsize,
}

impl SmtpServer {
    pub(crate) fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (mails, asked) = (Mutex::default(), Mutex::default());
        let state = Arc::new(State { manner, tls: manner.certificate.map(config), mails, asked, connections, refused });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                state.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || state.serve(stream));
            }
        });
        Self { address, state }
    }

    pub(crate) fn mails(&self) -> Vec<Arrived> {
        self.state.mails.lock().unwrap().clone()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

fn config(certificate: &str) -> Arc<ServerConfig> {
    let path = repository(&format!("tests/data/tls/{certificate}.pem"));
    let chain: Vec<_> = CertificateDer::pem_file_iter(&path).unwrap().map(Result::unwrap).collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(config.with_single_cert(chain, PrivateKeyDer::from_pem_file(&path).unwrap()).unwrap())
}

/// How a conversation went on.
enum Next {
    Encrypt,
    End,
}

impl State {
    /// A client that hangs up ends the conversation.
    fn serve(&self, stream: TcpStream) {
        if self.manner.silent {
            // Until the client hangs up.
            let _ = (&stream).read(&mut [0; 16]);
            return;
        }
        let encrypted = |stream, config: &Arc<ServerConfig>| StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream);
        match &self.tls {
            Some(config) if !self.manner.starttls => drop(self.talk(encrypted(stream, config), true, true)),
            Some(config) => {
                let copy = stream.try_clone().unwrap();
                if let Ok(Next::Encrypt) = self.talk(copy, true, false) {
                    drop(self.talk(encrypted(stream, config), false, true));
                }
            }
            None => drop(self.talk(stream, true, false)),
        }
    }

    fn talk(&self, stream: impl Read + Write, greet: bool, encrypted: bool) -> std::io::Result<Next> {
        let mut stream = BufReader::new(stream);
        if greet {
            say(stream.get_mut(), "220 mail.example ESMTP")?;
        }
        let (mut to, mut logged_in) = (String::new(), self.manner.login.is_none());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(Next::End);
            }
            let line = line.trim_end();
            let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let answer = match word.as_str() {
                "EHLO" => self.features(encrypted),
                "STARTTLS" => {
                    say(stream.get_mut(), "220 go ahead")?;
                    return Ok(Next::Encrypt);
                }
                "AUTH" => {
                    logged_in = line.strip_prefix("AUTH PLAIN ") == self.manner.login;
                    if logged_in { "235 welcome".into() } else { "535 5.7.8 wrong user or password".into() }
                }
                "MAIL" if !logged_in => "530 5.7.0 log in first".into(),
                "RCPT" => {
                    to = line.trim_start_matches("RCPT TO:<").trim_end_matches('>').to_owned();
                    self.asked.lock().unwrap().push(to.clone());
                    self.recipient(&to)
                }
                "DATA" => {
                    say(stream.get_mut(), "354 go on")?;
                    let text = Self::data(&mut stream)?;
                    self.mails.lock().unwrap().push(Arrived { to: to.clone(), text });
                    if self.manner.loses_answers {
                        return Ok(Next::End);
                    }
                    "250 2.0.0 queued as 7731".into()
                }
                "QUIT" => {
                    say(stream.get_mut(), "221 bye")?;
                    return Ok(Next::End);
                }
                _ => "250 ok".into(),
            };
            say(stream.get_mut(), &answer)?;
        }
    }

    fn features(&self, encrypted: bool) -> String {
        let starttls = if self.manner.starttls && !encrypted { "250-STARTTLS\r\n" } else { "" };
        let auth = if self.manner.login.is_some() { "250-AUTH PLAIN\r\n" } else { "" };
        format!("250-mail.example\r\n{starttls}{auth}250 8BITMIME")
    }

    fn recipient(&self, to: &str) -> String {
        if self.manner.unknown.is_some_and(|unknown| to.contains(unknown)) {
            return "550 5.1.1 no such mailbox".into();
        }
        if self.refused.fetch_add(1, Ordering::SeqCst) < self.manner.greylisted {
            return "451 4.7.1 greylisted, try again later".into();
        }
        "250 ok".into()
    }

    fn data(stream: &mut impl BufRead) -> std::io::Result<String> {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 || line == ".\r\n" {
                return Ok(text);
            }
            text.push_str(&line);
        }
    }
}

fn say(stream: &mut impl Write, line: &str) -> std::io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    stream.flush()
}
