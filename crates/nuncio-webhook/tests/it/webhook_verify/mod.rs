//! The same questions to us and to the crate `webhook-verify`: every variation of a request of every provider that both know, over generated bodies, secrets
//! and places, and pairs of variations. What the two answer differently is in [`DIFFERENCES`], with its reason in
//! `docs/decisions/0016-webhook-verify.md`.

mod differences;
mod peers;
mod variations;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nuncio_webhook::{Request, Secrets, provider, verify};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sha2::{Digest as _, Sha256};
use webhook_verify::{Clock, Secret, VerifyOptions, VerifyingKeyMaterial, verify_any};

use differences::{DIFFERENCES, Difference};
use peers::{Kind, PEERS, Peer};
use variations::{Change, VARIATIONS, Variation};

const NOW: u64 = 1_760_000_000;
const URLS: [&str; 2] = ["https://hooks.example.test/in?a=1", "https://hooks.example.test:8443/in?a=1"];
/// Base64 that is text as well, so that it is a secret of every provider.
const SECRET: &str = "whsec_bWFkZS11cC1zZWNyZXQtMjQtYnl0ZXMh";

/// Inputs for each variation of each provider, and pairs of variations.
const INPUTS: usize = 4;
const PAIRS: usize = 3000;

/// A request in the making.
#[derive(Clone)]
struct Draft {
    peer: &'static Peer,
    /// Chooses among what is as good, and where something happens.
    number: usize,
    secret: String,
    timestamp: String,
    id: String,
    url: String,
    bytes: Vec<u8>,
    body: Vec<u8>,
    is_json: bool,
    signature: String,
    headers: Vec<(String, String)>,
    /// What the receiver holds.
    secrets: Vec<String>,
}

impl Draft {
    fn new(peer: &'static Peer, (bytes, number): (Vec<u8>, usize)) -> Self {
        let mut draft = Self {
            peer,
            number,
            secret: SECRET.to_owned(),
            timestamp: String::new(),
            id: "msg_1".to_owned(),
            url: URLS[number % 2].to_owned(),
            bytes,
            body: Vec::new(),
            is_json: false,
            signature: String::new(),
            headers: Vec::new(),
            secrets: Vec::new(),
        };
        draft.set_time(NOW);
        draft
    }

    fn set_body(&mut self, bytes: &[u8]) {
        self.bytes = bytes.to_vec();
        self.body = self.peer.body(bytes, &self.timestamp);
    }

    fn set_time(&mut self, time: u64) {
        self.set_timestamp(time.to_string());
    }

    fn set_timestamp(&mut self, timestamp: String) {
        self.timestamp = timestamp;
        if !self.is_json {
            self.body = self.peer.body(&self.bytes, &self.timestamp);
        }
    }

    fn set_secret(&mut self, secret: &str) {
        // A key pair is made of any text.
        if !matches!(self.peer.kind, Kind::Ed25519 | Kind::Ecdsa) {
            self.secret = secret.to_owned();
        }
    }

    fn set_form(&mut self, form: &str) {
        if self.peer.name == "twilio" {
            self.body = form.as_bytes().to_vec();
        }
    }

    fn set_json(&mut self, digest: bool) {
        if self.peer.name == "twilio" {
            self.body = br#"{"made": "up"}"#.to_vec();
            self.is_json = true;
            if digest {
                self.url.push_str("&bodySHA256=");
                self.url.push_str(&hex::encode(Sha256::digest(&self.body)));
            }
        }
    }

    /// The form as Twilio's libraries sign it: each pair once, sorted.
    fn form(&self) -> String {
        if self.is_json {
            return String::new();
        }
        let pairs: BTreeSet<_> = form_urlencoded::parse(&self.body).into_owned().collect();
        pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()
    }

    /// Writes the signature in another way: hex by its text, base64 by its bytes.
    fn spell(&mut self, text: fn(&str) -> String, bytes: fn(&[u8]) -> Option<String>) {
        match self.peer.kind {
            Kind::Hex | Kind::Ed25519 => self.signature = text(&self.signature),
            _ => {
                let decoded = STANDARD.decode(&self.signature).ok();
                if let Some(text) = decoded.and_then(|decoded| bytes(&decoded)) {
                    self.signature = text;
                }
            }
        }
    }

    fn edit_signature(&mut self, edit: fn(&str, &str) -> String) {
        let Some((_, value)) = self.headers.get_mut(self.peer.signature_header()) else { return };
        *value = edit(value, &self.signature);
    }

    fn edit_list(&mut self, edit: fn(&str, char) -> String) {
        let separator = match self.peer.name {
            "stripe" => ',',
            "standard-webhooks" | "svix" => ' ',
            _ => return,
        };
        let Some((_, value)) = self.headers.get_mut(self.peer.signature_header()) else { return };
        *value = edit(value, separator);
    }

    fn replace(&mut self, from: &str, to: &str) {
        self.headers.iter_mut().for_each(|(_, value)| *value = value.replace(from, to));
    }

