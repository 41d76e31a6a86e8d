//! `--print`: each event as one line of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nuncio_gateway::Arrived;
use serde_json::{Map, Value, json};

use super::judged::{Judge, id};

/// An event, with stable keys. A body that is no text is in Base64 under `body_base64`.
pub(super) fn object(arrived: &Arrived, judge: &Judge, at: jiff::Timestamp) -> Value {
    let mut headers = Map::new();
    for (name, value) in &arrived.headers.0 {
        let value = String::from_utf8_lossy(value);
        match headers.get_mut(name) {
            Some(Value::String(before)) => *before = format!("{before}, {value}"),
            _ => drop(headers.insert(name.clone(), value.into())),
        }
    }
    let (key, body) = match std::str::from_utf8(&arrived.body) {
        Ok(text) => ("body", text.to_owned()),
        Err(_) => ("body_base64", STANDARD.encode(&arrived.body)),
    };
    json!({
        "id": id(arrived), "at": at, "type": judge.event_type(arrived), "verdict": judge.verdict(arrived).word(), "reasons": judge.reasons(arrived),
        "status": arrived.status.as_u16(), "took_ms": u64::try_from(arrived.took.as_millis()).unwrap_or(u64::MAX), "method": arrived.method.as_str(),
        "url": arrived.url, "headers": headers, "bytes": arrived.body.len(), key: body,
    })
}
