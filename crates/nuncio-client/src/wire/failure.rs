//! What a failed exchange says about what the server may have done.

use std::error::Error as StdError;
use std::io;

use hyper_util::client::legacy;

use crate::error::chain;
use crate::{Error, Evidence, Kind};

use super::handshake;

/// A failure before the head of the answer came in.
pub(super) fn of_exchange(error: legacy::Error) -> Error {
    if let Some(refusal) = handshake::refusal(&error) {
        return refusal.because(error);
    }
    let (kind, message, evidence) = if error.is_connect() && is_timeout(&error) {
        (Kind::Timeout, "no connection in time", Evidence::NeverSent)
    } else if error.is_connect() {
        (Kind::Connect, "no connection", Evidence::NeverSent)
    } else if was_refused(&error) {
        (Kind::Connect, "the server refused the stream before acting on it", Evidence::Rejected)
    } else if was_never_written(&error) {
        (Kind::Connect, "the connection was closed before the request was written", Evidence::NeverSent)
    } else {
        (Kind::Connect, "the connection broke before the answer", Evidence::Unknown)
    };
    // A body that we were asked to send can fail by itself, TLS may not be set up, a guard may refuse; such an error is ours already.
    match find::<Error>(&error) {
        Some(own) => own.clone().evidence_is(evidence),
        None => advised(Error::new(kind, message).evidence_is(evidence), &error).because(error),
    }
}

/// A failure while the body of the answer came in.
pub(super) fn of_body(error: hyper::Error) -> Error {
    Error::new(Kind::Connect, "the body broke off").because(error)
}

/// HTTP/2 says so by `REFUSED_STREAM` (RFC 9113, section 8.7) or a `GOAWAY` that does not cover the stream.
fn was_refused(error: &legacy::Error) -> bool {
    find::<h2::Error>(error).is_some_and(|h2| {
        h2.reason() == Some(h2::Reason::REFUSED_STREAM)
            || (h2.is_go_away() && h2.is_remote() && h2.reason() == Some(h2::Reason::NO_ERROR))
    })
}

fn was_never_written(error: &legacy::Error) -> bool {
    find::<hyper::Error>(error).is_some_and(hyper::Error::is_canceled)
}

fn is_timeout(error: &legacy::Error) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

fn advised(error: Error, cause: &legacy::Error) -> Error {
    let text = chain(cause).map(ToString::to_string).collect::<Vec<_>>().join(" ").to_lowercase();
    if text.contains("dns") {
        error.advise("check the host name and the network")
    } else if text.contains("refused") {
        error.advise("nothing listens at that address: check host and port")
    } else {
        error
    }
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}
