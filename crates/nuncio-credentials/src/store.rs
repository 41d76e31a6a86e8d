//! The store: connections, found by service and account.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use nuncio_client::auth::oauth2::Tokens;
use nuncio_client::{Clock, Error, Secret};
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use crate::database::{self, Failure, damaged};
use crate::holders::Holders;
use crate::key::Key;
use crate::keys::{KeyInfo, Keys};
use crate::options::Options;
use crate::rows::{MAX_CONNECTIONS, TOKENS, VARIABLE, key_info, milliseconds, put, time};
use crate::{Account, kept, lease};

/// How often a transaction is begun anew because the store's key was changed meanwhile.
const KEY_CHANGES: usize = 3;

/// What is kept about one account of one service.
#[derive(Debug, Clone)]
pub struct StoredConnection {
    /// Whose they are.
    pub account: Account,
    /// Values for the `{{ env.NAME }}` of the service's file.
    pub variables: BTreeMap<String, Secret>,
    /// What an authorization server gave, for services where one does.
    pub tokens: Option<Tokens>,
    /// When it was first stored.
    pub created: SystemTime,
    /// When something of it was last stored.
    pub updated: SystemTime,
}

/// Keeps connections in one file, encrypted. Copies share it, and so may other processes.
///
/// Calls block for as long as the disk takes, and up to 30 s while other processes write.
///
/// ```
/// use nuncio_credentials::{Account, CredentialStore, Keys, Options};
/// use nuncio_client::Clock;
///
/// # let folder = tempfile::tempdir()?;
/// let options = Options {
///     database: folder.path().join("credentials.db"),
///     keys: Keys { given: None, keyring: None, file: folder.path().join("credentials.key") },
///     clock: Clock::system(),
/// };
/// let store = CredentialStore::open(options)?;
///
/// let account = Account::new("shop", "default")?;
/// store.put(&account, &[("SHOP_TOKEN".to_owned(), "made-up-token".into())].into(), None)?;
/// let found = store.get(&account)?.expect("just put there");
/// assert_eq!(found.variables["SHOP_TOKEN"].expose(), "made-up-token");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CredentialStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    keys: Keys,
    clock: Clock,
    holders: Holders,
    state: Mutex<State>,
}

pub(crate) struct State {
    db: rusqlite::Connection,
    pub(crate) key: Arc<Key>,
}

impl CredentialStore {
    /// Opens the store, and makes it where there is none.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the file is damaged, cannot be read or written, or its key is not
    /// to be found; nothing is changed then. [`Kind::Timeout`](nuncio_client::Kind::Timeout) when other processes write for too long.
    pub fn open(options: Options) -> Result<Self, Error> {
        if !options.database.exists() {
            let (key, source) = options.keys.choose()?;
            database::make(&options.database, &KeyInfo { id: key.id().to_owned(), source })?;
        }
        let Options { database: path, keys, clock } = options;
        let db = database::open(&path)?;
        let info = key_info(&db).map_err(|failure| failure.about(&path))?;
        let key = keys.find(&info).or_else(|error| {
            // Another process may have changed it between the two looks.
            let now = key_info(&db).map_err(|failure| failure.about(&path))?;
            if now == info { Err(error) } else { keys.find(&now) }
        })?;
        let holders = Holders::new(path.with_file_name("leases"));
        let state = Mutex::new(State { db, key: Arc::new(key) });
        let store = Self(Arc::new(Inner { path, keys, clock, holders, state }));
        store.forget_old_keys(&info);
        Ok(store)
    }

    /// Opens the store unless there is none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_existing(options: Options) -> Result<Option<Self>, Error> {
        if options.database.exists() { Self::open(options).map(Some) } else { Ok(None) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn holders(&self) -> &Holders {
        &self.0.holders
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Which key the store is encrypted with.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn key(&self) -> Result<KeyInfo, Error> {
        self.read(|db, _| key_info(db))
    }

    /// Keeps `variables` and `tokens` for `account`, in place of what it had. A refresh that is under way is not let in any more.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) beyond a bound ([`MAX_VALUE_BYTES`](crate::MAX_VALUE_BYTES), [`MAX_VARIABLES`](crate::MAX_VARIABLES),
    /// [`MAX_CONNECTIONS`]), and as [`open`](Self::open).
    pub fn put(
        &self,
        account: &Account,
        variables: &BTreeMap<String, Secret>,
        tokens: Option<&Tokens>,
    ) -> Result<(), Error> {
        self.write(|db, key| put(self, db, key, account, variables, tokens))
    }

    /// What is kept for `account`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn get(&self, account: &Account) -> Result<Option<StoredConnection>, Error> {
        self.read(|db, key| {
            let sql = "SELECT created_ms, updated_ms FROM connection WHERE service = ?1 AND name = ?2";
            let times = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let times = db.query_row(sql, (account.service(), account.name()), times).optional()?;
            times
                .map(|(created, updated)| self.stored(db, key, account.clone(), created, updated))
                .transpose()
        })
    }

    /// All connections, by service and name.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn list(&self) -> Result<Vec<StoredConnection>, Error> {
        self.read(|db, key| {
            let mut rows = db.prepare(
                "SELECT service, name, created_ms, updated_ms FROM connection ORDER BY service, name",
            )?;
            let rows = rows.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.map(|row| {
                let (service, name, created, updated) = row?;
                self.stored(db, key, Account::new(service, name)?, created, updated)
            })
            .collect()
        })
    }

