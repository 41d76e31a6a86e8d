//! What a receiver answers, and what is made of it.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use nuncio_client::wire::Resolver;
use nuncio_relay::deliver::{EXCERPT_BYTES, MAX_RETRY_AFTER, Targets};
use nuncio_relay::{Fault, Headers};
use nuncio_service::Env;
use serde_json::json;

use super::{Receiver, answer, attempt, endpoint, event, fault, http, once, reason, settings, try_endpoint};

/// A receiver that answers with the status that its path names.
async fn obedient() -> Receiver {
    Receiver::start(|seen| answer(seen.uri.path()[1..].parse().unwrap(), &[], "kept words")).await
}

#[tokio::test]
async fn every_status_says_what_becomes_of_the_delivery() {
    let receiver = obedient().await;
    for (statuses, expected) in [
        (&[200, 201, 202, 204, 299][..], None),
        (&[300, 301, 302, 303, 304, 307, 308], Some(Fault::Refused)),
        (&[400, 401, 403, 404, 405, 408, 409, 413, 415, 418, 422, 425], Some(Fault::Refused)),
        (&[410], Some(Fault::Gone)),
        (&[429, 502, 503, 504], Some(Fault::Throttled)),
        (&[500, 501, 505, 507, 599], Some(Fault::Unavailable)),
    ] {
        for status in statuses {
            let outcome = once(http(&format!("{}/{status}", receiver.url), json!({}))).await;
            assert_eq!((fault(&outcome), outcome.status), (expected, Some(*status)), "{}", reason(&outcome));
            let has_body = ![204, 304].contains(status);
            assert_eq!(outcome.excerpt, if has_body { "kept words" } else { "" }, "{status}");
        }
    }
}

#[tokio::test]
async fn a_failure_is_one_request_whatever_it_is() {
    for status in [307, 401, 429, 500, 503] {
        let receiver = Receiver::answering(status).await;
        once(http(&receiver.url, json!({}))).await;
        assert_eq!(receiver.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = Receiver::start(|_| answer(302, &[("location", "/elsewhere")], "")).await;
    let outcome = once(http(&format!("{}/hook", receiver.url), json!({}))).await;
    assert_eq!(fault(&outcome), Some(Fault::Refused));
    let paths: Vec<_> = receiver.seen().iter().map(|seen| seen.uri.path().to_owned()).collect();
    assert_eq!(paths, ["/hook"]);
}

async fn told(status: u16, headers: &'static [(&'static str, &'static str)]) -> Option<Duration> {
    let receiver = Receiver::start(move |_| answer(status, headers, "")).await;
    once(http(&receiver.url, json!({}))).await.result.unwrap_err().retry_after
}

#[tokio::test]
async fn a_receiver_that_names_a_wait_is_left_alone_so_long() {
    assert_eq!(told(429, &[("retry-after", "7")]).await, Some(Duration::from_secs(7)));
    assert_eq!(told(503, &[("retry-after", "0")]).await, Some(Duration::ZERO));
    let date = [("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("retry-after", "Thu, 01 Jan 1970 00:01:30 GMT")];
    assert_eq!(told(503, Box::leak(Box::new(date))).await, Some(Duration::from_secs(90)));
    assert_eq!(told(429, &[("retry-after", "99999999")]).await, Some(MAX_RETRY_AFTER));
    assert_eq!(told(429, &[("retry-after", "soon")]).await, None);
    assert_eq!(told(400, &[("retry-after", "7")]).await, None);
}

#[tokio::test]
async fn a_receiver_that_hangs_does_not_answer_in_time() {
    let receiver = Receiver::start(|_| answer(200, &[], "")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = json!({ "from": "source/shop", "to": http(&format!("http://{}", listener.local_addr().unwrap()), json!({})) });
    settings["delivery"] = json!({ "timeout": "200ms" });
    let hanging =
        nuncio_relay::Endpoint::new(serde_json::from_value(settings).unwrap(), Env::default()).unwrap();
    let targets = Targets::new(super::settings());
    let outcome = attempt(&targets, &std::sync::Arc::new(hanging), &event("{}"), 1).await;
    assert_eq!((fault(&outcome), outcome.status), (Some(Fault::Unavailable), None));
    assert!(reason(&outcome).contains("no answer"), "{}", reason(&outcome));
    let other = attempt(&targets, &endpoint(http(&receiver.url, json!({}))), &event("{}"), 1).await;
    assert_eq!(fault(&other), None);
}

#[tokio::test]
async fn nobody_there_and_no_such_name_is_tried_again() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = once(http(&format!("http://{free}"), json!({}))).await;
    assert_eq!(fault(&outcome), Some(Fault::Unavailable), "{}", reason(&outcome));

    let mut settings = settings();
    settings.wire.resolver = Some(Resolver::new(|_| async { Err("no such name".into()) }));
    let to = endpoint(json!({ "http": { "url": "https://hooks.example.com" } }));
    let outcome = attempt(&Targets::new(settings), &to, &event("{}"), 1).await;
    assert_eq!(fault(&outcome), Some(Fault::Unavailable), "{}", reason(&outcome));
    assert!(reason(&outcome).contains("no such name"), "{}", reason(&outcome));
}

#[tokio::test]
async fn connections_are_used_again_until_the_settings_change() {
    let receiver = Receiver::start(|_| answer(200, &[], "taken")).await;
    let targets = Targets::new(settings());
    for number in 1..=3 {
        // The directory is made anew whenever something changes.
        let same = endpoint(http(&receiver.url, json!({})));
        attempt(&targets, &same, &event("{}"), number).await;
    }
    let other = endpoint(http(&receiver.url, json!({ "headers": { "x-made-up": "1" } })));
    attempt(&targets, &other, &event("{}"), 4).await;
    let peers: Vec<_> = receiver.seen().iter().map(|seen| seen.peer).collect();
    assert!(peers[0] == peers[1] && peers[1] == peers[2] && peers[2] != peers[3], "{peers:?}");
}

fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096]))))
}

