//! Lists: a part at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use nuncio_relay::store::From;

/// Some of what there is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub(super) struct Page<T> {
    /// They.
    pub(super) items: Vec<T>,
    /// The `cursor` of the next page; null when there is none. With `order=oldest` there always is one: what is new is found there later.
    pub(super) next: Option<String>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

pub(super) const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// How many are asked for.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        limit => Err(bad(format!("limit is {limit}, and can be 1 to {MAX_LIMIT}"))),
    }
}

/// From where.
pub(super) fn from(order: Order, cursor: Option<&str>) -> Result<From, Problem> {
    let read = |cursor: &str| cursor.parse().map_err(|_| bad("cursor is not the next of a page"));
    Ok(match (order, cursor.map(read).transpose()?) {
        (Order::Newest, None) => From::Newest,
        (Order::Newest, Some(place)) => From::Before(place),
        (Order::Oldest, place) => From::After(place.unwrap_or_default()),
    })
}

/// Where the page after this one begins. `last` is the place of its last item.
pub(super) fn next(from: From, told: Option<u64>, last: Option<u64>) -> Option<String> {
    match from {
        From::After(place) => Some(last.unwrap_or(place)),
        From::Newest | From::Before(_) => told,
    }
    .map(|place| place.to_string())
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(http::StatusCode::BAD_REQUEST, "bad_query", detail)
}
