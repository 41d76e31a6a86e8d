//! Every record of a list, page after page.
//!
//! [`Pages`] says how a service pages; [`Pages::read`] makes a stream of it, over any [`tower::Service`] that answers requests. Three ideas:
//!
//! - **The service's word decides.** How to get from a page to the next is a pure function ([`Pages::next`]) of what was asked and what
//!   was answered. An end that is not the service's own is an error or an announced bound, never a quiet stop: a cursor that was seen
//!   before, a next link to another origin, a body without the records, a page that repeats the one before.
//! - **Records are text.** A [`Splitter`] cuts them out of the body while it comes in. They are not parsed and keep every digit, and
//!   memory depends on the largest record, not on the page.
//! - **A page is a unit of work.** [`Item::Page`] comes behind the records of a page with the [`Checkpoint`] to go on from.
//!   Whoever writes both down together loses nothing and has nothing twice after a crash. The [`Verdict`] at the end tells whether
//!   that was everything.
//!
//! The next page is asked for as soon as its place is known, while the consumer still reads the last one.
//!
//! ```
//! use futures_util::TryStreamExt as _;
//! use nuncio_client::pages::{Pages, Param, Place, Records, Strategy};
//! use nuncio_client::{Body, Error, Request, Response};
//!
//! #[derive(serde::Deserialize)]
//! struct Customer {
//!     name: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! // Stands for a service of two pages.
//! let service = tower::service_fn(|request: Request| async move {
//!     let body = match request.uri().query() {
//!         Some("cursor=c2") => r#"{"data": [{"name": "Grace"}], "next": null}"#,
//!         _ => r#"{"data": [{"name": "Ada"}, {"name": "Edsger"}], "next": "c2"}"#,
//!     };
//!     Ok::<_, Error>(Response::new(Body::from(body.to_owned())))
//! });
//!
//! let strategy = Strategy::Cursor { param: Param::Query("cursor".into()), next: Place::Body("next".parse()?) };
//! let pages = Pages::new(strategy, Records::Array("data".parse()?));
//! let request = http::Request::get("https://api.example.com/customers").body(Body::Empty).expect("a request");
//!
//! let customers: Vec<Customer> = pages.read(service, request)?.records().try_collect().await?;
//! assert_eq!(customers.len(), 3);
//! assert_eq!(customers[2].name, "Grace");
//! # Ok(())
//! # }
//! ```

mod course;
mod digest;
mod driver;
mod fetch;
mod items;
pub mod link;
mod origin;
mod page;
mod param;
mod position;
mod record;
mod repeats;
mod splitter;
mod strategy;
mod verdict;

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use url::Url;

use crate::json;

pub use items::{Checkpoint, Item, Items, Page};
pub use param::Param;
pub use position::{Next, PageView, Place, Position};
pub use record::Record;
pub use repeats::Identity;
pub use splitter::{DEFAULT_MAX_RECORD_BYTES, MAX_ENVELOPE_BYTES, Records, Splitter};
pub(crate) use splitter::{MAX_DEPTH, whole};
pub use strategy::{More, Strategy};
pub use verdict::{Completeness, Progress, Stop, Verdict};

/// How a list operation pages, and how it is read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pages {
    /// How to get from one page to the next.
    pub strategy: Strategy,
    /// Where a page has its records.
    pub records: Records,
    /// How many records to ask for. Default: as many as the service likes. A request that has the parameter already keeps its value.
    pub size: Option<Size>,
    /// Where an answer says whether there is more. It decides before all else, except where it is missing or null. Default: nowhere.
    pub more: Option<More>,
    /// Where an answer says how many records there are in all: compared with what came, and an end for [`Strategy::Page`] and
    /// [`Strategy::Offset`]. Default: nowhere.
    pub total: Option<Place>,
    /// Whether a page with fewer records than asked for (without [`size`](Self::size): an empty one) is the last. Only true where
    /// the service promises it. Default: false.
    pub short_page_is_last: bool,
    /// Bound on pages, those before a checkpoint included. Default: none.
    pub max_pages: Option<NonZeroU64>,
    /// Bound on records, those before a checkpoint included. Default: none.
    pub max_records: Option<NonZeroU64>,
    /// Pause before each request but the first. Default: none.
    pub delay: Duration,
    /// How many pages to fetch at once where the total is known: [`Strategy::Page`] and [`Strategy::Offset`] with [`size`](Self::size).
    /// More than one means that pages are read [`whole`](Self::whole). Default: 1.
    pub parallel: NonZeroUsize,
    /// Whether to read a page into memory before its records are given out, so that the layers see its body: a service that fails
    /// under status 200 needs it for its error to be seen and tried again. The bound is that of [`Read::Whole`](crate::Read::Whole).
    /// Default: false.
    pub whole: bool,
    /// Other origins that a next link may lead to, *with credentials*. Default: none.
    pub trusted_origins: Vec<Url>,
    /// What makes a record a repetition of one on an earlier page. Default: every byte of an object.
    pub identity: Identity,
    /// Bound on the size of one record. Default: [`DEFAULT_MAX_RECORD_BYTES`].
    pub max_record_bytes: usize,
}

/// The parameter for the number of records on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Takes the number.
    pub param: Param,
    /// The number. Ask for no more than the service gives: [`Strategy::Offset`] would skip records, so a service that caps the size is
    /// an error there.
    pub value: u64,
}

impl Pages {
    /// Paging by `strategy` with the defaults.
    #[must_use]
    pub fn new(strategy: Strategy, records: Records) -> Self {
        Self {
            strategy,
            records,
            size: None,
            more: None,
            total: None,
            short_page_is_last: false,
            max_pages: None,
            max_records: None,
            delay: Duration::ZERO,
            parallel: NonZeroUsize::MIN,
            whole: false,
            trusted_origins: Vec::new(),
            identity: Identity::default(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
        }
    }

    /// Paging through the GraphQL connection at `connection` in the answer (`data.repository.issues`), by the query's variable
    /// `variable` (`after`); the records are its `nodes`. The query asks for `pageInfo { hasNextPage endCursor }` (GraphQL Cursor
    /// Connections Specification, section 5).
    #[must_use]
    pub fn connection(connection: &json::Path, variable: &str) -> Self {
        let page_info = connection.step("pageInfo");
        let strategy = Strategy::Cursor {
            param: Param::Body(json::Path::ROOT.step("variables").step(variable)),
            next: Place::Body(page_info.step("endCursor")),
        };
        let mut pages = Self::new(strategy, Records::Array(connection.step("nodes")));
        pages.more = Some(More::If(page_info.step("hasNextPage")));
        pages.whole = true;
        pages
    }
}
