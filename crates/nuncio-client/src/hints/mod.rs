//! What a server's headers say about when to come back.
//!
//! Each parser is one function over headers, without state: foreign input goes in, and either a meaning comes out or nothing. What
//! cannot be understood is never an error: the caller then goes by its own rules.

mod http_date;
pub mod rate_limit;
pub mod retry_after;
mod should_retry;
pub(crate) mod timestamp;

pub(crate) use http_date::answered_at;
pub use retry_after::{Told, told};
pub use should_retry::should_retry;
