//! When an answer is a failure.

use super::cost::Cost;
use super::errors::Errors;
use super::response::Envelope;
use crate::{Answer, Error, Evidence, Kind};

/// The failure that the answer to a GraphQL request is, if it is one.
///
/// - With a 2xx: `errors` that are not empty, whatever their shape, partial data or not; and a body without `data`, which no
///   GraphQL server sends (an HTML page, a REST error under 200).
/// - With a 4xx: `errors` of the right shape, a list of objects with messages, as servers of `application/graphql-response+json` send
///   them. Other bodies, 401, 408, 425, 429 and 5xx are left to the rules for statuses: anything between us and the
///   server may have answered.
///
/// The error has the answer, with code and message of the first GraphQL error, and [`Errors`] as its cause. When the server throttled the
/// request it did nothing ([`Evidence::Rejected`]) and, where it tells its points, says when there will be enough of them.
#[must_use]
pub fn failure(answer: &Answer) -> Option<Error> {
    let status = answer.status.as_u16();
    let envelope = Envelope::of(&answer.body);
    let errors = envelope.as_ref().and_then(Errors::within);
    match (status, errors) {
        (200..=299, Some(errors)) => Some(of_errors(answer, errors)),
        (200..=299, None) => match envelope {
            Some(Envelope { data: Some(_), .. }) => None,
            _ => Some(no_graphql(answer)),
        },
        (401 | 408 | 425 | 429, _) => None,
        (400..=499, Some(errors)) if errors.are_well_formed() => Some(of_errors(answer, errors)),
        _ => None,
    }
}

fn of_errors(answer: &Answer, errors: Errors) -> Error {
    let mut answer = answer.clone();
    answer.code = errors.list()[0].code.clone();
    answer.message = Some(errors.list()[0].message.clone());
    let error = Error::new(Kind::GraphQl, summary(&errors)).answered(answer);
    let error = if errors.is_throttled() { throttled(error, errors.cost()) } else { error };
    error.because(errors)
}

fn summary(errors: &Errors) -> String {
    let count = match errors.list().len() {
        1 => "1 error".to_owned(),
        several => format!("{several} errors"),
    };
    let data = if errors.data().is_some() { " beside partial data" } else { "" };
    format!("the GraphQL answer has {count}{data}")
}

fn throttled(error: Error, cost: Option<&Cost>) -> Error {
    match cost {
        Some(cost) if cost.is_too_large() => {
            error.advise("it costs more than the limit ever allows: ask for less at once")
        }
        Some(cost) => match cost.wait() {
            Some(wait) if !wait.is_zero() => error.come_back_after(wait),
            _ => error,
        }
        .evidence_is(Evidence::Rejected),
        None => error.evidence_is(Evidence::Rejected),
    }
}

