//! What is done with endpoints beside setting them up.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::SignedDuration;
use nuncio_client::Redactor;
use nuncio_relay::settings::{Endpoint, Http, SecretText, Target};
use nuncio_relay::store::{Change, Document, DocumentKind, HealthChange};
use nuncio_service::model::Span;
use nuncio_webhook::generate_secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::documents::{absent, ours};
use super::given::{Given, Named};
use super::route::{Answer, Method, Route};
use crate::app::{App, Shared};
use crate::problem::Problem;
use crate::registry::NotChanged;

/// How long the secret before a new one signs as well, unless told otherwise: a day.
const OVERLAP: Duration = Duration::from_secs(86_400);

/// How many secrets an endpoint may have at once: more are a rotation that nobody ended.
const MAX_SECRETS: usize = 5;

pub(super) fn routes() -> Vec<Route> {
    let (enable, disable) = ("Deliver to an endpoint again", "Deliver nothing to an endpoint");
    let add = "Begin to rotate the secret of an endpoint: sign with a new one too";
    let retire = "End to rotate the secret of an endpoint: sign with the newest alone";
    vec![
        Route::new(Method::Post, "/v1/endpoints/{endpoint}/enable", "enableEndpoint", enable, enable_it)
            .answers_with(204, Answer::Nothing),
        Route::new(Method::Post, "/v1/endpoints/{endpoint}/disable", "disableEndpoint", disable, disable_it)
            .body::<Disable>()
            .answers_with(204, Answer::Nothing),
        Route::new(Method::Post, "/v1/endpoints/{endpoint}/secrets", "addEndpointSecret", add, add_secret)
            .body::<NewSecret>()
            .answers::<Secret>(201),
        Route::new(
            Method::Delete,
            "/v1/endpoints/{endpoint}/secrets",
            "retireEndpointSecrets",
            retire,
            retire_secrets,
        )
        .answers_with(204, Answer::Nothing),
    ]
}

/// Why nothing shall be delivered to an endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Disable {
    /// In words. Default: by the API.
    reason: Option<String>,
}

/// A secret for an endpoint.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    /// `whsec_…` or `whsk_…`. Default: a new one.
    secret: Option<SecretText>,
    /// How long those before it sign as well, such as `24h`. Default: 24h.
    overlap: Option<Span>,
}

/// A secret that is shown this once.
#[derive(Serialize, JsonSchema)]
struct Secret {
    /// It.
    secret: String,
}

async fn enable_it(State(app): Shared, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    set_health(&app, name, HealthChange::Enable).await
}

async fn disable_it(
    State(app): Shared,
    Named(name): Named<String>,
    Given(given): Given<Disable>,
) -> Result<StatusCode, Problem> {
    let reason = given.reason.unwrap_or_else(|| "by the API".to_owned());
    let at = app.now();
    set_health(&app, name, HealthChange::Disable { at, reason }).await
}

/// The health of an endpoint is not what is set up: that of one from a config file can be changed too.
pub(crate) async fn set_health(app: &App, name: String, change: HealthChange) -> Result<StatusCode, Problem> {
    if app.registry.current().get(DocumentKind::Endpoint, &name).is_none() {
        return Err(absent(DocumentKind::Endpoint, &name));
    }
    app.store.set_health(name.clone(), change).await?;
    app.dispatcher.wake(&name, app.dispatcher.now());
    Ok(StatusCode::NO_CONTENT)
}

async fn add_secret(
    State(app): Shared,
    Named(name): Named<String>,
    Given(given): Given<NewSecret>,
) -> Result<(StatusCode, Json<Secret>), Problem> {
    let secret = given.secret.unwrap_or_else(|| SecretText::new(generate_secret()));
    Redactor::global().register(secret.expose());
    let shown = Secret { secret: secret.expose().to_owned() };
    let now = app.now();
    let overlap = SignedDuration::try_from(given.overlap.map_or(OVERLAP, |span| span.0));
    let until = overlap.ok().and_then(|overlap| now.checked_add(overlap).ok());
    let add = move |http: &mut Http| {
        if http.old_secrets_until.is_some_and(|until| until <= now) {
            http.secrets.truncate(1);
        }
        http.old_secrets_until = until;
        http.secrets.insert(0, secret);
        if http.secrets.len() > MAX_SECRETS {
            let detail = format!("it has {MAX_SECRETS} secrets already: end its rotation first");
            return Err(Problem::conflict("too_many_secrets", detail));
        }
        Ok(())
    };
    change_secrets(&app, name, add).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn retire_secrets(State(app): Shared, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    let retire = |http: &mut Http| {
        http.secrets.truncate(1);
        http.old_secrets_until = None;
        Ok(())
    };
    change_secrets(&app, name, retire).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change_secrets(
    app: &Arc<App>,
    name: String,
    change: impl FnOnce(&mut Http) -> Result<(), Problem> + Send + 'static,
) -> Result<(), NotChanged> {
    let file = app.config_file();
    app.registry
        .whole(move |before| {
            let old = ours(before, DocumentKind::Endpoint, &name, &file)?;
            let unreadable = |error: serde_json::Error| Problem::invalid(error.to_string());
            let mut endpoint: Endpoint = serde_json::from_value(old.value.clone()).map_err(unreadable)?;
            let Target::Http(http) = &mut endpoint.to else {
                return Err(Problem::invalid("only what is sent to HTTP endpoints is signed").into());
            };
            change(http)?;
            let value = serde_json::to_value(endpoint).map_err(unreadable)?;
            Ok((vec![Change::Put(Document { value, ..old.clone() })], ()))
        })
        .await
}
