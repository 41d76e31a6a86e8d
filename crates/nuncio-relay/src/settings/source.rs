//! Sources: where webhooks come from.

use std::collections::BTreeMap;
use std::time::Duration;

use nuncio_client::Error;
use nuncio_client::wire::Cidr;
use nuncio_service::Env;
use nuncio_service::model::Span;
use nuncio_webhook::SchemeRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretText;

/// Where webhooks come from, and how they are known to be genuine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// How they are signed: the name of a provider that nuncio knows, such as `stripe`, or a scheme that is written out.
    pub scheme: SchemeRef,
    /// The secrets or public keys by their labels, as the provider shows them. During a rotation several; any of them is good.
    pub secrets: BTreeMap<String, SecretText>,
    /// What else the scheme asks for, by name, such as the `app_key` of Pusher. Default: nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The URL as the provider knows it, for schemes that sign it. Default: the one that the request came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether what is not genuine is stored and delivered all the same, and not taken for a repetition of anything. Whoever knows the URL can make up
    /// events then. For providers that sign nothing, with a scheme of no `signatures`, and for trying things out. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_unverified: bool,
    /// How far the time of signing may be from now, either way. Default: as the scheme says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Span>,
    /// Which events are the same. Default: those of the id that the scheme names, within a day.
    #[serde(default)]
    pub dedupe: Dedupe,
    /// A larger body is refused with 413. Default: 5 MiB.
    #[serde(default = "max_body_bytes")]
    pub max_body_bytes: u64,
    /// The addresses that it may come from, as CIDRs such as `203.0.113.0/24`. Default: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub allow_from: Vec<Cidr>,
    /// How many of the requests that were refused are kept to be looked at. Default: 100. At most 10,000.
    #[serde(default = "keep_refused")]
    pub keep_refused: u32,
}

/// Which events of a source are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dedupe {
    /// What is the same for both, as a jq expression over the event (see `filter` of an endpoint). Default: the id that the scheme names; where it
    /// names none, every request is a new event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How long an event is remembered for it. Default: 1 day.
    #[serde(default = "window")]
    pub window: Span,
}

impl Default for Dedupe {
    fn default() -> Self {
        Self { key: None, window: window() }
    }
}

fn window() -> Span {
    Span(Duration::from_secs(86_400))
}

fn max_body_bytes() -> u64 {
    5 * 1024 * 1024
}

fn keep_refused() -> u32 {
    100
}

impl Source {
    /// A source of this scheme, without secrets, and everything else as it is by default.
    #[must_use]
    pub fn new(scheme: SchemeRef) -> Self {
        Self {
            scheme,
            secrets: BTreeMap::new(),
            settings: BTreeMap::new(),
            url: None,
            accept_unverified: false,
            tolerance: None,
            dedupe: Dedupe::default(),
            max_body_bytes: max_body_bytes(),
            allow_from: Vec::new(),
            keep_refused: keep_refused(),
        }
    }

    /// What it is with the values of the environment, if it may read them.
    pub(crate) fn resolve(mut self, env: Option<&Env>) -> Result<Self, Error> {
        if let Some(env) = env {
            for secret in self.secrets.values_mut() {
                *secret = secret.resolve(env)?;
            }
        }
        Ok(self)
    }
}
