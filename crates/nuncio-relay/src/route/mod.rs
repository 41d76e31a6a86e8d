//! Which events an endpoint is owed.

mod pattern;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::endpoint::Pace;
use crate::store::Owed;
use crate::{Event, Origin};

pub use pattern::TypePattern;

/// Which events an endpoint is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Those of this origin.
    pub from: Origin,
    /// Those of a type that one of these matches; all, if there is none.
    pub types: Vec<TypePattern>,
}

impl Route {
    /// Whether the endpoint is owed `event`.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        self.from == event.origin
            && (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(&event.event_type)))
    }
}

/// An endpoint: which events it is owed, and how it is delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Which events.
    pub route: Route,
    /// How.
    pub pace: Pace,
}

/// All endpoints, as they are set up now. It is replaced whole when a setting changes.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// They, by name.
    pub endpoints: BTreeMap<String, Arc<Endpoint>>,
}

impl Directory {
    /// To whom `event` is owed, from now on.
    #[must_use]
    pub fn owed(&self, event: &Event, now: Timestamp) -> Vec<Owed> {
        let takes = |(_, endpoint): &(&String, &Arc<Endpoint>)| endpoint.route.takes(event);
        let owed =
            |(name, _): (&String, &Arc<Endpoint>)| Owed { endpoint: name.clone(), order_key: None, due: now };
        self.endpoints.iter().filter(takes).map(owed).collect()
    }
}
