//! The providers that come along.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Scheme;

/// A provider, and where its scheme was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name, as it writes it.
    pub title: String,
    /// The vendor's pages about it.
    pub sources: Vec<String>,
    /// What the scheme was checked against: the vendor's page itself, or a library of a certain version.
    pub confirmed_by: String,
    /// Whether a test holds the scheme against a signature that somebody else made: the vendor's example, or what its library takes. Default: no.
    #[serde(default)]
    pub foreign_vector: bool,
    /// When, as `2026-11-24`.
    pub checked: String,
    /// What a receiver should know beside the scheme.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The scheme.
    pub scheme: Scheme,
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../providers/", $name, ".json")))),*]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "adyen",
    "adyen-platform",
    "airtable",
    "asana",
    "auth0",
    "aws-sns",
    "bitbucket",
    "box",
    "buildkite",
    "calendly",
    "circleci",
    "coinbase-cdp",
    "coinbase-commerce",
    "contentful",
    "discord",
    "docusign",
    "dropbox",
    "github",
    "gitlab",
    "gitlab-signing-token",
    "gocardless",
    "google-pubsub",
    "heroku",
    "hubspot",
    "hubspot-v1",
    "hubspot-v2",
    "intercom",
    "jira",
    "line",
    "linear",
    "mailgun",
    "meta",
    "microsoft-graph",
    "mux",
    "netlify",
    "notion",
    "okta",
    "paddle",
    "pagerduty",
    "paypal",
    "plaid",
    "pusher",
    "razorpay",
    "sanity",
    "sendgrid",
    "sentry",
    "shopify",
    "slack",
    "square",
    "standard-webhooks",
    "strava",
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

static PROVIDERS: LazyLock<BTreeMap<&'static str, Provider>> = LazyLock::new(|| {
    let parse = |text| serde_json::from_str(text).expect("every file of providers/ is read by a test");
    BUILT_IN.iter().map(|(name, text)| (*name, parse(text))).collect()
});

/// The provider of this name.
///
/// ```
/// let stripe = nuncio_webhook::provider("stripe").unwrap();
/// assert_eq!(stripe.sources, ["https://docs.stripe.com/webhooks/signature"]);
/// assert!(nuncio_webhook::provider("nobody").is_none());
/// ```
#[must_use]
pub fn provider(name: &str) -> Option<&'static Provider> {
    PROVIDERS.get(name)
}

/// All providers that come along, by name.
///
/// ```
/// assert!(nuncio_webhook::providers().any(|(name, _)| name == "standard-webhooks"));
/// ```
pub fn providers() -> impl Iterator<Item = (&'static str, &'static Provider)> {
    PROVIDERS.iter().map(|(name, provider)| (*name, provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_comes_along_and_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/providers");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap().replace(".json", ""))
            .collect();
        files.sort();
        assert_eq!(providers().map(|(name, _)| name).collect::<Vec<_>>(), files);
    }

    #[test]
    fn every_provider_names_its_source_and_its_day() {
        for (name, provider) in providers() {
            assert!(!provider.sources.is_empty(), "{name}");
            assert!(provider.sources.iter().all(|source| source.starts_with("https://")), "{name}");
            assert_eq!(provider.checked.len(), "2026-11-24".len(), "{name}");
            assert!(
                !provider.scheme.signatures.is_empty() || !provider.scheme.handshakes.is_empty(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_scheme_is_the_same_when_it_was_written_and_read_again() {
        for (name, provider) in providers() {
            let written = serde_json::to_string(&provider.scheme).unwrap();
            assert_eq!(serde_json::from_str::<Scheme>(&written).unwrap(), provider.scheme, "{name}");
        }
    }
}
