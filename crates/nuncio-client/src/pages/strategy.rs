//! From one page to the next, as a pure function of what was asked and what was answered.

use serde_json::Value;
use url::Url;

use crate::{Error, Kind, Request, json};

use super::position::exact;
use super::{Next, PageView, Pages, Param, Place, Position, Stop, link};

/// How a service numbers or links its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// All records are on one page.
    Single,
    /// Pages have numbers.
    Page {
        /// Takes the number.
        param: Param,
        /// Number of the first page, mostly 1.
        start: u64,
        /// Where the answer has the number of pages.
        total_pages: Option<Place>,
    },
    /// A request says how many records to skip.
    ///
    /// The offset grows by the page size that was asked for, where there is one, not by the number of records that came: a service may
    /// filter rows after counting them.
    Offset {
        /// Takes the number of records to skip.
        param: Param,
    },
    /// An answer has the cursor of the next page.
    Cursor {
        /// Takes the cursor.
        param: Param,
        /// Where the answer has it; nothing there, null or an empty text ends the pages.
        next: Place,
    },
    /// An answer has the next page's URL in its body.
    NextUrl {
        /// Where; nothing there, null or an empty text ends the pages.
        next: json::Path,
    },
    /// An answer has the next page's URL in a `Link` header (RFC 8288).
    Link,
    /// A request says behind which record to go on.
    Keyset {
        /// Takes the id of the last record.
        param: Param,
        /// Where a record has its id.
        id: json::Path,
    },
}

impl Strategy {
    /// The parameter that tells the pages apart.
    pub(super) fn param(&self) -> Option<&Param> {
        match self {
            Self::Page { param, .. }
            | Self::Offset { param }
            | Self::Cursor { param, .. }
            | Self::Keyset { param, .. } => Some(param),
            Self::Single | Self::NextUrl { .. } | Self::Link => None,
        }
    }
}

/// Where an answer says whether there is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum More {
    /// A flag that is true when there is: `has_more`.
    If(json::Path),
    /// A flag that is true when there is not: `is_last`.
    Unless(json::Path),
}

impl More {
    /// What the flag says; nothing when it is missing or null.
    fn read(&self, page: &PageView<'_>) -> Result<Option<bool>, Error> {
        let (path, says_more) = match self {
            Self::If(path) => (path, true),
            Self::Unless(path) => (path, false),
        };
        let Some(raw) = path.raw(page.envelope.get()) else { return Ok(None) };
        let flag = match raw.get().trim_matches('"') {
            "null" | "" => return Ok(None),
            "true" | "True" | "1" => true,
            "false" | "False" | "0" => false,
            other => {
                let message = format!("`{path}` should say whether there is more, but is {other:.50}");
                return Err(Error::new(Kind::Pages, message));
            }
        };
        Ok(Some(flag == says_more))
    }
}

impl Pages {
    /// Where `request` begins: at the page or offset that it names itself, or at the first page.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when it names something else than a number.
    pub fn first(&self, request: &Request) -> Result<Position, Error> {
        let number = |param: &Param, default| match param.get(request) {
            Some(text) => text.parse().map_err(|_| {
                Error::configuration(format!("the request should begin at a page or offset, not at {text:?}"))
            }),
            None => Ok(default),
        };
        match &self.strategy {
            Strategy::Page { param, start, .. } => number(param, *start).map(Position::Page),
            Strategy::Offset { param } => number(param, 0).map(Position::Offset),
            _ => Ok(Position::Start),
        }
    }

    /// Leaves the page size to a request that has one itself.
    pub(super) fn settle_size(&mut self, request: &Request) {
        if let Some(size) = &mut self.size
            && let Some(own) = size.param.get(request)
        {
            match own.parse() {
                Ok(value) => size.value = value,
                Err(_) => self.size = None,
            }
        }
    }

