//! One thing a service can do: an entry of `operations`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use http::Method;
use nuncio_client::json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Auth, Encode, Errors, Input, Limit, Pages, Reply, Retry, Span, Validate};
use crate::template::{Template, Tree};

/// One thing a service can do. It has exactly one of `get`, `post`, `put`, `patch`, `delete`, `head` (a path) and `graphql`
/// (a query); keys that the service has too stand instead of the service's.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Path of a GET under `base_url`, with inputs in braces: `/v1/customers/{customer}`.
    pub get: Option<String>,
    /// Path of a POST.
    pub post: Option<String>,
    /// Path of a PUT.
    pub put: Option<String>,
    /// Path of a PATCH.
    pub patch: Option<String>,
    /// Path of a DELETE.
    pub delete: Option<String>,
    /// Path of a HEAD.
    pub head: Option<String>,
    /// A GraphQL query or mutation; the inputs are its variables.
    pub graphql: Option<String>,

    /// One sentence for `nuncio services show`.
    pub about: Option<String>,
    /// Where the vendor documents it.
    pub docs: Option<String>,
    /// The inputs by name: a type such as `string`, `!` behind it when the input is required, or the long form.
    #[serde(default)]
    pub input: BTreeMap<String, Input>,
    /// The body. Default: the inputs whose place is the body.
    pub body: Option<Tree>,
    /// Query parameters that are always sent.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Place of the list of records in the answer (for GraphQL below `data`), `.` for the whole body. It makes the operation a list,
    /// to which `pages` applies.
    #[schemars(with = "Option<String>")]
    pub records: Option<json::Path>,
    /// JSON Schema of a good answer's body.
    pub response: Option<serde_json::Map<String, serde_json::Value>>,
    /// Sending it twice does no harm although it is a POST or PATCH, so it may always be tried again. Default: false, but true for a
    /// GraphQL query.
    pub repeatable: Option<bool>,
    /// Tokens that an attempt takes from each limit. Default: 1.
    pub cost: Option<NonZeroU32>,

    /// Headers of this operation; the service's headers are sent too, unless they have the same name.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Instead of the service's `auth`.
    pub auth: Option<Auth>,
    /// Instead of the service's `encode`.
    pub encode: Option<Encode>,
    /// Instead of the service's `timeout`.
    pub timeout: Option<Span>,
    /// Instead of the service's `deadline`.
    pub deadline: Option<Span>,
    /// Instead of the service's `limits`; `[]` for none. Operations with the same list share its buckets.
    pub limits: Option<Vec<Limit>>,
    /// Instead of the service's `retry`.
    pub retry: Option<Retry>,
    /// Instead of the service's `errors`.
    pub errors: Option<Errors>,
    /// Instead of the service's `pages`.
    pub pages: Option<Pages>,
    /// Instead of the service's `validate`.
    pub validate: Option<Validate>,

    /// How the sandbox plays it, where the name and the path do not tell.
    pub sandbox: Option<Reply>,
}

/// What an operation sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// A request with a method, to a path under `base_url`.
    Http {
        /// The method.
        method: Method,
        /// The path, with inputs in braces.
        path: &'a str,
    },
    /// A query or mutation, to the GraphQL endpoint.
    GraphQl {
        /// The text of the query.
        query: &'a str,
    },
}

impl Operation {
    /// What it sends; nothing unless exactly one of the keys for it is there, which loading a file makes sure of.
    #[must_use]
    pub fn target(&self) -> Option<Target<'_>> {
        let methods = [
            (Method::GET, &self.get),
            (Method::POST, &self.post),
            (Method::PUT, &self.put),
            (Method::PATCH, &self.patch),
            (Method::DELETE, &self.delete),
            (Method::HEAD, &self.head),
        ];
        let requests = methods
            .into_iter()
            .filter_map(|(method, path)| Some(Target::Http { method, path: path.as_deref()? }));
        let queries = self.graphql.as_deref().map(|query| Target::GraphQl { query });
        super::only(requests.chain(queries))
    }
}
