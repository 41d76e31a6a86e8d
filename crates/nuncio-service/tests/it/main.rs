//! Tests of the crate as others see it.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows tests by their attribute, and helpers of tests have none"
)]

mod catalog;
mod catalog_sandbox;
mod connection;
mod limits;
mod oauth2;
mod search_path;
