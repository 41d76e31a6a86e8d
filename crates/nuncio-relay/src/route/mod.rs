//! Which events an endpoint is owed.

mod pattern;

use crate::settings;
use crate::{Event, Origin};

pub use pattern::TypePattern;

/// Which events an endpoint is owed, ready to be asked.
#[derive(Debug, Clone)]
pub struct Route {
    from: Origin,
    types: Vec<TypePattern>,
}

impl Route {
    /// The route of these settings.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for an expression that cannot be read.
    pub fn new(settings: &settings::Endpoint) -> Result<Self, nuncio_client::Error> {
        Ok(Self { from: settings.from.clone(), types: settings.types.clone() })
    }

    /// Whether the endpoint is owed `event`.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        self.from == event.origin
            && (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(&event.event_type)))
    }

    /// What `event` is put in order by.
    #[must_use]
    pub fn order_key(&self, _event: &Event) -> Option<String> {
        None
    }
}
