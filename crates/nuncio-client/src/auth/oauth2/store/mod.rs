//! Where tokens are kept between tasks and processes.
//!
//! A refresh token that rotates (RFC 6749, section 6) can be used once. Two processes that use the same one, or one that dies between
//! the answer and the disk, cost the login. Hence a store has a *lease*: the sole right to replace what is kept, for a bounded time, with
//! a number that rises from lease to lease, so that a holder who comes back late from a long sleep is told apart from the one after it.
//!
//! [`rules`] is the test that each store must pass.

mod memory;
pub mod rules;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use self::memory::MemoryStore;
use super::Tokens;
use crate::{Error, Evidence, Kind};

/// A save alone takes no longer.
const REPLACE_LEASE: Duration = Duration::from_secs(10);

/// Where the tokens of one connection are kept between tasks and processes.
///
/// Dropping a future leaves the store usable: a wait for the lease that is dropped takes none, and a save that is dropped was made as a
/// whole or not at all.
pub trait TokenStore: Send + Sync {
    /// What is kept. Nothing: nobody has saved anything yet.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&self) -> BoxFuture<'_, Result<Option<Tokens>, Error>>;

    /// The sole right to save, for `length` from now on. Waits while another holds it, at most until that one's length is over.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    fn lease(&self, length: Duration) -> BoxFuture<'_, Result<Lease, Error>>;

    /// Keeps `tokens` instead of what is kept. Durable when it returns. A lease whose length is over is still good as long as nobody
    /// else has taken one.
    ///
    /// # Errors
    /// One [because](Error::cause) of [`LeaseLost`] when another has taken the lease since, and then nothing is changed; others when it
    /// cannot be written.
    fn save<'a>(&'a self, lease: &'a Lease, tokens: &'a Tokens) -> BoxFuture<'a, Result<(), Error>>;

    /// Gives the lease back, so that whoever waits for it need not wait for its end. Nothing happens when it was lost.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), Error>>;
}

impl fmt::Debug for dyn TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenStore")
    }
}

/// The sole right to save what a [`TokenStore`] keeps.
#[derive(Debug)]
pub struct Lease {
    number: u64,
}

impl Lease {
    /// The lease with this number, for stores to hand out.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self { number }
    }

    /// Higher than that of every lease of the same store before it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// Keeps `tokens` whatever was kept before, after a login or a logout. Waits for whoever holds the lease.
///
/// # Errors
/// Those of the store.
pub async fn replace(store: &dyn TokenStore, tokens: &Tokens) -> Result<(), Error> {
    let lease = store.lease(REPLACE_LEASE).await?;
    store.save(&lease, tokens).await?;
    store.release(lease).await
}

/// Why a save was refused: another has taken the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseLost;

impl LeaseLost {
    /// The error of a save with a lease that was lost.
    #[must_use]
    pub fn error() -> Error {
        Error::new(Kind::Auth, "the tokens were not kept").because(Self).evidence_is(Evidence::NeverSent)
    }
}

impl fmt::Display for LeaseLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another task or process has taken over replacing them")
    }
}

impl StdError for LeaseLost {}