    /// Forgets `account`. Whether there was anything to forget.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn remove(&self, account: &Account) -> Result<bool, Error> {
        self.write(|db, _| {
            lease::end(db, account)?;
            let removed = db.execute(
                "DELETE FROM connection WHERE service = ?1 AND name = ?2",
                (account.service(), account.name()),
            )?;
            Ok(removed > 0)
        })
    }

    fn stored(
        &self,
        db: &Transaction<'_>,
        key: &Key,
        account: Account,
        created: i64,
        updated: i64,
    ) -> Result<StoredConnection, Failure> {
        let mut secrets = db.prepare("SELECT field, sealed FROM secret WHERE service = ?1 AND name = ?2")?;
        let rows = secrets.query_map((account.service(), account.name()), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let (mut variables, mut tokens) = (BTreeMap::new(), None);
        for row in rows {
            let (field, sealed) = row?;
            let value = self.opened(key, &account, &field, &sealed)?;
            if let Some(name) = field.strip_prefix(VARIABLE) {
                variables.insert(name.to_owned(), Secret::new(value.as_str()));
            } else if field == TOKENS {
                tokens = Some(self.read_tokens(&account, &value)?);
            }
        }
        Ok(StoredConnection { account, variables, tokens, created: time(created), updated: time(updated) })
    }

    pub(crate) fn opened(
        &self,
        key: &Key,
        account: &Account,
        field: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<String>, Error> {
        key.open(account, field, sealed).ok_or_else(|| {
            damaged(format!(
                "{field} of {account} in the credential store {} is damaged or of another connection",
                self.path().display()
            ))
        })
    }

    pub(crate) fn read_tokens(&self, account: &Account, value: &str) -> Result<Tokens, Error> {
        kept::from_json(value).ok_or_else(|| {
            let path = self.path().display();
            damaged(format!("the tokens of {account} in the credential store {path} were written by another version of nuncio"))
        })
    }

    pub(crate) fn put_row(&self, db: &Transaction<'_>, account: &Account) -> Result<(), Failure> {
        let now = milliseconds(self.clock().since_epoch());
        db.execute(
            "INSERT INTO connection VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO UPDATE SET updated_ms = ?3",
            (account.service(), account.name(), now),
        )?;
        let connections: u32 = db.query_row("SELECT count(*) FROM connection", [], |row| row.get(0))?;
        if connections > MAX_CONNECTIONS {
            return Err(Error::configuration(format!(
                "a credential store holds {MAX_CONNECTIONS} connections, and they are there"
            ))
            .into());
        }
        Ok(())
    }

    pub(crate) fn read<T>(
        &self,
        work: impl Fn(&Transaction<'_>, &Key) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.transaction(TransactionBehavior::Deferred, work)
    }

    pub(crate) fn write<T>(
        &self,
        work: impl Fn(&Transaction<'_>, &Key) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.transaction(TransactionBehavior::Immediate, work)
    }

    fn transaction<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl Fn(&Transaction<'_>, &Key) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.with(|state| {
            let mut changes = 0;
            loop {
                let db = state.db.transaction_with_behavior(behavior)?;
                let info = key_info(&db)?;
                if info.id != state.key.id() {
                    // Another process has changed it since we opened the store.
                    match self.keys().find(&info) {
                        Ok(key) => state.key = Arc::new(key),
                        Err(error) => {
                            drop(db);
                            changes += 1;
                            if changes == KEY_CHANGES || key_info(&state.db)? == info {
                                return Err(error.into());
                            }
                            continue;
                        }
                    }
                }
                let done = work(&db, &state.key)?;
                db.commit()?;
                return Ok(done);
            }
        })
    }

    /// Hands out what one caller at a time may use.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, Error> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut state).map_err(|failure| failure.about(self.path()))
    }

    /// A crash while the key was changed can leave two where it is kept.
    fn forget_old_keys(&self, info: &KeyInfo) {
        let Some(keeper) = self.keys().keeper(info.source).filter(|_| self.keys().given.is_none()) else {
            return;
        };
        if keeper.read().is_ok_and(|keys| keys.len() > 1) {
            // Under the lock that a change of the key holds. Should it fail, either key goes on working.
            let _ = self.write(|_, key| Ok(keeper.replace(&[key])?));
        }
    }
}

impl State {
    /// Brings the log of writes into the file and cuts it: pages with old ciphertext are in it.
    pub(crate) fn empty_log(&self) -> Result<(), rusqlite::Error> {
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    pub(crate) fn begin(&mut self) -> Result<(Transaction<'_>, &mut Arc<Key>), Failure> {
        Ok((self.db.transaction_with_behavior(TransactionBehavior::Immediate)?, &mut self.key))
    }
}

impl fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialStore({})", self.path().display())
    }
}
