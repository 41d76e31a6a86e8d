//! The sole right to replace the tokens of a connection, across processes.
//!
//! Its end goes by the time of day, which is what processes share. Numbers come from one counter, so that none comes twice, not even when
//! a connection is removed and made again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use crate::Account;
use crate::database::Failure;
use crate::rows::milliseconds;

/// A lease that another holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) number: u64,
    pub(crate) length: Duration,
}

/// The lease of `account` that holds at `now`.
pub(crate) fn held(db: &Connection, account: &Account, now: Duration) -> Result<Option<Held>, Failure> {
    let sql = "SELECT number, length_ms FROM lease WHERE service = ?1 AND name = ?2 AND until_ms > ?3";
    let held = db.query_row(sql, (account.service(), account.name(), milliseconds(now)), |row| {
        Ok(Held { number: unsigned(row.get(0)?), length: Duration::from_millis(unsigned(row.get(1)?)) })
    });
    Ok(held.optional()?)
}

/// Takes the lease from `now` for `length`, whoever had it. Its number.
pub(crate) fn take(
    db: &Connection,
    account: &Account,
    now: Duration,
    length: Duration,
) -> Result<u64, Failure> {
    let number: i64 =
        db.query_row("UPDATE store SET last_lease = last_lease + 1 RETURNING last_lease", [], |row| {
            row.get(0)
        })?;
    let (until, length) = (milliseconds(now.saturating_add(length)), milliseconds(length));
    db.execute(
        "INSERT INTO lease VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET number = ?3, length_ms = ?4, until_ms = ?5",
        (account.service(), account.name(), number, length, until),
    )?;
    Ok(unsigned(number))
}

/// Whether nobody has taken the lease since the one with this number.
pub(crate) fn is_current(db: &Connection, account: &Account, number: u64) -> Result<bool, Failure> {
    let sql = "SELECT number FROM lease WHERE service = ?1 AND name = ?2";
    let current: Option<i64> =
        db.query_row(sql, (account.service(), account.name()), |row| row.get(0)).optional()?;
    Ok(current.is_some_and(|current| unsigned(current) == number))
}

/// Gives the lease with this number back. It still is the last one.
pub(crate) fn release(db: &Connection, account: &Account, number: u64) -> Result<(), Failure> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    db.execute(
        "UPDATE lease SET until_ms = 0 WHERE service = ?1 AND name = ?2 AND number = ?3",
        (account.service(), account.name(), number),
    )?;
    Ok(())
}

/// Takes the lease from whoever has it, for good.
pub(crate) fn end(db: &Connection, account: &Account) -> Result<(), Failure> {
    db.execute("DELETE FROM lease WHERE service = ?1 AND name = ?2", (account.service(), account.name()))?;
    Ok(())
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
