//! Endpoints: which events go where, and how.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use nuncio_client::Error;
use nuncio_client::limit::Refill;
use nuncio_client::wire::Cidr;
use nuncio_service::Env;
use nuncio_service::model::{Rate, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Origin, TypePattern, Waits};

use super::{Auth, SecretText, StatusPattern, text};

/// Which events go where, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Events of this origin: `source/NAME`, `application/NAME`, `schedule/NAME`, or `relay` for what nuncio tells of itself.
    #[schemars(with = "String", extend("pattern" = r"^((source|application|schedule)/[\s\S]+|relay)$"))]
    pub from: Origin,
    /// Events of these types, with `*` for any characters. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub types: Vec<TypePattern>,
    /// Which of them. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Events for which this jq expression gives the same text go one after the other. Default: in no order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_by: Option<String>,
    /// What is sent instead of the body, as a jq expression over the event. Default: the body, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// Where they go.
    pub to: Target,
    /// How often, how fast, how long.
    #[serde(default)]
    pub delivery: Delivery,
}

/// Which events: all that is given here must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Headers that the event arrived with, and what they must be, with `*` for any characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A jq expression over `{type, headers, body}` that must give neither `null` nor `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jq: Option<String>,
    /// A JSONPath (RFC 9535) that must find something in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jsonpath: Option<String>,
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// To somebody's HTTP endpoint.
    Http(Http),
    /// Into a call of an operation of a service.
    Operation(Operation),
    /// Into a few calls, one after the other, 1 to 5: each gets to see what was answered to those before it.
    Operations(#[schemars(length(min = 1, max = 5))] Vec<Operation>),
    /// Into a command of this machine. Only a config file can say so.
    Command(Run),
    /// To the end of a file of this machine, one line of JSON each. Only a config file can say so.
    File(File),
}

impl Target {
    /// Whether it reaches into this machine or its network, so that only whoever writes its config file may say so.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Http(http) => !http.allow_addresses.is_empty(),
            Self::Operation(_) | Self::Operations(_) => false,
            Self::Command(_) | Self::File(_) => true,
        }
    }

    /// The calls that it consists of, if it does.
    #[must_use]
    pub fn operations(&self) -> Option<&[Operation]> {
        match self {
            Self::Operation(operation) => Some(std::slice::from_ref(operation)),
            Self::Operations(operations) => Some(operations),
            Self::Http(_) | Self::Command(_) | Self::File(_) => None,
        }
    }
}

fn only_in_a_file() -> Error {
    Error::configuration("commands, files and `allow_addresses` reach into this machine or its network")
        .advise("set the endpoint up in the config file")
}

/// Somebody's HTTP endpoint. Each event is a POST.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Its URL: https. With `allow_addresses` http too.
    pub url: String,
    /// How we prove who we are, as in service files. Default: by the signature alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// The certificate to show to a receiver that asks for one (mutual TLS), those that lead to its authority, and its private key, all as PEM.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SecretText>,
    /// Headers that are sent along. Not `webhook-…` and `nuncio-…`, which are ours. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, SecretText>,
    /// The secrets that it is signed with as Standard Webhooks has it (`whsec_…` for v1, `whsk_…` for v1a), the newest first. During a rotation
    /// several. Default: it is not signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretText>,
    /// Until when all secrets sign; from then on the first alone does. The API sets it when it begins a rotation. Default: all, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub old_secrets_until: Option<Timestamp>,
    /// Whether the headers that the event arrived with are sent along, but for those that belong to one connection, carry credentials, or say who sent
    /// it (`Forwarded` and the like, `User-Agent`). `webhook-…` is never sent along: the signature is over another id and time. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forward_headers: bool,
    /// Whether the event is sent just as it arrived, so that the receiver can check the provider's own signature: all its headers but those that belong
    /// to one connection, `Host` and `Accept-Encoding`, credentials included. Nothing of ours is added but `nuncio-event-id`, where no such header
    /// arrived. Not with `secrets` or `transform`. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_received: bool,
    /// Networks that are not public and that it may be in, as CIDRs: `127.0.0.0/8` for this machine. Only a config file can say so. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub allow_addresses: Vec<Cidr>,
}

