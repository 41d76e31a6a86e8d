//! Webhooks that we send.

use std::time::SystemTime;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::content::contents;
use crate::scheme::{
    Algorithm, Encoding, Expected, HeaderPlace, KeyFormat, Place, Scheme, Separator, Signature,
};
use crate::verify::covers_body;
use crate::{Refusal, Request, Secrets, crypto, time};

/// A webhook that is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'r> {
    /// What is the same for every attempt to deliver the event. Not sent where the scheme has it in the body.
    pub id: &'r str,
    /// When this attempt is signed. Not sent where the scheme has it in the body.
    pub signed_at: SystemTime,
    /// The method, in capitals.
    pub method: &'r str,
    /// The URL of the receiver, as it wrote it down.
    pub url: &'r str,
    /// The body, byte for byte as it will be sent.
    pub body: &'r [u8],
    /// The `Content-Type` that it will be sent with, for schemes that sign the fields of a form. Default: nothing that a signature looks at.
    pub content_type: Option<&'r str>,
}

/// Why a webhook cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotSign {
    /// Signatures of this kind are only verified.
    #[error("signatures by {0:?} are verified and not made")]
    Algorithm(Algorithm),
    /// The signature belongs into the body or the URL, which the caller makes.
    #[error("the signature belongs into {0}: only headers are made")]
    Place(String),
    /// The provider signs with a key of its own, or in a token.
    #[error("signatures in tokens, and those by keys that the provider publishes, are verified and not made")]
    Token,
    /// Something that is signed is missing, or no secret is of use.
    #[error(transparent)]
    Content(#[from] Refusal),
}

/// The headers by which `scheme` signs `outgoing`, names and values. During a rotation give the new secret first: a list gets a signature by each,
/// a header that holds one gets that of the first.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use nuncio_webhook::{Outgoing, Request, Secrets, provider, sign, verify};
///
/// let standard = &provider("standard-webhooks").unwrap().scheme;
/// let now = UNIX_EPOCH + Duration::from_secs(1_760_000_000);
/// let secrets = Secrets::new().with("new", "whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM=").with("old", "whsec_bWFkZS11cC1vbGRlci1rZXktLS0=");
/// let outgoing =
///     Outgoing { id: "msg_1", signed_at: now, method: "POST", url: "https://a.test/hook", body: b"{}", content_type: None };
///
/// let headers = sign(standard, &outgoing, &secrets)?;
/// let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(names, ["webhook-id", "webhook-timestamp", "webhook-signature"]);
/// assert_eq!(headers[2].1.split(' ').count(), 2);
///
/// let request = Request { method: "POST", url: outgoing.url, headers: &headers, body: outgoing.body };
/// assert_eq!(verify(standard, &request, &secrets, now).unwrap().id().as_deref(), Some("msg_1"));
/// # Ok::<(), nuncio_webhook::CannotSign>(())
/// ```
///
/// # Errors
/// [`CannotSign`] when the scheme is one that is only verified, or something that it signs is missing.
pub fn sign(
    scheme: &Scheme,
    outgoing: &Outgoing<'_>,
    secrets: &Secrets,
) -> Result<Vec<(String, String)>, CannotSign> {
    let open = open_headers(scheme, outgoing, secrets)?;
    let mut seen = open.clone();
    seen.extend(outgoing.content_type.map(|media| ("Content-Type".to_owned(), media.to_owned())));
    let request = Request { method: outgoing.method, url: outgoing.url, headers: &seen, body: outgoing.body };
    let mut headers = open;
    let mut signed = false;
    let mut refused = Refusal::NoSecret;
    for signature in &scheme.signatures {
        let Place::Header(place) = &signature.at else {
            return Err(CannotSign::Place(signature.at.to_string()));
        };
        if signature.encoding == Encoding::Jwt || signature.published.is_some() {
            return Err(CannotSign::Token);
        }
        if place.list.is_none()
            && headers.iter().any(|(name, _)| place.name().is_some_and(|other| other == *name))
        {
            continue;
        }
        match signatures(scheme, signature, &request, secrets)? {
            Ok(texts) => {
                let count = if place.list.is_some() && !place.single { texts.len() } else { 1 };
                texts.iter().take(count).for_each(|text| put(&mut headers, place, text));
                signed = true;
            }
            Err(refusal) => refused = refusal,
        }
    }
    if signed { Ok(headers) } else { Err(refused.into()) }
}

/// A new secret of 32 bytes as Standard Webhooks writes them, `whsec_` and base64.
///
/// ```
/// let secret = nuncio_webhook::generate_secret();
/// assert!(secret.starts_with("whsec_") && secret.len() == 50);
/// ```
///
/// # Panics
/// When the system has no randomness.
#[must_use]
pub fn generate_secret() -> String {
    format!("whsec_{}", STANDARD.encode(random()))
}

/// A new Ed25519 key pair as Standard Webhooks writes them: the private key with `whsk_`, its 32 bytes followed by the public ones, and the public
/// key with `whpk_`.
///
/// ```
/// let (private, public) = nuncio_webhook::generate_key_pair();
/// assert!(private.starts_with("whsk_") && public.starts_with("whpk_"));
/// ```
///
/// # Panics
/// When the system has no randomness.
#[must_use]
pub fn generate_key_pair() -> (String, String) {
    let seed = random();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 bytes are a seed");
    let public = pair.public_key().as_ref();
    let private = [&seed[..], public].concat();
    (format!("whsk_{}", STANDARD.encode(private)), format!("whpk_{}", STANDARD.encode(public)))
}

