//! Many calls in one run: [`pull`](pull()) writes every record of a list to a file, [`each`](each()) makes one call for each item
//! of a file.
//!
//! Both can be killed at any point and go on where they stopped. The rule behind that is one: **what was done is on disk before it
//! is noted as done**, and what is found on disk beyond the note is cut off. A pull notes pages in a state file; `each` notes items
//! in a journal, calls that must not be made twice before they are made, and makes all idempotency keys from its first line.
//!
//! Nothing here knows of command lines or terminals.

pub mod each;
mod error;
mod files;
mod format;
pub mod pull;

pub use each::each;
pub use error::Error;
pub use format::Format;
pub use pull::pull;