    /// Makes `request`, the one for the first page, ask for the page at `position`.
    ///
    /// # Errors
    /// [`Kind::Configuration`] for a position of another strategy, as from an old checkpoint, or a body that takes no parameters.
    pub fn apply(&self, position: &Position, request: &mut Request) -> Result<(), Error> {
        // The server's own URL has the size already, or says it in another way.
        if let Position::Url(url) = position {
            *request.uri_mut() = url.as_str().parse().map_err(|source| {
                Error::new(
                    Kind::Pages,
                    format!("the next page's URL cannot be used: {}", crate::redact::url(url)),
                )
                .because(source)
            })?;
            return self.fits(position);
        }
        if let Some(size) = &self.size {
            size.param.set(request, &size.value.into())?;
        }
        self.fits(position)?;
        let value = match position {
            Position::Page(number) | Position::Offset(number) => Value::from(*number),
            Position::Cursor(value) => value.clone(),
            Position::Start | Position::Url(_) => return Ok(()),
        };
        self.strategy.param().map_or(Ok(()), |param| param.set(request, &value))
    }

    /// Where to go on after `page`, which was at `position`.
    ///
    /// What the answer says about more pages decides. Where it says nothing, the strategy's own end does: no cursor, an empty page, the
    /// total, and a short page only with [`short_page_is_last`](Self::short_page_is_last). A page without records but with a
    /// cursor is not the end: servers filter rows.
    ///
    /// # Errors
    /// [`Kind::Pages`] when the answer says that there is more but not where, or where cannot be read.
    pub fn next(&self, position: &Position, page: &PageView<'_>) -> Result<Next, Error> {
        let more = self.more.as_ref().map_or(Ok(None), |more| more.read(page))?;
        if more == Some(false) {
            return Ok(Next::End(Stop::NoMore));
        }
        let more = more.is_some();
        if self.short_page_is_last && !more && self.is_short(page) {
            return Ok(Next::End(if page.records == 0 { Stop::EmptyPage } else { Stop::ShortPage }));
        }
        match &self.strategy {
            Strategy::Single if more || matches!(link::next(page.headers), Ok(Some(_))) => {
                Ok(Next::End(Stop::NextIgnored))
            }
            Strategy::Single => Ok(Next::End(Stop::SinglePage)),
            Strategy::Page { start, total_pages, .. } => {
                Ok(self.after_number(*start, total_pages.as_ref(), position, page, more))
            }
            Strategy::Offset { .. } => self.after_offset(position, page, more),
            Strategy::Cursor { next, .. } => {
                let cursor = page.value(next).map(Position::Cursor);
                cursor.map_or_else(|| without_cursor(more, next), |cursor| Ok(Next::At(cursor)))
            }
            Strategy::NextUrl { next } => {
                let place = Place::Body(next.clone());
                match page.value(&place) {
                    Some(url) => {
                        at_url(&json::scalar_text(&url).unwrap_or_else(|| url.to_string()), page.url)
                    }
                    None => without_cursor(more, &place),
                }
            }
            Strategy::Link => match link::next(page.headers)? {
                Some(url) => at_url(&url, page.url),
                None => without_cursor(more, &Place::Header(http::header::LINK)),
            },
            Strategy::Keyset { id, .. } => after_last_record(id, page, more),
        }
    }

    /// The position behind `position` where that is certain before the page there was read: pages and offsets below the total.
    pub(super) fn foresee(&self, position: &Position, known: &Known) -> Option<Position> {
        match (position, &self.strategy) {
            (Position::Page(number), Strategy::Page { start, .. }) => {
                let done = (number + 1).checked_sub(*start)?;
                let pages = known.pages.or_else(|| Some(known.total?.div_ceil(known.page_size?.max(1))))?;
                (done < pages).then_some(Position::Page(number + 1))
            }
            (Position::Offset(offset), Strategy::Offset { .. }) => {
                let next = offset + self.size.as_ref()?.value;
                (next < known.total?).then_some(Position::Offset(next))
            }
            _ => None,
        }
    }

