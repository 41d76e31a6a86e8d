//! A registered secret never survives, however an encoder wrote it and whatever stands around it. The first line is a secret.
#![no_main]

use base64::prelude::{
    BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _,
};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use nuncio_client::redact::{self, BLANK, Redactor, SHORTEST_SEARCHED};
use nuncio_fuzz::{SECRET, first_line};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// What `encodeURIComponent` escapes.
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// All but the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The query percent-encode set of the URL standard.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

fuzz_target!(|data: &[u8]| {
    nuncio_fuzz::secret();
    shown(data);
    let (secret, around) = first_line(data);
    if let (Ok(secret), Ok(around)) = (std::str::from_utf8(secret), std::str::from_utf8(around)) {
        // A blank beside what is left may spell a secret that looks like blanks.
        if secret.len() >= SHORTEST_SEARCHED && !secret.contains('*') {
            encoded(secret, around);
        }
    }
});

/// What is shown of foreign bytes.
fn shown(data: &[u8]) {
    assert!(!nuncio_client::excerpt(data).contains(SECRET));
    let text = String::from_utf8_lossy(data);
    assert!(!Redactor::global().redact(&text).contains(SECRET));
    let found = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    assert!(!found(&Redactor::global().redact_bytes(data)));
    assert!(!redact::url(&text).contains(SECRET));
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let headers = HeaderMap::from_iter([(http::header::WARNING, value)]);
        assert!(redact::headers(&headers).all(|(_, shown)| !shown.contains(SECRET)));
    }
}

fn encoded(secret: &str, around: &str) {
    let redactor = Redactor::default();
    redactor.register(secret);
    for spelling in spellings(secret) {
        let text = format!("{around}{spelling}{around}");
        let clean = redactor.redact(&text);
        assert!(!clean.contains(&spelling), "{spelling:?} in {clean:?}");
        assert!(clean.contains(BLANK));
        assert_eq!(redactor.redact_bytes(text.as_bytes()), clean.as_bytes());
    }
    let plain = redactor.redact(around);
    if plain != around {
        assert!(plain.contains(BLANK));
    }
}

fn spellings(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).expect("text is JSON");
    let json = json[1..json.len() - 1].to_owned();
    let mut all = vec![
        secret.to_owned(),
        json.replace('/', "\\/"),
        ascii(&json),
        json,
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ];
    for set in [NON_ALPHANUMERIC, UNRESERVED, COMPONENT, QUERY] {
        let upper = utf8_percent_encode(secret, set).to_string();
        all.push(lower_hex(&upper, secret, set));
        all.push(upper);
    }
    all
}

/// JSON of ASCII alone, as Python writes it.
fn ascii(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// The same escapes with small digits, as .NET writes them; all else keeps its case.
fn lower_hex(upper: &str, secret: &str, set: &'static AsciiSet) -> String {
    let pieces = percent_encoding::percent_encode(secret.as_bytes(), set);
    let lower: String = pieces
        .map(|piece| {
            if piece.starts_with('%') && piece.len() == 3 {
                piece.to_ascii_lowercase()
            } else {
                piece.to_owned()
            }
        })
        .collect();
    assert!(lower.eq_ignore_ascii_case(upper));
    lower
}
