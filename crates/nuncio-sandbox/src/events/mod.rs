//! Webhook events as providers send them: templates under `events/`, one file a provider, filled with fresh ids and times.
//!
//! A file has what all events of a provider share, and for each event what is its own, laid over it. Texts have holes, which are filled; a text that is one hole takes the type of
//! what fills it. Nothing here is signed: that is the matter of whoever sends it.

mod hole;
mod template;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use hole::Holes;
use template::Template;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../events/", $name, ".json")))),*]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "asana",
    "bitbucket",
    "box",
    "buildkite",
    "calendly",
    "circleci",
    "discord",
    "docusign",
    "github",
    "gitlab",
    "gitlab-signing-token",
    "hubspot",
    "intercom",
    "jira",
    "line",
    "linear",
    "mailgun",
    "meta",
    "mux",
    "notion",
    "paddle",
    "pagerduty",
    "razorpay",
    "sendgrid",
    "sentry",
    "shopify",
    "slack",
    "square",
    "standard-webhooks",
    "stripe",
    "svix",
    "trello",
    "twilio",
    "twitch",
    "typeform",
    "workos",
    "xero",
    "zendesk",
    "zoom",
];

static TEMPLATES: LazyLock<BTreeMap<&'static str, Template>> = LazyLock::new(|| {
    let read = |(name, text): &(&'static str, &str)| {
        let template =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("events/{name}.json: {error}"));
        (*name, template)
    };
    BUILT_IN.iter().map(read).collect()
});

/// The providers of which there are events. Their names are those of their signature schemes.
pub fn providers() -> impl Iterator<Item = &'static str> {
    TEMPLATES.keys().copied()
}

/// The events of a provider; none for a provider that is not known.
pub fn names(provider: &str) -> impl Iterator<Item = &'static str> {
    TEMPLATES.get(provider).into_iter().flat_map(|template| template.events.keys().map(String::as_str))
}

/// An event that is ready but for its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What names the event in every attempt to deliver it, for schemes that send that in a header.
    pub id: String,
    /// What the provider sends along, beside what signs it.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// The fields of a form, in their order.
    Form(Vec<(String, String)>),
}

impl Body {
    /// Its media type.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Form(fields) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                form.finish().into_bytes()
            }
        }
    }
}

/// The event `name` of `provider`, as of the time `now` since 1970. The same `seed` gives the same event, apart from its times.
///
/// ```
/// use std::time::Duration;
/// use nuncio_sandbox::events::{Body, draft};
///
/// let draft = draft("stripe", "charge.failed", Duration::from_secs(1_760_000_000), 1).unwrap();
/// let Body::Json(body) = draft.body else { panic!("no JSON") };
/// assert_eq!(body["type"], "charge.failed");
/// assert_eq!(body["created"], 1_760_000_000);
/// assert!(body["id"].as_str().unwrap().starts_with("evt_"));
/// ```
#[must_use]
pub fn draft(provider: &str, name: &str, now: Duration, seed: u64) -> Option<Draft> {
    let template = TEMPLATES.get(provider)?;
    let event = template.events.get(name)?;
    let mut holes = Holes::new(name, now, seed);
    let id = holes.text(&template.id);
    holes.know("id", &id);
    let shared = &template.shared;
    let headers = laid_over(&shared.headers, &event.headers, &mut holes);
    let body = match (&shared.form, &event.form) {
        (None, None) => Body::Json(holes.value(&template::over(&shared.body, &event.body))),
        (below, above) => {
            let nothing = BTreeMap::new();
            let (below, above) = (below.as_ref().unwrap_or(&nothing), above.as_ref().unwrap_or(&nothing));
            Body::Form(laid_over(below, above, &mut holes))
        }
    };
    Some(Draft { id, headers, body })
}

fn laid_over(
    below: &BTreeMap<String, String>,
    above: &BTreeMap<String, String>,
    holes: &mut Holes,
) -> Vec<(String, String)> {
    let mut merged = below.clone();
    merged.extend(above.clone());
    merged.into_iter().map(|(name, text)| (name, holes.text(&text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_names_the_pages_that_its_shapes_are_from() {
        for (name, template) in TEMPLATES.iter() {
            assert!(!template.sources.is_empty(), "{name}");
            assert!(template.sources.iter().all(|source| source.starts_with("https://")), "{name}");
        }
    }

    #[test]
    fn every_hole_is_filled() {
        for provider in providers() {
            for name in names(provider) {
                let draft = draft(provider, name, Duration::from_secs(1_760_000_000), 1).unwrap();
                let body = String::from_utf8(draft.body.to_bytes()).unwrap();
                let texts = draft.headers.iter().map(|(_, value)| value.as_str()).chain([&*draft.id, &body]);
                let is_hole = |text: &str| {
                    [
                        "alnum:", "upper:", "hex:", "digits:", "base64:", "number:", "uuid", "now", "time",
                        "event}", "id}",
                    ]
                    .iter()
                    .any(|kind| text.contains(&format!("{{{kind}")))
                };
                texts.for_each(|text| assert!(!is_hole(text), "{provider} {name}: {text}"));
            }
        }
    }

    #[test]
    fn ids_are_new_each_time_and_the_same_for_the_same_seed() {
        let at = |seed| draft("stripe", "charge.failed", Duration::from_secs(1_760_000_000), seed);
        assert_eq!(at(1), at(1));
        assert_ne!(at(1), at(2));
        assert_eq!(draft("stripe", "nothing", Duration::ZERO, 1), None);
    }
}
