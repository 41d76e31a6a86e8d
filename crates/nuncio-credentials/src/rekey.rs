//! A new key for the whole store.

use std::sync::Arc;

use nuncio_client::{Error, Secret};

use crate::Account;
use crate::database::{Failure, damaged};
use crate::key::{self, Key};
use crate::keys::{KeyInfo, KeySource};
use crate::rows::key_info;
use crate::store::CredentialStore;

/// Where the new key comes from and is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NewKey {
    /// A random one, in the keyring or, where there is none, in the key file: see [`Keys::made_in`](crate::Keys::made_in).
    Made,
    /// One that is kept elsewhere: 32 bytes in base64 or hex.
    Given(Secret),
}

impl CredentialStore {
    /// Encrypts everything anew, in one transaction. A crash at any point leaves the store readable with the key of before or the new one;
    /// where the key is in a file or a keyring, that has both until it is done. Other processes that have the store open go on when their
    /// key comes from there.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for a text that is no key, and as [`open`](Self::open).
    pub fn rekey(&self, new: &NewKey) -> Result<KeyInfo, Error> {
        let (new, source) = match new {
            NewKey::Made => (Key::generate(), self.keys().made_in()),
            NewKey::Given(text) => (key::given(text)?, KeySource::Given),
        };
        let keeper = self.keys().keeper(source);
        let info = KeyInfo { id: new.id().to_owned(), source };
        let old_source = self.with(|state| {
            let (db, current) = state.begin()?;
            let before = key_info(&db)?;
            if before.id != current.id() {
                *current = Arc::new(self.keys().find(&before)?);
            }
            if let Some(keeper) = keeper {
                let keys: &[&Key] = if before.source == source { &[&new, current] } else { &[&new] };
                keeper.replace(keys)?;
            }
            self.seal_anew(&db, current, &new)?;
            db.execute("UPDATE store SET key_id = ?1, key_source = ?2", (&info.id, source.name()))?;
            db.commit()?;
            *current = Arc::new(new);
            Ok(before.source)
        })?;
        self.leave_nothing_of_the_old_key(old_source, source);
        Ok(info)
    }

    fn seal_anew(&self, db: &rusqlite::Transaction<'_>, old: &Key, new: &Key) -> Result<(), Failure> {
        let mut rows = db.prepare("SELECT service, name, field, sealed FROM secret")?;
        let mut update =
            db.prepare("UPDATE secret SET sealed = ?4 WHERE service = ?1 AND name = ?2 AND field = ?3")?;
        let rows = rows.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Vec<u8>>(3)?,
            ))
        })?;
        // All of them first: rows that change while they are read may be read twice.
        for (service, name, field, sealed) in rows.collect::<Result<Vec<_>, _>>()? {
            let account = Account::new(service, name)?;
            let value = old.open(&account, &field, &sealed).ok_or_else(|| {
                damaged(format!(
                    "{field} of {account} in the credential store {} is damaged",
                    self.path().display()
                ))
            })?;
            update.execute((
                account.service(),
                account.name(),
                &field,
                new.seal(&account, &field, &value),
            ))?;
        }
        Ok(())
    }

    /// The change is done: what goes wrong here leaves it so.
    fn leave_nothing_of_the_old_key(&self, before: KeySource, now: KeySource) {
        let _ = self.with(|state| {
            let (db, key) = state.begin()?;
            if let Some(keeper) = self.keys().keeper(now) {
                keeper.replace(&[key])?;
            }
            if let Some(keeper) = self.keys().keeper(before).filter(|_| before != now) {
                keeper.remove();
            }
            db.commit()?;
            Ok(())
        });
        let _ = self.with(|state| Ok(state.empty_log()?));
    }
}
