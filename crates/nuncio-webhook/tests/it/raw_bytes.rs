//! Bodies and headers of any bytes.

use std::time::UNIX_EPOCH;

use nuncio_webhook::{Refusal, Request, Secrets, provider, providers, verify};

use crate::properties::{judge, signable, signed, signed_names};

/// Bodies, and their HMACs with SHA-256 by `made-up-secret`, made by Python's `hmac`.
fn bodies() -> [(Vec<u8>, &'static str); 5] {
    [
        (b"\xff\xfe\xc3(\x80".to_vec(), "1345b71c1b03ed542ec7c243c3f7eec4d811bc07dd0ce4763eda51372d73bfe3"),
        (b"\xef\xbb\xbf{}".to_vec(), "24dc8c6d484b39ea936b8cf8f9ba6b3c1b81c956cad1e27219ae058ac60cadcc"),
        (
            b"{\r\n\"a\": 1\r\n}\r\n".to_vec(),
            "fff773ef15d4c409c94c520741301fb48588a8062f0428fabece3d57e82bdfee",
        ),
        (b"\0{}\0".to_vec(), "98c89a2488ca092044071bda48e0365e369d96081e4af8b988b08de1cc2e2810"),
        (vec![b'x'; 10 << 20], "cfebb008b342968c0b511e24f6ff3ee7cef024dee624ba34d084f7d5270328ac"),
    ]
}

#[test]
fn a_body_of_any_bytes_has_the_hmac_that_another_implementation_makes() {
    let github = &provider("github").unwrap().scheme;
    let secrets = Secrets::new().with("current", "made-up-secret");
    for (body, hmac) in bodies() {
        let headers = vec![("X-Hub-Signature-256", format!("sha256={hmac}"))];
        let request = Request { method: "POST", url: "", headers: &headers, body: &body };
        assert!(verify(github, &request, &secrets, UNIX_EPOCH).is_ok(), "{hmac}");
        let trimmed = Request { body: &body[..body.len() - 1], ..request };
        assert_eq!(verify(github, &trimmed, &secrets, UNIX_EPOCH).unwrap_err(), Refusal::NoMatch);
    }
}

#[test]
fn a_header_that_is_not_ascii_gets_a_verdict_from_every_provider() {
    for (name, provider) in providers() {
        for header in signed_names(provider) {
            for value in
                [&b"\xe9"[..], b"\xff\xfe", "é".as_bytes(), b"\xc2\xa0", b"\x80=,\xf0\x9f", b" \t", b"\0"]
            {
                let mut headers: Vec<_> =
                    signed_names(provider).into_iter().map(|name| (name, b"1760000000".to_vec())).collect();
                headers.iter_mut().find(|(other, _)| *other == header).unwrap().1 = value.to_vec();
                assert!(judge(provider, &headers, b"{}").is_err(), "{name} {header} {value:?}");
            }
        }
    }
}

/// Whether the header is the one of `place`, or the first of those with a number.
fn is_of(place: &nuncio_webhook::scheme::HeaderPlace, header: &str) -> bool {
    place.names.iter().any(|name| name == header || format!("{name}-1") == header)
}

#[test]
fn what_is_added_to_a_good_signature_is_not_passed_over() {
    for (name, provider) in signable() {
        let place = match &provider.scheme.signatures[0].at {
            nuncio_webhook::scheme::Place::Header(place) if place.list.is_none() => place,
            _ => continue,
        };
        for added in [&b"\xe9"[..], "é".as_bytes(), b" ", b"\0"] {
            let mut headers = signed(provider, b"{}");
            // Of Box's two signatures either will do.
            headers.retain(|(name, _)| name != "BOX-SIGNATURE-SECONDARY");
            let (_, value) = headers.iter_mut().find(|(name, _)| is_of(place, name)).unwrap();
            value.extend(added);
            assert!(judge(provider, &headers, b"{}").is_err(), "{name} {added:?}");
        }
    }
}

#[test]
fn a_header_that_stands_twice_is_refused_whichever_is_good() {
    for (name, provider) in signable() {
        let good = signed(provider, b"{}");
        let place = match &provider.scheme.signatures[0].at {
            nuncio_webhook::scheme::Place::Header(place) => place,
            place => panic!("{name} has its signature at {place}"),
        };
        let at = good.iter().position(|(name, _)| is_of(place, name)).unwrap();
        for (first, value) in [(0, good[at].1.clone()), (0, b"bad".to_vec()), (good.len(), b"bad".to_vec())] {
            let mut headers = good.clone();
            headers.retain(|(name, _)| name != "BOX-SIGNATURE-SECONDARY");
            headers.insert(first.min(headers.len()), (good[at].0.to_uppercase(), value));
            let verdict = judge(provider, &headers, b"{}");
            assert!(matches!(verdict, Err(Refusal::Ambiguous { .. })), "{name} {verdict:?}");
        }
    }
}
