//! Records cut out of a body: the same as `serde_json` finds in the whole, at every cut of the bytes.
//!
//! The first line says where they are: `.path`, `?path` where they may be absent, `lines`.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use nuncio_client::json::Path;
use nuncio_client::pages::{Record, Records, Splitter};
use nuncio_fuzz::{cuts, first_line};
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let (place, body) = first_line(data);
    let Ok(place) = std::str::from_utf8(place) else { return };
    let records = match place.split_at_checked(1) {
        Some((".", path)) => path.parse().map(Records::Array),
        Some(("?", path)) => path.parse().map(Records::OptionalArray),
        _ => Ok(Records::Lines),
    };
    let Ok(records) = records else { return };

    let whole = split(&records, &[Bytes::copy_from_slice(body)]);
    for pieces in cuts(body) {
        let cut = split(&records, &pieces);
        assert_eq!(cut, whole, "cut into {:?}", pieces.iter().map(Bytes::len).collect::<Vec<_>>());
    }

    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match &records {
        Records::Array(path) => array(&whole, body, path, false),
        Records::OptionalArray(path) => array(&whole, body, path, true),
        Records::Lines => lines(&whole, body),
    }
});

#[derive(Debug, PartialEq)]
struct Split {
    records: Vec<Record>,
    /// What stood around them, or what was wrong.
    envelope: Result<String, String>,
}

fn split(records: &Records, pieces: &[Bytes]) -> Split {
    let mut splitter = Splitter::new(records.clone());
    let mut records = Vec::new();
    let fed = pieces.iter().try_for_each(|piece| splitter.feed(piece, &mut records));
    let envelope = fed.and_then(|()| splitter.finish(&mut records));
    Split { records, envelope: envelope.map(|it| it.get().to_owned()).map_err(|error| error.to_string()) }
}

/// What the rule says.
enum Place<'a> {
    Array(&'a RawValue),
    Other,
    Absent,
    /// A key on the way stands twice.
    Doubtful,
}

fn array(split: &Split, body: &[u8], path: &Path, optional: bool) {
    let Ok(document) = serde_json::from_slice::<&RawValue>(body) else {
        assert!(split.envelope.is_err(), "this is no JSON");
        return;
    };
    // Deeper than anyone reads, numbers that no machine holds, halves of characters: an error here, or where they are looked at.
    if serde_json::from_slice::<Value>(body).is_err() {
        return;
    }
    match find(document, path.steps()) {
        Place::Array(array) => {
            let expected: Vec<&RawValue> = serde_json::from_str(array.get()).expect("an array");
            assert_eq!(split.envelope.as_deref(), Ok(&*emptied(document.get(), array.get())));
            let records: Vec<&str> = split.records.iter().map(Record::as_str).collect();
            assert_eq!(records, expected.iter().map(|raw| raw.get()).collect::<Vec<_>>());
        }
        Place::Absent if optional => {
            assert_eq!(split.envelope.as_deref(), Ok(document.get()));
            assert!(split.records.is_empty());
        }
        Place::Absent | Place::Other | Place::Doubtful => assert!(split.envelope.is_err(), "{split:?}"),
    }
}

fn find<'a>(value: &'a RawValue, steps: &[String]) -> Place<'a> {
    let Some((step, rest)) = steps.split_first() else {
        return match value.get().as_bytes()[0] {
            b'[' => Place::Array(value),
            b'n' => Place::Absent,
            _ => Place::Other,
        };
    };
    let next = match value.get().as_bytes()[0] {
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).expect("an array");
            step.parse().ok().and_then(|index: usize| items.get(index).copied())
        }
        b'{' => {
            let Members(members) = serde_json::from_str(value.get()).expect("an object");
            let mut found = members.iter().filter(|(key, _)| key == step).map(|(_, value)| *value);
            let first = found.next();
            if found.next().is_some() {
                return Place::Doubtful;
            }
            first
        }
        _ => None,
    };
    next.map_or(Place::Absent, |next| find(next, rest))
}

/// `document` with an empty array in place of `array`, which is a part of it.
fn emptied(document: &str, array: &str) -> String {
    let start = array.as_ptr() as usize - document.as_ptr() as usize;
    format!("{}[]{}", &document[..start], &document[start + array.len()..])
}

/// The members of an object, in their order, those of one name too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

fn lines(split: &Split, body: &[u8]) {
    let values = serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>();
    let Ok(values) = values.collect::<Result<Vec<_>, _>>() else { return };
    if depth(body) <= 128 {
        assert_eq!(split.envelope.as_deref(), Ok("null"));
        let records: Vec<&str> = split.records.iter().map(Record::as_str).collect();
        assert_eq!(records, values.iter().map(|raw| raw.get()).collect::<Vec<_>>());
    }
}

/// No less than how deep the JSON nests: brackets in texts count too.
fn depth(json: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in json {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
