//! The sandbox over loopback, asked by a client that knows nothing of it.

mod auth;
mod catalog;
mod faults;
mod graphql;
mod idempotency;
mod limits;
mod oauth2;
mod pages;
mod start;
mod store;
mod support;
