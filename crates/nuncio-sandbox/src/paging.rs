//! Pages in the described strategy.

use nuncio_client::json::{Path, scalar_text};
use nuncio_service::model::{Keyset, Pages};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, put};
use crate::refusal::Refusal;
use crate::store::Entry;

/// Records in a page when the request does not say.
const DEFAULT_SIZE: usize = 10;
/// Records in a page of a list whose size cannot be asked for.
const FIXED_SIZE: usize = 100;
/// Parameter of the links to numbered pages, for lists that are paged by `Link`.
const LINK_PARAM: &str = "page";
/// Parameter of the URL of the next page.
const NEXT_PARAM: &str = "page_token";

/// Part of a list, and where it stands.
pub(crate) struct Page<'a> {
    pub(crate) records: Vec<&'a Value>,
    total: usize,
    size: usize,
    /// Records before it.
    start: usize,
    /// Cursor of the page itself and of the next one.
    cursor: Option<String>,
    next: Option<String>,
    has_more: bool,
    last_page: usize,
}

impl<'a> Page<'a> {
    /// The page of `entries` that `fields` ask for; with `repeats` it says that it is followed by itself.
    pub(crate) fn new(
        pages: &Pages,
        fields: &Map<String, Value>,
        entries: &[&'a Entry],
        repeats: bool,
    ) -> Result<Self, Refusal> {
        let size = size(pages, fields)?;
        let (start, end, is_last) = match end(pages, fields, entries)? {
            Some(end) => (end.saturating_sub(size), end, end <= size),
            None => {
                let start = start(pages, fields, entries, size)?;
                let end = entries.len().min(start.saturating_add(size));
                (start, end, end == entries.len())
            }
        };
        let records: Vec<&Entry> = entries.get(start..end).unwrap_or_default().to_vec();
        let has_more = repeats || !is_last;
        // A cursor names the last record before its page by its number, so that new and deleted records shift nothing.
        let before = start.checked_sub(1).and_then(|before| entries.get(before));
        let cursor = Some(cursor(before.map_or(0, |entry| entry.number)));
        let next = records.last().filter(|_| has_more).map(|last| self::cursor(last.number));
        Ok(Self {
            total: entries.len(),
            size,
            start,
            next: if repeats { cursor.clone() } else { next },
            cursor,
            has_more,
            last_page: entries.len().div_ceil(size).max(1),
            records: records.into_iter().map(|entry| &entry.object).collect(),
        })
    }

    /// Writes into the answer where the next page is. `url` is the list's own, without query, and `query` what was asked for.
    pub(crate) fn describe(
        &self,
        pages: &Pages,
        mut answer: Answer,
        url: &str,
        query: &Map<String, Value>,
    ) -> Answer {
        let body = answer.body.get_or_insert_with(|| json!({}));
        let mut set = |path: Option<&Path>, value: Value| {
            if let Some(path) = path.filter(|path| !path.steps().is_empty()) {
                put(body, path.steps(), value);
            }
        };
        let next = self.next.as_deref();
        if let Some(page) = &pages.page {
            set(page.total_pages.as_ref(), json!(self.last_page));
        }
        if let Some(cursor) = &pages.cursor {
            set(cursor.more.as_ref(), json!(self.has_more));
            // Services with a flag say null at the end, those without an empty text.
            let end = if cursor.more.is_some() { Value::Null } else { json!("") };
            set(Some(&cursor.next), next.map_or(end, Value::from));
        }
        if let Some(keyset) = &pages.keyset {
            set(keyset.more.as_ref(), json!(self.has_more));
        }
        if let Some(next_url) = &pages.next_url {
            let next = next.map(|next| link(url, query, NEXT_PARAM, next));
            set(Some(&next_url.next), json!(next));
        }
        if let Some(connection) = &pages.connection {
            set(Some(&connection.path.step("totalCount")), json!(self.total));
            let info = json!({
                "hasNextPage": self.has_more, "hasPreviousPage": self.start > 0, "startCursor": self.cursor, "endCursor": next.or(self.cursor.as_deref())
            });
            set(Some(&connection.path.step("pageInfo")), info);
        }
        set(pages.total.as_ref().and_then(|total| total.path.as_ref()), json!(self.total));
        if let Some(header) = pages.total.as_ref().and_then(|total| total.header.as_ref()) {
            answer = answer.with_header(header, &self.total.to_string());
        }
        if let (Some(cursor), Some(next)) = (&pages.header_cursor, next) {
            answer = answer.with_header(&cursor.header, next);
        }
        if pages.link.is_some() && self.last_page > 1 {
            answer = answer.with_header("Link", &self.links(url, query));
        }
        answer
    }

    fn links(&self, url: &str, query: &Map<String, Value>) -> String {
        let this = self.start / self.size + 1;
        let repeats = self.next == self.cursor && self.has_more;
        let mut links = vec![("first", 1)];
        if this > 1 {
            links.insert(0, ("prev", this - 1));
        }
        if self.has_more {
            links.extend([("next", if repeats { this } else { this + 1 }), ("last", self.last_page)]);
        }
        let links = links.into_iter().map(|(rel, number)| {
            format!("<{}>; rel=\"{rel}\"", link(url, query, LINK_PARAM, &number.to_string()))
        });
        links.collect::<Vec<_>>().join(", ")
    }
}

fn size(pages: &Pages, fields: &Map<String, Value>) -> Result<usize, Refusal> {
    let Some(size) = &pages.size else { return Ok(FIXED_SIZE) };
    let most = usize::try_from(size.value).unwrap_or(usize::MAX).max(1);
    match number(fields, &size.param)? {
        Some(0) => Err(wrong(&size.param)),
        Some(asked) => Ok(asked.min(most)),
        None => Ok(DEFAULT_SIZE.min(most)),
    }
}

/// Where a page ends that is asked for backwards.
fn end(pages: &Pages, fields: &Map<String, Value>, entries: &[&Entry]) -> Result<Option<usize>, Refusal> {
    let Some(keyset) = &pages.keyset else { return Ok(None) };
    let Some(before) = &keyset.before else { return Ok(None) };
    let end = place(keyset, before, fields, entries)?;
    if end.is_some() && text(fields, &keyset.param).is_some() {
        let message = format!("{before} and {} exclude each other", keyset.param);
        return Err(Refusal::Input { param: before.clone(), message });
    }
    Ok(end)
}

/// The place of the record that `param` names, if it is there.
fn place(
    keyset: &Keyset,
    param: &str,
    fields: &Map<String, Value>,
    entries: &[&Entry],
) -> Result<Option<usize>, Refusal> {
    let Some(id) = text(fields, param) else { return Ok(None) };
    let found = entries.iter().position(|entry| keyset.id.text(&entry.object).as_ref() == Some(&id));
    found.map(Some).ok_or_else(|| wrong(param))
}

/// How many records stand before the page.
fn start(
    pages: &Pages,
    fields: &Map<String, Value>,
    entries: &[&Entry],
    size: usize,
) -> Result<usize, Refusal> {
    if let Some(page) = &pages.page {
        let first = usize::try_from(page.start).unwrap_or_default();
        let number = number(fields, &page.param)?.unwrap_or(first);
        return Ok(number.saturating_sub(first).saturating_mul(size));
    }
    if let Some(offset) = &pages.offset {
        return Ok(number(fields, &offset.param)?.unwrap_or(0));
    }
    if pages.link.is_some() {
        let number = number(fields, LINK_PARAM)?.unwrap_or(1);
        return Ok(number.saturating_sub(1).saturating_mul(size));
    }
    if let Some(keyset) = &pages.keyset {
        return Ok(place(keyset, &keyset.param, fields, entries)?.map_or(0, |place| place + 1));
    }
    let cursor = pages.cursor.as_ref().map(|cursor| cursor.param.as_str());
    let header = pages.header_cursor.as_ref().map(|cursor| cursor.param.as_str());
    let variable = pages.connection.as_ref().map(|connection| connection.variable.as_str());
    let param = cursor.or(header).or(variable).unwrap_or(NEXT_PARAM);
    let Some(cursor) = text(fields, param).filter(|cursor| !cursor.is_empty()) else { return Ok(0) };
    let before = number_in(&cursor).ok_or_else(|| wrong(param))?;
    let is_newest_first =
        entries.first().map(|entry| entry.number) > entries.last().map(|entry| entry.number);
    Ok(match before {
        0 => 0,
        _ if is_newest_first => entries.partition_point(|entry| entry.number >= before),
        _ => entries.partition_point(|entry| entry.number <= before),
    })
}

/// An opaque text that stands for the place behind the record of this number; 0 for the beginning.
fn cursor(number: u64) -> String {
    hex::encode(format!("after {number}"))
}

fn number_in(cursor: &str) -> Option<u64> {
    let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    text.strip_prefix("after ")?.parse().ok()
}

fn text(fields: &Map<String, Value>, param: &str) -> Option<String> {
    // In a body, dots lead into objects.
    let nested = || {
        let (first, rest) = param.split_once('.')?;
        rest.split('.').try_fold(fields.get(first)?, |value, step| value.get(step))
    };
    scalar_text(fields.get(param).or_else(nested)?)
}

fn number(fields: &Map<String, Value>, param: &str) -> Result<Option<usize>, Refusal> {
    text(fields, param).map(|text| text.parse().map_err(|_| wrong(param))).transpose()
}

fn wrong(param: &str) -> Refusal {
    Refusal::Input { param: param.to_owned(), message: format!("{param} is wrong") }
}

fn link(url: &str, query: &Map<String, Value>, param: &str, value: &str) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.iter().filter(|(name, _)| *name != param) {
        if let Some(text) = scalar_text(value) {
            encoded.append_pair(name, &text);
        }
    }
    format!("{url}?{}", encoded.append_pair(param, value).finish())
}
