//! The verdicts of the providers' own libraries, and where ours differ on purpose.
//!
//! `tests/vectors` says what each library did with a request. Where a case says what is safer than what they did, that is expected. Every difference
//! is in [`DIFFERENCES`], with its reason in `docs/decisions/0014-webhook-verdicts.md`.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nuncio_webhook::{Request, Secrets, handshake, provider, providers, verify};
use serde_json::Value;

use crate::differences::DIFFERENCES;
use crate::published;

const FILES: &[&str] = &[
    "discord",
    "github",
    "gitlab",
    "gocardless",
    "hubspot",
    "intercom",
    "linear",
    "mailgun",
    "meta",
    "mux",
    "paddle",
    "pusher",
    "sanity",
    "sendgrid",
    "shopify",
    "slack",
    "square",
    "standard-webhooks",
    "stripe",
    "svix",
    "twilio",
    "workos",
];

struct Case {
    file: &'static str,
    value: Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let cases = FILES.iter().flat_map(|file| {
            let path = format!("{}/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
            let mut document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let Value::Array(cases) = document["cases"].take() else { panic!("{file} has no cases") };
            cases.into_iter().map(|value| Self { file, value })
        });
        cases.collect()
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

    fn body(&self) -> Vec<u8> {
        let Some(repeat) = self.value.get("body_repeat") else {
            return STANDARD.decode(self.text("body_base64")).unwrap();
        };
        let part = |key: &str| repeat[key].as_str().unwrap_or_default();
        let times = usize::try_from(repeat["times"].as_u64().unwrap()).unwrap();
        format!("{}{}{}", part("prefix"), part("text").repeat(times), part("suffix")).into_bytes()
    }

    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let headers = self.value["headers"].as_object().unwrap().iter().flat_map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values.clone(),
                value => vec![value.clone()],
            };
            values.into_iter().map(|value| (name.clone(), value.as_str().unwrap().as_bytes().to_vec()))
        });
        headers.collect()
    }

    fn secrets(&self) -> Secrets {
        // The key that every good request of the file names.
        let secrets = Secrets::new().setting("app_key", "nuncio-app-key");
        let secret = self.value.get("secret").or(self.value.get("public_key")).unwrap();
        secrets.with("current", secret.as_str().unwrap())
    }

    fn verdict(&self) -> Result<(), nuncio_webhook::Refusal> {
        let (body, headers, secrets) = (self.body(), self.headers(), self.secrets());
        let request =
            Request { method: self.text("method"), url: self.text("url"), headers: &headers, body: &body };
        let now = UNIX_EPOCH + Duration::from_secs(self.value["now"].as_u64().unwrap());
        verify(&provider(&self.provider()).unwrap().scheme, &request, &secrets, now).map(|_| ())
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
    let now = UNIX_EPOCH + Duration::from_secs(ping.value["now"].as_u64().unwrap());
    let answer = handshake(&provider("discord").unwrap().scheme, &request, &secrets, now).unwrap().unwrap();
    assert_eq!((answer.content_type, &answer.body[..]), ("application/json", &br#"{"type":1}"#[..]));
}
