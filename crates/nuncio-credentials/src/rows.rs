//! What stands in the tables of the store.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_client::auth::oauth2::Tokens;
use nuncio_client::{Error, Secret};
use rusqlite::Transaction;

use crate::database::Failure;
use crate::key::Key;
use crate::keys::{KeyInfo, KeySource};
use crate::{Account, CredentialStore, kept, lease};

/// Bound on one secret value: 64 KiB, which holds the largest key files that providers hand out.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Bound on the variables of one connection: 100.
pub const MAX_VARIABLES: usize = 100;

/// Bound on connections: 10,000.
pub const MAX_CONNECTIONS: u32 = 10_000;

/// Before the name of a variable, where it is a field.
pub(crate) const VARIABLE: &str = "variable ";

/// The field that has the tokens.
pub(crate) const TOKENS: &str = "tokens";

/// Puts a whole connection in place of what was there.
pub(crate) fn put(
    store: &CredentialStore,
    db: &Transaction<'_>,
    key: &Key,
    account: &Account,
    variables: &BTreeMap<String, Secret>,
    tokens: Option<&Tokens>,
) -> Result<(), Failure> {
    check_variables(account, variables)?;
    store.put_row(db, account)?;
    lease::end(db, account)?;
    db.execute("DELETE FROM secret WHERE service = ?1 AND name = ?2", (account.service(), account.name()))?;
    for (name, value) in variables {
        put_secret(db, key, account, &format!("{VARIABLE}{name}"), value.expose())?;
    }
    if let Some(tokens) = tokens {
        put_secret(db, key, account, TOKENS, &kept::to_json(tokens))?;
    }
    Ok(())
}

pub(crate) fn exists(db: &Transaction<'_>, account: &Account) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM connection WHERE service = ?1 AND name = ?2)";
    Ok(db.query_row(sql, (account.service(), account.name()), |row| row.get(0))?)
}

pub(crate) fn put_secret(
    db: &Transaction<'_>,
    key: &Key,
    account: &Account,
    field: &str,
    value: &str,
) -> Result<(), Failure> {
    let sealed = key.seal(account, field, value);
    db.execute(
        "INSERT INTO secret VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET sealed = ?4",
        (account.service(), account.name(), field, sealed),
    )?;
    Ok(())
}

fn check_variables(account: &Account, variables: &BTreeMap<String, Secret>) -> Result<(), Error> {
    if variables.len() > MAX_VARIABLES {
        return Err(Error::configuration(format!(
            "{account} has {} variables, and {MAX_VARIABLES} can be stored",
            variables.len()
        )));
    }
    for (name, value) in variables {
        if value.expose().len() > MAX_VALUE_BYTES {
            let bytes = value.expose().len();
            return Err(Error::configuration(format!(
                "{name} of {account} has {bytes} bytes, and {MAX_VALUE_BYTES} can be stored"
            )));
        }
    }
    Ok(())
}

pub(crate) fn key_info(db: &rusqlite::Connection) -> Result<KeyInfo, Failure> {
    let info = db.query_row("SELECT key_id, key_source FROM store", [], |row| {
        let source: String = row.get(1)?;
        Ok(KeyInfo { id: row.get(0)?, source: KeySource::named(&source) })
    })?;
    Ok(info)
}

pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
}
