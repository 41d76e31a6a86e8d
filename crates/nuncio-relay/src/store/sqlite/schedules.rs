//! Schedules.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result, params};

use crate::store::{Advance, KeptSchedule};

use super::append;
use super::row::{number, read_number};

pub(super) fn all(db: &Connection) -> Result<BTreeMap<String, KeptSchedule>> {
    db.prepare_cached("SELECT name, revision, state FROM schedule")?
        .query_map([], |row| {
            let state = serde_json::from_str(row.get_ref(2)?.as_str()?).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
            })?;
            Ok((row.get(0)?, KeptSchedule { revision: read_number(row, 1)?, state }))
        })?
        .collect()
}

/// Replaces what is kept of a schedule and stores events, unless somebody else replaced it since it was read.
pub(super) fn advance(db: &Connection, step: &Advance) -> Result<bool> {
    let Advance { name, kept, events } = step;
    let state = serde_json::to_string(&kept.state)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let sql = match kept.revision {
        0 => {
            "INSERT INTO schedule (name, revision, state) SELECT name, ?2 + 1, ?3 FROM document
              WHERE kind = 'schedule' AND name = ?1 ON CONFLICT DO NOTHING"
        }
        _ => "UPDATE schedule SET revision = ?2 + 1, state = ?3 WHERE name = ?1 AND revision = ?2",
    };
    let changed = db.prepare_cached(sql)?.execute(params![name, number(kept.revision), state])?;
    if changed == 0 {
        return Ok(false);
    }
    events.iter().try_for_each(|event| append::append(db, event).map(drop))?;
    Ok(true)
}
