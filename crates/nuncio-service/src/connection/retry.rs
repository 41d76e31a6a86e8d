//! The retry policy that a file describes.

use std::sync::Arc;

use http::StatusCode;
use nuncio_client::Error;
use nuncio_client::retry::{self, Policy};

use super::checks::holds;
use crate::model::{Backoff, Jitter, Retry};
use crate::request::header_name;

pub(super) fn policy(described: &Retry) -> Result<Policy, Error> {
    let default = Policy::default();
    let statuses = match &described.statuses {
        Some(statuses) => statuses.iter().map(|status| self::status(*status)).collect::<Result<_, _>>()?,
        None => default.statuses,
    };
    let mut hints = default.hints;
    if let Some(hint) = &described.hint {
        hints.push(header_name(hint)?);
    }
    Ok(Policy {
        attempts: described.attempts.unwrap_or(default.attempts),
        backoff: described.backoff.as_ref().map_or(default.backoff, backoff),
        statuses,
        max_wait: described.max_wait.map_or(default.max_wait, |span| span.0),
        quota: described.quota.clone().map(|quota| -> retry::QuotaPredicate {
            Arc::new(move |answer| {
                let body = answer.value().unwrap_or_default();
                // A condition that fails tells nothing of a quota: the answer is then a throttle like any other.
                holds(&quota, answer.status, &answer.headers, &body).unwrap_or(false)
            })
        }),
        hints,
    })
}

fn status(code: u16) -> Result<StatusCode, Error> {
    StatusCode::from_u16(code).map_err(|_| Error::configuration(format!("{code} is no HTTP status")))
}

fn backoff(described: &Backoff) -> retry::Backoff {
    let default = retry::Backoff::default();
    retry::Backoff {
        base: described.base.map_or(default.base, |span| span.0),
        max: described.max.map_or(default.max, |span| span.0),
        jitter: match described.jitter {
            Jitter::Added => retry::Jitter::Added,
            Jitter::Full => retry::Jitter::Full,
            Jitter::Equal => retry::Jitter::Equal,
            Jitter::Decorrelated => retry::Jitter::Decorrelated,
            Jitter::None => retry::Jitter::None,
        },
    }
}
