//! The schemes, seen from outside.

#![allow(clippy::unwrap_used, reason = "in helpers of tests, too, a surprise ends the test")]

mod algorithms;
mod constant_time;
mod differences;
mod explain;
mod handshakes;
mod items;
mod keys;
mod named_headers;
mod properties;
mod published;
mod raw_bytes;
mod sign;
mod vectors;
mod webhook_verify;
