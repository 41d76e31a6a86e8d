//! The tokens of one connection, as the client wants them kept.

use std::time::Duration;

use futures_util::future::BoxFuture;
use nuncio_client::auth::oauth2::{Lease, LeaseLost, TokenStore, Tokens};
use nuncio_client::{Error, Kind, Random};
use rusqlite::OptionalExtension as _;
use tokio::time::Instant;

use crate::lease::{self, Held};
use crate::rows::{TOKENS, put_secret};
use crate::{Account, CredentialStore, kept};

/// Between two looks at a lease that another process holds: at first this, and at most [`LONGEST_PAUSE`], half of it by chance.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// The tokens of one connection of a [`CredentialStore`]: a [`TokenStore`] that processes share.
///
/// A wait for the lease looks again after 10 ms, then less and less often, at most every 200 ms. It ends when the other's process has ended,
/// or when its length is over by the time of day, or has been waited for, should the time of day have been set back.
///
/// The disk is waited for on tokio's threads for that. A save or release whose future is dropped is still made.
#[derive(Debug, Clone)]
pub struct StoredTokens {
    store: CredentialStore,
    account: Account,
    random: Random,
}

impl CredentialStore {
    /// Where the tokens of `account` are kept. The first save makes the connection where there is none.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    ///
    /// use nuncio_client::auth::Auth;
    /// use nuncio_client::auth::oauth2::{Client, OAuth2, Server};
    /// use nuncio_credentials::{Account, CredentialStore, Options};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = CredentialStore::open(Options::of_user(None, None)?)?;
    /// let tokens = store.tokens(&Account::new("calendar", "default")?);
    /// let client = Client::new(Server::discover("https://auth.example.com".parse()?), "made-up-client");
    /// let auth = Auth::oauth2(OAuth2::login(client).store(Arc::new(tokens)));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn tokens(&self, account: &Account) -> StoredTokens {
        StoredTokens { store: self.clone(), account: account.clone(), random: Random::new() }
    }
}

/// A lease that goes back when nobody waits for it any more.
struct Taken {
    tokens: StoredTokens,
    number: u64,
    wanted: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.wanted {
            // Where this fails, the lease ends with its length.
            let _ = self.tokens.release_now(self.number);
        }
    }
}

impl StoredTokens {
    fn load_now(&self) -> Result<Option<Tokens>, Error> {
        let Self { store, account, .. } = self;
        store.read(|db, key| {
            let sql = "SELECT sealed FROM secret WHERE service = ?1 AND name = ?2 AND field = ?3";
            let sealed: Option<Vec<u8>> = db
                .query_row(sql, (account.service(), account.name(), TOKENS), |row| row.get(0))
                .optional()?;
            let Some(sealed) = sealed else { return Ok(None) };
            Ok(Some(store.read_tokens(account, &store.opened(key, account, TOKENS, &sealed)?)?))
        })
    }

    fn save_now(&self, number: u64, tokens: &Tokens) -> Result<(), Error> {
        let Self { store, account, .. } = self;
        store.write(|db, key| {
            if !lease::is_current(db, account, number)? {
                return Err(LeaseLost::error().within(account).into());
            }
            store.put_row(db, account)?;
            put_secret(db, key, account, TOKENS, &kept::to_json(tokens))
        })
    }

    fn release_now(&self, number: u64) -> Result<(), Error> {
        let released = self.store.write(|db, _| lease::release(db, &self.account, number));
        self.store.holders().forget(number);
        released
    }

    /// The lease, or who has it. Looks without writing first, so that those who wait are not in the way of the one who works.
    fn try_lease(self, length: Duration, overdue: Option<u64>) -> Result<Result<Taken, Held>, Error> {
        let (now, holders) = (|| self.store.clock().since_epoch(), self.store.holders());
        let found = self.store.read(|db, _| lease::held(db, &self.account, now()))?;
        let is_over = |held: Held| Some(held.number) == overdue || holders.is_dead(held.number);
        let over = match found {
            Some(held) if !is_over(held) => return Ok(Err(held)),
            over => over.map(|held| held.number),
        };
        let taken = self.store.write(|db, _| match lease::held(db, &self.account, now())? {
            Some(held) if Some(held.number) != over => Ok(Err(held)),
            _ => {
                let number = lease::take(db, &self.account, now(), length)?;
                holders.hold(number);
                Ok(Ok(number))
            }
        })?;
        if let (Ok(_), Some(over)) = (&taken, over) {
            holders.forget(over);
        }
        Ok(taken.map(|number| Taken { tokens: self.clone(), number, wanted: false }))
    }

    async fn wait_for_lease(&self, length: Duration) -> Result<Lease, Error> {
        let mut pause = FIRST_PAUSE;
        let mut seen: Option<(u64, Instant)> = None;
        loop {
            // The time of day can be set back, and then a lease that was left by a crash would hold for that much longer.
            let tokens = self.clone();
            let overdue = seen.filter(|(_, end)| *end <= Instant::now()).map(|(number, _)| number);
            let held = match blocking(move || tokens.try_lease(length, overdue)).await? {
                Ok(mut taken) => {
                    taken.wanted = true;
                    return Ok(Lease::new(taken.number));
                }
                Err(held) => held,
            };
            if seen.is_none_or(|(number, _)| number != held.number) {
                seen = Some((held.number, Instant::now() + held.length));
            }
            tokio::time::sleep(pause / 2 + self.random.below(pause / 2)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

impl TokenStore for StoredTokens {
    fn load(&self) -> BoxFuture<'_, Result<Option<Tokens>, Error>> {
        let tokens = self.clone();
        Box::pin(blocking(move || tokens.load_now()))
    }

    fn lease(&self, length: Duration) -> BoxFuture<'_, Result<Lease, Error>> {
        Box::pin(self.wait_for_lease(length))
    }

    fn save<'a>(&'a self, lease: &'a Lease, tokens: &'a Tokens) -> BoxFuture<'a, Result<(), Error>> {
        let (store, number, tokens) = (self.clone(), lease.number(), tokens.clone());
        Box::pin(blocking(move || store.save_now(number, &tokens)))
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), Error>> {
        let tokens = self.clone();
        Box::pin(blocking(move || tokens.release_now(lease.number())))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        Err(_) => {
            Err(Error::new(Kind::Auth, "the program ends, and the credential store was not waited for"))
        }
    }
}
