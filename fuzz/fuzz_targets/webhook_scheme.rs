//! Schemes that somebody else wrote: what loads is written and read again the same, is used without a panic, and covers what it signs. The first line is
//! the scheme, then come headers, an empty line and the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_fuzz::webhook::{headers, secrets};
use nuncio_fuzz::{first_line, now};
use nuncio_webhook::scheme::{Algorithm, Part};
use nuncio_webhook::{Outgoing, Request, Scheme, explain, handshake, sign, verify};

const URL: &str = "https://hooks.example.test/in?a=1";

fuzz_target!(|data: &[u8]| {
    let (scheme, rest) = first_line(data);
    let Ok(scheme) = serde_json::from_slice::<Scheme>(scheme) else { return };
    let written = serde_json::to_string(&scheme).expect("a scheme is JSON");
    assert_eq!(serde_json::from_str::<Scheme>(&written).expect("what was written is read"), scheme);

    let (lines, body) = match rest.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&rest[..end], &rest[end + 2..]),
        None => (rest, &rest[..0]),
    };
    let secrets = secrets();
    let outgoing = Outgoing { id: "msg_1", signed_at: now(), method: "POST", url: URL, body, content_type: None };
    let made = sign(&scheme, &outgoing, &secrets).unwrap_or_default();
    let mut headers = headers(lines, &made);
    if headers.is_empty() {
        headers = made.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
    }
    let request = Request { method: "POST", url: URL, headers: &headers, body };
    let verdict = verify(&scheme, &request, &secrets, now()).map(|event| event.secret().to_owned());
    assert_eq!(explain(&scheme, &request, &secrets, now()).verdict, verdict);
    let _ = handshake(&scheme, &request, &secrets, now());

    let covers_body = scheme.signatures.iter().all(|signature| {
        signature.algorithm != Algorithm::Token && signature.signed.parts().contains(&Part::Body)
    });
    if verdict.is_ok() && covers_body {
        for at in [0, body.len() / 2, body.len().saturating_sub(1)] {
            let mut other = body.to_vec();
            let Some(byte) = other.get_mut(at) else { break };
            *byte ^= 1;
            assert!(verify(&scheme, &Request { body: &other, ..request }, &secrets, now()).is_err());
        }
    }
});
