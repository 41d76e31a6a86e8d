//! `Content-Type`: against `mime`, and the same again when it is written by the grammar.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::body::MediaType;

fuzz_target!(|text: &str| {
    let ours = MediaType::parse(text);
    // It takes no subtype for one.
    if let Some(theirs) =
        text.parse::<mime::Mime>().ok().filter(|theirs| !theirs.subtype().as_str().is_empty())
    {
        let ours = ours.as_ref().expect("another library reads it");
        assert_eq!(ours.essence(), theirs.essence_str().to_ascii_lowercase());
        for (name, value) in theirs.params() {
            let first = theirs.params().find(|(other, _)| other.as_str().eq_ignore_ascii_case(name.as_str()));
            // It takes some quotes that do not end, and leaves quoted pairs as they are.
            if first == Some((name, value)) && !text.contains('"') {
                let own = ours.param(name.as_str()).expect("another library finds it");
                assert!(own.eq_ignore_ascii_case(value.as_str()), "{own:?} {value:?}");
            }
        }
    }
    let Some(ours) = ours else { return };
    assert_eq!(ours.essence(), ours.essence().to_ascii_lowercase());
    if let Some(charset) = ours.param("charset") {
        let quoted = charset.replace('\\', "\\\\").replace('"', "\\\"");
        let again =
            MediaType::parse(&format!("{} ; a=b;CHARSET=\"{quoted}\"", ours.essence())).expect("it was read");
        assert_eq!((again.essence(), again.param("charset")), (ours.essence(), Some(charset)));
    }
});
