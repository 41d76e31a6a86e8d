//! Handshakes are answered, and only when they are genuine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{Answer, Outgoing, Refusal, Request, Secrets, handshake, provider, sign};

const URL: &str = "https://hooks.example.test/in";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

fn secrets() -> Secrets {
    Secrets::new().with("current", "made-up-secret").setting("verify_token", "made-up-token")
}

/// The answer to `body` with the headers `extra`, signed by `secret`.
fn answered(name: &str, body: &str, extra: &[(&str, &str)], secret: &str) -> Result<Option<Answer>, Refusal> {
    let scheme = &provider(name).unwrap().scheme;
    let outgoing =
        Outgoing { id: "msg_1", signed_at: now(), method: "POST", url: URL, body: body.as_bytes() };
    let mut headers = sign(scheme, &outgoing, &Secrets::new().with("theirs", secret)).unwrap();
    headers.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let request = Request { method: "POST", url: URL, headers: &headers, body: body.as_bytes() };
    handshake(scheme, &request, &secrets(), now())
}

#[test]
fn a_signed_challenge_is_echoed_as_text_and_an_unsigned_one_is_refused() {
    let slack = r#"{"type": "url_verification", "challenge": "abc<b>"}"#;
    let twitch = r#"{"challenge": "pogchamp", "subscription": {"type": "user.update"}}"#;
    let twitch_type = [("Twitch-Eventsub-Message-Type", "webhook_callback_verification")];
    for (name, body, extra, expected) in
        [("slack", slack, &[][..], "abc<b>"), ("twitch", twitch, &twitch_type[..], "pogchamp")]
    {
        let answer = answered(name, body, extra, "made-up-secret").unwrap().unwrap();
        assert_eq!(answer.body, expected.as_bytes());
        assert_eq!(answer.content_type, "text/plain; charset=utf-8");
        assert_eq!(answered(name, body, extra, "made-up-other"), Err(Refusal::NoMatch));
    }
}

#[test]
fn zoom_gets_the_hmac_of_its_token_but_nobody_else_has_a_text_signed() {
    let body = r#"{"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}"#;
    let answer = answered("zoom", body, &[], "made-up-secret").unwrap().unwrap();
    // printf qgg8vlvZRS6UYooatFL8Aw | openssl dgst -sha256 -hmac made-up-secret
    let expected = concat!(
        r#"{"encryptedToken":"700fa1ca3c28bcf8ed5ab3afcab71c2ab8e26dc10fd97cc5a12ff9dbfd975248","#,
        r#""plainToken":"qgg8vlvZRS6UYooatFL8Aw"}"#
    );
    assert_eq!(String::from_utf8(answer.body).unwrap(), expected);
    let forged = r#"{"event": "endpoint.url_validation", "payload": {"plainToken": "v0:1760000000:{}"}}"#;
    assert_eq!(answered("zoom", forged, &[], "made-up-other"), Err(Refusal::NoMatch));
}

#[test]
fn a_scheme_that_would_sign_for_strangers_does_not() {
    let mut careless = provider("zoom").unwrap().scheme.clone();
    careless.handshakes[0].signed = false;
    let body = br#"{"event": "endpoint.url_validation", "payload": {"plainToken": "v0:1760000000:{}"}}"#;
    let headers = vec![("x-zm-request-timestamp", "1760000000"), ("x-zm-signature", "v0=00")];
    let request = Request { method: "POST", url: URL, headers: &headers, body };
    assert_eq!(handshake(&careless, &request, &secrets(), now()), Err(Refusal::NoMatch));
}

#[test]
fn a_subscription_to_meta_is_confirmed_to_whoever_knows_the_token() {
    let none: Vec<(&str, &str)> = Vec::new();
    let answer = |token: &str| {
        let url = format!("{URL}?hub.mode=subscribe&hub.challenge=42&hub.verify_token={token}");
        let request = Request { method: "GET", url: &url, headers: &none, body: b"" };
        handshake(&provider("meta").unwrap().scheme, &request, &secrets(), now())
    };
    assert_eq!(answer("made-up-token").unwrap().unwrap().body, b"42");
    let refusal = Refusal::Unexpected { place: "hub.verify_token of the query".to_owned() };
    assert_eq!(answer("made-up"), Err(refusal));
}

#[test]
fn an_event_is_no_handshake() {
    assert_eq!(answered("slack", r#"{"type": "event_callback"}"#, &[], "made-up-secret"), Ok(None));
    assert_eq!(answered("zoom", r#"{"event": "meeting.started"}"#, &[], "made-up-other"), Ok(None));
}
