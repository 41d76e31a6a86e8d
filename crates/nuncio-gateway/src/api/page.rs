//! Lists: a part at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::registry::{NAME_PATTERN, is_name};
use nuncio_relay::store::{self, From};

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
pub(crate) enum Order {
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

/// What the cursors of lists by time look like.
pub(super) const PLACE_PATTERN: &str = "^[0-9]{1,19}$";

/// From where.
pub(crate) fn from(order: Order, cursor: Option<&str>) -> Result<From, Problem> {
    let is_place =
        |cursor: &str| (1..=19).contains(&cursor.len()) && cursor.bytes().all(|byte| byte.is_ascii_digit());
    let read = |cursor: &str| cursor.parse().ok().filter(|_| is_place(cursor)).ok_or_else(foreign);
    Ok(match (order, cursor.map(read).transpose()?) {
        (Order::Newest, None) => From::Newest,
        (Order::Newest, Some(place)) => From::Before(place),
        (Order::Oldest, place) => From::After(place.unwrap_or_default()),
    })
}

/// What was found, and where the page after it begins.
pub(super) fn of<T>(from: From, found: store::Page<T>, place: impl Fn(&T) -> u64) -> Page<T> {
    let next = match from {
        From::After(after) => Some(found.items.last().map_or(after, place)),
        From::Newest | From::Before(_) => found.next,
    };
    Page { items: found.items, next: next.map(|place| place.to_string()) }
}

/// Which part of a list by name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ByName {
    /// The `next` of the page before.
    #[schemars(extend("pattern" = NAME_PATTERN))]
    cursor: Option<String>,
    /// How many, 1 to 500, by name. Default: 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

impl ByName {
    /// That part of `all`, which come in the order of their names.
    pub(super) fn of<T>(
        &self,
        all: impl IntoIterator<Item = T>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Page<T>, Problem> {
        let limit = limit(self.limit)? as usize;
        if self.cursor.as_ref().is_some_and(|cursor| !is_name(cursor)) {
            return Err(foreign());
        }
        let is_later = |item: &T| self.cursor.as_ref().is_none_or(|cursor| name(item) > cursor.as_str());
        let mut items: Vec<T> = all.into_iter().filter(is_later).take(limit + 1).collect();
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|item| name(item).to_owned());
        Ok(Page { items, next })
    }
}

impl<T> Page<T> {
    /// The same page of what `show` makes of its items.
    pub(super) fn show<S>(self, show: impl FnMut(T) -> S) -> Page<S> {
        Page { items: self.items.into_iter().map(show).collect(), next: self.next }
    }
}

fn foreign() -> Problem {
    bad("cursor is not the next of a page")
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(http::StatusCode::BAD_REQUEST, "bad_query", detail)
}
