//! A statement that carries the time is refused where the two clocks differ.

use std::time::{Duration, UNIX_EPOCH};

use crate::{Answer, Clock, Error, hints};

/// A `Date` has whole seconds and takes its time to come, and servers allow for more than this.
const NOTABLE: Duration = Duration::from_secs(10);

/// Adds to a refusal how far this clock is from the server's, by the `Date` of the answer, where that may be what was wrong.
pub(super) fn told(error: Error, clock: &Clock) -> Error {
    let answer = error.answer().or_else(|| error.cause::<Error>()?.answer());
    let Some(Answer { headers, .. }) = answer.filter(|answer| answer.status.is_client_error()) else {
        return error;
    };
    let (ours, theirs) = (clock.since_epoch(), hints::answered_at(headers, UNIX_EPOCH + clock.since_epoch()));
    let direction = if ours > theirs { "ahead of" } else { "behind" };
    let skew = ours.abs_diff(theirs);
    if skew < NOTABLE {
        return error;
    }
    let secs = skew.as_secs();
    error
        .noting(format!("this machine's clock is {secs} s {direction} the server's"))
        .advise("set this machine's clock: what was refused is signed with the time")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::Kind;

    /// What is told of a refusal at 1,760,000,000 by the server's clock, when ours shows this.
    fn refused_at(ours: u64, status: StatusCode) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("date", "Thu, 09 Oct 2025 08:53:20 GMT".parse().unwrap());
        let error = Error::new(Kind::Auth, "refused").answered(Answer::new(status, headers, "".into()));
        told(error, &Clock::fixed(UNIX_EPOCH + Duration::from_secs(ours))).to_string()
    }

    #[test]
    fn the_skew_is_measured_and_its_direction_told() {
        let ahead = refused_at(1_760_000_312, StatusCode::BAD_REQUEST);
        assert_eq!(ahead, "refused; this machine's clock is 312 s ahead of the server's");
        let behind = refused_at(1_759_999_990, StatusCode::UNAUTHORIZED);
        assert_eq!(behind, "refused; this machine's clock is 10 s behind the server's");
    }

    #[test]
    fn clocks_that_agree_or_an_answer_that_is_no_refusal_tell_nothing() {
        assert_eq!(refused_at(1_760_000_009, StatusCode::BAD_REQUEST), "refused");
        assert_eq!(refused_at(1_770_000_000, StatusCode::SERVICE_UNAVAILABLE), "refused");
        let undated = Answer::new(StatusCode::BAD_REQUEST, HeaderMap::new(), "".into());
        let error = Error::new(Kind::Auth, "refused").answered(undated);
        assert_eq!(told(error, &Clock::fixed(UNIX_EPOCH)).to_string(), "refused");
    }

    #[test]
    fn a_refusal_in_words_of_its_own_is_found_in_the_cause() {
        let mut headers = HeaderMap::new();
        headers.insert("date", "Thu, 09 Oct 2025 08:53:20 GMT".parse().unwrap());
        let cause = Error::new(Kind::Status, "401").answered(Answer::new(
            StatusCode::UNAUTHORIZED,
            headers,
            "".into(),
        ));
        let error = Error::new(Kind::Auth, "failed").because(cause);
        assert!(
            told(error, &Clock::fixed(UNIX_EPOCH))
                .to_string()
                .starts_with("failed; this machine's clock is 1760000000 s behind")
        );
    }
}
