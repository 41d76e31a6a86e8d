//! What the sandbox did, counted: the other side of what a client claims.

use std::collections::BTreeMap;

use serde::Serialize;

/// What each service did since the start, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts(pub BTreeMap<String, ServiceCounts>);

impl Counts {
    /// The counts of one operation; all zero for one that was never asked.
    #[must_use]
    pub fn operation(&self, service: &str, operation: &str) -> OperationCounts {
        let counts = self.0.get(service).and_then(|service| service.operations.get(operation));
        counts.cloned().unwrap_or_default()
    }
}

/// What a service did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ServiceCounts {
    /// OAuth 2.0 tokens issued.
    pub tokens_issued: u64,
    /// Token requests with a wrong client id or secret, or of another grant.
    pub tokens_refused: u64,
    /// Refresh tokens that were shown again after their grace, each the end of a login.
    pub refresh_tokens_reused: u64,
    /// Requests that no operation answers.
    pub unknown: u64,
    /// By operation.
    pub operations: BTreeMap<String, OperationCounts>,
}

/// What an operation did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OperationCounts {
    /// Requests that came, whatever became of them.
    pub requests: u64,
    /// Requests whose work was done: something was created, changed, deleted or, as with a mail, accepted.
    pub applied: u64,
    /// Requests that were answered as before, for their idempotency key.
    pub replayed: u64,
    /// Requests without the right credentials.
    pub refused_by_auth: u64,
    /// Requests over a limit.
    pub refused_by_limit: u64,
    /// Requests that came before a wait was over which the operation had told, by `Retry-After` or as the reset of a limit that is used
    /// up. One that was under way when the wait was told counts as well.
    pub early: u64,
    /// Requests that a fault struck.
    pub faulted: u64,
    /// Records handed out in pages.
    pub records: u64,
}
