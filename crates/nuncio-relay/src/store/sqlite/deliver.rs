//! Deliveries: taken, settled, and made due again.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use crate::store::{HealthChange, Lease, LeaseRequest, Leased, Leases, Settled, Settlement, Then};
use crate::{Attempt, DeliveryId, Event, Progress, State};

use super::append::append;
use super::row::{
    micros, millis, number, progress, read_bytes, read_headers, read_id, read_number, read_origin,
    read_progress, read_state, read_time, state,
};

pub(super) fn lease(db: &Connection, request: &LeaseRequest) -> Result<Leases> {
    let endpoint: Option<i64> = db
        .prepare_cached("SELECT id FROM endpoint WHERE name = ?1 AND disabled_at IS NULL")?
        .query_row([&request.endpoint], |row| row.get(0))
        .optional()?;
    let Some(endpoint) = endpoint else { return Ok(Leases { taken: Vec::new(), next_due: None }) };
    let mut taken = due(db, endpoint, i64::MIN, millis(request.now), request.limit)?;
    let left = request.limit.saturating_sub(u32::try_from(taken.len()).unwrap_or(u32::MAX));
    taken.extend(due(db, endpoint, millis(request.latest).saturating_add(1), i64::MAX, left)?);
    let mut take = db.prepare_cached(
        "UPDATE delivery SET fence = fence + 1, attempts = attempts + 1, due = ?2 WHERE id = ?1",
    )?;
    for leased in &taken {
        take.execute(params![number(leased.lease.delivery.0), millis(request.until)])?;
    }
    Ok(Leases { taken, next_due: next_due(db, endpoint)? })
}

/// What is due from one time to another, both included.
fn due(db: &Connection, endpoint: i64, from: i64, to: i64, limit: u32) -> Result<Vec<Leased>> {
    db.prepare_cached(
        "SELECT d.id, d.fence + 1, d.attempts + 1, e.id, e.origin, e.type, e.at, e.headers, e.body, d.progress
         FROM delivery d JOIN event e ON e.seq = d.event
         WHERE d.endpoint = ?1 AND d.state = 0 AND d.due BETWEEN ?2 AND ?3 ORDER BY d.due, d.id LIMIT ?4",
    )?
    .query_map(params![endpoint, from, to, limit], read_leased)?
    .collect()
}

fn read_leased(row: &Row<'_>) -> Result<Leased> {
    Ok(Leased {
        lease: Lease { delivery: DeliveryId(read_number(row, 0)?), fence: read_number(row, 1)? },
        attempt: row.get(2)?,
        progress: read_progress(row, 9)?,
        event: Event {
            id: read_id(row, 3)?,
            origin: read_origin(row, 4)?,
            event_type: row.get(5)?,
            at: read_time(row, 6)?,
            headers: read_headers(row, 7)?,
            body: read_bytes(row, 8)?,
        },
    })
}

fn next_due(db: &Connection, endpoint: i64) -> Result<Option<Timestamp>> {
    db.prepare_cached("SELECT due FROM delivery WHERE endpoint = ?1 AND state = 0 ORDER BY due LIMIT 1")?
        .query_row([endpoint], |row| read_time(row, 0))
        .optional()
}

pub(super) fn note(db: &Connection, lease: Lease, noted: &Progress) -> Result<bool> {
    let changed = db
        .prepare_cached("UPDATE delivery SET progress = ?3 WHERE id = ?1 AND fence = ?2 AND state = 0")?
        .execute(params![number(lease.delivery.0), number(lease.fence), progress(noted)?])?;
    Ok(changed > 0)
}

/// Whose delivery it is and behind what it stands.
struct Place {
    endpoint: i64,
    order_key: Option<String>,
}

pub(super) fn settle(db: &Connection, settlement: &Settlement) -> Result<Settled> {
    let Lease { delivery, fence } = settlement.lease;
    let id = number(delivery.0);
    let place = db
        .prepare_cached(
            "SELECT endpoint, order_key FROM delivery WHERE id = ?1 AND fence = ?2 AND state = 0",
        )?
        .query_row(params![id, number(fence)], |row| {
            Ok(Place { endpoint: row.get(0)?, order_key: row.get(1)? })
        })
        .optional()?;
    let Some(place) = place else { return Ok(Settled::Void) };
    let (then, due) = match settlement.then {
        Then::Delivered => (State::Delivered, None),
        Then::Dead => (State::Dead, None),
        Then::Retry(due) => (State::Waiting, Some(due)),
    };
    let uncounted = u8::from(settlement.attempt.is_none());
    // The fence rises once more, so that the lease settles only once.
    db.prepare_cached(
        "UPDATE delivery SET state = ?2, due = ?3, attempts = attempts - ?4, fence = fence + 1 WHERE id = ?1",
    )?
    .execute(params![id, state(then), due.map(millis), uncounted])?;
    if let Some(noted) = &settlement.progress {
        set_progress(db, id, noted)?;
    }
    if let Some(attempt) = &settlement.attempt {
        write_down(db, id, attempt)?;
    }
    let next = if then == State::Waiting { None } else { advance(db, &place, settlement.now)? };
    if let Some(change) = &settlement.health {
        set_health(db, place.endpoint, change)?;
    }
    for told in &settlement.tell {
        append(db, told)?;
    }
    Ok(Settled::Done { next })
}

