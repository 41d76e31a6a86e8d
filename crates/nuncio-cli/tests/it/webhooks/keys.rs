//! A key is fetched when that was asked for, and from the provider's hosts alone.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::support::{Home, Ran};

/// A proxy that connects to nowhere, and the hosts that it was asked for.
struct Proxy {
    url: String,
    asked: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                seen.lock().unwrap().push(line.trim_end().to_owned());
                while !matches!(stream.read_line(&mut line), Ok(0..=2) | Err(_)) {}
                let _ = stream.get_mut().write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn verify(proxy: &Proxy, certificate: &str, more: &[&str]) -> Ran {
    let home = Home::new().with_env("HTTPS_PROXY", &proxy.url);
    home.write(
        "headers.txt",
        &format!(
            "PAYPAL-TRANSMISSION-ID: made-up\nPAYPAL-TRANSMISSION-TIME: 2025-10-09T08:53:20Z\nPAYPAL-TRANSMISSION-SIG: AAAA\n\
             PAYPAL-AUTH-ALGO: SHA256withRSA\nPAYPAL-CERT-URL: {certificate}\n"
        ),
    );
    let args = [
        "webhook",
        "verify",
        "paypal",
        "--setting=webhook_id=made-up",
        "-H",
        "@headers.txt",
        "--at=1760000000",
    ];
    home.run_with(&[&args, more].concat(), "")
}

#[test]
fn without_being_asked_to_nothing_is_fetched() {
    let proxy = Proxy::start();
    let ran = verify(&proxy, "https://api.paypal.com/v1/notifications/certs/CERT-1", &[]).ends_with(1);
    assert!(ran.err.contains("--fetch-keys"), "{ran:?}");
    assert!(proxy.asked().is_empty());
}

#[test]
fn a_key_is_fetched_from_the_host_of_the_provider() {
    let proxy = Proxy::start();
    let ran = verify(&proxy, "https://api.paypal.com/v1/notifications/certs/CERT-1", &["--fetch-keys"]);
    assert!(ran.code != 0 && ran.code != 15, "{ran:?}");
    let asked = proxy.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| line == "CONNECT api.paypal.com:443 HTTP/1.1"),
        "{asked:?}"
    );
}

#[test]
fn no_key_is_fetched_from_another_host() {
    let proxy = Proxy::start();
    for url in [
        "https://api.paypal.com.evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.test/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
    ] {
        let ran = verify(&proxy, url, &["--fetch-keys"]).ends_with(15);
        assert!(ran.out.contains("is not where this provider has it"), "{ran:?}");
    }
    assert!(proxy.asked().is_empty());
}
