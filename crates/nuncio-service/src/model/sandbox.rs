//! How the sandbox plays the service: the keys `sandbox` of the service and of an operation.

use std::collections::BTreeMap;

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
    /// Body of a failure, over `status`, `type`, `code` and `message`. Default: made from the places in `errors`.
    pub errors: Option<Tree>,
}

/// Something the service stores.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// A new id, such as `cus_{{ random }}`. Default: the number of the object.
    pub id: Option<Template>,
    /// What an object has beside what it was created with; texts are templates over `id`, `now`, `input` and `number`.
    pub object: Option<Tree>,
    /// Objects that are there from the start. Default: 0.
    #[serde(default)]
    pub count: u32,
    /// What is answered to a deletion, over `id`. Default: `{ "id": …, "deleted": true }`.
    pub deleted: Option<Tree>,
}

/// How the sandbox answers an operation. What is left out follows from the name, `customers.create`, and the method.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The resource it acts on. Default: the name before the last dot.
    pub resource: Option<String>,
    /// What it does. Default: the name behind the last dot, or from the method.
    pub action: Option<Action>,
    /// The body of the answer; texts are templates over `input`, and for a resource `object` or `records`. Default: the object, or
    /// the list at the place `records` of the operation.
    pub reply: Option<Tree>,
    /// Status of the answer. Default: 200.
    pub status: Option<u16>,
}

/// What an operation does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Stores a new object.
    Create,
    /// Hands out an object.
    Get,
    /// Hands out a page of objects.
    List,
    /// Changes an object.
    Update,
    /// Removes an object.
    Delete,
    /// Answers without storing anything.
    Reply,
}
