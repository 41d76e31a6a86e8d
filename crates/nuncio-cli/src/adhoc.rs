//! Calls that no service file describes: a method, a URL, flags.

use http::{HeaderValue, Method};
use nuncio_client::pages::{More, Pages, Param, Place, Records, Size, Strategy};
use nuncio_client::{Call, Client, Error, json};

use crate::args::{BodyOptions, PageOptions};
use crate::values::{self, Field};

/// The call of `url`. Fields go into the query of a method without a body, else into the body.
pub(crate) fn call(
    client: &Client,
    method: Option<Method>,
    url: &str,
    fields: Vec<Field>,
    body: &BodyOptions,
) -> Result<Call, Error> {
    let has_body = body.data.is_some() || !fields.is_empty();
    let method = method.unwrap_or(if has_body { Method::POST } else { Method::GET });
    let fields_in_query = matches!(method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS);
    let mut call = client.call(method, url);
    if let Some(data) = &body.data {
        if !fields.is_empty() && !fields_in_query {
            return Err(Error::configuration("--data is the whole body, so there is no place for fields")
                .advise("leave one of them out"));
        }
        let bytes = match data.strip_prefix('@') {
            Some(path) => values::read_bytes(path)?,
            None => data.clone().into_bytes(),
        };
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
        let guessed = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
        // A --header of that name goes before it.
        call = call.body(bytes, HeaderValue::from_static(guessed));
    }
    let fields = values::object(fields)?;
    Ok(match fields.is_empty() {
        true => call,
        false if fields_in_query => call.query(&fields),
        false if body.form => call.form(&fields),
        false => call.json(&fields),
    })
}

/// How the list pages, by the flags.
pub(crate) fn pages(options: &PageOptions) -> Result<Pages, Error> {
    let strategy = strategy(options)?.ok_or_else(|| {
        Error::configuration("nothing says how the list pages").advise(
            "give one of --cursor, --next-url, --link, --page-param, --offset-param, --keyset; or --single",
        )
    })?;
    let records = options.records.as_deref().ok_or_else(|| {
        Error::configuration("nothing says where the records are")
            .advise("give --records PATH; `.` is the whole body")
    })?;
    let mut pages = Pages::new(strategy, Records::Array(records.parse()?));
    if let Some((param, value)) = &options.page_size {
        let value = value
            .parse()
            .map_err(|_| Error::configuration(format!("the page size {value:?} is no number")))?;
        pages.size = Some(Size { param: Param::Query(param.clone()), value });
    }
    pages.more = options.more.as_deref().map(|path| path.parse().map(More::If)).transpose()?;
    pages.total = options.total.as_deref().map(|path| path.parse().map(Place::Body)).transpose()?;
    Ok(pages)
}

fn strategy(options: &PageOptions) -> Result<Option<Strategy>, Error> {
    let query = |name: &str| Param::Query(name.to_owned());
    let path = |text: &str| text.parse::<json::Path>();
    Ok(if let Some(cursor) = &options.cursor {
        let (next, param) = cursor.split_once(':').unwrap_or((cursor, "cursor"));
        Some(Strategy::Cursor { param: query(param), next: Place::Body(path(next)?) })
    } else if let Some(next) = &options.next_url {
        Some(Strategy::NextUrl { next: path(next)? })
    } else if options.link {
        Some(Strategy::Link)
    } else if let Some(param) = &options.page_param {
        Some(Strategy::Page { param: query(param), start: 1, total_pages: None })
    } else if let Some(param) = &options.offset_param {
        Some(Strategy::Offset { param: query(param) })
    } else if let Some(keyset) = &options.keyset {
        let (param, id) = keyset.split_once(':').unwrap_or((keyset, "id"));
        Some(Strategy::Keyset { param: query(param), id: path(id)? })
    } else {
        options.single.then_some(Strategy::Single)
    })
}
