//! The tables, and how those of older versions become them.

use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;

use super::failure;

/// `nunr`, so that no other program's database is taken for ours.
const APPLICATION_ID: i64 = 0x6e75_6e72;

/// What to do to a store of version `n` to make it one of version `n + 1`, at the place `n`. Those that were released never change.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
];

/// The version that this program writes.
#[allow(clippy::cast_possible_truncation, reason = "there are not that many")]
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Makes the tables what this program knows, or refuses what it does not know.
pub(super) fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let unusable = |error| failure(&error, path);
    let number =
        |db: &Connection, pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    // Others may open the same new file at the same time: one makes the tables, all others find them made.
    let step = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(unusable)?;
    let found = number(&step, "user_version").map_err(unusable)?;
    let id = number(&step, "application_id").map_err(unusable)?;
    let is_empty: bool = step
        .query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(unusable)?;
    if id != APPLICATION_ID && !(id == 0 && is_empty) {
        return Err(StoreError::Damaged {
            path: path.to_owned(),
            reason: "it is another program's database".into(),
        });
    }
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    if found > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    for migration in &MIGRATIONS[found as usize..] {
        step.execute_batch(migration).map_err(unusable)?;
    }
    step.pragma_update(None, "application_id", APPLICATION_ID).map_err(unusable)?;
    step.pragma_update(None, "user_version", VERSION).map_err(unusable)?;
    step.commit().map_err(unusable)
}
