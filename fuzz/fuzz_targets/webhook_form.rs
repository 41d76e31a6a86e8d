//! Forms in the order and spelling in which Twilio signs them: what a decoder of another make puts together is verified, and nothing beside it. The
//! first line is the URL.
#![no_main]

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use libfuzzer_sys::fuzz_target;
use nuncio_fuzz::webhook::KEY;
use nuncio_fuzz::{first_line, now};
use nuncio_webhook::{Refusal, Request, Secrets, provider, verify};

fuzz_target!(|data: &[u8]| {
    let (url, body) = first_line(data);
    let Ok(url) = std::str::from_utf8(url) else { return };
    let pairs = pairs(body);
    let verdict = |signature: &str, body: &[u8]| {
        let headers =
            vec![("X-Twilio-Signature", signature), ("Content-Type", "application/x-www-form-urlencoded")];
        let request = Request { method: "POST", url, headers: &headers, body };
        let scheme = &provider("twilio").expect("it comes along").scheme;
        verify(scheme, &request, &Secrets::new().with("current", KEY), now()).map(|_| ())
    };
    let signature = signature(url, &pairs);
    assert_eq!(verdict(&signature, body), Ok(()));

    let more = [body, b"&made-up=1"].concat();
    let refused = verdict(&signature, &more);
    if pairs.contains(&("made-up".to_owned(), "1".to_owned())) {
        assert_eq!(refused, Ok(()));
    } else {
        assert!(matches!(refused, Err(Refusal::NoMatch)), "{refused:?}");
    }
});

/// The pairs, sorted, each once.
fn pairs(body: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| {
        let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_encoding::percent_decode(&spaced).decode_utf8_lossy().into_owned()
    };
    let pair = |pair: &[u8]| match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (text(&pair[..at]), text(&pair[at + 1..])),
        None => (text(pair), String::new()),
    };
    let mut pairs: Vec<_> =
        body.split(|byte| *byte == b'&').filter(|one| !one.is_empty()).map(pair).collect();
    pairs.sort();
    pairs.dedup();
    pairs
}

fn signature(url: &str, pairs: &[(String, String)]) -> String {
    let mut text = url.to_owned();
    pairs.iter().for_each(|(name, value)| text.extend([name.as_str(), value]));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, KEY.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}
