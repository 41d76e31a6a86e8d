//! Which events an endpoint is owed, in which order, and what it gets to see of them.

mod filter;
pub(crate) mod jq;
mod pattern;
pub(crate) mod subject;

use bytes::Bytes;
use nuncio_client::Error;

use crate::settings;
use crate::{Event, Origin};

use filter::Filter;
use jq::Jq;
use subject::Subject;

pub use pattern::TypePattern;

/// Which events an endpoint is owed, ready to be asked.
#[derive(Debug)]
pub struct Route {
    from: Origin,
    types: Vec<TypePattern>,
    filter: Option<Filter>,
    order_by: Option<Jq>,
    transform: Option<Jq>,
}

/// What an endpoint is owed of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Deliveries with the same key go one after the other.
    pub(crate) order_key: Option<String>,
}

impl Route {
    /// The route of these settings.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for an expression that cannot be read.
    pub fn new(settings: &settings::Endpoint) -> Result<Self, Error> {
        let jq = |code: &Option<String>| code.as_deref().map(Jq::new).transpose();
        Ok(Self {
            from: settings.from.clone(),
            types: settings.types.clone(),
            filter: settings.filter.as_ref().map(Filter::new).transpose()?,
            order_by: jq(&settings.order_by)?,
            transform: jq(&settings.transform)?,
        })
    }

    /// What the endpoint is owed of this event; `None` if it is not its business. A filter that fails does not hold.
    pub(crate) fn claim(&self, subject: &Subject<'_>) -> Option<Claim> {
        let event = subject.event();
        let is_wanted = self.from == event.origin
            && (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(&event.event_type)))
            && self.filter.as_ref().is_none_or(|filter| filter.holds(subject));
        is_wanted.then(|| Claim { order_key: self.order_by.as_ref().and_then(|jq| jq.text(subject.jq())) })
    }

    /// What is sent of `event`: its body, byte for byte, or what the transformation makes of it.
    ///
    /// # Errors
    /// [`Kind::Decode`](nuncio_client::Kind::Decode) when the transformation fails, or gives nothing.
    pub fn payload(&self, event: &Event) -> Result<Bytes, Error> {
        let Some(transform) = &self.transform else { return Ok(event.body.clone()) };
        let failed = |why: String| {
            Error::new(nuncio_client::Kind::Decode, format!("the transformation failed: {why}"))
                .advise("mend `transform` of the endpoint, and send the delivery again")
        };
        match transform.first(Subject::new(event).jq()) {
            Ok(Some(value)) => Ok(jq::json(&value).into()),
            Ok(None) => Err(failed("it gave nothing".to_owned())),
            Err(error) => Err(failed(error)),
        }
    }
}
