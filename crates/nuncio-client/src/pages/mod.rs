//! To be filled.
pub mod link;
mod record;
mod splitter;

pub use record::Record;
pub use splitter::{DEFAULT_MAX_RECORD_BYTES, MAX_ENVELOPE_BYTES, Records, Splitter};
