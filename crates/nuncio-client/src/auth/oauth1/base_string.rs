//! What is signed (RFC 5849, section 3.4.1).

use http::header::CONTENT_TYPE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::Message;

/// All but the unreserved characters (RFC 5849, section 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parameters of the protocol, decoded.
pub(super) type Params = Vec<(String, String)>;

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Method, URL and all parameters: those of the query, of a form body, and `params`, which have no signature.
pub(super) fn base_string(message: &Message<'_>, params: &Params) -> String {
    let url = format!("{}://{}{}", message.scheme, message.authority, message.path);
    let mut all: Vec<(String, String)> = params.iter().chain(&of_request(message)).map(encoded).collect();
    all.sort_unstable();
    let all: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [message.method.to_ascii_uppercase(), encode(&url), encode(&all.join("&"))].join("&")
}

/// Parameters of the query and of a form body, decoded; those of the protocol may be among them.
pub(super) fn of_request(message: &Message<'_>) -> Params {
    let body = if is_form(message) { message.body.unwrap_or_default() } else { &[] };
    let query = message.query.unwrap_or_default().as_bytes();
    [query, body].into_iter().flat_map(|text| form_urlencoded::parse(text).into_owned()).collect()
}

pub(super) fn is_form(message: &Message<'_>) -> bool {
    let media_type = message.header(&CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    media_type.split(';').next().is_some_and(|it| it.trim() == "application/x-www-form-urlencoded")
}

fn encoded((name, value): &(String, String)) -> (String, String) {
    (encode(name), encode(value))
}
