//! The mail after a run: what is in it, when it is sent, and what a server can do to it.

use mail_parser::{MessageParser, MimeHeaders};

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::process::{Ended, Running};
use crate::support::repository;
use crate::support::smtp::{Manner, SmtpServer};
use crate::support::test_dir::TestDir;

/// `\0me\0sesame-4711`, as `AUTH PLAIN` encodes it.
const LOGIN: &str = "AG1lAHNlc2FtZS00NzEx";

fn config(mock: &Mock, url: &str, lines: &str) -> String {
    let mail = format!("[mail]\nsmtp = \"{url}\"\nfrom = \"depeche <depeche@example.org>\"\nto = \"desk@example.org\"\n{lines}\n");
    openai(mock) + "\n" + &mail
}

/// A folder with two articles, whose mails go to this server.
fn dir(mock: &Mock, server: &SmtpServer, lines: &str) -> TestDir {
    TestDir::with(&config(mock, &format!("smtp://{}", server.address), lines), 2)
}

/// Runs the program where only the tests' own certificate authority is trusted.
fn run(dir: &TestDir, arguments: &[&str]) -> Ended {
    let mut command = dir.command(arguments);
    Running::start(command.env("SSL_CERT_FILE", repository("tests/data/tls/ca.pem")).env("MAIL_KEY", "sesame-4711")).wait()
}