fn set_progress(db: &Connection, delivery: i64, noted: &Progress) -> Result<()> {
    db.prepare_cached("UPDATE delivery SET progress = ?2 WHERE id = ?1")?
        .execute(params![delivery, progress(noted)?])
        .map(drop)
}

fn write_down(db: &Connection, delivery: i64, attempt: &Attempt) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO attempt (delivery, number, at, took_us, status, error, excerpt, step) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        delivery,
        attempt.number,
        millis(attempt.at),
        micros(attempt.took),
        attempt.status,
        attempt.error,
        &*attempt.excerpt,
        attempt.step,
    ])?;
    Ok(())
}

/// Lets the next of a key go, if none goes, and says when it is due.
fn advance(db: &Connection, place: &Place, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(key) = &place.order_key else { return Ok(None) };
    let changed = db
        .prepare_cached(
            "UPDATE delivery SET state = 0, due = ?3 WHERE state = 1 AND id =
             (SELECT min(id) FROM delivery WHERE endpoint = ?1 AND order_key = ?2 AND state < 2)",
        )?
        .execute(params![place.endpoint, key, millis(now)])?;
    Ok((changed > 0).then_some(now))
}

/// Makes a delivery due again; says whether it is there.
pub(super) fn resend(db: &Connection, delivery: DeliveryId, due: Timestamp) -> Result<bool> {
    let id = number(delivery.0);
    let before = db
        .prepare_cached("SELECT state, progress FROM delivery WHERE id = ?1")?
        .query_row([id], |row| Ok((read_state(row, 0)?, read_progress(row, 1)?)))
        .optional()?;
    let Some((state, progress)) = before else { return Ok(false) };
    let again = progress.clone().sent_again(state);
    if again != progress {
        set_progress(db, id, &again)?;
    }
    // One that waits stays where it is. Behind others of its key it is parked, as one that has not been tried yet.
    db.prepare_cached(
            "UPDATE delivery SET attempts = 0, fence = fence + 1, state = is_behind, due = iif(is_behind, NULL, ?2)
             FROM (
                 SELECT d.id AS this, d.state <> 0 AND EXISTS (
                     SELECT 1 FROM delivery o WHERE o.endpoint = d.endpoint AND o.order_key = d.order_key AND o.state < 2 AND o.id <> d.id
                 ) AS is_behind FROM delivery d WHERE d.id = ?1
             ) WHERE id = this",
        )?
        .execute(params![id, millis(due)])?;
    Ok(true)
}

pub(super) fn set_health_of(db: &Connection, name: &str, change: &HealthChange) -> Result<()> {
    let endpoint: Option<i64> =
        db.query_row("SELECT id FROM endpoint WHERE name = ?1", [name], |row| row.get(0)).optional()?;
    endpoint.map_or(Ok(()), |endpoint| set_health(db, endpoint, change))
}

fn set_health(db: &Connection, endpoint: i64, change: &HealthChange) -> Result<()> {
    match change {
        HealthChange::Disable { at, reason } => db
            .prepare_cached("UPDATE endpoint SET disabled_at = ?2, disabled_reason = ?3 WHERE id = ?1")?
            .execute(params![endpoint, millis(*at), reason]),
        HealthChange::Enable => db
            .prepare_cached("UPDATE endpoint SET disabled_at = NULL, disabled_reason = NULL WHERE id = ?1")?
            .execute([endpoint]),
        HealthChange::Failing(since) => db
            .prepare_cached("UPDATE endpoint SET failing_since = ?2 WHERE id = ?1")?
            .execute(params![endpoint, millis(*since)]),
        HealthChange::Recovered => {
            db.prepare_cached("UPDATE endpoint SET failing_since = NULL WHERE id = ?1")?.execute([endpoint])
        }
    }
    .map(drop)
}
