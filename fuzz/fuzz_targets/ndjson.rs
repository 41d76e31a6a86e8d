//! Newline-delimited JSON: the same as `serde_json` reads line by line, at every cut of the bytes.
#![no_main]

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libfuzzer_sys::fuzz_target;
use nuncio_client::body::ndjson;
use nuncio_client::{Body, Kind};
use serde_json::value::RawValue;

const MAX_LINE_BYTES: usize = 40;

fuzz_target!(|data: &[u8]| {
    let expected = expected(data);
    let whole = [vec![Bytes::copy_from_slice(data)]];
    for pieces in whole.into_iter().chain(nuncio_fuzz::cuts(data)) {
        assert_eq!(read(pieces), expected);
    }
});

/// The values up to the first mistake.
type Values = Vec<Result<String, Kind>>;

fn read(pieces: Vec<Bytes>) -> Values {
    let body = Body::once(stream::iter(pieces.into_iter().map(Ok))).into_stream();
    let values = ndjson::values(body, MAX_LINE_BYTES);
    nuncio_fuzz::block_on(
        values.map(|value| value.map(|it| it.get().to_owned()).map_err(|it| it.kind())).collect(),
    )
}

fn expected(data: &[u8]) -> Values {
    let mut values = Vec::new();
    for (number, line) in data.split(|byte| *byte == b'\n').enumerate() {
        if line.len() > MAX_LINE_BYTES {
            values.push(Err(Kind::TooLarge));
            break;
        }
        let line = if number == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice::<&RawValue>(line) {
            Ok(value) => values.push(Ok(value.get().to_owned())),
            Err(_) => {
                values.push(Err(Kind::Decode));
                break;
            }
        }
    }
    values
}