    /// With these variations, in the order of the road.
    fn after(mut self, variations: &[&Variation]) -> Self {
        let mut variations = variations.to_vec();
        variations.sort_by_key(|variation| variation.when);
        let apply = |draft: &mut Self, when| {
            for variation in variations.iter().filter(|variation| variation.when == when) {
                match variation.change {
                    Change::Any(change) => change(draft),
                    Change::List(change) => draft.edit_list(change),
                }
            }
        };
        apply(&mut self, variations::When::Before);
        self.signature = self.peer.sign(&self);
        apply(&mut self, variations::When::Signature);
        self.headers = self.peer.headers(&self);
        let media = if self.is_json { "application/json" } else { "application/x-www-form-urlencoded" };
        self.headers.push(("Content-Type".to_owned(), media.to_owned()));
        self.secrets = vec![self.peer.shown(&self.secret)];
        apply(&mut self, variations::When::Arrival);
        self
    }

    fn ours(&self) -> Result<(), String> {
        let mut secrets = Secrets::new();
        for secret in &self.secrets {
            secrets = secrets.with("a secret", secret);
        }
        let request = Request { method: "POST", url: &self.url, headers: &self.headers, body: &self.body };
        let scheme = &provider(self.peer.name).unwrap().scheme;
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        verify(scheme, &request, &secrets, now).map(drop).map_err(|refusal| refusal.to_string())
    }

    fn theirs(&self) -> Result<(), String> {
        let pairs = match self.is_json {
            true => Vec::new(),
            false => form_urlencoded::parse(&self.body).into_owned().collect(),
        };
        let options = VerifyOptions::default()
            .with_max_age(Some(Duration::from_secs(self.peer.tolerance)))
            .with_clock(Some(Arc::new(Now)))
            .with_request_url(&self.url)
            .with_form_params(pairs);
        let verdict = if self.peer.kind == Kind::Ecdsa {
            // They take one key at a time, and as bytes.
            let verdicts = self.secrets.iter().map(|key| {
                let key = STANDARD.decode(key).unwrap_or_default();
                let options =
                    options.clone().with_verifying_material(VerifyingKeyMaterial::EcdsaP256PublicKey(key));
                webhook_verify::verify(self.peer.theirs, &self.headers, &self.body, &Secret::new(""), options)
            });
            verdicts.reduce(Result::or).unwrap()
        } else {
            let secrets: Vec<_> = self.secrets.iter().map(Secret::new).collect();
            verify_any(self.peer.theirs, &self.headers, &self.body, &secrets, options)
        };
        verdict.map_err(|error| error.to_string())
    }
}

struct Now;

impl Clock for Now {
    fn now(&self) -> u64 {
        NOW
    }
}

/// What was found, by the index of the difference; and what none explains.
#[derive(Default)]
struct Findings {
    compared: usize,
    taken_by_both: usize,
    explained: BTreeMap<usize, usize>,
    unexplained: BTreeSet<String>,
}

impl Findings {
    fn compare(&mut self, draft: &Draft, variations: &[&Variation]) {
        let (ours, theirs) = (draft.ours(), draft.theirs());
        self.compared += 1;
        if ours.is_ok() == theirs.is_ok() {
            self.taken_by_both += usize::from(ours.is_ok());
            return;
        }
        let explains = |difference: &Difference| {
            difference.taken_by_us == ours.is_ok()
                && difference.providers.contains(&draft.peer.name)
                && variations.iter().any(|variation| difference.variations.contains(&variation.name))
        };
        match DIFFERENCES.iter().position(explains) {
            Some(index) => *self.explained.entry(index).or_default() += 1,
            None => {
                let names: Vec<_> = variations.iter().map(|variation| variation.name).collect();
                self.unexplained
                    .insert(format!("{} {names:?}: ours {ours:?}, theirs {theirs:?}", draft.peer.name));
            }
        }
    }
}

#[test]
fn every_disagreement_with_webhook_verify_is_listed_and_every_listed_one_occurs() {
    let mut runner = TestRunner::deterministic();
    let inputs = (prop::collection::vec(any::<u8>(), 1..200), any::<usize>());
    let mut input = || inputs.new_tree(&mut runner).unwrap().current();
    let mut findings = Findings::default();
    for peer in PEERS {
        for variation in VARIATIONS {
            for _ in 0..INPUTS {
                let draft = Draft::new(peer, input()).after(&[variation]);
                findings.compare(&draft, &[variation]);
            }
        }
    }
    for _ in 0..PAIRS {
        let (_, number) = input();
        let peer = &PEERS[number % PEERS.len()];
        let one = &VARIATIONS[number / PEERS.len() % VARIATIONS.len()];
        let other = &VARIATIONS[number / PEERS.len() / VARIATIONS.len() % VARIATIONS.len()];
        findings.compare(&Draft::new(peer, input()).after(&[one, other]), &[one, other]);
    }
    println!("{} compared, {} taken by both", findings.compared, findings.taken_by_both);
    assert!(findings.unexplained.is_empty(), "{:#?}", findings.unexplained);
    let gone = DIFFERENCES.iter().enumerate().filter(|(index, _)| !findings.explained.contains_key(index));
    let gone: Vec<_> = gone.map(|(_, difference)| difference.what).collect();
    assert!(gone.is_empty(), "these do not occur any more: {gone:#?}");
    // Otherwise two that refuse everything would agree.
    assert!(findings.taken_by_both > findings.compared / 3);
}
