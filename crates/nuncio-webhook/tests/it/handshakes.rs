//! Handshakes are answered, and only when they are genuine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{Answer, Outgoing, Refusal, Request, Secrets, handshake, provider, sign, verify};

const URL: &str = "https://hooks.example.test/in";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

const CONTENT_TEXT: (&str, &str) = ("Content-Type", "text/plain; charset=utf-8");
const NOSNIFF: (&str, &str) = ("X-Content-Type-Options", "nosniff");

fn headers(answer: &Answer) -> Vec<(&str, &str)> {
    answer.headers.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect()
}

fn secrets() -> Secrets {
    Secrets::new().with("current", "made-up-secret").setting("verify_token", "made-up-token")
}

/// The answer to `body` with the headers `extra`, signed by `secret`.
fn answered(name: &str, body: &str, extra: &[(&str, &str)], secret: &str) -> Result<Option<Answer>, Refusal> {
    let scheme = &provider(name).unwrap().scheme;
    let outgoing = Outgoing {
        id: "msg_1",
        signed_at: now(),
        method: "POST",
        url: URL,
        body: body.as_bytes(),
        content_type: None,
    };
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
        assert_eq!(headers(&answer), [CONTENT_TEXT, NOSNIFF]);
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

/// The answer to a request that nobody signed.
fn unsigned(
    name: &str,
    method: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Option<Answer>, Refusal> {
    let url = format!("{URL}{query}");
    let headers = headers.to_vec();
    let request = Request { method, url: &url, headers: &headers, body: body.as_bytes() };
    handshake(&provider(name).unwrap().scheme, &request, &secrets(), now())
}

#[test]
fn a_challenge_of_the_query_is_echoed_decoded_and_harmless() {
    for (name, method, parameter) in
        [("dropbox", "GET", "challenge"), ("microsoft-graph", "POST", "validationToken")]
    {
        let answered = |value: &str| {
            let answer = unsigned(name, method, &format!("?{parameter}={value}"), &[], "").unwrap().unwrap();
            assert_eq!(headers(&answer), [CONTENT_TEXT, NOSNIFF], "{name}");
            String::from_utf8(answer.body).unwrap()
        };
        assert_eq!(answered("Validation%3A+Testing%20a%2Fb"), "Validation: Testing a/b", "{name}");
        assert_eq!(answered("%3Cscript%3E%22&x=y"), "&lt;script&gt;&quot;", "{name}");
        assert_eq!(unsigned(name, method, "?x=y", &[], ""), Ok(None), "{name}");
        assert_eq!(unsigned(name, method, &format!("?{parameter}="), &[], ""), Ok(None), "{name}");
    }
    assert_eq!(unsigned("dropbox", "POST", "?challenge=abc", &[], ""), Ok(None));
}

/// The secret is that of <https://developers.asana.com/docs/establish-a-webhook>.
#[test]
fn the_secret_of_asana_is_sent_back_in_its_header_with_an_empty_body() {
    let secret = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
    let answer = unsigned("asana", "POST", "", &[("x-hook-secret", secret)], "").unwrap().unwrap();
    assert_eq!((headers(&answer), &answer.body[..]), (vec![("X-Hook-Secret", secret)], &b""[..]));
    assert_eq!(unsigned("asana", "POST", "", &[("x-hook-signature", secret)], ""), Ok(None));
}

#[test]
fn okta_gets_the_challenge_of_a_header_as_json() {
    let challenge = [("X-Okta-Verification-Challenge", "made-up-challenge")];
    let answer = unsigned("okta", "GET", "", &challenge, "").unwrap().unwrap();
    assert_eq!(answer.body, br#"{"verification":"made-up-challenge"}"#);
    assert_eq!(headers(&answer), [("Content-Type", "application/json"), NOSNIFF]);
    assert_eq!(unsigned("okta", "POST", "", &challenge, "{}"), Ok(None));
}

#[test]
fn strava_gets_its_challenge_if_it_knows_the_token_and_no_event_is_taken() {
    let asked = |token: &str| {
        let query = format!("?hub.mode=subscribe&hub.challenge=15f7d1a91c1f40a&hub.verify_token={token}");
        unsigned("strava", "GET", &query, &[], "")
    };
    assert_eq!(asked("made-up-token").unwrap().unwrap().body, br#"{"hub.challenge":"15f7d1a91c1f40a"}"#);
    let refusal = Refusal::Unexpected { place: "hub.verify_token of the query".to_owned() };
    assert_eq!(asked("made-up"), Err(refusal));
    let none: Vec<(&str, &str)> = Vec::new();
    let event = Request { method: "POST", url: URL, headers: &none, body: br#"{"aspect_type": "create"}"# };
    let scheme = &provider("strava").unwrap().scheme;
    assert_eq!(verify(scheme, &event, &secrets(), now()).unwrap_err(), Refusal::NoMatch);
}

#[test]
fn what_only_asks_whether_somebody_is_there_gets_an_empty_answer() {
    let token = r#"{"verification_token": "made-up-token"}"#;
    for (name, method, body) in [("trello", "HEAD", ""), ("notion", "POST", token)] {
        let answer = unsigned(name, method, "", &[], body).unwrap().unwrap();
        assert_eq!(answer, Answer { headers: Vec::new(), body: Vec::new(), visit: None }, "{name}");
    }
    assert_eq!(unsigned("trello", "POST", "", &[], "{}"), Ok(None));
    assert_eq!(unsigned("notion", "POST", "", &[], r#"{"type": "page.created"}"#), Ok(None));
}

#[test]
fn a_provider_that_tests_for_refusals_says_their_status() {
    for name in ["discord", "xero"] {
        assert_eq!(provider(name).unwrap().scheme.reply.as_ref().unwrap().refused, Some(401), "{name}");
    }
    let intent = r#"{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}"#;
    let headers = vec![("x-xero-signature", "AAAA")];
    let request = Request { method: "POST", url: URL, headers: &headers, body: intent.as_bytes() };
    let scheme = &provider("xero").unwrap().scheme;
    assert_eq!(verify(scheme, &request, &secrets(), now()).unwrap_err(), Refusal::NoMatch);
}
