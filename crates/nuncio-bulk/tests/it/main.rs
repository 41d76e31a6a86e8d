//! Runs over scripted services and real files.

#![allow(clippy::unwrap_used, reason = "in helpers of tests, too, a surprise ends the test")]

mod each;
mod faults;
mod pull;
