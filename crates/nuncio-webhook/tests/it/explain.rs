//! What an explanation says, and what it never says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::scheme::{KeyFormat, TimeUnit};
use nuncio_webhook::{
    Cause, Explanation, Outgoing, Request, Scheme, Secrets, explain, provider, providers, sign,
};
use proptest::prelude::*;

const URL: &str = "https://hooks.example.test/in";
const SECRET: &str = "bWFkZS11cC1zZWNyZXQtb2YtMzItYnl0ZXMtLS0tLS0=";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

fn scheme(name: &str) -> &'static Scheme {
    &provider(name).unwrap().scheme
}

/// `signed` was signed; `body` arrives at `url`, and the receiver knows `secret`.
fn explained(name: &str, signed: &[u8], body: &[u8], url: &str, secret: &str) -> Explanation {
    let outgoing = Outgoing {
        id: "msg_1",
        signed_at: now(),
        method: "POST",
        url: URL,
        body: signed,
        content_type: None,
    };
    let headers = sign(scheme(name), &outgoing, &Secrets::new().with("theirs", SECRET)).unwrap();
    let request = Request { method: "POST", url, headers: &headers, body };
    explain(scheme(name), &request, &Secrets::new().with("ours", secret), now())
}

#[test]
fn a_body_that_was_handled_is_told_from_one_that_was_forged() {
    for (signed, arrived, cause) in [
        (r#"{"a":1,"b":[1,"é"]}"#, r#"{"a": 1, "b": [1, "é"]}"#, Cause::Body("as JSON without spaces")),
        (
            r#"{"a": 1, "b": [1]}"#,
            r#"{"a":1,"b":[1]}"#,
            Cause::Body("as JSON with a space after each comma and colon"),
        ),
        ("{\n  \"a\": 1\n}", r#"{"a":1}"#, Cause::Body("as JSON over several lines")),
        (
            r#"{"a":"\u00e9\ud83d\udd11"}"#,
            r#"{"a":"é🔑"}"#,
            Cause::Body("as JSON with escapes for all that is not ASCII"),
        ),
        ("{}", "{}\r\n", Cause::Body("without the line end after it")),
        ("{}\n", "{}", Cause::Body("with a line end after it")),
        ("{}", "\u{feff}{}", Cause::Body("without the byte order mark before it")),
        ("a\r\nb", "a\nb", Cause::Body("with CR LF at the ends of its lines")),
        ("a\nb", "a\r\nb", Cause::Body("with LF at the ends of its lines")),
        (r#"{"a":1}"#, r#"{"a":2}"#, Cause::OtherSecret),
    ] {
        let explanation = explained("stripe", signed.as_bytes(), arrived.as_bytes(), URL, SECRET);
        assert_eq!(explanation.causes, [cause], "{signed:?} {arrived:?}");
    }
}

#[test]
fn a_secret_that_is_written_otherwise_is_told() {
    let cause = |name: &str, secret: &str| explained(name, b"{}", b"{}", URL, secret).causes;
    assert_eq!(cause("stripe", &format!("{SECRET}\n")), [Cause::SecretWhitespace]);
    assert_eq!(cause("standard-webhooks", &format!(" whsec_{SECRET}")), [Cause::SecretWhitespace]);
    assert_eq!(cause("stripe", "made-up"), [Cause::OtherSecret]);

    // Made by somebody who takes the text for the key.
    let verbatim = scheme("stripe").clone();
    let mut decoding = verbatim.clone();
    decoding.signatures[0].key = KeyFormat::Base64;
    let outgoing =
        Outgoing { id: "msg_1", signed_at: now(), method: "POST", url: URL, body: b"{}", content_type: None };
    let secrets = Secrets::new().with("ours", SECRET);
    let headers = sign(&verbatim, &outgoing, &secrets).unwrap();
    let request = Request { method: "POST", url: URL, headers: &headers, body: b"{}" };
    let causes = explain(&decoding, &request, &secrets, now()).causes;
    assert_eq!(causes, [Cause::SecretDecoding(KeyFormat::Verbatim)]);
}

#[test]
fn a_url_that_a_proxy_rewrote_is_told() {
    for url in [
        "http://hooks.example.test/in",
        "https://hooks.example.test:443/in",
        "https://hooks.example.test/in/",
        "https://hooks.example.test/in?x=1",
    ] {
        assert_eq!(
            explained("square", b"{}", b"{}", url, SECRET).causes,
            [Cause::Url(URL.to_owned())],
            "{url}"
        );
    }
}

#[test]
fn a_wrong_time_is_told_by_how_much_and_a_wrong_unit_by_which() {
    let outgoing =
        Outgoing { id: "", signed_at: now(), method: "POST", url: URL, body: b"{}", content_type: None };
    let secrets = Secrets::new().with("ours", SECRET);
    let headers = sign(scheme("stripe"), &outgoing, &secrets).unwrap();
    let request = Request { method: "POST", url: URL, headers: &headers, body: b"{}" };
    let hour = Duration::from_secs(3600);
    assert_eq!(explain(scheme("stripe"), &request, &secrets, now() + hour).causes, [Cause::Clock(hour)]);

    let mut milliseconds = scheme("stripe").clone();
    milliseconds.timestamp.as_mut().unwrap().unit = TimeUnit::Milliseconds;
    let causes = explain(&milliseconds, &request, &secrets, now()).causes;
    assert_eq!(causes, [Cause::TimestampUnit(TimeUnit::Seconds)]);
}

#[test]
fn an_explanation_names_what_was_read_signed_and_expected() {
    let text = explained("slack", b"a", b"a\xff", URL, "made-up-other").to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "rejected: no signature matches");
    assert!(lines[1].starts_with("read     v0=… of the header X-Slack-Signature: "), "{text}");
    assert_eq!(lines[2], "read     the header X-Slack-Request-Timestamp: 1760000000");
    assert!(lines.contains(&r"signed   v0:1760000000:a\xff"), "{text}");
    assert!(text.contains("(HmacSha256 by the secret ours) does not match"), "{text}");
    assert!(lines.last().unwrap().starts_with("likely   no usual mistake explains it"), "{text}");
}

proptest! {
    #[test]
    fn no_explanation_holds_a_secret(secret in "[!-~]{12,40}", body in "[ -~]{0,40}") {
        for (_, provider) in providers() {
            // As a sender would who puts the secret wherever it can.
            let headers: Vec<_> = ["X-Gitlab-Token", "X-Hub-Signature-256", "Stripe-Signature", "webhook-id"]
                .map(|name| (name, format!("t={secret},v1={secret}"))).into_iter()
                .chain([("X-Gitlab-Token", secret.clone())]).collect();
            let body = format!("{body}{secret}");
            let url = format!("{URL}?bodySHA256={secret}");
            let request = Request { method: "POST", url: &url, headers: &headers, body: body.as_bytes() };
            let secrets = Secrets::new().setting("app_key", "x").with("ours", secret.clone());
            let explanation = explain(&provider.scheme, &request, &secrets, now());
            prop_assert!(!explanation.to_string().contains(&secret));
        }
    }
}
