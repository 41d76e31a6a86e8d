//! An event as targets see it.

use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use nuncio_client::{Error, Redactor};
use serde_json::{Map, Value, json};

use crate::directory::Endpoint;
use crate::{Event, Headers};

/// Headers that are about one connection (RFC 9110, section 7.6.1, and what else is), or made anew for each.
const OF_A_CONNECTION: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that say who sent it, by way of whom and what he takes, or carry credentials.
const OF_A_SENDER: [&str; 12] = [
    "accept",
    "accept-language",
    "authorization",
    "cf-connecting-ip",
    "cf-ipcountry",
    "cookie",
    "forwarded",
    "from",
    "true-client-ip",
    "user-agent",
    "via",
    "x-real-ip",
];

const KEPT_BACK_PREFIXES: [&str; 3] = ["x-forwarded-", "webhook-", "nuncio-"];

/// The event as it is sent to `endpoint`: as it arrived, or what its transformation makes of it, which is JSON.
///
/// # Errors
/// [`Kind::Decode`](nuncio_client::Kind::Decode) when the transformation fails.
pub(super) fn sent(mut event: Event, endpoint: &Endpoint) -> Result<Event, Error> {
    event.body = endpoint.route.payload(&event)?;
    if endpoint.settings.transform.is_some() {
        // What was said of the body that arrived does not hold of this one.
        event.headers.0.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
        event.headers.0.push(("content-type".to_owned(), Bytes::from_static(b"application/json")));
    }
    Ok(event)
}

/// Whether headers of this name are ours alone.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with("webhook-") || name.starts_with("nuncio-")
}

/// The headers that the event arrived with, but for those that belong to one connection, carry credentials, or say who sent it.
pub(super) fn headers(headers: &Headers) -> HeaderMap {
    passed(headers, |name, value| {
        let is_kept_back =
            OF_A_SENDER.contains(&name) || KEPT_BACK_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        // A token in a header, by which a source proves itself, is known to the redactor.
        !is_kept_back && Redactor::global().redact_bytes(value) == value
    })
}

/// The headers that the event arrived with, but for those that belong to one connection: the receiver can check what the provider signed.
pub(super) fn headers_as_received(headers: &Headers) -> HeaderMap {
    passed(headers, |_, _| true)
}

/// The headers that may pass, but for those that belong to one connection. A header that is there several times is one with a list (RFC 9110,
/// section 5.3).
fn passed(headers: &Headers, may_pass: impl Fn(&str, &[u8]) -> bool) -> HeaderMap {
    let listed: Vec<String> = named(headers, header::CONNECTION.as_str())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>())
        .collect();
    let mut passed = HeaderMap::<HeaderValue>::new();
    for (name, value) in &headers.0 {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        let is_of_a_connection =
            OF_A_CONNECTION.contains(&name.as_str()) || listed.iter().any(|listed| listed == name.as_str());
        if is_of_a_connection || !may_pass(name.as_str(), value) {
            continue;
        }
        let value = match passed.get(&name) {
            Some(before) => [before.as_bytes(), b", ", value].concat(),
            None => value.to_vec(),
        };
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            passed.insert(name, value);
        }
    }
    passed
}

fn named<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = std::borrow::Cow<'a, str>> {
    let is_named = move |(other, _): &&(String, Bytes)| other.eq_ignore_ascii_case(name);
    headers.0.iter().filter(is_named).map(|(_, value)| String::from_utf8_lossy(value))
}

/// The event but for its body: `{id, type, at, origin, headers}`.
pub(super) fn head(event: &Event) -> Map<String, Value> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Map<String, Value> = headers(&event.headers)
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), Value::String(text(value))))
        .collect();
    let head = json!({
        "id": event.id, "type": event.event_type, "at": event.at, "origin": event.origin, "headers": headers,
    });
    match head {
        Value::Object(head) => head,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(given: &[(&str, &str)]) -> Vec<(String, String)> {
        let given =
            given.iter().map(|(name, value)| ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        let passed = headers(&Headers(given.collect()));
        let text = |value: &HeaderValue| value.to_str().expect("text").to_owned();
        passed.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn what_belongs_to_a_connection_or_its_sender_is_kept_back() {
        for name in OF_A_CONNECTION.iter().chain(&OF_A_SENDER).chain(&[
            "X-Forwarded-For",
            "x-forwarded-host",
            "Webhook-Signature",
            "nuncio-attempt",
        ]) {
            assert_eq!(passed(&[(name, "made-up")]), [], "{name}");
        }
        let hop =
            [("Connection", "close, X-Hop"), ("connection", "x-other"), ("x-hop", "1"), ("X-Other", "1")];
        assert_eq!(passed(&hop), []);
    }

    #[test]
    fn a_token_of_a_source_is_kept_back_and_its_signature_is_not() {
        Redactor::global().register("made-up-token-of-a-source");
        let given = [("x-gitlab-token", "made-up-token-of-a-source"), ("x-hub-signature-256", "sha256=00")];
        assert_eq!(passed(&given), [("x-hub-signature-256".to_owned(), "sha256=00".to_owned())]);
    }

    #[test]
    fn a_repeated_header_is_a_list() {
        assert_eq!(passed(&[("X-Tag", "a"), ("x-tag", "b")]), [("x-tag".to_owned(), "a, b".to_owned())]);
    }
}
