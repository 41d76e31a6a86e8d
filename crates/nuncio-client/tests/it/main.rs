//! Tests of the crate from outside, one binary.

mod client;
mod form_encoding;
mod retry_after;
