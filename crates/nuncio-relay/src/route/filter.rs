//! Which events.

use nuncio_client::Error;
use serde_json_path::JsonPath;

use crate::settings;

use super::TypePattern;
use super::jq::Jq;
use super::subject::Subject;

/// Which events, ready to be asked.
#[derive(Debug)]
pub(super) struct Filter {
    headers: Vec<(String, TypePattern)>,
    jq: Option<Jq>,
    jsonpath: Option<JsonPath>,
}

impl Filter {
    pub(super) fn new(settings: &settings::Filter) -> Result<Self, Error> {
        let pattern = |(name, value): (&String, &String)| (name.clone(), TypePattern::new(value.clone()));
        let path = |path: &String| {
            JsonPath::parse(path).map_err(|error| {
                Error::configuration(format!("the JSONPath {path:?} cannot be read: {error}"))
            })
        };
        Ok(Self {
            headers: settings.headers.iter().map(pattern).collect(),
            jq: settings.jq.as_deref().map(Jq::new).transpose()?,
            jsonpath: settings.jsonpath.as_ref().map(path).transpose()?,
        })
    }

    /// Whether all of it holds.
    pub(super) fn holds(&self, subject: &Subject<'_>) -> bool {
        let header_holds = |(name, pattern): &(String, TypePattern)| {
            let value = subject.event().headers.get(name).and_then(|value| std::str::from_utf8(value).ok());
            value.is_some_and(|value| pattern.matches(value))
        };
        self.headers.iter().all(header_holds)
            && self
                .jsonpath
                .as_ref()
                .is_none_or(|path| subject.body().is_some_and(|body| !path.query(body).is_empty()))
            && self.jq.as_ref().is_none_or(|jq| jq.holds(subject.jq()))
    }
}
