//! Values as the tables hold them.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Error, Result, Row};

use crate::{EventId, Headers, Origin, Progress, State};

pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

pub(super) fn micros(took: Duration) -> i64 {
    i64::try_from(took.as_micros()).unwrap_or(i64::MAX)
}

/// The number of a delivery or of an event's place; a higher one than SQLite has names none.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn read_number(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|error| foreign(column, Type::Integer, error))
}

pub(super) fn read_id(row: &Row<'_>, column: usize) -> Result<EventId> {
    row.get(column).map(EventId::from_bytes)
}

pub(super) fn read_time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|error| foreign(column, Type::Integer, error))
}

pub(super) fn read_time_if_any(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    let at: Option<i64> = row.get(column)?;
    at.map(|_| read_time(row, column)).transpose()
}

pub(super) fn read_took(row: &Row<'_>, column: usize) -> Result<Duration> {
    read_number(row, column).map(Duration::from_micros)
}

pub(super) fn read_origin(row: &Row<'_>, column: usize) -> Result<Origin> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| foreign(column, Type::Text, error))
}

pub(super) fn read_headers(row: &Row<'_>, column: usize) -> Result<Headers> {
    Ok(Headers::from_bytes(row.get_ref(column)?.as_blob()?))
}

pub(super) fn read_bytes(row: &Row<'_>, column: usize) -> Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}

/// The states by their numbers.
const STATES: [State; 4] = [State::Waiting, State::Parked, State::Delivered, State::Dead];

pub(super) fn state(state: State) -> i64 {
    match state {
        State::Waiting => 0,
        State::Parked => 1,
        State::Delivered => 2,
        State::Dead => 3,
    }
}

pub(super) fn read_state(row: &Row<'_>, column: usize) -> Result<State> {
    let number: i64 = row.get(column)?;
    let known = usize::try_from(number).ok().and_then(|number| STATES.get(number)).copied();
    known
        .ok_or_else(|| FromSqlError::OutOfRange(number))
        .map_err(|error| foreign(column, Type::Integer, error))
}

/// Progress as it is stored: nothing where there is none.
pub(super) fn progress(progress: &Progress) -> Result<Option<String>> {
    if *progress == Progress::default() {
        return Ok(None);
    }
    serde_json::to_string(progress).map(Some).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn read_progress(row: &Row<'_>, column: usize) -> Result<Progress> {
    let stored: Option<String> = row.get(column)?;
    let Some(stored) = stored else { return Ok(Progress::default()) };
    serde_json::from_str(&stored).map_err(|error| foreign(column, Type::Text, error))
}

fn foreign(column: usize, found: Type, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, found, Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_is_written() {
        for (number, known) in STATES.into_iter().enumerate() {
            assert_eq!(state(known), number as i64);
        }
    }
}
