//! Tests of the crate from outside, one binary.

mod canary;
mod client;
mod clock_jumps;
mod form_encoding;
mod retry_after;
mod rivals;