fn no_graphql(answer: &Answer) -> Error {
    let message = format!("{} but no GraphQL answer: {}", answer.status, answer.excerpt());
    Error::new(Kind::Decode, message)
        .answered(answer.clone())
        .advise("is this the URL of a GraphQL endpoint?")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn judge(status: u16, body: &'static str) -> Option<Error> {
        let status = StatusCode::from_u16(status).unwrap();
        failure(&Answer::new(status, HeaderMap::new(), Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn data_without_errors_is_a_success() {
        assert!(judge(200, r#"{"data": {"a": 1}}"#).is_none());
        assert!(judge(200, r#"{"errors": [], "data": {}}"#).is_none());
        assert!(judge(200, "\u{feff} {\"errors\": null, \"data\": {}}").is_none());
    }

    #[test]
    fn errors_under_200_are_a_failure_with_what_the_server_said() {
        let error = judge(
            200,
            r#"{"data": null, "errors": [{"message": "no", "extensions": {"code": "X"}}, {"message": "nor"}]}"#,
        )
        .unwrap();
        assert_eq!(error.kind(), Kind::GraphQl);
        assert_eq!(error.to_string(), "the GraphQL answer has 2 errors");
        assert_eq!(error.code(), Some("X"));
        assert_eq!(error.answer().unwrap().message.as_deref(), Some("no"));
        assert_eq!(error.evidence(), Evidence::Unknown);
        assert_eq!(error.cause::<Errors>().unwrap().list().len(), 2);
        assert!(error.report().contains("because: no (X); nor"), "{}", error.report());
    }

    #[test]
    fn errors_of_any_shape_under_200_are_a_failure() {
        for body in [
            r#"{"errors": "Not Found"}"#,
            r#"{"errors": ["a"], "data": {}}"#,
            r#"{"errors": {"email": ["taken"]}, "data": {"a": 1}}"#,
            r#"{"errors": [{}]}"#,
        ] {
            assert_eq!(judge(200, body).map(|it| it.kind()), Some(Kind::GraphQl), "{body}");
        }
    }

    #[test]
    fn what_is_no_graphql_answer_is_a_failure_under_200() {
        for body in [
            "",
            "<html>maintenance</html>",
            "[]",
            r#"{"message": "API rate limit exceeded"}"#,
            r#"{"data": null}"#,
        ] {
            assert_eq!(judge(200, body).map(|it| it.kind()), Some(Kind::Decode), "{body}");
        }
        assert_eq!(
            judge(200, "<html>maintenance").unwrap().to_string(),
            "200 OK but no GraphQL answer: <html>maintenance"
        );
    }

    #[test]
    fn a_4xx_is_graphqls_own_only_with_errors_of_the_right_shape() {
        let graphql = r#"{"errors": [{"message": "syntax"}]}"#;
        for status in [400, 403, 404, 422] {
            assert_eq!(judge(status, graphql).map(|it| it.kind()), Some(Kind::GraphQl), "{status}");
            assert!(judge(status, r#"{"errors": ["syntax"]}"#).is_none(), "{status}");
            assert!(judge(status, r#"{"message": "secondary rate limit"}"#).is_none(), "{status}");
        }
    }

    #[test]
    fn statuses_that_say_what_to_do_are_left_to_their_rules() {
        for status in [302, 401, 408, 425, 429, 500, 503] {
            assert!(judge(status, r#"{"errors": [{"message": "x"}]}"#).is_none(), "{status}");
        }
    }

    const THROTTLED_BY_SHOPIFY: &str = r#"{
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": 752, "actualQueryCost": null, "throttleStatus":
            {"maximumAvailable": 1000.0, "currentlyAvailable": 666, "restoreRate": 50.0}}}
    }"#;

    #[test]
    fn throttling_is_a_rejection_with_the_wait_that_the_cost_comes_to() {
        let error = judge(200, THROTTLED_BY_SHOPIFY).unwrap();
        assert_eq!(error.evidence(), Evidence::Rejected);
        assert_eq!(error.retry_after(), Some(Duration::from_millis(1720)));
    }

    #[test]
    fn throttling_that_tells_no_cost_leaves_the_wait_to_headers_and_backoff() {
        let error = judge(200, r#"{"errors": [{"type": "RATE_LIMITED", "message": "exceeded"}]}"#).unwrap();
        assert_eq!((error.evidence(), error.retry_after()), (Evidence::Rejected, None));
    }

    #[test]
    fn throttling_in_a_field_beside_data_may_have_done_the_rest() {
        let body = r#"{"data": {"a": 1, "b": null},
            "errors": [{"message": "slow", "path": ["b"], "extensions": {"code": "RATE_LIMITED"}}]}"#;
        assert_eq!(judge(200, body).unwrap().evidence(), Evidence::Unknown);
    }

    #[test]
    fn a_request_that_never_fits_is_not_worth_a_wait() {
        let body = r#"{
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": {"cost": {"requestedQueryCost": 1752, "throttleStatus":
                {"maximumAvailable": 1000.0, "currentlyAvailable": 666, "restoreRate": 50.0}}}
        }"#;
        let error = judge(200, body).unwrap();
        assert_eq!((error.evidence(), error.retry_after()), (Evidence::Unknown, None));
        assert!(error.advice().unwrap().contains("ask for less"));
    }
}
