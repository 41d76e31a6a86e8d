//! How the sandbox plays the service: the keys `sandbox` of the service and of an operation.
//!
//! Templates here see `input` (what the request was made with, by the operation's names), `base_url`, `path`, `random` (16 letters and
//! digits), `now` (seconds since 1970) and `time` (the same as RFC 3339). What else they see is said at each key.

use std::collections::BTreeMap;

use nuncio_client::json;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::{Template, Tree};

/// What the sandbox must know beyond the rest of the file to play the service.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// What is stored and handed out, by name: `customers`, `messages`, …
    #[serde(default)]
    pub resources: BTreeMap<String, Resource>,
    /// What the body of every good answer has, such as `ok: true`. Default: nothing.
    pub answer: Option<Tree>,
    /// What a page has beside its records and the places that `pages` names. Default: nothing.
    pub list: Option<Tree>,
    /// Headers of every answer.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Body of a failure, over `status`, `type`, `code`, `message` and `param` (the input it is about); null where there is none.
    /// Default: made from the places in `errors`.
    pub errors: Option<Tree>,
    /// What the service says when a request is refused.
    #[serde(default)]
    pub failures: Failures,
}

/// What the service says when a request is refused.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// The credentials are missing or wrong. Default status: 401.
    #[serde(default)]
    pub auth: Failure,
    /// There is no such operation or object; `by` is the name of the input that should have named it. Default status: 404.
    #[serde(default)]
    pub not_found: Failure,
    /// A required input is missing, or one has the wrong type; `param` is its name. Default status: 400.
    #[serde(default)]
    pub input: Failure,
    /// An idempotency key comes again with another request. Default status: 409.
    #[serde(default)]
    pub idempotency: Failure,
    /// More requests than `limits` allow. Default status: 429.
    #[serde(default)]
    pub limit: Failure,
}

/// A failure in the service's words. What is left out has a default.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Status of the answer.
    pub status: Option<u16>,
    /// The error's class.
    #[serde(rename = "type")]
    pub class: Option<String>,
    /// The error's code.
    pub code: Option<Template>,
    /// The message for people.
    pub message: Option<Template>,
    /// Headers of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
}

/// Something the service stores. Objects made under a path with further inputs, as `/repos/{owner}/{repo}/issues`, are seen only by
/// requests with the same values of them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// A new id, such as `cus_{{ random }}`, over `number`: the objects made before, and 1. Default: the number.
    pub id: Option<Template>,
    /// Place of the id in an object. Default: `id`.
    #[schemars(with = "Option<String>")]
    pub key: Option<json::Path>,
    /// The input that names an object. Default: the last one in the path, else `id`.
    pub by: Option<String>,
    /// Key of an answer's body under which an object stands. Default: it is the body.
    pub wrap: Option<String>,
    /// What an object has beside what it was created with, over `id` and `number`.
    pub object: Option<Tree>,
    /// Objects that are there from the start. Default: 0.
    #[serde(default)]
    pub count: u32,
    /// Whether lists begin with the object that was made last. Default: false.
    #[serde(default)]
    pub newest_first: bool,
    /// What is answered to a deletion, over `id`. Default: `{ "id": …, "deleted": true }`.
    pub deleted: Option<Tree>,
}

/// How the sandbox answers an operation. What is left out follows from the name, `customers.create`, and the method.
///
/// Where several operations send to the same path with the same method, the one without `body` tells what its requests look like.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The resource it acts on. Default: the name before the last dot.
    pub resource: Option<String>,
    /// What it does. Default: the name behind the last dot when it is an action, else `list` with `records`, else `reply`.
    pub action: Option<Action>,
    /// Instead of the resource's `key`.
    #[schemars(with = "Option<String>")]
    pub key: Option<json::Path>,
    /// Instead of the resource's `by`.
    pub by: Option<String>,
    /// What it changes in the object after its inputs, over `object`.
    pub set: Option<Tree>,
    /// The body of the answer, over `object` or `records`. Default: the object, or the list at the place `records` of the operation.
    pub reply: Option<Tree>,
    /// Status of the answer; 204 has no body. Default: 200.
    pub status: Option<u16>,
    /// Headers of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
}

/// What an operation does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Stores a new object.
    Create,
    /// Hands out an object.
    Get,
    /// Hands out a page of objects: those with the same texts, numbers and booleans as the inputs, where they have such a key; the
    /// text `all` is the same as any.
    List,
    /// Changes an object: inputs replace its values, and are merged into objects within it.
    Update,
    /// Removes an object.
    Delete,
    /// Answers without storing anything.
    Reply,
}
