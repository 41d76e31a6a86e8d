//! Multipart bodies: another library reads the parts that were written, whole or in pieces.
//!
//! The input is a list of names, file names (none where empty) and contents, between zero bytes.
#![no_main]

use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use nuncio_client::Random;
use nuncio_client::body::multipart::{Encoded, Form, Part};

struct Field {
    name: String,
    file_name: Option<String>,
    content: Vec<u8>,
}

fuzz_target!(|data: &[u8]| {
    let words: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    // By the WHATWG's rule control characters stand for themselves, and the reader refuses them in a head.
    let is_control = |c: char| c.is_ascii_control() && !matches!(c, '\r' | '\n' | '\t');
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(is_control, "");
    let fields = words.chunks_exact(3).map(|words| Field {
        name: text(words[0]),
        file_name: Some(text(words[1])).filter(|name| !name.is_empty()),
        content: words[2].to_vec(),
    });
    let fields: Vec<Field> = fields.collect();

    let whole = encode(&fields, |content| Part::bytes(content.to_vec()));
    let streamed = encode(&fields, |content| {
        let content = Bytes::copy_from_slice(content);
        let pieces = move || {
            let middle = content.len() / 2;
            stream::iter([Ok(content.slice(..middle)), Ok(content.slice(middle..))])
        };
        Part::stream(None, pieces)
    });
    nuncio_fuzz::block_on(async {
        let body = whole.body.collect(1 << 20).await.expect("it is in memory");
        assert_eq!(whole.length, Some(body.len() as u64));
        assert_eq!(streamed.body.collect(1 << 20).await.expect("it is small"), body);
        read(whole.content_type.to_str().expect("letters"), body, &fields).await;
    });
});

fn encode(fields: &[Field], part: impl Fn(&[u8]) -> Part) -> Encoded {
    let form = fields.iter().fold(Form::new(), |form, field| {
        let part = part(&field.content);
        form.part(
            &field.name,
            match &field.file_name {
                Some(name) => part.file_name(name),
                None => part,
            },
        )
    });
    form.encode(&Random::seeded(7))
}

async fn read(content_type: &str, body: Bytes, fields: &[Field]) {
    let boundary = multer::parse_boundary(content_type).expect("a boundary");
    let body = stream::iter([Ok::<_, std::io::Error>(body)]);
    let mut parts = multer::Multipart::new(body, boundary);
    for field in fields {
        let part = parts.next_field().await.expect("a form").expect("as many parts as were written");
        // By the WHATWG's rule a backslash stands for itself; the reader takes one before a quote for an escape.
        if !field.name.contains('\\') && !field.file_name.as_ref().is_some_and(|name| name.contains('\\')) {
            assert_eq!(part.name(), Some(&*escaped(&field.name)));
            assert_eq!(part.file_name(), field.file_name.as_deref().map(escaped).as_deref());
        }
        assert_eq!(part.bytes().await.expect("its content"), field.content);
    }
    assert!(parts.next_field().await.expect("a form").is_none(), "no part that was not written");
}

fn escaped(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}
