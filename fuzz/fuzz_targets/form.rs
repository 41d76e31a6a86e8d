//! Form bodies: a decoder that shares nothing with the encoder reads every leaf, in order, under its name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::Kind;
use nuncio_client::body::form;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let mut expected = Some(Vec::new());
    if let Value::Object(fields) = &value {
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            flatten(name.clone(), value, 1, &mut expected);
        }
    } else {
        expected = None;
    }
    match form::encode(&value) {
        Ok(body) => assert_eq!(Some(decode(&body)), expected),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Configuration);
            assert_eq!(expected, None, "{error}");
        }
    }
});

/// The pairs of a field; nothing when no form can hold it.
fn flatten(name: String, value: &Value, depth: usize, pairs: &mut Option<Vec<(String, String)>>) {
    if depth > form::MAX_DEPTH {
        *pairs = None;
    }
    let Some(found) = pairs else { return };
    match value {
        Value::Null => found.push((name, String::new())),
        Value::Bool(_) | Value::Number(_) => found.push((name, value.to_string())),
        Value::String(text) => found.push((name, text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(format!("{name}[{index}]"), item, depth + 1, pairs);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                if key.contains(['[', ']']) {
                    *pairs = None;
                    return;
                }
                flatten(format!("{name}[{key}]"), value, depth + 1, pairs);
            }
        }
    }
}

fn decode(body: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8().expect("it was text").into_owned()
    };
    assert!(body.is_ascii());
    let pairs = body.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').expect("a pair"))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}
