//! The gateway as strangers, providers and operators meet it: on a socket.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod api;
mod bounds;
mod dashboard;
mod inbound;
mod operations;
mod schedules;
mod support;
