//! What keeps the file small and whole.

use rusqlite::{Connection, Result, params};

use crate::store::{Trim, Trimmed};

use super::row::{millis, number, read_number};

/// How many free pages are given back to the file system in one step: 4 MiB.
const PAGES_A_STEP: u32 = 1024;

pub(super) fn trim(db: &Connection, trim: &Trim) -> Result<Trimmed> {
    let looked_at: Vec<(u64, bool, bool)> = db
        .prepare_cached(
            "SELECT seq, at < ?2, EXISTS (SELECT 1 FROM delivery WHERE event = seq AND state < 2)
             FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?3",
        )?
        .query_map(params![number(trim.after), millis(trim.before), trim.limit], |row| {
            Ok((read_number(row, 0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_>>()?;
    let is_full = looked_at.len() == trim.limit as usize;
    let any_old = looked_at.iter().any(|(_, is_old, _)| *is_old);
    let next = looked_at.last().filter(|_| is_full && any_old).map(|(seq, ..)| *seq);
    let mut removed = 0;
    for (seq, is_old, is_owed) in looked_at {
        if is_old && !is_owed {
            remove(db, number(seq))?;
            removed += 1;
        }
    }
    if removed > 0 {
        let mut vacuum = db.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES_A_STEP})"))?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
    }
    Ok(Trimmed { removed, next })
}

fn remove(db: &Connection, event: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM attempt WHERE delivery IN (SELECT id FROM delivery WHERE event = ?1)")?
        .execute([event])?;
    db.prepare_cached("DELETE FROM delivery WHERE event = ?1")?.execute([event])?;
    db.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([event])?;
    Ok(())
}

/// What SQLite finds wrong with the file, and what we find wrong with what stands in it. Nothing if all is well.
pub(super) fn check(db: &Connection) -> Result<Vec<String>> {
    let mut found: Vec<String> = db
        .prepare("PRAGMA integrity_check")?
        .query_map([], |row| row.get(0))?
        .filter(|line| !matches!(line.as_deref(), Ok("ok")))
        .collect::<Result<_>>()?;
    for (what, sql) in [
        (
            "deliveries without an event",
            "SELECT count(*) FROM delivery WHERE event NOT IN (SELECT seq FROM event)",
        ),
        (
            "deliveries to nobody",
            "SELECT count(*) FROM delivery WHERE endpoint NOT IN (SELECT id FROM endpoint)",
        ),
        (
            "attempts of no delivery",
            "SELECT count(*) FROM attempt WHERE delivery NOT IN (SELECT id FROM delivery)",
        ),
        (
            "deliveries that wait without being due",
            "SELECT count(*) FROM delivery WHERE (state = 0) <> (due IS NOT NULL)",
        ),
        (
            "keys that nobody goes first of",
            "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE state < 2 AND order_key IS NOT NULL
             GROUP BY endpoint, order_key HAVING sum(state = 0) <> 1)",
        ),
    ] {
        let count: u64 = db.query_row(sql, [], |row| read_number(row, 0))?;
        if count > 0 {
            found.push(format!("{count} {what}"));
        }
    }
    Ok(found)
}