#[tokio::test]
async fn an_answer_without_end_is_read_as_far_as_it_is_kept() {
    for (status, expected) in [(200, None), (500, Some(Fault::Unavailable))] {
        let receiver = Receiver::start(move |_| answer(status, &[], endless())).await;
        let outcome = once(http(&receiver.url, json!({}))).await;
        assert_eq!((fault(&outcome), outcome.excerpt.len()), (expected, EXCERPT_BYTES));
    }
}

#[tokio::test]
async fn an_answer_that_stops_in_its_body_has_said_what_its_status_says() {
    for (status, expected) in [(200, None), (410, Some(Fault::Gone))] {
        let begun = || stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"th")) });
        let receiver = Receiver::start(move |_| {
            answer(status, &[], Body::from_stream(begun().chain(stream::pending())))
        })
        .await;
        let mut settings = json!({ "from": "source/shop", "delivery": { "timeout": "400ms" } });
        settings["to"] = http(&receiver.url, json!({}));
        let to =
            nuncio_relay::Endpoint::new(serde_json::from_value(settings).unwrap(), Env::default()).unwrap();
        let outcome =
            attempt(&Targets::new(super::settings()), &std::sync::Arc::new(to), &event("{}"), 1).await;
        assert_eq!((fault(&outcome), outcome.status), (expected, Some(status)), "{}", reason(&outcome));
        assert_eq!(outcome.excerpt, "th");
    }
}

#[tokio::test]
async fn headers_are_those_of_the_settings_and_on_request_those_that_came_in() {
    let receiver = Receiver::answering(200).await;
    let mut event = event("{}");
    let arrived = [
        ("Content-Type", "application/cloudevents+json"),
        ("Content-Encoding", "gzip"),
        ("X-GitHub-Event", "push"),
        ("Authorization", "Bearer made-up-of-the-source"),
        ("Host", "elsewhere.example.com"),
        ("Content-Length", "999"),
        ("webhook-id", "msg_of_the_source"),
        ("X-Own", "of the source"),
    ];
    event.headers = Headers(arrived.map(|(name, value)| (name.to_owned(), Bytes::from(value))).to_vec());
    let targets = Targets::new(settings());
    for forwards in [false, true] {
        let more = json!({ "forward_headers": forwards, "headers": { "x-own": "of the settings" } });
        attempt(&targets, &endpoint(http(&receiver.url, more)), &event, 3).await;
        let seen = receiver.seen().pop().unwrap();
        let ours = [
            "content-type",
            "content-encoding",
            "x-own",
            "nuncio-event-type",
            "nuncio-attempt",
            "content-length",
        ];
        assert_eq!(
            ours.map(|name| seen.header(name)),
            ["application/cloudevents+json", "gzip", "of the settings", "order.paid", "3", "2"]
        );
        assert_eq!(seen.header("x-github-event"), if forwards { "push" } else { "" });
        assert_eq!(seen.header("webhook-id"), event.id.to_string());
        assert_eq!(seen.header("webhook-timestamp"), super::NOW.to_string());
        assert!(seen.header("user-agent").starts_with("nuncio/"));
        assert!(
            !seen.headers.contains_key("authorization") && !seen.headers.contains_key("webhook-signature")
        );
        assert!(seen.header("host").starts_with("127.0.0.1"));
    }
}

