//! What is signed for others to verify, beside what `properties` has of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{CannotSign, Outgoing, Refusal, Request, Scheme, Secrets, provider, sign, verify};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

fn outgoing(url: &str) -> Outgoing<'_> {
    Outgoing { id: "msg_1", signed_at: now(), method: "POST", url, body: b"{}", content_type: None }
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

/// The example of Twilio's page on webhook security (https://www.twilio.com/docs/usage/webhooks/webhooks-security).
#[test]
fn a_form_is_signed_by_its_fields() {
    let scheme = &provider("twilio").unwrap().scheme;
    let secrets = Secrets::new().with("current", "12345");
    let form =
        "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
    let outgoing = Outgoing {
        id: "",
        signed_at: now(),
        method: "POST",
        url: "https://mycompany.com/myapp.php?foo=1&bar=2",
        body: form.as_bytes(),
        content_type: Some("application/x-www-form-urlencoded"),
    };
    let headers = sign(scheme, &outgoing, &secrets).unwrap();
    assert_eq!(headers, [("X-Twilio-Signature".to_owned(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=".to_owned())]);
    assert!(sign(scheme, &Outgoing { content_type: None, ..outgoing }, &secrets).is_err());
}

#[test]
fn fields_that_are_joined_are_escaped_where_the_scheme_says_so() {
    let scheme: Scheme = serde_json::from_value(serde_json::json!({ "signatures": [{
        "at": { "header": "X-Signature" }, "signed": "{json-escaped:/a}:{json-escaped:/b}", "algorithm": "hmac-sha256", "encoding": "hex"
    }] }))
    .unwrap();
    let secrets = Secrets::new().with("current", "made-up-secret");
    let signed = |body: &str| {
        let outgoing = Outgoing {
            id: "",
            signed_at: now(),
            method: "POST",
            url: "",
            body: body.as_bytes(),
            content_type: None,
        };
        sign(&scheme, &outgoing, &secrets).unwrap()
    };
    // Without the escapes both would be `x:y:z`.
    assert_ne!(signed(r#"{"a":"x:y","b":"z"}"#), signed(r#"{"a":"x","b":"y:z"}"#));
    assert_eq!(scheme.signatures[0].signed.to_string(), "{json-escaped:/a}:{json-escaped:/b}");
}
