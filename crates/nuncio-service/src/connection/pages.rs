//! How a list operation pages.

use nuncio_client::Error;
use nuncio_client::json::Path;
use nuncio_client::pages::{More, Pages, Param, Place, Records, Size, Strategy};

use crate::model::{self, Operation, ParamPlace, Service, Target};
use crate::request::{header_name, sends_query};

pub(super) fn pages(service: &Service, operation: &Operation) -> Result<Pages, Error> {
    let described = operation.pages.as_ref().or(service.pages.as_ref());
    let places = Places::of(operation, described);
    let strategy = described.and_then(model::Pages::strategy);
    let mut pages = places.pages(strategy, operation.records.as_ref())?;
    let Some(described) = described else { return Ok(pages) };
    let more = match strategy {
        Some(model::Strategy::Cursor(cursor)) => cursor.more.as_ref(),
        Some(model::Strategy::Keyset(keyset)) => keyset.more.as_ref(),
        _ => None,
    };
    if let Some(more) = more {
        pages.more = Some(More::If(places.answer(more)));
    }
    if let Some(size) = &described.size {
        pages.size = Some(Size { param: places.param(&size.param)?, value: size.value });
    }
    pages.total = match &described.total {
        Some(model::Total { path: Some(path), .. }) => Some(Place::Body(places.answer(path))),
        Some(model::Total { header: Some(name), .. }) => Some(Place::Header(header_name(name)?)),
        _ => None,
    };
    pages.short_page_is_last = described.short_page_is_last;
    pages.delay = described.delay.map_or(pages.delay, |span| span.0);
    Ok(pages)
}

/// Where an operation's parameters go and where its answers have their data.
struct Places {
    is_graphql: bool,
    params: ParamPlace,
}

impl Places {
    /// Parameters of pages go where the operation's inputs go, unless the file says otherwise.
    fn of(operation: &Operation, pages: Option<&model::Pages>) -> Self {
        let by_method = match operation.target() {
            Some(Target::Http { method, .. }) if sends_query(&method) => ParamPlace::Query,
            _ => ParamPlace::Body,
        };
        Self {
            is_graphql: operation.graphql.is_some(),
            params: pages.and_then(|pages| pages.place).unwrap_or(by_method),
        }
    }

    fn answer(&self, path: &Path) -> Path {
        if !self.is_graphql {
            return path.clone();
        }
        path.steps().iter().fold(Path::ROOT.step("data"), |path, step| path.step(step))
    }

    fn param(&self, name: &str) -> Result<Param, Error> {
        Ok(match self.params {
            _ if self.is_graphql => Param::Body(Path::ROOT.step("variables").step(name)),
            ParamPlace::Query => Param::Query(name.to_owned()),
            ParamPlace::Body => Param::Body(name.parse()?),
        })
    }

    fn pages(&self, strategy: Option<model::Strategy<'_>>, records: Option<&Path>) -> Result<Pages, Error> {
        let records = records.map(|records| Records::Array(self.answer(records)));
        let strategy = match strategy {
            None => Strategy::Single,
            Some(model::Strategy::Page(page)) => Strategy::Page {
                param: self.param(&page.param)?,
                start: page.start,
                total_pages: page.total_pages.as_ref().map(|path| Place::Body(self.answer(path))),
            },
            Some(model::Strategy::Offset(offset)) => Strategy::Offset { param: self.param(&offset.param)? },
            Some(model::Strategy::Cursor(cursor)) => Strategy::Cursor {
                param: self.param(&cursor.param)?,
                next: Place::Body(self.answer(&cursor.next)),
            },
            Some(model::Strategy::HeaderCursor(cursor)) => Strategy::Cursor {
                param: self.param(&cursor.param)?,
                next: Place::Header(header_name(&cursor.header)?),
            },
            Some(model::Strategy::NextUrl(url)) => Strategy::NextUrl { next: self.answer(&url.next) },
            Some(model::Strategy::Link) => Strategy::Link,
            Some(model::Strategy::Keyset(keyset)) => {
                Strategy::Keyset { param: self.param(&keyset.param)?, id: keyset.id.clone() }
            }
            Some(model::Strategy::Connection(connection)) => {
                let mut pages = Pages::connection(&self.answer(&connection.path), &connection.variable);
                if let Some(records) = records {
                    pages.records = records;
                }
                return Ok(pages);
            }
        };
        let no_list = || Error::configuration("it is no list: the service file names no records for it");
        Ok(Pages::new(strategy, records.ok_or_else(no_list)?))
    }
}
