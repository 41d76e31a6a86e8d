//! Tests of the crate from outside, one binary.

mod canary;
mod client;
mod client_certificate;
mod clock_jumps;
mod faults;
mod form_encoding;
mod guard;
mod proxies;
mod retry_after;
mod rivals;
