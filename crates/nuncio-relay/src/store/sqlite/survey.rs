//! How things stand lately, by indices alone and counted within bounds.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use jiff::Timestamp;

use crate::store::{Activity, Lately, Particulars, Stats, Tried};
use crate::{DeliveryId, Origin};

use super::row::{number, read_number, read_origin, read_time, read_took};

/// Those that are parked stand behind others of their key in the same index: no more of it is looked at than is counted.
pub(super) fn glance(db: &Connection, count: u32) -> Result<Stats> {
    let ask = |sql| db.prepare_cached(sql)?.query_row([count], |row| read_number(row, 0));
    let waiting = ask("SELECT count(*) FROM
        (SELECT 1 FROM delivery INDEXED BY delivery_due WHERE state = 0 LIMIT ?1)")?;
    let parked = ask("SELECT count(*) FROM (SELECT state FROM delivery INDEXED BY delivery_queue
            WHERE state < 2 AND order_key IS NOT NULL LIMIT ?1) WHERE state = 1")?;
    Ok(Stats {
        events: ask("SELECT count(*) FROM (SELECT 1 FROM event LIMIT ?1)")?,
        waiting: (waiting + parked).min(count.into()),
        dead: ask("SELECT count(*) FROM
            (SELECT 1 FROM delivery INDEXED BY delivery_given_up WHERE state = 3 LIMIT ?1)")?,
        bytes: db
            .prepare_cached("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?
            .query_row([], |row| read_number(row, 0))?,
    })
}

pub(super) fn activity(db: &Connection, endpoints: &[String], lately: Lately) -> Result<Vec<Activity>> {
    endpoints.iter().map(|name| activity_of(db, name, lately)).collect()
}

fn activity_of(db: &Connection, endpoint: &str, lately: Lately) -> Result<Activity> {
    let id: Option<i64> = db
        .prepare_cached("SELECT id FROM endpoint WHERE name = ?1")?
        .query_row([endpoint], |row| row.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(Activity::default()) };
    let ask = |sql| db.prepare_cached(sql)?.query_row(params![id, lately.count], |row| read_number(row, 0));
    let waiting = ask("SELECT count(*) FROM
        (SELECT 1 FROM delivery INDEXED BY delivery_due WHERE endpoint = ?1 AND state = 0 LIMIT ?2)")?;
    let parked = ask("SELECT count(*) FROM (SELECT state FROM delivery INDEXED BY delivery_queue
            WHERE endpoint = ?1 AND state < 2 AND order_key IS NOT NULL LIMIT ?2) WHERE state = 1")?;
    let dead = ask("SELECT count(*) FROM
        (SELECT 1 FROM delivery INDEXED BY delivery_dead WHERE endpoint = ?1 AND state = 3 LIMIT ?2)")?;
    let tried = db
        .prepare_cached(
            "SELECT a.at, a.took_us, a.status, a.error FROM
                (SELECT id FROM delivery INDEXED BY delivery_endpoint WHERE endpoint = ?1 ORDER BY id DESC LIMIT ?2) d
             JOIN attempt a ON a.delivery = d.id ORDER BY a.rowid DESC LIMIT ?2",
        )?
        .query_map(params![id, lately.deliveries], tried)?
        .collect::<Result<_>>()?;
    Ok(Activity { waiting: (waiting + parked).min(lately.count.into()), dead, tried })
}

fn tried(row: &Row<'_>) -> Result<Tried> {
    Ok(Tried { at: read_time(row, 0)?, took: read_took(row, 1)?, status: row.get(2)?, error: row.get(3)? })
}

pub(super) fn arrivals(db: &Connection, origins: &[Origin], limit: u32) -> Result<Vec<Vec<Timestamp>>> {
    let mut of_origin = db.prepare_cached(
        "SELECT at FROM event INDEXED BY event_origin WHERE origin = ?1 ORDER BY seq DESC LIMIT ?2",
    )?;
    let mut arrivals = Vec::with_capacity(origins.len());
    for origin in origins {
        let times = of_origin.query_map(params![origin.to_string(), limit], |row| read_time(row, 0))?;
        arrivals.push(times.collect::<Result<_>>()?);
    }
    Ok(arrivals)
}

pub(super) fn particulars(db: &Connection, deliveries: &[DeliveryId]) -> Result<Vec<Option<Particulars>>> {
    let mut about = db.prepare_cached(
        "SELECT e.origin, e.type, e.at FROM delivery d JOIN event e ON e.seq = d.event WHERE d.id = ?1",
    )?;
    let mut last = db.prepare_cached(
        "SELECT at, took_us, status, error FROM attempt WHERE delivery = ?1 ORDER BY rowid DESC LIMIT 1",
    )?;
    let mut found = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let id = number(delivery.0);
        let known = about.query_row([id], |row| Ok((read_origin(row, 0)?, row.get(1)?, read_time(row, 2)?)));
        let Some((origin, event_type, at)) = known.optional()? else {
            found.push(None);
            continue;
        };
        let last = last.query_row([id], tried).optional()?;
        found.push(Some(Particulars { origin, event_type, at, last }));
    }
    Ok(found)
}
