//! The service itself: the top level of a service file.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Auth, Errors, Idempotency, Input, Limit, Operation, Pages, Retry, Sandbox, Span, Validate, Webhooks,
};
use crate::template::Template;

/// A third-party API, as its file describes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name on the command line: lower-case letters, digits and hyphens.
    pub service: String,
    /// One sentence for `nuncio services list`.
    pub about: Option<String>,
    /// Where the vendor documents it.
    pub docs: Option<String>,
    /// What all paths are relative to, such as `https://api.stripe.com`. A template.
    pub base_url: Template,
    /// Allows `http://` to hosts other than this machine. Default: false.
    #[serde(default)]
    pub allow_http: bool,
    /// The version of the API that this file was written for.
    pub version: Option<Version>,
    /// Headers of every call. Values are templates.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// How calls prove who makes them. Default: `none`.
    #[serde(default)]
    pub auth: Auth,
    /// How bodies are written. Default: `json`.
    #[serde(default)]
    pub encode: Encode,
    /// Time for one attempt. Default: 30s.
    pub timeout: Option<Span>,
    /// Time for a whole call, all attempts and waits included. Default: 10m.
    pub deadline: Option<Span>,
    /// How fast the service may be called; all limits hold at once. Default: none.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Calls on the wire at the same time. Default: no bound.
    pub concurrency: Option<NonZeroU32>,
    /// When and how often a failed attempt is made again.
    #[serde(default)]
    pub retry: Retry,
    /// How the service knows that two requests are the same call. Without it a POST with an unknown outcome is never sent again.
    pub idempotency: Option<Idempotency>,
    /// How to recognise a failure and where its facts stand.
    #[serde(default)]
    pub errors: Errors,
    /// How lists are paged, for operations with `records`.
    pub pages: Option<Pages>,
    /// What happens when an answer does not fit the operation's `response` schema. Default: `warn`.
    #[serde(default)]
    pub validate: Validate,
    /// The GraphQL endpoint.
    #[serde(default)]
    pub graphql: GraphQl,
    /// How its webhooks are verified.
    pub webhooks: Option<Webhooks>,
    /// Inputs that every operation takes beside its own.
    #[serde(default)]
    pub input: BTreeMap<String, Input>,
    /// What the service can do, by name, such as `customers.create`.
    #[serde(default)]
    pub operations: BTreeMap<String, Operation>,
    /// How the sandbox plays the service.
    #[serde(default)]
    pub sandbox: Sandbox,
}

impl Service {
    /// Gives the service's inputs to every operation that has none of the same name.
    pub(crate) fn hand_down_inputs(mut self) -> Self {
        for operation in self.operations.values_mut() {
            for (name, input) in &self.input {
                operation.input.entry(name.clone()).or_insert_with(|| input.clone());
            }
        }
        self
    }
}

/// The header that pins a version of the API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Name of the header, such as `Stripe-Version`.
    pub header: String,
    /// The version.
    pub value: Template,
}

/// The GraphQL endpoint of the service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphQl {
    /// Its path under `base_url`. Default: `/graphql`.
    #[serde(default = "graphql_path")]
    pub path: String,
}

fn graphql_path() -> String {
    "/graphql".to_owned()
}

impl Default for GraphQl {
    fn default() -> Self {
        Self { path: graphql_path() }
    }
}

/// How bodies of POST, PUT, PATCH and DELETE are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encode {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`, nested with brackets: `metadata[key]=value`.
    Form,
    /// `multipart/form-data`; inputs `in: file` are its files.
    Multipart,
    /// The one body input as it is.
    Raw,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Type;

    #[test]
    fn an_input_of_the_service_is_one_of_every_operation_unless_it_has_its_own() {
        let text = "
service: example
base_url: https://api.example.com
input: { expand: array }
operations:
  orders.get: { get: '/orders/{id}', input: { id: string! } }
  orders.list: { get: /orders, input: { expand: boolean } }
";
        let service = Service::from_yaml(text, "example.yaml").expect("a service");
        let kind = |operation: &str| service.operations[operation].input["expand"].kind;
        assert_eq!((kind("orders.get"), kind("orders.list")), (Type::Array, Type::Boolean));
    }
}
