//! What holds of every scheme and every request.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{
    CannotSign, Outgoing, Provider, Refusal, Request, Secrets, generate_key_pair, generate_private_key,
    providers, sign, verify,
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
pub(crate) fn signable() -> Vec<(&'static str, &'static Provider)> {
    let covers = |scheme: &nuncio_webhook::Scheme| {
        scheme.signatures.first().is_some_and(|signature| signature.signed.to_string().contains("{body}"))
    };
    let outgoing = outgoing(b"{}");
    providers()
        .filter(|(name, provider)| *name != "linear" && covers(&provider.scheme))
        .filter(|(_, provider)| sign(&provider.scheme, &outgoing, &secrets()).is_ok())
        .collect()
}

fn outgoing(body: &[u8]) -> Outgoing<'_> {
    Outgoing { id: "msg_1", signed_at: now(), method: "POST", url: URL, body, content_type: None }
}

pub(crate) fn judge(provider: &Provider, headers: &[(String, Vec<u8>)], body: &[u8]) -> Result<(), Refusal> {
    let headers = headers.to_vec();
    let request = Request { method: "POST", url: URL, headers: &headers, body };
    verify(&provider.scheme, &request, &secrets(), now()).map(|_| ())
}

pub(crate) fn signed(provider: &Provider, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let headers = sign(&provider.scheme, &outgoing(body), &secrets()).unwrap();
    headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
}

#[test]
fn most_providers_are_signed_for_as_they_are_verified() {
    let names: Vec<_> = signable().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 41, "{names:?}");
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
        (
            "plaid",
            "signatures in tokens, and those by keys that the provider publishes, are verified and not made",
        ),
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

#[test]
fn a_key_that_stands_in_for_the_providers_own_signs_what_its_public_half_verifies() {
    for name in ["sendgrid", "discord", "standard-webhooks"] {
        let scheme = &nuncio_webhook::provider(name).unwrap().scheme;
        let Some((private, public)) = generate_private_key(scheme) else {
            panic!("{name} has no key of its own")
        };
        let headers = sign(scheme, &outgoing(b"{}"), &Secrets::new().with("private", private)).unwrap();
        let request = Request { method: "POST", url: URL, headers: &headers, body: b"{}" };
        let secrets = Secrets::new().with("public", public);
        assert_eq!(verify(scheme, &request, &secrets, now()).unwrap().secret(), "public", "{name}");
        let other = Secrets::new().with("other", generate_private_key(scheme).unwrap().1);
        assert_eq!(verify(scheme, &request, &other, now()).unwrap_err(), Refusal::NoMatch, "{name}");
    }
    for name in ["stripe", "plaid"] {
        assert_eq!(generate_private_key(&nuncio_webhook::provider(name).unwrap().scheme), None);
    }
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
    headers[0].1.extend(b",v1=00".repeat(110));
    assert!(matches!(judge(stripe, &headers, b"{}"), Err(Refusal::TooManySignatures { count: 111, .. })));
    headers[0].1.extend(b",v1=00".repeat(4000));
    assert!(matches!(judge(stripe, &headers, b"{}"), Err(Refusal::TooLong { .. })));
}

#[test]
fn one_good_signature_in_any_of_numbered_headers_is_enough() {
    let docusign = nuncio_webhook::provider("docusign").unwrap();
    let signed = signed(docusign, b"{}");
    assert_eq!(signed[0].0, "X-DocuSign-Signature-1");
    let at = |number: u8| {
        let header = |n: u8, value: &[u8]| (format!("x-docusign-signature-{n}"), value.to_vec());
        judge(docusign, &[header(1, b"AAAA"), header(number, &signed[0].1)], b"{}")
    };
    for number in [2, 7, 100] {
        assert_eq!(at(number), Ok(()));
    }
    assert_eq!(at(101), Err(Refusal::NoMatch));
    let ambiguous = [signed[0].clone(), signed[0].clone()];
    assert!(matches!(judge(docusign, &ambiguous, b"{}"), Err(Refusal::Ambiguous { .. })));
    assert!(matches!(judge(docusign, &[], b"{}"), Err(Refusal::Missing { .. })));
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
pub(crate) fn signed_names(provider: &Provider) -> Vec<String> {
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
