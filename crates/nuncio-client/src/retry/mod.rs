//! Trying again.

mod backoff;
pub mod budget;
mod failure;
mod layer;
mod policy;

pub use backoff::{Backoff, Jitter};
pub use budget::Budget;
pub use layer::{Retry, RetryLayer};
pub use policy::{
    DEFAULT_ATTEMPTS, DEFAULT_MAX_WAIT, DEFAULT_STATUSES, Decision, Outcome, Policy, QuotaPredicate,
    SHOULD_RETRY, Stop,
};
