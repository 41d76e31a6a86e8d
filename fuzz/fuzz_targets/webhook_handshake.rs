//! Handshakes: an answer shows no secret, and nothing is signed or repeated for strangers where the scheme says that handshakes are signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_fuzz::webhook::{Input, KEY, secrets};
use nuncio_fuzz::{SECRET, now};
use nuncio_webhook::{handshake, verify};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::read(data) else { return };
    let (secrets, request) = (secrets(), input.request());
    let Ok(Some(answer)) = handshake(input.scheme(), &request, &secrets, now()) else { return };
    // What it repeats came from the one who asks.
    let sent = |part: &str| {
        let found = |bytes: &[u8]| bytes.windows(part.len()).any(|window| window == part.as_bytes());
        found(data) || input.headers.iter().any(|(_, value)| found(value)) || !data.is_ascii()
    };
    let body = String::from_utf8_lossy(&answer.body);
    for secret in [SECRET, KEY] {
        assert!(!body.contains(secret) || sent(secret), "{body}");
    }
    if input.scheme().handshakes.iter().all(|one| one.signed) {
        assert!(verify(input.scheme(), &request, &secrets, now()).is_ok());
    }
});
