//! Settings as the API takes them and the store keeps them, `KIND NAME JSON` a line: what can be used is the same after it was stored.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::Kind;
use nuncio_relay::store::{Document, DocumentKind, Documents};
use nuncio_relay::{Directory, settings};
use nuncio_service::Env;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let env = Env::new(|_| Some("made-up-value".to_owned()));
    for from_file in [false, true] {
        let read = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let kind = words.next()?;
            let kind = DocumentKind::ALL.into_iter().find(|known| known.to_string() == kind)?;
            let (name, value) = (words.next()?.to_owned(), serde_json::from_str(words.next()?).ok()?);
            Some(Document { kind, name, from_file, value })
        };
        let all: Vec<_> = text.lines().filter_map(read).collect();
        match Directory::new(&Documents { revision: 1, all: all.clone() }, &env) {
            Ok(_) => all.into_iter().for_each(is_kept),
            Err(error) => assert_eq!(error.kind(), Kind::Configuration),
        }
    }
});

fn is_kept(document: Document) {
    match document.kind {
        DocumentKind::Source => stays::<settings::Source>(document.value),
        DocumentKind::Schedule => stays::<settings::Schedule>(document.value),
        DocumentKind::Application => stays::<settings::Application>(document.value),
        DocumentKind::Endpoint => stays::<settings::Endpoint>(document.value),
        DocumentKind::EventType => stays::<settings::EventType>(document.value),
        DocumentKind::Token | DocumentKind::Job => {}
    }
}

fn stays<T: Serialize + DeserializeOwned + PartialEq>(value: Value) {
    let read: T = serde_json::from_value(value).expect("it was read before");
    let kept = serde_json::to_value(&read).expect("it can be written");
    assert!(serde_json::from_value::<T>(kept).expect("what was written is read") == read);
}
