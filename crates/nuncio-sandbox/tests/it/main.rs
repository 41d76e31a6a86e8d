//! The sandbox over loopback, asked by a client that knows nothing of it.

mod store;
mod support;
