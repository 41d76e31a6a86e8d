//! Events in.

use rusqlite::{Connection, OptionalExtension as _, Result, params};

use crate::EventId;
use crate::store::{Append, Appended, Owed, Refused};

use super::row::{millis, read_id};

/// Stores an event and what is owed for it, unless it is there already.
pub(super) fn append(db: &Connection, append: &Append) -> Result<Appended> {
    let Append { event, unique, owed } = append;
    let origin = event.origin.to_string();
    if let Some(unique) = unique {
        let same = db
            .prepare_cached("SELECT id, body = ?4 FROM event WHERE origin = ?1 AND key = ?2 AND at >= ?3 ORDER BY seq DESC LIMIT 1")?
            .query_row(params![origin, unique.key, millis(unique.since), &*event.body], |row| {
                Ok(Appended::Duplicate { id: read_id(row, 0)?, same_body: row.get(1)? })
            })
            .optional()?;
        if let Some(duplicate) = same {
            return Ok(duplicate);
        }
    }
    db.prepare_cached(
        "INSERT INTO event (id, origin, type, at, key, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        event.id.to_bytes(),
        origin,
        event.event_type,
        millis(event.at),
        unique.as_ref().map(|unique| &unique.key),
        event.headers.to_bytes(),
        &*event.body,
    ])?;
    let seq = db.last_insert_rowid();
    owed.iter().try_for_each(|owed| owe(db, seq, owed))?;
    Ok(Appended::Stored)
}

/// One of a key waits, and those behind it are parked: the state says which it is. An endpoint that does not exist is owed nothing.
fn owe(db: &Connection, event: i64, owed: &Owed) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO delivery (event, endpoint, order_key, state, due)
         SELECT ?1, id, ?3, is_behind, iif(is_behind, NULL, ?4) FROM (
             SELECT id, EXISTS (
                 SELECT 1 FROM delivery d WHERE d.endpoint = e.id AND d.order_key = ?3 AND d.state < 2
             ) AS is_behind FROM endpoint e WHERE name = ?2
         )",
    )?
    .execute(params![event, owed.endpoint, owed.order_key, millis(owed.due)])?;
    Ok(())
}

/// Keeps a request that was refused, and of its origin only the newest.
pub(super) fn refuse(db: &Connection, refused: &Refused, keep: u32) -> Result<()> {
    let origin = refused.origin.to_string();
    db.prepare_cached("INSERT INTO refused (origin, at, reason, headers, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            origin,
            millis(refused.at),
            refused.reason,
            refused.headers.to_bytes(),
            &*refused.body
        ])?;
    db.prepare_cached(
        "DELETE FROM refused WHERE origin = ?1
         AND id <= (SELECT id FROM refused WHERE origin = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![origin, keep])?;
    Ok(())
}

/// The place of an event, if it is there.
pub(super) fn place(db: &Connection, id: EventId) -> Result<Option<i64>> {
    db.prepare_cached("SELECT seq FROM event WHERE id = ?1")?
        .query_row([id.to_bytes()], |row| row.get(0))
        .optional()
}
