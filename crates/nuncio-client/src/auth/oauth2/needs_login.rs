//! The state in which only a person can help.

use std::error::Error as StdError;
use std::fmt;

use crate::{Error, Evidence, Kind};

/// Why no token can be got until someone logs in again. The [cause](Error::cause) of such an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsLogin {
    reason: String,
}

impl NeedsLogin {
    /// What took the login away, as [`Tokens::needs_login`](super::Tokens::needs_login) keeps it.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn error(reason: impl Into<String>) -> Error {
        Error::new(Kind::Auth, "the service needs a login")
            .because(Self { reason: reason.into() })
            .advise("log in again")
            .evidence_is(Evidence::NeverSent)
    }
}

impl fmt::Display for NeedsLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::Redactor::global().redact(&self.reason))
    }
}

impl StdError for NeedsLogin {}
