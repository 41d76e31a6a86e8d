//! What is signed, as text.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest as _, Sha256};

use crate::auth::Message;
use crate::auth::hmac::{Algorithm, Key};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
pub(super) const SIGNATURE_PARAM: &str = "X-Amz-Signature";

/// Changed on the road, or by the sender after signing.
const NEVER_SIGNED: [&str; 6] =
    ["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Where and on which day a signature counts: `20150830/us-east-1/iam/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    pub(super) day: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl std::fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/aws4_request", self.day, self.region, self.service)
    }
}

/// Names of the headers that are signed, in order: all but those that change on the road.
pub(super) fn signed_headers(message: &Message<'_>) -> Vec<String> {
    let mut names: Vec<String> = message.headers.keys().map(ToString::to_string).collect();
    names.push("host".to_owned());
    names.retain(|name| !NEVER_SIGNED.contains(&name.as_str()));
    names.sort();
    names.dedup();
    names
}

/// The request in the one spelling that both sides sign.
pub(super) fn canonical_request(
    message: &Message<'_>,
    is_s3: bool,
    signed: &[String],
    payload: &str,
) -> String {
    let path = if is_s3 { message.path.to_owned() } else { encode_path(&normal(message.path)) };
    let headers: String =
        signed.iter().map(|name| format!("{name}:{}\n", header_value(message, name))).collect();
    let query = canonical_query(message.query.unwrap_or_default());
    [message.method, &path, &query, &headers, &signed.join(";"), payload].join("\n")
}

pub(super) fn string_to_sign(time: &str, scope: Scope<'_>, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256(canonical_request.as_bytes()))
}

pub(super) fn signature(secret: &str, scope: Scope<'_>, string_to_sign: &str) -> String {
    let secret = Key::bytes(format!("AWS4{secret}").into_bytes());
    let day = [scope.day, scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(secret, |key, part| Key::bytes(key.mac(Algorithm::Sha256, part.as_bytes())));
    hex::encode(day.mac(Algorithm::Sha256, string_to_sign.as_bytes()))
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The path as most services sign it: what was sent, encoded once more. S3 alone signs what was sent.
fn encode_path(path: &str) -> String {
    percent_encode(path.as_bytes(), RESERVED_IN_PATH).to_string()
}

/// `text`, whatever its encoding, with every reserved character escaped.
pub(super) fn encode_strictly(text: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    percent_encode(&decoded, RESERVED).to_string()
}

/// A value of a parameter.
pub(super) fn encode_value(value: &str) -> String {
    percent_encode(value.as_bytes(), RESERVED).to_string()
}

/// The path without dot segments and empty ones (RFC 3986, section 6.2.2.3).
fn normal(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let is_folder = path.ends_with('/') && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if is_folder { "/" } else { "" })
}

/// The parameters as they are, sorted by name and value, without the signature itself.
fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(&str, &str)> = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.retain(|(name, _)| *name != SIGNATURE_PARAM);
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn header_value(message: &Message<'_>, name: &str) -> String {
    let values: Vec<String> = message
        .headers
        .get_all(name)
        .iter()
        .map(|value| {
            String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    if values.is_empty() && name == "host" { message.authority.to_string() } else { values.join(",") }
}
