//! What holds of every scheme and every request.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{
    CannotSign, Outgoing, Provider, Refusal, Request, Secrets, generate_key_pair, providers, sign, verify,
};
use proptest::prelude::*;

const URL: &str = "https://hooks.example.test/in?a=1";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_760_000_000)
}

fn secrets() -> Secrets {
    // Base64 that is text as well, so that it is a key of every symmetric scheme.
    Secrets::new()
        .setting("app_key", "made-up-key")
        .with("current", "bWFkZS11cC1zZWNyZXQtb2YtMzItYnl0ZXMtLS0tLS0=")
}

/// The providers for which we can make signatures in headers over the body.
fn signable() -> Vec<(&'static str, &'static Provider)> {
    let covers = |scheme: &nuncio_webhook::Scheme| scheme.signatures[0].signed.to_string().contains("{body}");
    let outgoing = outgoing(b"{}");
    providers()
        .filter(|(name, provider)| *name != "linear" && covers(&provider.scheme))
        .filter(|(_, provider)| sign(&provider.scheme, &outgoing, &secrets()).is_ok())
        .collect()
}

fn outgoing(body: &[u8]) -> Outgoing<'_> {
    Outgoing { id: "msg_1", signed_at: now(), method: "POST", url: URL, body }
}

fn judge(provider: &Provider, headers: &[(String, Vec<u8>)], body: &[u8]) -> Result<(), Refusal> {
    let headers = headers.to_vec();
    let request = Request { method: "POST", url: URL, headers: &headers, body };
    verify(&provider.scheme, &request, &secrets(), now()).map(|_| ())
}

fn signed(provider: &Provider, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let headers = sign(&provider.scheme, &outgoing(body), &secrets()).unwrap();
    headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
}

#[test]
fn most_providers_are_signed_for_as_they_are_verified() {
    let names: Vec<_> = signable().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 23, "{names:?}");
    for (name, provider) in signable() {
        for body in [&b""[..], b"{}", b"\xef\xbb\xbf{}\r\n", b"\0\xff\xfe", &vec![b'x'; 10 * 1024 * 1024]] {
            assert_eq!(judge(provider, &signed(provider, body), body), Ok(()), "{name}");
        }
    }
}

