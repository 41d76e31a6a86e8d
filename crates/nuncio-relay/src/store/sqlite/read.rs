//! Questions.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params, params_from_iter};

use crate::store::{
    DeliveryQuery, Disabled, EndpointStatus, EventQuery, EventSummary, From, MAX_SEARCHED_BYTES, Page,
    Refused, Stats,
};
use crate::{Attempt, Delivery, DeliveryId, Event, EventId, Origin, State};

use super::append::place;
use super::row::{
    millis, number, read_bytes, read_headers, read_id, read_number, read_origin, read_state, read_time,
    read_time_if_any, read_took, state,
};

pub(super) fn event(db: &Connection, id: EventId) -> Result<Option<Event>> {
    db.prepare_cached("SELECT origin, type, at, headers, body FROM event WHERE id = ?1")?
        .query_row([id.to_bytes()], |row| {
            Ok(Event {
                id,
                origin: read_origin(row, 0)?,
                event_type: row.get(1)?,
                at: read_time(row, 2)?,
                headers: read_headers(row, 3)?,
                body: read_bytes(row, 4)?,
            })
        })
        .optional()
}

/// Conditions of a question, with the values of their `?`.
#[derive(Default)]
struct Conditions {
    /// What an index finds by itself, in the order that is asked for.
    indexed: Option<(&'static str, Option<Value>)>,
    sql: Vec<String>,
    values: Vec<Value>,
}

/// What is asked: `by` is the place of a row.
struct Question<'q> {
    select: &'q str,
    table: &'q str,
    by: &'static str,
    from: From,
    limit: u32,
    look_at: Option<u32>,
}

impl Conditions {
    /// A condition for which there is an index. Only the first one can be found by it.
    fn add_indexed(&mut self, sql: &'static str, value: Option<impl Into<Value>>) {
        match (value, &self.indexed) {
            (Some(value), None) => self.indexed = Some((sql, Some(value.into()))),
            (value, _) => self.add(sql, value),
        }
    }

    fn add(&mut self, sql: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.sql.push(sql.to_owned());
            self.values.push(value.into());
        }
    }

    /// What is asked, one row more than wanted, to see whether there is more.
    fn ask<T>(
        self,
        db: &Connection,
        question: &Question<'_>,
        read: impl Fn(&Row<'_>) -> Result<(u64, T)>,
    ) -> Result<Page<T>> {
        let Question { select, table, by, from, limit, look_at } = *question;
        let (condition, direction, bound) = match from {
            From::Newest => ("1 = ?".to_owned(), "DESC", 1),
            From::Before(before) => (format!("{by} < ?"), "DESC", number(before)),
            From::After(after) => (format!("{by} > ?"), "ASC", number(after)),
        };
        let indexed = self.indexed.as_ref().map(|(sql, _)| format!(" AND {sql}")).unwrap_or_default();
        let mut values = vec![bound.into()];
        values.extend(self.indexed.and_then(|(_, value)| value));
        // The last of those that are looked at: by its index, before anything else of a row is read.
        let last = match look_at.filter(|_| !self.sql.is_empty()) {
            Some(look_at) => {
                let sql = format!(
                    "SELECT {by} FROM {table} WHERE {condition}{indexed} ORDER BY {by} {direction} LIMIT 1 OFFSET ?"
                );
                let offset = Value::from(i64::from(look_at.saturating_sub(1)));
                let values = values.iter().cloned().chain([offset]);
                let mut find = db.prepare_cached(&sql)?;
                find.query_row(params_from_iter(values), |row| row.get::<_, i64>(0)).optional()?
            }
            None => None,
        };
        let mut wanted = self.sql.iter().map(|sql| format!(" AND {sql}")).collect::<String>();
        values.extend(self.values);
        if let Some(last) = last {
            wanted.push_str(&format!(" AND {by} {} ?", if direction == "DESC" { ">=" } else { "<=" }));
            values.push(last.into());
        }
        let sql = format!("{select} WHERE {condition}{indexed}{wanted} ORDER BY {by} {direction} LIMIT ?");
        values.push((i64::from(limit) + 1).into());
        let mut rows = db
            .prepare_cached(&sql)?
            .query_map(params_from_iter(values), read)?
            .collect::<Result<Vec<_>>>()?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = match rows.last().filter(|_| more) {
            Some((number, _)) => Some(*number),
            None => last.and_then(|last| u64::try_from(last).ok()),
        };
        Ok(Page { items: rows.into_iter().map(|(_, item)| item).collect(), next })
    }
}

pub(super) fn events(db: &Connection, query: &EventQuery) -> Result<Page<EventSummary>> {
    let mut conditions = Conditions::default();
    conditions.add_indexed("type = ?", query.event_type.clone());
    conditions.add_indexed("origin = ?", query.origin.as_ref().map(ToString::to_string));
    conditions.add("at >= ?", query.since.map(millis));
    conditions.add("at < ?", query.until.map(millis));
    conditions.add("EXISTS (SELECT 1 FROM delivery WHERE event = seq AND state = ?)", query.state.map(state));
    let text = query.text.as_ref().map(|text| text.as_bytes().to_vec());
    conditions.add(&format!("length(body) <= {MAX_SEARCHED_BYTES} AND instr(body, ?) > 0"), text);
    let select = "SELECT seq, id, origin, type, at, length(body),
        (SELECT count(*) FROM delivery WHERE event = seq AND state < 2),
        (SELECT count(*) FROM delivery WHERE event = seq AND state = 2),
        (SELECT count(*) FROM delivery WHERE event = seq AND state = 3) FROM event";
    let EventQuery { from, limit, look_at, .. } = *query;
    let question = Question { select, table: "event", by: "seq", from, limit, look_at };
    conditions.ask(db, &question, |row| {
        let position = read_number(row, 0)?;
        let summary = EventSummary {
            position,
            id: read_id(row, 1)?,
            origin: read_origin(row, 2)?,
            event_type: row.get(3)?,
            at: read_time(row, 4)?,
            body_bytes: read_number(row, 5)?,
            owed: row.get(6)?,
            delivered: row.get(7)?,
            dead: row.get(8)?,
        };
        Ok((position, summary))
    })
}

