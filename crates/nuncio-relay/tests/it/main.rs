//! The relay's tests.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;
mod stores;
