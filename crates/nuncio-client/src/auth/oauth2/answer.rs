//! What an authorization server says (RFC 6749, section 5).

use http::StatusCode;
use serde_json::{Map, Value};

use super::token::lifetime;
use super::tokens::Tokens;
use crate::{Answer, Clock, Error, Evidence, Kind, Secret, excerpt};

/// Reads the tokens out of a successful answer (RFC 6749, section 5.1).
pub(super) fn tokens(answer: &Answer, clock: &Clock) -> Result<Tokens, Error> {
    let Some(fields) = object(answer) else {
        return Err(no_object(answer));
    };
    let Some(access_token) = text(&fields, "access_token") else {
        return Err(refusal(answer).unwrap_or_else(|| {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            failed(format!(
                "the token endpoint answered without access_token: {}",
                excerpt(names.join(", ").as_bytes())
            ))
        }));
    };
    let access_token = Secret::new(access_token);
    // Required by the RFC, yet left out by many servers that mean a bearer token.
    let token_type = text(&fields, "token_type").unwrap_or("Bearer");
    if !token_type.eq_ignore_ascii_case("bearer") {
        let token_type = excerpt(token_type.as_bytes());
        return Err(failed(format!("the token endpoint gave a token of type {token_type:?}, not Bearer")));
    }
    let now = clock.now();
    Ok(Tokens {
        access_token: Some(access_token),
        token_type: token_type.to_owned(),
        refresh_token: text(&fields, "refresh_token").map(Secret::from),
        id_token: text(&fields, "id_token").map(Secret::from),
        expires_at: lifetime(fields.get("expires_in")).and_then(|lifetime| now.checked_add(lifetime)),
        obtained_at: now,
        scopes: text(&fields, "scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        ..Tokens::default()
    })
}

/// The error for an answer that is no JSON object.
pub(super) fn no_object(answer: &Answer) -> Error {
    failed(format!("the server answered no JSON object: {}", shown(answer)))
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
    let description = text(&fields, "error_description");
    let mut answer = answer.clone();
    answer.message = description.map(|text| excerpt(text.as_bytes()));
    answer.code = Some(code.clone());
    Some(refused(&code, description, text(&fields, "error_uri")).answered(answer))
}

/// A refusal, in the server's words and with ours.
pub(super) fn refused(code: &str, description: Option<&str>, page: Option<&str>) -> Error {
    let shown = |text: &str| excerpt(text.as_bytes());
    let code = shown(code);
    let explained = description.map(|text| format!(" ({})", shown(text))).unwrap_or_default();
    let page = page.map(|uri| format!("; see {}", shown(uri))).unwrap_or_default();
    let advice = format!("{}{page}", advice(&code));
    failed(format!("the authorization server refused: {code}{explained}")).advise(advice)
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
        "access_denied" => "begin again and agree, as a user who may",
        "expired_token" => "begin again, and agree in time",
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

/// Nothing of use was answered, because of `error`.
pub(super) fn none(error: Error) -> Error {
    let failed = failed("the authorization server failed".to_owned());
    match error.advice().map(str::to_owned) {
        Some(advice) => failed.advise(advice),
        None => failed,
    }
    .because(error)
}

/// Whether the same request may succeed later: the server or the way to it is down.
pub(super) fn is_passing(error: &Error) -> bool {
    error.cause::<Error>().is_some_and(|cause| match cause.kind() {
        Kind::Timeout | Kind::Connect => !cause.is_lasting(),
        _ => cause.status().is_some_and(|status| status.is_server_error()),
    })
}

/// What a failure to get an answer proves of the request for it.
pub(super) fn fate(error: &Error) -> Evidence {
    if error.answer().is_some() {
        return Evidence::Rejected;
    }
    error.cause::<Error>().map_or(Evidence::Unknown, Error::evidence)
}

pub(super) fn object(answer: &Answer) -> Option<Map<String, Value>> {
    serde_json::from_slice(&answer.body).ok()
}

pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
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
            "invalid_target",
            "access_denied",
            "expired_token",
        ];
        let mut all: BTreeSet<_> = codes.iter().map(|code| advice(code)).collect();
        all.insert(advice("made_up_code"));
        assert_eq!(all.len(), codes.len() + 1);
    }
}