/// A new key pair to stand in for that of a provider who signs with a private key: the private key, which signs, as PEM (PKCS#8), and the public key as the
/// provider shows it. `None` for schemes by a shared secret, and for those whose provider publishes its keys.
///
/// ```
/// use nuncio_webhook::{generate_private_key, provider};
///
/// let (private, public) = generate_private_key(&provider("discord").unwrap().scheme).unwrap();
/// assert!(private.starts_with("-----BEGIN PRIVATE KEY-----") && public.len() == 64);
/// assert_eq!(generate_private_key(&provider("stripe").unwrap().scheme), None);
/// ```
///
/// # Panics
/// When the system has no randomness.
#[must_use]
pub fn generate_private_key(scheme: &Scheme) -> Option<(String, String)> {
    let has_own_key = |it: &&Signature| it.algorithm.is_asymmetric() && it.published.is_none();
    let signature = scheme.signatures.iter().find(has_own_key)?;
    let rng = SystemRandom::new();
    let has_randomness = "the system has randomness";
    let (private, raw, spki) = match signature.algorithm {
        Algorithm::Ed25519 => {
            let private = Ed25519KeyPair::generate_pkcs8(&rng).expect(has_randomness);
            let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).ok()?;
            let public = pair.public_key();
            (
                private,
                public.as_ref().to_vec(),
                AsDer::<PublicKeyX509Der<'_>>::as_der(public).ok()?.as_ref().to_vec(),
            )
        }
        Algorithm::EcdsaP256 | Algorithm::EcdsaP256Fixed => {
            let signing = &ECDSA_P256_SHA256_ASN1_SIGNING;
            let private = EcdsaKeyPair::generate_pkcs8(signing, &rng).expect(has_randomness);
            let pair = EcdsaKeyPair::from_pkcs8(signing, private.as_ref()).ok()?;
            let public = pair.public_key();
            (
                private,
                public.as_ref().to_vec(),
                AsDer::<PublicKeyX509Der<'_>>::as_der(public).ok()?.as_ref().to_vec(),
            )
        }
        _ => return None,
    };
    let public = match signature.key {
        KeyFormat::Spki => STANDARD.encode(spki),
        KeyFormat::Base64 => STANDARD.encode(raw),
        KeyFormat::Hex => raw.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")),
        KeyFormat::Verbatim => return None,
    };
    let public = format!("{}{public}", signature.key_prefix.as_deref().unwrap_or_default());
    let encoded = STANDARD.encode(private.as_ref());
    let lines = encoded.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    let inner = lines.collect::<Vec<_>>().join("\n");
    Some((format!("-----BEGIN PRIVATE KEY-----\n{inner}\n-----END PRIVATE KEY-----\n"), public))
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// The headers beside the signatures: id, timestamp, and what the receiver requires.
fn open_headers(
    scheme: &Scheme,
    outgoing: &Outgoing<'_>,
    secrets: &Secrets,
) -> Result<Vec<(String, String)>, CannotSign> {
    let mut headers = Vec::new();
    if let Some(Place::Header(place)) = &scheme.id {
        put(&mut headers, place, outgoing.id);
    }
    if let Some(timestamp) = &scheme.timestamp
        && let Place::Header(place) = &timestamp.at
    {
        let text = time::write(outgoing.signed_at, timestamp.unit);
        put(&mut headers, place, &text);
    }
    for required in &scheme.require {
        let value = match &required.equals {
            Expected::Anything => continue,
            Expected::Text(text) => text,
            Expected::Setting(name) => {
                secrets.get_setting(name).ok_or_else(|| Refusal::NoSetting { name: name.clone() })?
            }
        };
        if let Place::Header(place) = &required.at {
            put(&mut headers, place, value);
        }
    }
    Ok(headers)
}

/// The signature by each secret that is of use, or why there is none.
fn signatures(
    scheme: &Scheme,
    signature: &Signature,
    request: &Request<'_>,
    secrets: &Secrets,
) -> Result<Result<Vec<String>, Refusal>, CannotSign> {
    let algorithm = signature.algorithm;
    if matches!(algorithm, Algorithm::RsaSha1 | Algorithm::RsaSha256) {
        return Err(CannotSign::Algorithm(algorithm));
    }
    let contents =
        covers_body(signature, request).and_then(|()| contents(scheme, signature, request, secrets, None));
    // Of several spellings of the URL the first is the one that was given.
    let content = match contents {
        Ok(contents) => contents.into_iter().next().unwrap_or_default(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let made = secrets.all().iter().filter_map(|secret| {
        let key = secret.signing_key(signature)?;
        let bytes = match algorithm.is_asymmetric() {
            true => crypto::sign(algorithm, &key, &content)?,
            false => crypto::mac(algorithm, &key, &content),
        };
        Some(signature.encoding.encode(&bytes))
    });
    let made: Vec<_> = made.collect();
    if made.is_empty() { Ok(Err(secrets.unusable())) } else { Ok(Ok(made)) }
}

/// Adds an item to a header, which a list may have already.
fn put(headers: &mut Vec<(String, String)>, place: &HeaderPlace, value: &str) {
    let Some(name) = place.name() else { return };
    let item = format!("{}{value}", place.prefix);
    match (headers.iter_mut().find(|(other, _)| *other == name), place.list) {
        (Some((_, list)), Some(separator)) => {
            list.push(Separator::into(separator));
            list.push_str(&item);
        }
        _ => headers.push((name.into_owned(), item)),
    }
}
