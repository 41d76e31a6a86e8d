//! What is signed is what our own receiving side takes, on every attempt and during a rotation.

use std::time::{Duration, UNIX_EPOCH};

use nuncio_relay::deliver::Targets;
use nuncio_webhook::{Request, Secrets, generate_key_pair, generate_secret, provider, verify};
use serde_json::json;

use super::{NOW, Receiver, attempt, endpoint, event, http, settings};

#[tokio::test]
async fn each_secret_signs_each_attempt_over_the_bytes_that_are_sent() {
    let receiver = Receiver::answering(500).await;
    let (old, new, (private, public)) = (generate_secret(), generate_secret(), generate_key_pair());
    let to = endpoint(http(&receiver.url, json!({ "secrets": [new, old, private] })));
    let targets = Targets::new(settings());
    let bodies = [&b"{\"name\": \"\xc3\xa4da \xe2\x98\x83\"}\n"[..], b"", b"\x00\xff\xfe binary"];
    for body in bodies {
        let event = event(body);
        for number in 1..=2 {
            attempt(&targets, &to, &event, number).await;
        }
        let seen = receiver.seen().split_off(receiver.seen().len() - 2);
        assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
        assert_eq!(seen[0].header("webhook-signature").split(' ').count(), 3);
        for (seen, key) in seen.iter().zip([&old, &new]).chain(seen.iter().map(|seen| (seen, &public))) {
            let scheme = &provider("standard-webhooks").unwrap().scheme;
            let request =
                Request { method: "POST", url: &receiver.url, headers: &seen.headers, body: &seen.body };
            let now = UNIX_EPOCH + Duration::from_secs(NOW);
            let secrets = Secrets::new().with("key", key);
            let verified = verify(scheme, &request, &secrets, now).unwrap();
            assert_eq!(verified.id(), Some(event.id.to_string()));
            assert_eq!(seen.body, body);
        }
        let stranger = Secrets::new().with("key", generate_secret());
        let scheme = &provider("standard-webhooks").unwrap().scheme;
        let request =
            Request { method: "POST", url: &receiver.url, headers: &seen[0].headers, body: &seen[0].body };
        verify(scheme, &request, &stranger, UNIX_EPOCH + Duration::from_secs(NOW)).unwrap_err();
    }
}

#[tokio::test]
async fn when_a_rotation_is_over_the_newest_secret_signs_alone() {
    let receiver = Receiver::answering(200).await;
    let secrets = [generate_secret(), generate_secret()];
    for (seconds, signatures) in [(1, 2), (0, 1), (-1, 1)] {
        let until = jiff::Timestamp::from_second(NOW as i64 + seconds).unwrap();
        let to = endpoint(http(&receiver.url, json!({ "secrets": secrets, "old_secrets_until": until })));
        attempt(&Targets::new(settings()), &to, &event("{}"), 1).await;
        let seen = receiver.seen().pop().unwrap();
        assert_eq!(seen.header("webhook-signature").split(' ').count(), signatures, "{seconds} s before");
        let scheme = &provider("standard-webhooks").unwrap().scheme;
        let request =
            Request { method: "POST", url: &receiver.url, headers: &seen.headers, body: &seen.body };
        let newest = Secrets::new().with("key", &secrets[0]);
        verify(scheme, &request, &newest, UNIX_EPOCH + Duration::from_secs(NOW)).unwrap();
    }
}