    fn after_number(
        &self,
        start: u64,
        total_pages: Option<&Place>,
        position: &Position,
        page: &PageView<'_>,
        more: bool,
    ) -> Next {
        let number = if let Position::Page(number) = position { *number } else { start };
        let next = Next::At(Position::Page(number + 1));
        if more {
            return next;
        }
        let is_last =
            total_pages.and_then(|place| page.number(place)).is_some_and(|pages| number + 1 >= start + pages);
        match self.total(page) {
            _ if page.records == 0 => Next::End(Stop::EmptyPage),
            _ if is_last => Next::End(Stop::LastPage),
            Some(total) if page.fetched == total => Next::End(Stop::TotalReached),
            _ => next,
        }
    }

    fn after_offset(&self, position: &Position, page: &PageView<'_>, more: bool) -> Result<Next, Error> {
        let offset = if let Position::Offset(offset) = position { *offset } else { 0 };
        let next = offset + self.size.as_ref().map_or(page.records, |size| size.value);
        if !more {
            if page.records == 0 {
                return Ok(Next::End(Stop::EmptyPage));
            }
            // A total below what came already is none, and no reason to stop.
            if self.total(page).is_some_and(|total| total >= page.fetched && next >= total) {
                return Ok(Next::End(Stop::TotalReached));
            }
        }
        if next == offset {
            let message =
                "the answer says that there is more, but the page is empty and its size is not known";
            return Err(Error::new(Kind::Pages, message).advise("say how many records a page has"));
        }
        Ok(Next::At(Position::Offset(next)))
    }

    /// The total that the page tells.
    pub(super) fn total(&self, page: &PageView<'_>) -> Option<u64> {
        page.number(self.total.as_ref()?)
    }

    fn is_short(&self, page: &PageView<'_>) -> bool {
        page.records < self.size.as_ref().map_or(1, |size| size.value)
    }

    fn fits(&self, position: &Position) -> Result<(), Error> {
        let fits = match position {
            Position::Start => true,
            Position::Page(_) => matches!(self.strategy, Strategy::Page { .. }),
            Position::Offset(_) => matches!(self.strategy, Strategy::Offset { .. }),
            Position::Cursor(_) => matches!(self.strategy, Strategy::Cursor { .. } | Strategy::Keyset { .. }),
            Position::Url(_) => matches!(self.strategy, Strategy::NextUrl { .. } | Strategy::Link),
        };
        if fits {
            return Ok(());
        }
        Err(Error::configuration("the position to go on from was written by another way of paging")
            .advise("start from the beginning, without the checkpoint"))
    }
}

/// What the pages so far told about all of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) total: Option<u64>,
    pub(super) pages: Option<u64>,
    /// As asked for, or the number of records on the first page.
    pub(super) page_size: Option<u64>,
}

fn after_last_record(id: &json::Path, page: &PageView<'_>, more: bool) -> Result<Next, Error> {
    let Some(last) = page.last else {
        return if more { no_place("no record to go on from") } else { Ok(Next::End(Stop::EmptyPage)) };
    };
    let id_of_last = last.at(id).and_then(exact);
    let Some(value) = id_of_last else {
        return Err(Error::new(Kind::Pages, format!("the last record has nothing at `{id}` to go on from")));
    };
    Ok(Next::At(Position::Cursor(value)))
}

fn without_cursor(more: bool, place: &Place) -> Result<Next, Error> {
    if more { no_place(&format!("nothing at {place}")) } else { Ok(Next::End(Stop::NoCursor)) }
}

fn no_place(lacking: &str) -> Result<Next, Error> {
    Err(Error::new(Kind::Pages, format!("the answer says that there is more, but has {lacking}")))
}

fn at_url(text: &str, base: &Url) -> Result<Next, Error> {
    let mut url = base.join(text.trim()).map_err(|source| {
        Error::new(
            Kind::Pages,
            format!("the next page's URL cannot be read: {}", crate::excerpt(text.as_bytes())),
        )
        .because(source)
    })?;
    url.set_fragment(None);
    // Neither fails for a URL that has a host, and one without a host has another origin.
    let _ = (url.set_username(""), url.set_password(None));
    Ok(Next::At(Position::Url(url)))
}

#[cfg(test)]
mod tests;