#[tokio::test]
async fn an_event_can_be_sent_just_as_it_arrived() {
    let receiver = Receiver::answering(200).await;
    let mut event = event("{ \"odd\":\twhite space }\r\n");
    let arrived = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Stripe-Signature", "t=1,v1=00"),
        ("Authorization", "Bearer made-up-of-the-source"),
        ("User-Agent", "Stripe/1.0"),
        ("webhook-id", "msg_of_the_source"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("Connection", "close, X-Hop"),
        ("X-Hop", "1"),
        ("Host", "elsewhere.example.com"),
        ("Content-Length", "999"),
        ("Accept-Encoding", "made-up"),
    ];
    let targets = Targets::new(settings());
    let to = http(&receiver.url, json!({ "as_received": true, "headers": { "x-own": "of the settings" } }));
    event.headers = Headers(arrived.map(|(name, value)| (name.to_owned(), Bytes::from(value))).to_vec());
    attempt(&targets, &endpoint(to.clone()), &event, 3).await;
    let seen = receiver.seen().pop().unwrap();
    for (name, value) in &arrived[..6] {
        assert_eq!(seen.header(&name.to_ascii_lowercase()), *value, "{name}");
    }
    assert_eq!(seen.header("x-own"), "of the settings");
    assert_eq!(seen.header("nuncio-event-id"), event.id.to_string());
    for name in ["x-hop", "webhook-signature", "webhook-timestamp", "nuncio-attempt", "nuncio-event-type"] {
        assert!(!seen.headers.contains_key(name), "{name}");
    }
    assert!(seen.header("host").starts_with("127.0.0.1"));
    // What came from a relay has an id of its own, which stays.
    event.headers.0.push(("nuncio-event-id".to_owned(), Bytes::from("evt_of_another")));
    attempt(&targets, &endpoint(to), &event, 1).await;
    assert_eq!(receiver.seen().pop().unwrap().header("nuncio-event-id"), "evt_of_another");
}

#[tokio::test]
async fn an_event_without_a_content_type_is_bytes_and_one_with_an_odd_type_arrives() {
    let receiver = Receiver::answering(200).await;
    let mut event = event(vec![0, 159, 146, 150]);
    event.headers = Headers::default();
    event.event_type = "made\nup".to_owned();
    let outcome =
        attempt(&Targets::new(settings()), &endpoint(http(&receiver.url, json!({}))), &event, 1).await;
    let seen = receiver.seen().pop().unwrap();
    assert_eq!(fault(&outcome), None);
    assert_eq!(
        (seen.header("content-type"), &seen.body[..]),
        ("application/octet-stream", &[0, 159, 146, 150][..])
    );
    assert!(!seen.headers.contains_key("nuncio-event-type"));
}

#[tokio::test]
async fn what_a_transformation_makes_is_sent_as_json_in_place_of_the_body() {
    let receiver = Receiver::answering(200).await;
    let to = |transform: &str| {
        let to = http(&receiver.url, json!({ "forward_headers": true }));
        let settings = json!({ "from": "source/shop", "to": to, "transform": transform });
        nuncio_relay::Endpoint::new(serde_json::from_value(settings).unwrap(), Env::default())
            .map(std::sync::Arc::new)
            .unwrap()
    };
    let mut event = event(r#"{"who":"ada"}"#);
    event.headers.0.push(("Content-MD5".to_owned(), Bytes::from_static(b"of another body")));
    event.headers.0.push(("X-Kept".to_owned(), Bytes::from_static(b"kept")));
    let targets = Targets::new(settings());
    let outcome = attempt(&targets, &to("{ name: .body.who }"), &event, 1).await;
    let seen = receiver.seen().pop().unwrap();
    assert_eq!((fault(&outcome), &seen.body[..]), (None, &br#"{"name":"ada"}"#[..]));
    assert_eq!(
        (seen.header("content-type"), seen.header("x-kept"), seen.header("content-md5")),
        ("application/json", "kept", "")
    );

    let outcome = attempt(&targets, &to(".body.who | tonumber"), &event, 1).await;
    assert_eq!((fault(&outcome), receiver.seen().len()), (Some(Fault::Refused), 1));
    assert!(reason(&outcome).contains("transformation"), "{}", reason(&outcome));
}

#[test]
fn settings_that_cannot_be_used_are_refused_beforehand() {
    let wrong = |url: &str, more| {
        let mut to = http(url, more);
        if to["http"]["allow_addresses"] == json!(["127.0.0.0/8"]) {
            to["http"].as_object_mut().unwrap().remove("allow_addresses");
        }
        try_endpoint(to, Env::default()).unwrap_err().to_string()
    };
    for (url, what) in [
        ("http://hooks.example.com", "https URLs alone"),
        ("http://127.0.0.1", "https URLs alone"),
        ("ftp://hooks.example.com", "https URLs alone"),
        ("hooks.example.com", "not a URL"),
        ("https://made:up@hooks.example.com", "no user"),
    ] {
        assert!(wrong(url, json!({})).contains(what), "{url}: {}", wrong(url, json!({})));
    }
    for (more, what) in [
        (json!({ "headers": { "Webhook-Id": "made-up" } }), "cannot be set"),
        (json!({ "headers": { "a b": "made-up" } }), "no header has such a name"),
        (json!({ "headers": { "x-a": "made\nup" } }), "a character"),
        (
            json!({ "secrets": ["whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM=", "whpk_made-up"] }),
            "secret 2 signs nothing",
        ),
        (json!({ "auth": { "bearer": "{{ env.NOT_THERE }}" } }), "NOT_THERE"),
        (json!({ "auth": { "session": { "login": "made-up", "token": "token" } } }), "session"),
        (json!({ "client_certificate": "made-up" }), "certificate"),
        (json!({ "allow_addresses": ["10.0.0.1/8"] }), "bits beyond its prefix"),
    ] {
        let told = wrong("https://hooks.example.com", more);
        assert!(told.contains(what), "{told}");
    }
}
