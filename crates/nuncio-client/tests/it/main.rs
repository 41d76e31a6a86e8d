//! Tests of the crate from outside, one binary.

mod retry_after;
