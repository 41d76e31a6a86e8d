//! From the settings of an HTTP endpoint to what is sent with each request.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use nuncio_client::wire::{Guard, Identity, Proxy, Settings};
use nuncio_client::{Error, Redactor, Secret};
use nuncio_service::Env;
use nuncio_webhook::{Outgoing, Scheme, Secrets, provider, sign};
use url::Url;

use crate::settings::{Http, SecretText};

use super::super::READ_BYTES;
use super::super::event::is_ours;

/// Whether these settings can be used. All secrets are known to the redactor then.
pub(in super::super) fn check(http: &Http, env: &Env) -> Result<(), Error> {
    let url = address(http)?;
    if http.as_received && !http.secrets.is_empty() {
        return Err(Error::configuration(
            "`as_received` sends what the provider signed, and `secrets` would sign it anew",
        )
        .advise("leave one of them out"));
    }
    headers(http)?;
    secrets(http, &http.secrets)?;
    reach(http, Settings::default())?;
    http.auth.as_ref().map(|auth| auth.credentials(env, &origin(&url))).transpose()?;
    Ok(())
}

/// Where it is.
pub(super) fn address(http: &Http) -> Result<Url, Error> {
    let url: Url = http.url.parse().map_err(|error: url::ParseError| {
        Error::configuration(format!("{:?} is not a URL", nuncio_client::redact::url(&http.url)))
            .because(error)
            .advise("write it out: https://…")
    })?;
    let allows_http = !http.allow_addresses.is_empty();
    if url.scheme() != "https" && !(url.scheme() == "http" && allows_http) {
        return Err(Error::configuration("webhooks go to https URLs alone").advise(
            "use https; within a network of your own, name it in `allow_addresses`, and http will do",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(Error::configuration("a URL of an endpoint has no user, password or fragment")
            .advise("put credentials under `auth`"));
    }
    Ok(url)
}

/// Scheme, host and port: what credentials are for.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// What is sent along. None of it is shown.
pub(super) fn headers(http: &Http) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &http.headers {
        let wrong = |what: &str| Error::configuration(format!("header {name:?}: {what}"));
        let name: HeaderName = name.parse().map_err(|_| wrong("no header has such a name"))?;
        if is_ours(name.as_str()) || name == "content-length" || name == "transfer-encoding" || name == "host"
        {
            return Err(wrong("it is made for each request, and cannot be set"));
        }
        Redactor::global().register(value.expose());
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| wrong("its value has a character that a header cannot carry"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// What it is signed with: by these secrets, the newest first. Each must be of use by itself.
pub(super) fn secrets(http: &Http, all: &[SecretText]) -> Result<Secrets, Error> {
    let mut secrets = Secrets::new();
    for (number, secret) in all.iter().enumerate() {
        let text = secret.expose();
        Redactor::global().register(text);
        if let Some((_, key)) = text.split_once('_') {
            Redactor::global().register(key);
        }
        let label = format!("secret {}", number + 1);
        let probe = Outgoing {
            id: "id",
            signed_at: std::time::UNIX_EPOCH,
            method: "POST",
            url: &http.url,
            body: b"",
            content_type: None,
        };
        sign(standard(), &probe, &Secrets::new().with(&label, text)).map_err(|error| {
            Error::configuration(format!("{label} signs nothing")).because(error).advise(
                "write whsec_ and the base64 of 24 to 64 bytes, or whsk_ and that of an Ed25519 private key",
            )
        })?;
        secrets = secrets.with(label, text);
    }
    Ok(secrets)
}

/// The scheme by which it is signed.
pub(super) fn standard() -> &'static Scheme {
    &provider("standard-webhooks").expect("it comes along").scheme
}

/// How it is reached: at public addresses and those that are allowed, whatever its URL says and its name stands for. A proxy that is named connects
/// in our place, and keeps guard.
pub(super) fn reach(http: &Http, mut wire: Settings) -> Result<Settings, Error> {
    wire.allow_http = !http.allow_addresses.is_empty();
    wire.max_failure_bytes = READ_BYTES;
    if !matches!(wire.proxy, Proxy::Url(_)) {
        wire.proxy = Proxy::Direct;
        wire.guard = Some(Guard::default().allow(http.allow_addresses.iter().copied()));
    }
    if let Some(certificate) = &http.client_certificate {
        let pem = Secret::from(certificate.expose());
        wire.identity = Some(Identity::from_pem(certificate.expose().as_bytes(), &pem)?);
    }
    Ok(wire)
}
