//! Tests of the crate from outside, one binary.

mod form_encoding;
mod retry_after;
