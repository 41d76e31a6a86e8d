//! What is signed for others to verify, beside what `properties` has of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{CannotSign, Outgoing, Refusal, Request, Scheme, Secrets, provider, sign, verify};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

fn outgoing(url: &str) -> Outgoing<'_> {
    Outgoing { id: "msg_1", signed_at: now(), method: "POST", url, body: b"{}" }
}

fn scheme(name: &str) -> &'static Scheme {
    &provider(name).unwrap().scheme
}

#[test]
fn during_a_rotation_a_header_that_holds_one_signature_gets_that_of_the_first_secret() {
    let both = Secrets::new().with("new", "made-up-new").with("old", "made-up-old");
    let headers = sign(scheme("github"), &outgoing(""), &both).unwrap();
    assert_eq!(headers.iter().filter(|(name, _)| name == "X-Hub-Signature-256").count(), 1);
    let request = Request { method: "POST", url: "", headers: &headers, body: b"{}" };
    let new = Secrets::new().with("new", "made-up-new");
    assert!(verify(scheme("github"), &request, &new, now()).is_ok());
}

#[test]
fn what_does_not_cover_the_body_is_not_signed() {
    let scheme: Scheme = serde_json::from_str(
        r#"{"signatures": [{"at": {"header": "X-Signature"}, "signed": "{url}", "body_sha256": {"query": "digest"},
            "algorithm": "hmac-sha256", "encoding": "hex"}]}"#,
    )
    .unwrap();
    let secrets = Secrets::new().with("current", "made-up-secret");
    let good = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let of = |digest: &str| sign(&scheme, &outgoing(&format!("https://a.test/?digest={digest}")), &secrets);
    assert!(of(good).is_ok());
    let wrong = Refusal::WrongBodyDigest { place: "digest of the query".to_owned() };
    assert_eq!(of(&good.replace('4', "5")), Err(CannotSign::Content(wrong)));
}

#[test]
fn what_a_provider_signs_with_a_key_of_its_own_is_not_signed_for_it() {
    let secrets = Secrets::new().with("current", "made-up-secret").setting("webhook_id", "made-up");
    assert_eq!(sign(scheme("paypal"), &outgoing("https://a.test/"), &secrets), Err(CannotSign::Token));
}