pub(super) fn deliveries(db: &Connection, query: &DeliveryQuery) -> Result<Page<Delivery>> {
    let nothing = Page { items: Vec::new(), next: None };
    let mut conditions = Conditions::default();
    // Written out, since the indices of dead letters are for these words alone.
    let is_dead = query.state == Some(State::Dead);
    if let Some(event) = query.event {
        let Some(event) = place(db, event)? else { return Ok(nothing) };
        conditions.add_indexed("d.event = ?", Some(event));
    }
    if let Some(endpoint) = &query.endpoint {
        let id: Option<i64> = db
            .query_row("SELECT id FROM endpoint WHERE name = ?1", [endpoint], |row| row.get(0))
            .optional()?;
        let Some(id) = id else { return Ok(nothing) };
        let indexed = if is_dead { "d.state = 3 AND d.endpoint = ?" } else { "d.endpoint = ?" };
        conditions.add_indexed(indexed, Some(id));
    }
    match query.state {
        Some(State::Dead) if conditions.indexed.is_none() => conditions.indexed = Some(("d.state = 3", None)),
        other => conditions.add("d.state = ?", other.map(state)),
    }
    conditions.add("e.at >= ?", query.since.map(millis));
    conditions.add("e.at < ?", query.until.map(millis));
    let select = "SELECT d.id, e.id, p.name, d.state, d.due, d.attempts, d.order_key
        FROM delivery d JOIN event e ON e.seq = d.event JOIN endpoint p ON p.id = d.endpoint";
    let DeliveryQuery { from, limit, look_at, .. } = *query;
    let question = Question { select, table: "delivery d", by: "d.id", from, limit, look_at };
    conditions.ask(db, &question, |row| {
        let id = read_number(row, 0)?;
        let delivery = Delivery {
            id: DeliveryId(id),
            event: read_id(row, 1)?,
            endpoint: row.get(2)?,
            state: read_state(row, 3)?,
            due: read_time_if_any(row, 4)?,
            attempts: row.get(5)?,
            order_key: row.get(6)?,
        };
        Ok((id, delivery))
    })
}

pub(super) fn attempts(db: &Connection, delivery: DeliveryId) -> Result<Vec<Attempt>> {
    db.prepare_cached(
        "SELECT number, at, took_us, status, error, excerpt, step FROM attempt WHERE delivery = ?1 ORDER BY rowid",
    )?
    .query_map([number(delivery.0)], |row| {
        Ok(Attempt {
            number: row.get(0)?,
            at: read_time(row, 1)?,
            took: read_took(row, 2)?,
            status: row.get(3)?,
            error: row.get(4)?,
            excerpt: read_bytes(row, 5)?,
            step: row.get(6)?,
        })
    })?
    .collect()
}

pub(super) fn endpoints(db: &Connection) -> Result<Vec<EndpointStatus>> {
    db.prepare_cached(
        "SELECT name, disabled_at, disabled_reason, failing_since,
            (SELECT due FROM delivery WHERE endpoint = e.id AND state = 0 ORDER BY due LIMIT 1)
         FROM endpoint e ORDER BY name",
    )?
    .query_map([], |row| {
        let disabled = read_time_if_any(row, 1)?
            .map(|at| Ok::<_, rusqlite::Error>(Disabled { at, reason: row.get(2)? }))
            .transpose()?;
        Ok(EndpointStatus {
            name: row.get(0)?,
            disabled,
            failing_since: read_time_if_any(row, 3)?,
            next_due: read_time_if_any(row, 4)?,
        })
    })?
    .collect()
}

pub(super) fn refused(db: &Connection, origin: &Origin, limit: u32) -> Result<Vec<Refused>> {
    db.prepare_cached(
        "SELECT at, reason, headers, body FROM refused WHERE origin = ?1 ORDER BY id DESC LIMIT ?2",
    )?
    .query_map(params![origin.to_string(), limit], |row| {
        Ok(Refused {
            origin: origin.clone(),
            at: read_time(row, 0)?,
            reason: row.get(1)?,
            headers: read_headers(row, 2)?,
            body: read_bytes(row, 3)?,
        })
    })?
    .collect()
}

pub(super) fn stats(db: &Connection) -> Result<Stats> {
    let count = |sql| db.prepare_cached(sql)?.query_row([], |row| read_number(row, 0));
    Ok(Stats {
        events: count("SELECT count(*) FROM event")?,
        // What is parked has a key. Said like this each count reads a small index, and not all deliveries that ever were.
        waiting: count("SELECT count(*) FROM delivery WHERE state = 0")?
            + count("SELECT count(*) FROM delivery WHERE state = 1 AND state < 2 AND order_key IS NOT NULL")?,
        dead: count("SELECT count(*) FROM delivery WHERE state = 3")?,
        bytes: count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
    })
}
