//! Bodies of GraphQL answers: errors whatever their shape, costs within bounds, no secret that a server echoes.
#![no_main]

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use libfuzzer_sys::fuzz_target;
use nuncio_client::graphql::{Errors, Response, cost, failure};
use nuncio_client::limit::Learned;
use nuncio_client::{Answer, Kind};
use nuncio_fuzz::{SECRET, now, secret};
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    secret();
    let errors = Errors::of(body);
    if let Some(errors) = &errors {
        assert!(!errors.list().is_empty());
        let shown = format!("{errors} {errors:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
    if let Some(cost) = cost(body, now()) {
        assert!(!cost.is_too_large() || cost.wait().is_none_or(|wait| wait.is_zero()));
        let _ = Learned::from_cost(&cost);
    }
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::TOO_MANY_REQUESTS] {
        let answer = Answer::new(status, HeaderMap::new(), Bytes::copy_from_slice(body));
        let failure = failure(&answer);
        if let Some(failure) = &failure {
            assert!(!failure.report().contains(SECRET));
            assert_eq!(failure.kind() == Kind::GraphQl, errors.is_some());
        }
        if status == StatusCode::OK {
            assert!(failure.is_some() || is_success(body), "taken for a success");
            assert!(errors.is_none() || failure.is_some(), "errors under 200 are a failure");
        }
    }
});

/// Whether `body` has data and no errors, by a parser that builds the whole tree.
fn is_success(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_ascii_start().trim_start_matches('\u{feff}');
    match serde_json::from_str::<Response<Value>>(text) {
        Ok(response) => response.errors.is_empty() && response.data.is_some(),
        // Deep nesting, numbers that no machine holds, `false` for no errors.
        Err(_) => true,
    }
}
