//! Addresses that may not be called are not connected to, whatever leads there.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nuncio_client::wire::Resolver;
use nuncio_relay::Fault;
use nuncio_relay::deliver::Targets;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Receiver, answer, attempt, endpoint, event, fault, http, reason, settings};

/// A listener that nobody may reach, and its port.
async fn forbidden() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn secure(host: &str, port: u16) -> Value {
    json!({ "http": { "url": format!("https://{host}:{port}/hook") } })
}

/// Whether nobody has knocked.
async fn is_untouched(listener: &TcpListener) -> bool {
    tokio::select! {
        biased;
        _ = listener.accept() => false,
        () = tokio::task::yield_now() => true,
    }
}

#[tokio::test]
async fn this_machine_and_its_network_are_not_called_however_they_are_written() {
    let (listener, port) = forbidden().await;
    let targets = Targets::new(settings());
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "localhost",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
    ] {
        let outcome = attempt(&targets, &endpoint(secure(host, port)), &event("{}"), 1).await;
        assert_eq!(fault(&outcome), Some(Fault::Misconfigured), "{host}: {}", reason(&outcome));
    }
    assert!(is_untouched(&listener).await);
}

#[tokio::test]
async fn a_name_is_vetted_each_time_it_is_looked_up_and_never_looked_up_again() {
    let (listener, port) = forbidden().await;
    // A public address that nobody listens at would take its time: the first answer is already private, or half so.
    for answers in [vec!["127.0.0.1"], vec!["203.0.114.1", "127.0.0.1"]] {
        let asked = Arc::new(AtomicU32::new(0));
        let (count, answers) = (Arc::clone(&asked), answers);
        let mut settings = settings();
        settings.wire.resolver = Some(Resolver::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            let addresses: Vec<IpAddr> = answers.iter().map(|address| address.parse().unwrap()).collect();
            async { Ok(addresses) }
        }));
        let to = endpoint(secure("hooks.example.com", port));
        let outcome = attempt(&Targets::new(settings), &to, &event("{}"), 1).await;
        assert_eq!(fault(&outcome), Some(Fault::Misconfigured), "{}", reason(&outcome));
        assert!(reason(&outcome).contains("hooks.example.com is at 127.0.0.1"), "{}", reason(&outcome));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
    assert!(is_untouched(&listener).await);
}

#[tokio::test]
async fn the_token_endpoint_is_vetted_like_the_endpoint() {
    let receiver = Receiver::start(|_| answer(200, &[], "")).await;
    let auth = json!({ "oauth2": {
        "grant": "client_credentials", "token_url": "https://169.254.169.254/token", "client_id": "a", "client_secret": "made-up-client-secret",
    } });
    let outcome = attempt(
        &Targets::new(settings()),
        &endpoint(http(&receiver.url, json!({ "auth": auth }))),
        &event("{}"),
        1,
    )
    .await;
    assert_eq!(fault(&outcome), Some(Fault::Misconfigured), "{}", reason(&outcome));
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn only_what_is_allowed_is_called_beside_public_addresses() {
    let receiver = Receiver::answering(200).await;
    let mut to = http(&receiver.url, json!({}));
    assert_eq!(
        fault(&attempt(&Targets::new(settings()), &endpoint(to.clone()), &event("{}"), 1).await),
        None
    );
    to["http"]["allow_addresses"] = json!(["10.0.0.0/8"]);
    let outcome = attempt(&Targets::new(settings()), &endpoint(to), &event("{}"), 1).await;
    assert_eq!((fault(&outcome), receiver.seen().len()), (Some(Fault::Misconfigured), 1));
}