#[test]
fn a_run_sends_one_mail_with_its_figures_rows_and_files_and_none_without_news() {
    let (mock, server) = (Mock::good(), SmtpServer::new(Manner::default()));
    let dir = dir(&mock, &server, "");
    dir.write("input/hostile.txt", "<b>Titre</b> \u{202e}\nBcc: x@example.org\n\n".to_owned() + &crate::support::articles::french(9));
    assert!(run(&dir, &["run", "--quiet"]).exits(0).stderr.is_empty());
    let mails = server.mails();
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "desk@example.org"));
    let mail = MessageParser::default().parse(mails[0].text.as_bytes()).unwrap();
    let subject = mail.subject().unwrap();
    assert!(subject.starts_with("Dépêches du ") && subject.contains("3 nouveaux"), "{subject}");
    assert_eq!(mail.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
    assert!(mail.bcc().is_none() && mail.message_id().unwrap().ends_with("@example.org"));
    let (plain, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
    assert!(plain.contains("3 nouveaux · ") && plain.contains("Les plus récents"), "{plain}");
    assert!(!html.contains("<b>"), "{html}");
    let files: Vec<_> = mail.attachments().map(|part| (part.attachment_name().unwrap().to_owned(), part.contents().to_vec())).collect();
    assert_eq!(files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["summaries.xlsx", "digest.html"]);
    for (name, content) in files {
        assert!(std::fs::read(dir.path("output").join(&name)).unwrap() == content, "{name}");
    }
    run(&dir, &["run"]).exits(0);
    assert_eq!(server.mails().len(), 1, "nothing new, no mail");
    dir.write("config.toml", config(&mock, &format!("smtp://{}", server.address), "always = true\nattach_megabytes = 0"));
    run(&dir, &["run"]).exits(0);
    assert_eq!(server.mails().len(), 2, "unless it is asked for");
    assert!(!server.mails()[1].text.contains("summaries.xlsx"));
    let said = run(&dir, &["mail"]).exits(0).stdout;
    assert!(said.contains("sent to desk@example.org") && said.contains("queued as 7731"), "{said}");
    assert_eq!(server.mails().len(), 3);
}

#[test]
fn a_failed_article_is_in_the_mail_and_a_page_that_is_too_large_is_named() {
    let (mock, server) = (Mock::good(), SmtpServer::new(Manner::default()));
    let dir = dir(&mock, &server, "attach_megabytes = 1");
    dir.write("config.toml", config(&mock, &format!("smtp://{}", server.address), "attach_megabytes = 1") + "[page]\nlanguage = \"en\"\n");
    dir.write("input/broken.json", "{");
    // The outputs are written again unless they are as they were.
    run(&dir, &["run"]).exits(3);
    let mails = server.mails();
    let mail = MessageParser::default().parse(mails[0].text.as_bytes()).unwrap();
    let subject = mail.subject().unwrap();
    assert!(subject.starts_with("Dispatches of ") && subject.ends_with("2 new, 1 to review, 1 failed"), "{subject}");
    let plain = mail.body_text(0).unwrap();
    assert!(plain.contains("To review first") && plain.contains("input/broken.json") && plain.contains("exit code 3"), "{plain}");
    std::fs::write(dir.path("output/digest.html"), vec![b'x'; 2 << 20]).unwrap();
    run(&dir, &["mail"]).exits(0);
    let mails = server.mails();
    let mail = MessageParser::default().parse(mails[1].text.as_bytes()).unwrap();
    assert_eq!(mail.attachments().count(), 1);
    assert!(mail.body_text(0).unwrap().contains("Too large for this mail:"));
}

#[test]
fn login_and_encryption_work_from_the_first_byte_and_by_starttls() {
    let mock = Mock::good();
    for (starttls, scheme, tls) in [(false, "smtps", ""), (true, "smtp", "tls = \"starttls\"\n")] {
        let server = SmtpServer::new(Manner { certificate: Some("good"), starttls, login: Some(LOGIN), ..Manner::default() });
        let lines = format!("{tls}user = \"me\"\nkey = {{ env = \"MAIL_KEY\" }}");
        let dir = TestDir::with(&config(&mock, &format!("{scheme}://{}", server.address), &lines), 1);
        let ended = run(&dir, &["mail", "--test"]).exits(0);
        assert!(server.mails()[0].text.contains("depeche"), "{scheme}");
        run(&dir, &["run"]).exits(0);
        assert_eq!(server.mails().len(), 2);
        assert_eq!(dir.leaks("sesame-4711", &ended), Vec::<String>::new());
    }
}

#[test]
fn a_bad_certificate_a_wrong_password_and_a_missing_starttls_send_nothing() {
    let mock = Mock::good();
    let key = "user = \"me\"\nkey = { env = \"MAIL_KEY\" }";
    let bad = Manner { certificate: Some("self"), ..Manner::default() };
    let wrong = Manner { login: Some("AG1lAG90aGVy"), ..Manner::default() };
    for (manner, scheme, lines, said) in [
        (bad, "smtps", "", "certificate"),
        (wrong, "smtp", key, "login as `me`"),
        (Manner::default(), "smtp", "tls = \"starttls\"", "offers no encryption"),
    ] {
        let server = SmtpServer::new(manner);
        let dir = TestDir::with(&config(&mock, &format!("{scheme}://{}", server.address), lines), 1);
        let ended = run(&dir, &["mail", "--test"]).exits(4);
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
        let ended = run(&dir, &["run"]).exits(0);
        assert!(ended.stderr.contains("depeche: warning: the mail was not sent: desk@example.org: "), "{}", ended.stderr);
        assert_eq!(server.mails().len(), 0, "{said}");
        assert_eq!(dir.leaks("sesame-4711", &ended), Vec::<String>::new());
        // Each of the two mails is tried once.
        assert_eq!(server.connections(), 2, "{said}: {}", ended.stderr);
    }
}

#[test]
fn a_refused_recipient_is_a_warning_and_the_others_get_the_mail() {
    let (mock, server) = (Mock::good(), SmtpServer::new(Manner { unknown: Some("gone"), ..Manner::default() }));
    let dir = dir(&mock, &server, "");
    let written = config(&mock, &format!("smtp://{}", server.address), "");
    dir.write("config.toml", written.replace("\"desk@example.org\"", "[\"gone@example.org\", \"desk@example.org\"]"));
    let ended = run(&dir, &["run"]).exits(0);
    assert!(
        ended.stderr.contains("warning: the mail was not sent: gone@example.org: ") && ended.stderr.contains("no such mailbox"),
        "{}",
        ended.stderr
    );
    assert_eq!(server.mails().iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["desk@example.org"]);
}

#[test]
fn a_greylisted_mail_is_sent_again_until_it_is_accepted_or_time_is_up() {
    let mock = Mock::good();
    let server = SmtpServer::new(Manner { greylisted: 2, ..Manner::default() });
    let dir = dir(&mock, &server, "");
    let ended = run(&dir, &["run"]).exits(0);
    assert!(ended.stderr.contains("the mail waits for 127.0.0.1 (up to 10") && ended.stderr.contains("greylisted"), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("the mail waits").count(), 1, "it says so once, however often it tries: {}", ended.stderr);
    assert_eq!((server.mails().len(), server.connections()), (1, 3));
    let both = SmtpServer::new(Manner { greylisted: 2, ..Manner::default() });
    let two = "[\"desk@example.org\", \"night@example.org\"]";
    dir.write("config.toml", config(&mock, &format!("smtp://{}", both.address), "").replace("\"desk@example.org\"", two));
    run(&dir, &["mail"]).exits(0);
    let night = both.asked().iter().position(|to| to.starts_with("night"));
    assert_eq!((both.mails().len(), night), (2, Some(1)), "the pause of the second does not begin after that of the first");
    let never = SmtpServer::new(Manner { greylisted: usize::MAX, ..Manner::default() });
    dir.write("config.toml", config(&mock, &format!("smtp://{}", never.address), "wait_for = \"100ms\""));
    let ended = run(&dir, &["mail"]).exits(5);
    assert!(ended.stderr.contains("the mail was not sent: desk@example.org: ") && ended.stderr.contains("greylisted"), "{}", ended.stderr);
}

#[test]
fn a_server_that_hangs_or_is_not_there_only_delays_the_end() {
    let (mock, server) = (Mock::good(), SmtpServer::new(Manner { silent: true, ..Manner::default() }));
    let dir = dir(&mock, &server, "");
    let written = config(&mock, &format!("smtp://{}", server.address), "timeout = \"300ms\"\nwait_for = \"100ms\"");
    dir.write("config.toml", written.replace("\"desk@example.org\"", "[\"desk@example.org\", \"night@example.org\"]"));
    let ended = run(&dir, &["run"]).exits(0);
    for to in ["desk", "night"] {
        assert!(ended.stderr.contains(&format!("{to}@example.org: no connection within 0.3 s")), "{}", ended.stderr);
    }
    assert_eq!(server.connections(), 1, "what keeps one mail from the server keeps the others");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    dir.write("config.toml", config(&mock, &format!("smtp://{free}"), "wait_for = \"100ms\""));
    assert!(run(&dir, &["mail", "--test"]).exits(5).stderr.contains("refused"));
}

#[test]
fn a_mail_that_may_have_arrived_is_not_sent_again() {
    let (mock, server) = (Mock::good(), SmtpServer::new(Manner { loses_answers: true, ..Manner::default() }));
    let ended = run(&dir(&mock, &server, ""), &["run"]).exits(0);
    assert!(ended.stderr.contains("it may have arrived, so it is not sent again"), "{}", ended.stderr);
    assert_eq!((server.mails().len(), server.connections()), (1, 1));
}

#[test]
fn without_a_section_there_is_nothing_to_send() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    let ended = dir.run(&["mail"]).exits(2);
    assert!(ended.stderr.contains("no [mail] section"), "{}", ended.stderr);
}
