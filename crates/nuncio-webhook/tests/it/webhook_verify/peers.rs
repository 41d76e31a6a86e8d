//! The providers that both know, and how each signs: written again here, over other implementations of the digests than ours.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use webhook_verify::Provider;

use super::Draft;

/// What stands before the point of a P-256 key in its `SubjectPublicKeyInfo` (RFC 5480).
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A provider that both know.
pub(super) struct Peer {
    /// What we call it.
    pub(super) name: &'static str,
    pub(super) theirs: Provider,
    pub(super) kind: Kind,
    /// How old and how far ahead a request may be, in seconds. They are told ours.
    pub(super) tolerance: u64,
    /// The headers beside `Content-Type`; `{s}`, `{t}` and `{i}` stand for signature, timestamp and id.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

/// How a signature is made and written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Hex,
    Base64,
    /// By the base64-decoded secret.
    Standard,
    Sha1,
    Ed25519,
    Ecdsa,
}

const fn peer(
    name: &'static str,
    theirs: Provider,
    kind: Kind,
    headers: &'static [(&'static str, &'static str)],
) -> Peer {
    Peer { name, theirs, kind, tolerance: 300, headers }
}

const STANDARD_HEADERS: &[(&str, &str)] =
    &[("webhook-id", "{i}"), ("webhook-timestamp", "{t}"), ("webhook-signature", "v1,{s}")];

pub(super) const PEERS: &[Peer] = &[
    peer("dropbox", Provider::Dropbox, Kind::Hex, &[("X-Dropbox-Signature", "{s}")]),
    peer("github", Provider::GitHub, Kind::Hex, &[("X-Hub-Signature-256", "sha256={s}")]),
    Peer { tolerance: 60, ..peer("linear", Provider::Linear, Kind::Hex, &[("Linear-Signature", "{s}")]) },
    peer("shopify", Provider::Shopify, Kind::Base64, &[("X-Shopify-Hmac-SHA256", "{s}")]),
    peer(
        "slack",
        Provider::Slack,
        Kind::Hex,
        &[("X-Slack-Request-Timestamp", "{t}"), ("X-Slack-Signature", "v0={s}")],
    ),
    peer("square", Provider::Square, Kind::Base64, &[("X-Square-HmacSha256-Signature", "{s}")]),
    peer("standard-webhooks", Provider::StandardWebhooks, Kind::Standard, STANDARD_HEADERS),
    peer("stripe", Provider::Stripe, Kind::Hex, &[("Stripe-Signature", "t={t},v1={s}")]),
    peer("svix", Provider::StandardWebhooks, Kind::Standard, STANDARD_HEADERS),
    peer("twilio", Provider::Twilio, Kind::Sha1, &[("X-Twilio-Signature", "{s}")]),
    peer(
        "zoom",
        Provider::Zoom,
        Kind::Hex,
        &[("x-zm-request-timestamp", "{t}"), ("x-zm-signature", "v0={s}")],
    ),
    peer(
        "discord",
        Provider::Discord,
        Kind::Ed25519,
        &[("X-Signature-Ed25519", "{s}"), ("X-Signature-Timestamp", "{t}")],
    ),
    peer(
        "sendgrid",
        Provider::SendGrid,
        Kind::Ecdsa,
        &[
            ("X-Twilio-Email-Event-Webhook-Signature", "{s}"),
            ("X-Twilio-Email-Event-Webhook-Timestamp", "{t}"),
        ],
    ),
];

impl Peer {
    /// A body of the type that the provider sends, with these bytes in it.
    pub(super) fn body(&self, bytes: &[u8], timestamp: &str) -> Vec<u8> {
        match self.name {
            "linear" => {
                format!(r#"{{"webhookTimestamp":{timestamp}000,"x":"{}"}}"#, hex::encode(bytes)).into_bytes()
            }
            "twilio" => format!("Body={}&To=%2B1+5", hex::encode(bytes)).into_bytes(),
            _ => bytes.to_vec(),
        }
    }

    fn content(&self, draft: &Draft) -> Vec<u8> {
        let Draft { timestamp, id, url, body, .. } = draft;
        let before = match self.name {
            "slack" | "zoom" => format!("v0:{timestamp}:"),
            "stripe" => format!("{timestamp}."),
            "discord" | "sendgrid" => timestamp.clone(),
            "standard-webhooks" | "svix" => format!("{id}.{timestamp}."),
            "square" => url.clone(),
            "twilio" => return format!("{url}{}", draft.form()).into_bytes(),
            _ => String::new(),
        };
        [before.as_bytes(), body].concat()
    }

    /// The signature as it is written.
    pub(super) fn sign(&self, draft: &Draft) -> String {
        let content = self.content(draft);
        match self.kind {
            Kind::Hex => hex::encode(hmac_sha256(draft.secret.as_bytes(), &content)),
            Kind::Base64 => STANDARD.encode(hmac_sha256(draft.secret.as_bytes(), &content)),
            Kind::Standard => STANDARD.encode(hmac_sha256(&standard_key(&draft.secret), &content)),
            Kind::Sha1 => {
                let mut mac = Hmac::<Sha1>::new_from_slice(draft.secret.as_bytes()).unwrap();
                mac.update(&content);
                STANDARD.encode(mac.finalize().into_bytes())
            }
            Kind::Ed25519 => hex::encode(ed25519(&draft.secret).sign(&content)),
            Kind::Ecdsa => {
                STANDARD.encode(ecdsa(&draft.secret).sign(&SystemRandom::new(), &content).unwrap())
            }
        }
    }

    /// What the receiver holds: the secret, or the public key of it.
    pub(super) fn shown(&self, secret: &str) -> String {
        match self.kind {
            Kind::Ed25519 => hex::encode(ed25519(secret).public_key()),
            Kind::Ecdsa => STANDARD.encode([&P256_HEAD, ecdsa(secret).public_key().as_ref()].concat()),
            _ => secret.to_owned(),
        }
    }

    pub(super) fn headers(&self, draft: &Draft) -> Vec<(String, String)> {
        let fill = |text: &str| {
            text.replace("{s}", &draft.signature).replace("{t}", &draft.timestamp).replace("{i}", &draft.id)
        };
        self.headers.iter().map(|(name, value)| ((*name).to_owned(), fill(value))).collect()
    }

    /// Which of the headers has the signature.
    pub(super) fn signature_header(&self) -> usize {
        self.headers.iter().position(|(_, value)| value.contains("{s}")).unwrap()
    }
}

fn hmac_sha256(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}

/// Anything goes: whether a secret is written well is for the verifiers to say.
fn standard_key(secret: &str) -> Vec<u8> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text = secret.strip_prefix("whsec_").unwrap_or(secret).replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text).unwrap_or_default()
}

fn ed25519(secret: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&Sha256::digest(secret)).unwrap()
}

fn ecdsa(secret: &str) -> EcdsaKeyPair {
    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &ecdsa_der(&Sha256::digest(secret)))
        .unwrap()
}

/// A private key as `ECPrivateKey` (RFC 5915), without its public half.
fn ecdsa_der(scalar: &[u8]) -> Vec<u8> {
    let head = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    let tail = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    [&head[..], scalar, &tail].concat()
}
