//! How the program ends: one exit code for each kind of error, the same for good.

use std::io;

use nuncio_client::{Error, Kind};

/// All went well.
pub(crate) const OK: u8 = 0;
/// What was given cannot be used, or a file cannot be read or written. Nothing was sent.
pub(crate) const LOCAL: u8 = 1;
/// Some items failed, the others were done.
pub(crate) const PARTIAL: u8 = 7;
/// A webhook is refused.
pub(crate) const NOT_GENUINE: u8 = 15;
/// Ctrl-C: 128 and SIGINT, as a shell would say.
pub(crate) const INTERRUPTED: u8 = 130;
/// A request to terminate: 128 and SIGTERM.
#[cfg(unix)]
pub(crate) const TERMINATED: u8 = 143;
/// Whoever read standard output went away: 128 and SIGPIPE, as a shell would say.
pub(crate) const PIPE_CLOSED: u8 = 141;

/// The codes, for `--help`, the manual page and `docs/cli.md`.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  done
    1  what was given cannot be used, a variable is not set, or a file cannot be read or written
    2  the command line is wrong
    3  the last answer was a redirect (3xx)
    4  the last answer was a refusal (4xx, or an error under a good status)
    5  the last answer was a failure of the server (5xx)
    7  partial: some items of `each` failed
    8  credentials were refused, no token could be got, or a login is needed
    9  a limit is exhausted for longer than we wait
   10  out of time (--timeout, --deadline)
   11  no connection: DNS, TCP, TLS, reset
   12  an input or an answer is not what it should be: no JSON, a schema, a size
   13  pages: a repeated cursor, a link to another host, records missing
   14  the GraphQL answer has errors
   15  a webhook is not genuine
  130  interrupted (Ctrl-C, SIGINT)
  141  the reader of standard output went away
  143  terminated (SIGTERM)";

/// The exit code of an error.
pub(crate) fn code(error: &Error) -> u8 {
    match error.kind() {
        Kind::Auth => 8,
        Kind::Limit => 9,
        Kind::Timeout => 10,
        Kind::Connect => 11,
        Kind::Decode | Kind::Validation | Kind::TooLarge => 12,
        Kind::Pages => 13,
        Kind::GraphQl => 14,
        Kind::Status => match error.status() {
            Some(status) if status.is_redirection() => 3,
            Some(status) if status.is_server_error() => 5,
            // A failure under a good status is the service's refusal, told in its own way.
            _ => 4,
        },
        _ => LOCAL,
    }
}

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Stop {
    /// An error that nobody was told of yet.
    Failed(Error),
    /// All was told that there is to tell.
    Told(u8),
    /// Nobody reads our output any more.
    PipeClosed,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    /// What a failed write to standard output means.
    pub(crate) fn writing(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::PipeClosed,
            _ => Self::Failed(Error::configuration("standard output cannot be written").because(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use nuncio_client::Answer;

    use super::*;

    #[test]
    fn the_documentation_has_the_same_table() {
        assert!(include_str!("../../../docs/cli.md").contains(TABLE));
    }

    #[test]
    fn each_kind_has_its_code() {
        let table = [
            (Kind::Configuration, 1),
            (Kind::Auth, 8),
            (Kind::Limit, 9),
            (Kind::Timeout, 10),
            (Kind::Connect, 11),
            (Kind::Decode, 12),
            (Kind::Validation, 12),
            (Kind::TooLarge, 12),
            (Kind::Pages, 13),
            (Kind::GraphQl, 14),
        ];
        for (kind, expected) in table {
            assert_eq!(code(&Error::new(kind, "failed")), expected, "{kind}");
        }
    }

    #[test]
    fn a_status_has_the_code_of_its_class() {
        for (status, expected) in [(304, 3), (404, 4), (503, 5), (200, 4)] {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = Answer::new(status, HeaderMap::new(), Bytes::new());
            assert_eq!(code(&Error::new(Kind::Status, "failed").answered(answer)), expected, "{status}");
        }
    }
}
