//! Bodies of requests, read within bounds.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::problem::Problem;

/// Reads a body of at most `max` bytes, which must be there within `timeout`.
///
/// # Errors
/// 413 for a longer one, before it is read where its head tells the length; 408 for a slow one; 400 for one that breaks off.
pub(crate) async fn read(
    body: Body,
    headers: &HeaderMap,
    max: u64,
    timeout: Duration,
) -> Result<Bytes, Problem> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let too_large = || {
        let detail = format!("the body is larger than the {max} bytes that are taken here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    if told.is_some_and(|told| told > max) {
        return Err(too_large());
    }
    let limited = Limited::new(body, usize::try_from(max).unwrap_or(usize::MAX));
    match tokio::time::timeout(timeout, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "bad_body", format!("the body breaks off: {error}")))
        }
        Err(_) => {
            let detail = format!("the body was not there within {} s", timeout.as_secs_f64());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow_body", detail))
        }
    }
}
