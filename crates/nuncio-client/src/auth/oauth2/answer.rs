//! What a token endpoint says (RFC 6749, section 5).

use http::StatusCode;
use serde_json::{Map, Value};

use super::token::{Token, lifetime};
use crate::{Answer, Clock, Error, Evidence, Kind, Secret, excerpt};

/// Reads the token out of a successful answer.
pub(super) fn token(answer: &Answer, clock: &Clock) -> Result<Token, Error> {
    let Some(fields) = object(answer) else {
        return Err(failed(format!("the token endpoint answered no JSON object: {}", shown(answer))));
    };
    let Some(value) = text(&fields, "access_token") else {
        return Err(refusal(answer).unwrap_or_else(|| {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            failed(format!(
                "the token endpoint answered without access_token: {}",
                excerpt(names.join(", ").as_bytes())
            ))
        }));
    };
    let value = Secret::new(value);
    // Required by the RFC, yet left out by many servers that mean a bearer token.
    match text(&fields, "token_type") {
        Some(kind) if !kind.eq_ignore_ascii_case("bearer") => Err(failed(format!(
            "the token endpoint gave a token of type {:?}, not Bearer",
            excerpt(kind.as_bytes())
        ))),
        _ => Ok(Token::new(value, lifetime(fields.get("expires_in")), clock)),
    }
}

/// Reads a refusal (RFC 6749, section 5.2). Its status is 400 or 401; some servers say 403, or 200.
pub(super) fn refusal(answer: &Answer) -> Option<Error> {
    const STATUSES: [StatusCode; 4] =
        [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::OK];
    if !STATUSES.contains(&answer.status) {
        return None;
    }
    let fields = object(answer)?;
    let code = excerpt(text(&fields, "error")?.as_bytes());
    let description = text(&fields, "error_description").map(|text| excerpt(text.as_bytes()));
    let explained = description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    let page = text(&fields, "error_uri")
        .map(|uri| format!("; see {}", excerpt(uri.as_bytes())))
        .unwrap_or_default();
    let advice = format!("{}{page}", advice(&code));

    let message = format!("the token endpoint refused: {code}{explained}");
    let mut answer = answer.clone();
    (answer.code, answer.message) = (Some(code), description);
    Some(failed(message).advise(advice).answered(answer))
}

fn advice(code: &str) -> &'static str {
    match code {
        "invalid_client" => {
            "check the client id and secret, and whether this endpoint wants them in a Basic header or in the body"
        }
        "invalid_scope" => "check the scopes: one is unknown, malformed, or not granted to this client",
        "invalid_target" => {
            "check the audience and the resource: the server does not know them or does not grant them"
        }
        "unauthorized_client" => "allow this client to use this grant in the provider's settings",
        "unsupported_grant_type" => "check the token URL: this endpoint does not offer this grant",
        "invalid_grant" => "the code or refresh token is used up, expired or of another client: log in again",
        "invalid_request" => {
            "check the token URL and the extra parameters: one is missing, unknown or given twice"
        }
        _ => "look the code up in the provider's documentation",
    }
}

/// The call itself was never sent, and trying it again would ask the same endpoint again.
pub(super) fn failed(message: String) -> Error {
    Error::new(Kind::Auth, message).evidence_is(Evidence::NeverSent)
}

fn object(answer: &Answer) -> Option<Map<String, Value>> {
    serde_json::from_slice(&answer.body).ok()
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// An excerpt, unless it might show a token that was written in a form we cannot read and the redactor does not know.
fn shown(answer: &Answer) -> String {
    if answer.body.is_empty() {
        "an empty body".to_owned()
    } else if answer.body.to_ascii_lowercase().windows(5).any(|word| word == b"token") {
        format!("{} bytes, not shown since they may hold a token", answer.body.len())
    } else {
        excerpt(&answer.body)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_of_the_rfc_has_its_own_advice() {
        let codes = [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
        ];
        let mut all: BTreeSet<_> = codes.iter().map(|code| advice(code)).collect();
        all.insert(advice("made_up_code"));
        assert_eq!(all.len(), codes.len() + 1);
    }
}
