//! The verdicts of the providers' own libraries, and where ours differ on purpose.
//!
//! `tests/vectors` says what each library did with a request. Where a case says what is safer than what they did, that is expected. Every difference
//! is in [`DIFFERENCES`], with its reason in `docs/decisions/0014-webhook-verdicts.md` or `0015-published-keys.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nuncio_webhook::{Keys, PublishedKey, Request, Secrets, handshake, provider, providers, verify};
use serde_json::Value;

use crate::differences::DIFFERENCES;
use crate::published;

const FILES: &[&str] = &[
    "adyen",
    "adyen-platform",
    "airtable",
    "aws-sns",
    "coinbase-cdp",
    "coinbase-commerce",
    "contentful",
    "discord",
    "github",
    "gitlab",
    "gitlab-signing-token",
    "gocardless",
    "google-pubsub",
    "hubspot",
    "intercom",
    "line",
    "linear",
    "mailgun",
    "meta",
    "mux",
    "netlify",
    "notion",
    "paddle",
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
    "stripe",
    "svix",
    "twilio",
    "workos",
    "zoom",
];

/// What providers serve, by URL.
struct Served(BTreeMap<String, String>);

impl Keys for Served {
    fn find(&self, key: &PublishedKey, _now: SystemTime) -> Option<Arc<[u8]>> {
        Some(self.0.get(key.url())?.as_bytes().into())
    }
}

pub(crate) struct Case {
    file: &'static str,
    value: Value,
}

impl Case {
    pub(crate) fn all() -> Vec<Self> {
        FILES.iter().flat_map(|file| Self::of_file(file)).collect()
    }

    pub(crate) fn named(name: &str) -> Self {
        let file = FILES.iter().find(|file| name.split('/').next() == Some(file)).unwrap();
        Self::of_file(file).find(|case| case.name() == name).unwrap_or_else(|| panic!("no case {name}"))
    }

    fn of_file(file: &'static str) -> impl Iterator<Item = Self> {
        let path = format!("{}/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
        let mut document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let Value::Array(cases) = document["cases"].take() else { panic!("{file} has no cases") };
        let (settings, documents) = (document["settings"].take(), document["documents"].take());
        cases.into_iter().map(move |mut value| {
            // What the receiver knows in every case of the file, unless the case says otherwise.
            if value.get("settings").is_none() {
                value["settings"] = settings.clone();
            }
            value["documents"] = documents.clone();
            Self { file, value }
        })
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.value["now"].as_u64().unwrap())
    }

    /// What the provider serves.
    pub(crate) fn document(&self) -> String {
        self.value["documents"].as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap_or_default()
    }

    fn name(&self) -> String {
        format!("{}/{}", self.file, self.text("name"))
    }

    fn is_must(&self) -> bool {
        self.text("level") == "must"
    }

    fn expected(&self) -> bool {
        let expected = self.value["safer"].as_str().unwrap_or_else(|| self.text("expect"));
        assert!(matches!(expected, "accept" | "reject"), "{}", self.name());
        expected == "accept"
    }

    fn provider(&self) -> String {
        match self.text("version") {
            "" | "v3" => self.file.to_owned(),
            version => format!("{}-{version}", self.file),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let Some(repeat) = self.value.get("body_repeat") else {
            return STANDARD.decode(self.text("body_base64")).unwrap();
        };
        let part = |key: &str| repeat[key].as_str().unwrap_or_default();
        let times = usize::try_from(repeat["times"].as_u64().unwrap()).unwrap();
        format!("{}{}{}", part("prefix"), part("text").repeat(times), part("suffix")).into_bytes()
    }

    pub(crate) fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let headers = self.value["headers"].as_object().unwrap().iter().flat_map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            values.into_iter().map(|value| (name.clone(), value.as_str().unwrap().as_bytes().to_vec()))
        });
        headers.collect()
    }

    pub(crate) fn secrets(&self) -> Secrets {
        // The key that every good request of Pusher's file names.
        let mut secrets = Secrets::new().setting("app_key", "nuncio-app-key");
        for (name, value) in self.value["settings"].as_object().into_iter().flatten() {
            secrets = secrets.setting(name, value.as_str().unwrap());
        }
        if let Some(documents) = self.value["documents"].as_object() {
            let served = |(url, text): (&String, &Value)| (url.clone(), text.as_str().unwrap().to_owned());
            secrets = secrets.keys(Arc::new(Served(documents.iter().map(served).collect())));
        }
        match self.value.get("secret").or(self.value.get("public_key")) {
            Some(secret) => secrets.with("current", secret.as_str().unwrap()),
            None => secrets,
        }
    }

    fn verdict(&self) -> Result<(), nuncio_webhook::Refusal> {
        let (body, headers, secrets) = (self.body(), self.headers(), self.secrets());
        let request =
            Request { method: self.text("method"), url: self.text("url"), headers: &headers, body: &body };
        verify(&provider(&self.provider()).unwrap().scheme, &request, &secrets, self.now()).map(|_| ())
    }
}

#[test]
fn what_every_library_agrees_on_is_our_verdict_too() {
    let cases: Vec<_> = Case::all().into_iter().filter(Case::is_must).collect();
    assert!(cases.len() > 1000, "{} cases", cases.len());
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let verdict = case.verdict();
            (verdict.is_ok() != case.expected()).then(|| format!("{}: {verdict:?}", case.name()))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn where_libraries_differ_or_are_lenient_every_difference_is_a_decision() {
    let decided: BTreeSet<String> = DIFFERENCES.iter().map(|name| (*name).to_owned()).collect();
    let cases = Case::all();
    let cases: Vec<_> = cases.iter().filter(|case| !case.is_must()).collect();
    let differing: BTreeSet<String> = cases
        .iter()
        .filter(|case| case.verdict().is_ok() != case.expected())
        .map(|case| case.name())
        .collect();
    let unlisted: Vec<_> = differing.difference(&decided).collect();
    let gone: Vec<_> = decided.difference(&differing).collect();
    assert!(unlisted.is_empty() && gone.is_empty(), "unlisted {unlisted:#?}, gone {gone:#?}");
}

#[test]
fn a_provider_says_that_it_has_a_vector_of_somebody_else_if_and_only_if_it_has() {
    let cases = Case::all();
    let accepted = cases.iter().filter(|case| case.expected() && case.verdict().is_ok()).map(Case::provider);
    let published = published::PROVIDERS.iter().map(|name| (*name).to_owned());
    let said = providers().filter(|(_, provider)| provider.foreign_vector).map(|(name, _)| name.to_owned());
    assert_eq!(said.collect::<BTreeSet<_>>(), accepted.chain(published).collect());
}

#[test]
fn the_recorded_ping_of_discord_is_answered_with_a_pong() {
    let cases = Case::all();
    let ping = cases.iter().find(|case| case.name() == "discord/valid-ping").unwrap();
    let (body, headers, secrets) = (ping.body(), ping.headers(), ping.secrets());
    let request = Request { method: "POST", url: "", headers: &headers, body: &body };
    let answer =
        handshake(&provider("discord").unwrap().scheme, &request, &secrets, ping.now()).unwrap().unwrap();
    assert_eq!(answer.headers[0], ("Content-Type".to_owned(), b"application/json".to_vec()));
    assert_eq!(answer.body, br#"{"type":1}"#);
}
