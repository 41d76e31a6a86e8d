//! Requests by which a provider asks whether the receiver is one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Place, Requirement, UrlPattern};

/// A request by which a provider asks whether the receiver is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Handshake {
    /// How it is told from an event: all of these.
    pub when: Vec<Requirement>,
    /// What must hold beside, such as a token that the receiver chose. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<Requirement>,
    /// Whether it is signed like an event. Default: yes.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub signed: bool,
    /// Headers of the answer, with the values that stand there in the request. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Place>,
    /// The body of the answer.
    pub answer: HandshakeAnswer,
}

/// The body of the answer to a handshake, with the status 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum HandshakeAnswer {
    /// Nothing.
    Empty,
    /// The value that stands there, as plain text. Of a handshake that is not signed what HTML would read as more than text is escaped.
    Echo(Place),
    /// A JSON object.
    Json(BTreeMap<String, AnswerField>),
    /// Nothing, but the receiver has to visit a URL. It is one that the provider sent in a signed request.
    Visit(Visit),
}

/// A URL that a receiver has to visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Visit {
    /// Where it stands.
    pub url: Place,
    /// What it may be; any other is refused.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub from: Vec<UrlPattern>,
}

/// A field of a JSON answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AnswerField {
    /// The value that stands there, as text.
    Copy(Place),
    /// The signature of the value that stands there, made and written like the first of the scheme. Answered to signed requests alone: to others it
    /// would sign whatever somebody asks for.
    Sign(Place),
    /// This number.
    Number(i64),
}

fn yes() -> bool {
    true
}
