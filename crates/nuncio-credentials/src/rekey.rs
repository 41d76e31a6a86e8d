//! A new key for the whole store.

use std::sync::Arc;

use nuncio_client::{Error, Secret};

use crate::Account;
use crate::database::{Failure, damaged};
use crate::key::{self, Key};
use crate::keys::{KeyInfo, KeySource};
use crate::store::{CredentialStore, key_info};

/// Where the new key comes from and is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NewKey {
    /// A random one, in the key file.
    InFile,
    /// One that is kept elsewhere: 32 bytes in base64 or hex.
    Given(Secret),
}

impl CredentialStore {
    /// Encrypts everything anew, in one transaction. A crash at any point leaves the store readable with the key of before or the new one;
    /// where the key is in a file, the file has both until it is done. Other processes that have the store open go on when their key comes
    /// from the file.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for a text that is no key, and as [`open`](Self::open).
    pub fn rekey(&self, new: &NewKey) -> Result<KeyInfo, Error> {
        let (new, source) = match new {
            NewKey::InFile => (Key::generate(), KeySource::File),
            NewKey::Given(text) => (key::given(text)?, KeySource::Given),
        };
        let file = self.keys().file();
        let info = KeyInfo { id: new.id().to_owned(), source };
        let old_source = self.with(|state| {
            let (db, current) = state.begin()?;
            let before = key_info(&db)?;
            if before.id != current.id() {
                *current = Arc::new(self.keys().find(&before)?);
            }
            if source == KeySource::File {
                let keys: &[&Key] = if before.source == KeySource::File { &[&new, current] } else { &[&new] };
                file.replace(keys)?;
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
        let file = self.keys().file();
        let _ = self.with(|state| {
            let (db, key) = state.begin()?;
            match (before, now) {
                (_, KeySource::File) => file.replace(&[key])?,
                (KeySource::File, KeySource::Given) => file.remove(),
                (KeySource::Given, KeySource::Given) => {}
            }
            db.commit()?;
            Ok(())
        });
        let _ = self.with(|state| Ok(state.empty_log()?));
    }
}
