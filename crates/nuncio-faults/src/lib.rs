//! A proxy that breaks what passes it, for tests.
//!
//! [`Proxy`] stands in front of an [`Origin`] on a port of this machine and lets each exchange pass, or strikes it with a [`Fault`]. A fault is
//! data: which exchange meets which one is up to a function that the test hands in, and [`Fault::draw`] draws one from a seed. What
//! a fault does is a script of bytes, waits and ways to close a connection; nothing of it knows who is at the other end.
//!
//! It speaks just enough HTTP/1.1 to tell one message from the next, on plain TCP and to loopback only.

mod answer;
mod draw;
mod encoding;
mod fault;
mod proxy;
mod request;
mod script;

pub use encoding::Encoding;
pub use fault::{At, End, Fault};
pub use proxy::{ClosedPort, Origin, Proxy};
