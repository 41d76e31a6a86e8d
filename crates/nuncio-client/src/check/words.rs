//! Where services commonly say why they failed.

use http::{StatusCode, header};
use serde_json::Value;

use crate::Answer;
use crate::json::{Path, scalar_text};

/// Longer messages are cut: they go into one line of an error.
const MAX_CHARS: usize = 500;

/// Places tried in order when the service file names none. The problem documents of RFC 9457 are among them: `type` is their code,
/// `detail` and `title` their message.
const CODES: [&str; 6] = ["error.code", "error.type", "errors.0.code", "code", "error", "type"];
const MESSAGES: [&str; 8] = [
    "error.message",
    "error_description",
    "errors.0.message",
    "errors.0.detail",
    "message",
    "detail",
    "title",
    "errors.0",
];

/// The type of a problem document that says nothing more than its status (RFC 9457, section 4.2.1).
const NO_TYPE: &str = "about:blank";

pub(super) fn code(body: &Value, at: Option<&Path>) -> Option<String> {
    find(body, at, &CODES).filter(|code| code != NO_TYPE)
}

pub(super) fn message(body: &Value, at: Option<&Path>) -> Option<String> {
    find(body, at, &MESSAGES)
}

fn find(body: &Value, at: Option<&Path>, common: &[&str]) -> Option<String> {
    let text = match at {
        Some(path) => path.text(body),
        None => common.iter().find_map(|place| {
            let steps = place.split('.');
            scalar_text(steps.into_iter().try_fold(body, |value, step| match value {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            })?)
        }),
    };
    text.filter(|text| !text.is_empty()).map(|text| text.chars().take(MAX_CHARS).collect())
}

pub(super) fn advice(answer: &Answer) -> Option<String> {
    match answer.status {
        StatusCode::UNAUTHORIZED => {
            Some("check that the credentials are those of this service and still valid".into())
        }
        StatusCode::FORBIDDEN => {
            Some("the credentials are known but may not do this: check scopes and permissions".into())
        }
        StatusCode::NOT_FOUND => Some("check the path and the ids in it".into()),
        status if status.is_redirection() => {
            let target = answer.headers.get(header::LOCATION)?.to_str().ok()?;
            Some(format!("the server points to {target}: if that is right, call it directly"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn common_shapes_are_understood_without_being_told() {
        let cases = [
            (json!({"error": {"code": "card_declined", "message": "declined"}}), "card_declined", "declined"),
            (json!({"error": "invalid_client", "error_description": "unknown"}), "invalid_client", "unknown"),
            (
                json!({"type": "https://example.com/probs/out-of-credit", "title": "No credit", "detail": "30 < 50"}),
                "https://example.com/probs/out-of-credit",
                "30 < 50",
            ),
            (json!({"code": 20003, "message": "Authenticate"}), "20003", "Authenticate"),
        ];
        for (body, expected_code, expected_message) in cases {
            assert_eq!(code(&body, None).as_deref(), Some(expected_code), "{body}");
            assert_eq!(message(&body, None).as_deref(), Some(expected_message), "{body}");
        }
    }

    #[test]
    fn a_problem_without_a_type_has_no_code() {
        assert_eq!(code(&json!({"type": "about:blank", "title": "Not Found"}), None), None);
    }

    #[test]
    fn a_named_place_is_the_only_one_looked_at() {
        let body = json!({"error": {"code": "other"}, "reason": null});
        assert_eq!(code(&body, Some(&"reason".parse().expect("valid"))), None);
    }
}
