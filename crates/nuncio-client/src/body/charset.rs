//! Text of answers in whatever charset the server writes.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, REPLACEMENT, UTF_8};
use http::HeaderMap;

use crate::body::MediaType;
use crate::{Error, Kind};

/// Decodes `body` to text.
///
/// A byte order mark decides (UTF-8, UTF-16), then the `charset` of the `Content-Type`, by the labels of the WHATWG Encoding Standard,
/// then UTF-8. The mark is not part of the text. JSON is no exception: RFC 8259 has it always in UTF-8, but a server that names another
/// charset also writes it.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
/// use nuncio_client::body::charset;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=ISO-8859-1"));
/// assert_eq!(charset::decode(b"Zo\xeb", &headers)?, "Zoë");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
///
/// # Errors
/// [`Kind::Decode`] for a charset that is not known, and for bytes that the charset does not allow: they are never replaced in silence.
pub fn decode<'a>(body: &'a [u8], headers: &HeaderMap) -> Result<Cow<'a, str>, Error> {
    let (encoding, body) = match Encoding::for_bom(body) {
        Some((encoding, length)) => (encoding, &body[length..]),
        None => (declared(headers)?, body),
    };
    if encoding == UTF_8 {
        return match std::str::from_utf8(body) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(e) => Err(malformed(encoding, e.valid_up_to())),
        };
    }
    decode_as(encoding, body).map(Cow::Owned)
}

fn declared(headers: &HeaderMap) -> Result<&'static Encoding, Error> {
    let media_type = MediaType::of(headers);
    let Some(label) = media_type.as_ref().and_then(|it| it.param("charset")) else {
        return Ok(UTF_8);
    };
    // Labels such as `iso-2022-kr` stand for the "replacement" encoding, which decodes nothing.
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT).ok_or_else(|| {
        Error::new(Kind::Decode, format!("the answer is in the charset {label:?}, which is not known"))
            .advise("read the answer as bytes")
    })
}

fn decode_as(encoding: &'static Encoding, body: &[u8]) -> Result<String, Error> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(body.len());
    let mut text = String::with_capacity(room.expect("a body in memory is smaller than the address space"));
    match decoder.decode_to_string_without_replacement(body, &mut text, true) {
        (DecoderResult::InputEmpty, _) => Ok(text),
        (DecoderResult::Malformed(length, lookahead), read) => {
            Err(malformed(encoding, read.saturating_sub(usize::from(length) + usize::from(lookahead))))
        }
        (DecoderResult::OutputFull, _) => unreachable!("the text has room for the longest decoding"),
    }
}

fn malformed(encoding: &'static Encoding, offset: usize) -> Error {
    Error::new(Kind::Decode, format!("the answer is not valid {} at byte {offset}", encoding.name()))
        .advise("read the answer as bytes, or have the server name its charset in Content-Type")
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};
    use proptest::prelude::*;

    use super::*;

    fn headers(content_type: &str) -> HeaderMap {
        let value = HeaderValue::from_str(content_type).unwrap();
        HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
    }

    fn message(body: &[u8], content_type: &str) -> String {
        let error = decode(body, &headers(content_type)).unwrap_err();
        assert_eq!(error.kind(), Kind::Decode);
        error.to_string()
    }

    #[test]
    fn the_default_is_utf_8() {
        assert_eq!(decode("Zoë".as_bytes(), &HeaderMap::new()).unwrap(), "Zoë");
        assert_eq!(decode("Zoë".as_bytes(), &headers("nonsense")).unwrap(), "Zoë");
    }

    #[test]
    fn the_declared_charset_is_used() {
        let shift_jis = b"\x93\x8c\x8b\x9e";
        assert_eq!(decode(shift_jis, &headers("application/json; charset=Shift_JIS")).unwrap(), "東京");
        assert_eq!(decode(b"\x80", &headers("text/plain; charset=latin1")).unwrap(), "€");
    }

    #[test]
    fn a_byte_order_mark_wins_over_the_header_and_is_no_text() {
        assert_eq!(decode(b"\xef\xbb\xbf{}", &headers("text/plain; charset=latin1")).unwrap(), "{}");
        assert_eq!(decode(b"\xff\xfe{\0}\0", &headers("text/plain; charset=utf-8")).unwrap(), "{}");
        assert_eq!(decode(b"\xfe\xff\0{\0}", &HeaderMap::new()).unwrap(), "{}");
    }

    #[test]
    fn an_unknown_charset_is_named() {
        for label in ["utf-7", "klingon", "iso-2022-kr"] {
            assert_eq!(
                message(b"x", &format!("text/plain; charset={label}")),
                format!("the answer is in the charset {label:?}, which is not known")
            );
        }
    }

    #[test]
    fn malformed_bytes_are_refused_with_their_place() {
        assert_eq!(message(b"ab\xffcd", "text/plain"), "the answer is not valid UTF-8 at byte 2");
        assert_eq!(
            message(b"ab\x93", "text/plain; charset=shift_jis"),
            "the answer is not valid Shift_JIS at byte 2"
        );
        assert_eq!(
            message(b"a\0\x00\xdcb\0", "text/plain; charset=utf-16le"),
            "the answer is not valid UTF-16LE at byte 2"
        );
    }

    proptest! {
        #[test]
        fn text_survives_every_unicode_encoding(text in any::<String>()) {
            // Starts with a letter: a text may itself look like a byte order mark.
            let text = format!("x{text}");
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert_eq!(decode(&utf16, &headers("text/plain; charset=utf-16")).unwrap(), text.as_str());
            prop_assert_eq!(decode(text.as_bytes(), &headers("text/plain; charset=utf8")).unwrap(), text.as_str());
        }

        #[test]
        fn no_bytes_panic(body in any::<Vec<u8>>(), label in 0..6usize) {
            let labels = ["utf-8", "utf-16be", "gb18030", "iso-2022-jp", "euc-kr", "big5"];
            let _ = decode(&body, &headers(&format!("text/plain; charset={}", labels[label])));
        }
    }
}
