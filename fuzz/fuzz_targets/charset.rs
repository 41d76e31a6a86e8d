//! Text of answers: against `encoding_rs` at one go, and no byte replaced in silence. The first line is the `Content-Type`.
#![no_main]

use encoding_rs::{Encoding, REPLACEMENT, UTF_8};
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use nuncio_client::Kind;
use nuncio_client::body::{MediaType, charset};
use nuncio_fuzz::first_line;

fuzz_target!(|data: &[u8]| {
    let (content_type, body) = first_line(data);
    let Ok(value) = HeaderValue::from_bytes(content_type) else { return };
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value)]);
    let label = MediaType::of(&headers).and_then(|it| it.param("charset").map(str::to_owned));
    let declared = label.map_or(Some(UTF_8), |label| Encoding::for_label(label.as_bytes()));
    let expected = match Encoding::for_bom(body) {
        Some((encoding, length)) => {
            encoding.decode_without_bom_handling_and_without_replacement(&body[length..])
        }
        None => declared
            .filter(|encoding| *encoding != REPLACEMENT)
            .and_then(|encoding| encoding.decode_without_bom_handling_and_without_replacement(body)),
    };
    match charset::decode(body, &headers) {
        Ok(text) => assert_eq!(Some(text), expected),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Decode);
            assert_eq!(expected, None, "{error}");
        }
    }
});