/// A call of an operation of a service. Its idempotency key begins with the id of the event, and is the same for each attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// What the call is known by: its answer to those after it, and how far a delivery is. Default: the name of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A jq expression over `{id, type, headers, body, answers}`: the call is made if it gives neither `null` nor `false`. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The service.
    pub service: String,
    /// Its operation.
    pub operation: String,
    /// The account, as `nuncio login --as` named it. Default: the environment's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its inputs. Default: none.
    #[serde(default)]
    pub inputs: Inputs,
    /// Whether a call of which it is not known whether it was made is made again, though that may do it twice. Default: no; the delivery is given
    /// up and says so. Calls that do no harm twice, and those under an idempotency key that the service knows, are made again always.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry_unknown: bool,
}

/// How many calls may follow each other.
pub const MAX_STEPS: usize = 5;

impl Operation {
    /// What the call is known by.
    #[must_use]
    pub fn step(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.operation)
    }
}

/// The inputs of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "inputs are an object of values and templates, or a jq expression that gives an object"
)]
pub enum Inputs {
    /// Values, and texts with templates over `event.id`, `event.type`, `event.headers`, `event.body` and `answers.NAME`.
    Templates(BTreeMap<String, serde_json::Value>),
    /// A jq expression over `{id, type, headers, body, answers}` that gives an object.
    Jq(String),
}

impl Default for Inputs {
    fn default() -> Self {
        Self::Templates(BTreeMap::new())
    }
}

/// A command of this machine. It gets the body on its standard input, and the id and type as `NUNCIO_EVENT_ID` and `NUNCIO_EVENT_TYPE`; it has taken
/// the event when it exits with 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The program and its arguments. No shell reads them.
    pub run: Vec<String>,
}

/// A file of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its path.
    pub path: std::path::PathBuf,
}

/// How often, how fast, how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// The waits between attempts. Default: those of Standard Webhooks, ten attempts in a little over three days.
    pub schedule: Waits,
    /// Statuses of an answer after which an event is given up at once, such as `404` or `4xx`; a 410 among them does not disable the endpoint.
    /// Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub give_up_on: Vec<StatusPattern>,
    /// How many attempts may be under way at most. Default: 32.
    pub concurrency: NonZeroU32,
    /// How many attempts may begin in some time, such as `10/s`. Default: no bound.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Rate>")]
    pub rate: Option<Refill>,
    /// How long one attempt may take. Default: 30s.
    pub timeout: Span,
    /// How long an endpoint that is taken for dead is left alone at most before the next probe. Default: 5m.
    pub longest_pause: Span,
    /// How old an event may be that is tried again. Default: 5d.
    pub expires_after: Span,
    /// How long an endpoint may do nothing but fail before it is disabled. Default: 5d.
    pub disable_after: Span,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Delivery {
    fn default() -> Self {
        Self {
            schedule: Waits::default(),
            give_up_on: Vec::new(),
            concurrency: NonZeroU32::new(32).unwrap_or(NonZeroU32::MIN),
            rate: None,
            timeout: Span(Duration::from_secs(30)),
            longest_pause: Span(Duration::from_secs(300)),
            expires_after: Span(5 * DAY),
            disable_after: Span(5 * DAY),
        }
    }
}

impl Endpoint {
    /// What it is with the values of the environment, if it may read them.
    pub(crate) fn resolve(mut self, env: Option<&Env>) -> Result<Self, Error> {
        let Some(env) = env else {
            return if self.to.is_local() { Err(only_in_a_file()) } else { Ok(self) };
        };
        if let Target::Http(http) = &mut self.to {
            for secret in
                http.headers.values_mut().chain(&mut http.secrets).chain(&mut http.client_certificate)
            {
                *secret = secret.resolve(env)?;
            }
        }
        Ok(self)
    }
}
