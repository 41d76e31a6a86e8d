//! Lists of a gateway, page after page.

use nuncio_client::{Call, Error};
use serde_json::Value;

use super::ask;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::{stderr, table};

/// The most items of one page.
const PAGE: usize = 500;

/// A column: what stands above it, and the JSON pointer to what stands in it.
pub(crate) type Column = (&'static str, &'static str);

/// A part of a list.
pub(crate) struct Part {
    pub(crate) items: Vec<Value>,
    /// Whether there are more.
    pub(crate) has_more: bool,
}

/// All items of the list that `call` asks for.
pub(crate) async fn all(call: impl Fn() -> Call) -> Result<Vec<Value>, Error> {
    Ok(part(call, None, usize::MAX).await?.items)
}

/// Up to `limit` items of the list that `call` asks for, from `cursor` on or from its beginning.
pub(crate) async fn part(
    call: impl Fn() -> Call,
    mut cursor: Option<String>,
    limit: usize,
) -> Result<Part, Error> {
    let mut items = Vec::new();
    loop {
        let page = call().param("limit", (limit - items.len()).min(PAGE));
        let mut answer = ask(cursor.iter().fold(page, |page, cursor| page.param("cursor", cursor))).await?;
        if let Value::Array(found) = answer["items"].take() {
            items.extend(found);
        }
        cursor = answer["next"].as_str().map(str::to_owned);
        let has_more = cursor.is_some();
        if !has_more || items.len() >= limit {
            return Ok(Part { items, has_more });
        }
    }
}

/// Writes items: one JSON list with `--json`, and else a table.
pub(crate) fn write(session: &Session, items: &[Value], columns: &[Column]) -> Result<(), Stop> {
    let mut output = Output::new(None)?;
    if session.global.json {
        output.line(&Value::from(items).to_string())?;
    } else {
        let heads: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
        let row = |item: &Value| {
            let cells = columns.iter().map(|(head, pointer)| {
                ((*head).to_owned(), item.pointer(pointer).cloned().unwrap_or_default())
            });
            Value::Object(cells.collect())
        };
        let rows: Vec<Value> = items.iter().map(row).collect();
        table::write(&mut output, &heads, &rows)?;
    }
    output.flush()
}

/// Says that there is more than was written, and what gives it.
pub(crate) fn tell_of_more(part: &Part, how: &str) {
    if part.has_more {
        stderr::line(&format!("nuncio: there are more than these {}: {how}", part.items.len()));
    }
}
