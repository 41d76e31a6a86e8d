//! How a list operation hands out its records: the key `pages`.

use nuncio_client::json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Span;

/// How to get from one page to the next: exactly one strategy, and what all strategies share.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Strategy: numbered pages.
    pub page: Option<PageNumber>,
    /// Strategy: skip as many records as were sent.
    pub offset: Option<Offset>,
    /// Strategy: the answer's body names the next page.
    pub cursor: Option<Cursor>,
    /// Strategy: a header names the next page.
    pub header_cursor: Option<HeaderCursor>,
    /// Strategy: the answer's body has the next page's URL.
    pub next_url: Option<NextUrl>,
    /// Strategy: the `Link` header has the next page's URL (RFC 8288). Write `link: {}`.
    pub link: Option<Link>,
    /// Strategy: the id of the last record.
    pub keyset: Option<Keyset>,
    /// Strategy: a GraphQL connection with `pageInfo`.
    pub connection: Option<Connection>,

    /// Where the parameters go. Default: the query for GET, HEAD and DELETE, else the body; for GraphQL always the variables.
    #[serde(rename = "in")]
    pub place: Option<ParamPlace>,
    /// How many records to ask for in a page.
    pub size: Option<Size>,
    /// A page with fewer records than asked for is the last. Set it only when the service promises so: many filter rows after
    /// counting them. Default: false.
    #[serde(default)]
    pub short_page_is_last: bool,
    /// Where the total number of records stands, to be compared with what came.
    pub total: Option<Total>,
    /// Pause before each further page. Default: none.
    pub delay: Option<Span>,
}

/// The way from one page to the next.
#[derive(Debug, Clone, Copy)]
pub enum Strategy<'a> {
    /// Numbered pages.
    Page(&'a PageNumber),
    /// Skip as many records as were sent.
    Offset(&'a Offset),
    /// The answer's body names the next page.
    Cursor(&'a Cursor),
    /// A header names the next page.
    HeaderCursor(&'a HeaderCursor),
    /// The answer's body has the next page's URL.
    NextUrl(&'a NextUrl),
    /// The `Link` header has the next page's URL.
    Link,
    /// The id of the last record.
    Keyset(&'a Keyset),
    /// A GraphQL connection.
    Connection(&'a Connection),
}

impl Pages {
    /// The strategy; nothing unless exactly one is there, which loading a file makes sure of.
    #[must_use]
    pub fn strategy(&self) -> Option<Strategy<'_>> {
        let strategies = [
            self.page.as_ref().map(Strategy::Page),
            self.offset.as_ref().map(Strategy::Offset),
            self.cursor.as_ref().map(Strategy::Cursor),
            self.header_cursor.as_ref().map(Strategy::HeaderCursor),
            self.next_url.as_ref().map(Strategy::NextUrl),
            self.link.as_ref().map(|_| Strategy::Link),
            self.keyset.as_ref().map(Strategy::Keyset),
            self.connection.as_ref().map(Strategy::Connection),
        ];
        super::only(strategies.into_iter().flatten())
    }
}

/// The place of a page parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParamPlace {
    /// In the URL's query.
    Query,
    /// In the JSON or form body; dots lead into objects.
    Body,
}

/// Numbered pages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageNumber {
    /// Parameter with the number of the page.
    pub param: String,
    /// Number of the first page. Default: 1.
    #[serde(default = "one")]
    pub start: u64,
    /// Place of the number of pages.
    #[schemars(with = "Option<String>")]
    pub total_pages: Option<json::Path>,
}

fn one() -> u64 {
    1
}

/// Skip as many records as were sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offset {
    /// Parameter with the number of records to skip.
    pub param: String,
}

/// The answer's body names the next page.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Parameter that takes the cursor.
    pub param: String,
    /// Place of the next cursor; none, null or empty ends the pages.
    #[schemars(with = "String")]
    pub next: json::Path,
    /// Place of a flag that is false on the last page.
    #[schemars(with = "Option<String>")]
    pub more: Option<json::Path>,
}

/// A header names the next page.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderCursor {
    /// Parameter that takes the cursor.
    pub param: String,
    /// Header of the next cursor; none or empty ends the pages.
    pub header: String,
}

/// The answer's body has the next page's URL.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextUrl {
    /// Place of the URL; none, null or empty ends the pages.
    #[schemars(with = "String")]
    pub next: json::Path,
}

/// The `Link` header.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {}

/// The id of the last record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keyset {
    /// Parameter that takes the id of the last record.
    pub param: String,
    /// Place of the id in a record. Default: `id`.
    #[serde(default = "id")]
    #[schemars(with = "String")]
    pub id: json::Path,
    /// Parameter that takes the id of the first record and asks for the page before it, for services that page backwards too. nuncio
    /// itself pages forwards; its sandbox answers to both.
    pub before: Option<String>,
    /// Place of a flag that is false on the last page.
    #[schemars(with = "Option<String>")]
    pub more: Option<json::Path>,
}

fn id() -> json::Path {
    "id".parse().expect("id is a path")
}

/// A GraphQL connection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Place of the connection below `data`, such as `repository.issues`.
    #[schemars(with = "String")]
    pub path: json::Path,
    /// The query's variable that takes the cursor. Default: `after`.
    #[serde(default = "after")]
    pub variable: String,
}

fn after() -> String {
    "after".to_owned()
}

/// How many records to ask for in a page.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Parameter with the number of records (for a connection: the variable).
    pub param: String,
    /// Records in a page.
    pub value: u64,
}

/// Where the total number of records stands: exactly one of `path` and `header`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Place in the body.
    #[schemars(with = "Option<String>")]
    pub path: Option<json::Path>,
    /// Name of a header.
    pub header: Option<String>,
}