#[test]
fn a_scheme_without_a_signature_in_headers_is_not_signed_for() {
    for (name, expected) in [
        ("mailgun", "the signature belongs into /signature/signature of the body: only headers are made"),
        ("sendgrid", "signatures by EcdsaP256 are verified and not made"),
    ] {
        let scheme = &nuncio_webhook::provider(name).unwrap().scheme;
        let error = sign(scheme, &outgoing(b"{}"), &secrets()).unwrap_err();
        assert!(!matches!(error, CannotSign::Content(_)));
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_private_key_signs_what_its_public_key_verifies() {
    let scheme = &nuncio_webhook::provider("standard-webhooks").unwrap().scheme;
    let ((private, public), (_, other)) = (generate_key_pair(), generate_key_pair());
    let headers = sign(scheme, &outgoing(b"{}"), &Secrets::new().with("private", private)).unwrap();
    assert!(headers[2].1.starts_with("v1a,"));
    let request = Request { method: "POST", url: URL, headers: &headers, body: b"{}" };
    let both = Secrets::new().with("other", other.clone()).with("current", public);
    assert_eq!(verify(scheme, &request, &both, now()).unwrap().secret(), "current");
    let alone = Secrets::new().with("other", other);
    assert_eq!(verify(scheme, &request, &alone, now()).unwrap_err(), Refusal::NoMatch);
}

/// The key pair, message and signature of the tests of the Svix server (`test_asymmetric_key_signing`); the pair is that of its README.
#[test]
fn the_asymmetric_signature_of_the_svix_server_is_made_and_verified() {
    let private = concat!(
        "whsk",
        "_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    );
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let signed_at = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
    let body = br#"{"test": 2432232314}"#;
    let outgoing = Outgoing { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", signed_at, method: "POST", url: "", body };

    let svix = &nuncio_webhook::provider("svix").unwrap().scheme;
    let headers = sign(svix, &outgoing, &Secrets::new().with("private", private)).unwrap();
    let signature =
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
    assert_eq!(headers[2], ("svix-signature".to_owned(), signature.to_owned()));
    let request = Request { method: "POST", url: "", headers: &headers, body };
    assert!(verify(svix, &request, &Secrets::new().with("public", public), signed_at).is_ok());
}

/// The sample message of the tests of box-node-sdk, signed with two keys.
#[test]
fn the_sample_message_of_box_is_taken_by_either_key() {
    let body = br#"{"type":"webhook_event","webhook":{"id":"1234567890"},"trigger":"FILE.UPLOADED","source":{"id":"1234567890","type":"file","name":"Test.txt"}}"#;
    let headers = vec![
        ("box-delivery-id", "f96bb54b-ee16-4fc5-aa65-8c2d9e5b546f"),
        ("box-delivery-timestamp", "2020-01-01T00:00:00-07:00"),
        ("box-signature-algorithm", "HmacSHA256"),
        ("box-signature-primary", "6TfeAW3A1PASkgboxxA5yqHNKOwFyMWuEXny/FPD5hI="),
        ("box-signature-secondary", "v+1CD1Jdo3muIcbpv5lxxgPglOqMfsNHPV899xWYydo="),
        ("box-signature-version", "1"),
    ];
    let scheme = &nuncio_webhook::provider("box").unwrap().scheme;
    let request = Request { method: "POST", url: URL, headers: &headers, body };
    let sent = UNIX_EPOCH + Duration::from_secs(1_577_862_000);
    let verdict = |key: &str, now: SystemTime| {
        verify(scheme, &request, &Secrets::new().with("key", key), now).map(|event| event.event_type())
    };
    for key in ["SamplePrimaryKey", "SampleSecondaryKey"] {
        assert_eq!(verdict(key, sent + Duration::from_secs(300)), Ok(Some("FILE.UPLOADED".to_owned())));
        assert!(matches!(verdict(key, sent + Duration::from_secs(900)), Err(Refusal::TooOld { .. })));
    }
    assert_eq!(verdict("IncorrectKey", sent), Err(Refusal::NoMatch));
}

#[test]
fn an_empty_secret_verifies_nothing() {
    for secret in ["", "whsec_"] {
        for (name, provider) in signable() {
            let secrets = Secrets::new().setting("app_key", "made-up-key").with("empty", secret);
            let prefixed = provider.scheme.signatures[0].key_prefix.is_some();
            if prefixed || secret.is_empty() {
                let error = sign(&provider.scheme, &outgoing(b"{}"), &secrets).unwrap_err();
                let expected = Refusal::UnusableSecret { labels: "empty".to_owned() };
                assert_eq!(error, CannotSign::Content(expected), "{name}");
            }
        }
    }
}

#[test]
fn more_signatures_than_anybody_sends_are_refused_unread() {
    let stripe = nuncio_webhook::provider("stripe").unwrap();
    let mut headers = signed(stripe, b"{}");
    headers[0].1.extend(b",v1=00".repeat(40));
    assert!(matches!(judge(stripe, &headers, b"{}"), Err(Refusal::TooManySignatures { count: 41, .. })));
    headers[0].1.extend(b",v1=00".repeat(4000));
    assert!(matches!(judge(stripe, &headers, b"{}"), Err(Refusal::TooLong { .. })));
}

#[test]
fn all_of_several_signatures_may_be_asked_for() {
    let scheme: nuncio_webhook::Scheme = serde_json::from_str(
        r#"{"accept": "all", "signatures": [
            {"at": {"header": "X-One"}, "signed": "{body}", "algorithm": "hmac-sha256", "encoding": "hex"},
            {"at": {"header": "X-Two"}, "signed": "{method}", "algorithm": "hmac-sha512", "encoding": "base64"}
        ]}"#,
    )
    .unwrap();
    let (secrets, outgoing) = (secrets(), outgoing(b"{}"));
    let mut headers = sign(&scheme, &outgoing, &secrets).unwrap();
    let verdict = |headers: &Vec<(String, String)>| {
        let request = Request { method: "POST", url: URL, headers, body: b"{}" };
        verify(&scheme, &request, &secrets, now()).map(|_| ())
    };
    assert_eq!(verdict(&headers), Ok(()));
    let last = headers.pop().unwrap();
    assert_eq!(verdict(&headers), Err(Refusal::Missing { place: "the header X-Two".to_owned() }));
    headers.push((last.0, "AAAA".to_owned()));
    assert_eq!(verdict(&headers), Err(Refusal::NoMatch));
}

proptest! {
    #[test]
    fn tampering_with_any_byte_of_the_body_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), change in 1..=255u8,
    ) {
        for (name, provider) in signable() {
            let headers = signed(provider, &body);
            let mut tampered = body.clone();
            tampered[at.index(body.len())] ^= change;
            prop_assert!(judge(provider, &headers, &tampered).is_err(), "{}", name);
        }
    }

    #[test]
    fn tampering_with_any_byte_of_what_a_header_says_is_refused(
        at in any::<prop::sample::Index>(), change in 1..=255u8,
    ) {
        for (name, provider) in signable() {
            let headers = signed(provider, b"{}");
            for index in 0..headers.len() {
                // An id that is not signed is for routing alone; letters of hex in either case are the same bytes.
                let signs_id = provider.scheme.signatures[0].signed.to_string().contains("{id}");
                // Of Box's two signatures either will do.
                let either = matches!(headers[index].0.as_str(), "BOX-SIGNATURE-PRIMARY" | "BOX-SIGNATURE-SECONDARY");
                if headers[index].1 == b"msg_1" && !signs_id || either {
                    continue;
                }
                let mut tampered = headers.clone();
                let byte = at.index(headers[index].1.len());
                tampered[index].1[byte] ^= change;
                if tampered[index].1.eq_ignore_ascii_case(&headers[index].1) && name == "gocardless" {
                    continue;
                }
                prop_assert!(judge(provider, &tampered, b"{}").is_err(), "{} {:?}", name, tampered[index]);
            }
        }
    }

    #[test]
    fn any_bytes_as_header_body_and_secret_get_a_verdict(
        value in prop::collection::vec(any::<u8>(), 0..100), body in prop::collection::vec(any::<u8>(), 0..100),
        url in ".{0,60}", secret in ".{0,60}",
    ) {
        for (_, provider) in providers() {
            let headers: Vec<_> = signed_names(provider).into_iter().map(|name| (name, value.clone())).collect();
            let request = Request { method: "POST", url: &url, headers: &headers, body: &body };
            let secrets = Secrets::new().setting("app_key", "x").with("current", secret.clone());
            let verdict = verify(&provider.scheme, &request, &secrets, now()).map(|_| ());
            // The one scheme that proves knowledge of the secret by the secret.
            prop_assert!(verdict.is_err() || value == secret.as_bytes());
        }
    }
}

/// The names of all headers that a provider's scheme reads.
fn signed_names(provider: &Provider) -> Vec<String> {
    let places = provider.scheme.signatures.iter().map(|signature| &signature.at);
    let places = places.chain(provider.scheme.timestamp.as_ref().map(|timestamp| &timestamp.at));
    let places =
        places.chain(&provider.scheme.id).chain(provider.scheme.require.iter().map(|required| &required.at));
    let mut names: Vec<_> = places
        .filter_map(|place| match place {
            nuncio_webhook::scheme::Place::Header(header) => header.names.first().cloned(),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}
