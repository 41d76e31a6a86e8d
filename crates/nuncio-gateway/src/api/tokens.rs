//! Tokens for the API.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use nuncio_client::Redactor;
use nuncio_relay::store::{Change, Document, DocumentKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::documents::remove;
use super::given::{Asked, Given, Named};
use super::page::{ByName, Page};
use super::route::{Answer, Method, Route};
use crate::app::Shared;
use crate::problem::Problem;
use crate::registry::{NAME_PATTERN, is_name};
use crate::token::{self, Scope, StoredToken};

pub(super) fn routes() -> Vec<Route> {
    let routes = [
        Route::new(Method::Get, "/v1/tokens", "listTokens", "Tokens", list)
            .query::<ByName>()
            .answers::<Page<TokenItem>>(200),
        Route::new(
            Method::Post,
            "/v1/tokens",
            "createToken",
            "Make a token, which is shown this once",
            create,
        )
        .body::<NewToken>()
        .answers::<CreatedToken>(201),
        Route::new(Method::Delete, "/v1/tokens/{name}", "deleteToken", "Take a token back", delete)
            .answers_with(204, Answer::Nothing),
    ];
    routes.into_iter().map(|route| route.scope(Scope::Admin)).collect()
}

/// A token that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// Its name.
    #[schemars(extend("pattern" = NAME_PATTERN))]
    name: String,
    /// What it is for.
    #[schemars(with = "Vec<Scope>", length(min = 1))]
    scopes: BTreeSet<Scope>,
}

/// A token that was made.
#[derive(Serialize, JsonSchema)]
struct CreatedToken {
    /// Its name.
    name: String,
    /// What it is for.
    scopes: BTreeSet<Scope>,
    /// It. It is shown this once: only its SHA-256 is stored.
    token: String,
}

/// A token, without what it is.
#[derive(Debug, Serialize, JsonSchema)]
struct TokenItem {
    /// Its name.
    name: String,
    /// What it is for.
    scopes: BTreeSet<Scope>,
    /// When it was made; null for one of the config file.
    #[schemars(with = "Option<String>")]
    created_at: Option<Timestamp>,
}

async fn list(State(app): Shared, Asked(asked): Asked<ByName>) -> Result<Json<Page<TokenItem>>, Problem> {
    let current = app.registry.current();
    let page = asked.of(current.of(DocumentKind::Token), |document| &document.name)?;
    let item = |document: &Document| {
        let StoredToken { scopes, created_at, .. } = StoredToken::read(document)?;
        Ok(TokenItem { name: document.name.clone(), scopes, created_at })
    };
    let items = page.items.into_iter().map(item).collect::<Result<_, Problem>>()?;
    Ok(Json(Page { items, next: page.next }))
}

async fn create(
    State(app): Shared,
    Given(NewToken { name, scopes }): Given<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    if !is_name(&name) || scopes.is_empty() {
        return Err(Problem::invalid("a token has a name of letters, digits, `.`, `_` and `-`, and scopes"));
    }
    let token = token::generate()?;
    Redactor::global().register(&token);
    let stored = StoredToken::new(&token, scopes.clone(), Some(app.now()))?;
    let value = serde_json::to_value(stored).map_err(|error| Problem::invalid(error.to_string()))?;
    let document = Document { kind: DocumentKind::Token, name: name.clone(), from_file: false, value };
    app.registry
        .whole(move |before| {
            let is_same = |other: &Document| other.kind == document.kind && other.name == document.name;
            if before.all.iter().any(is_same) {
                return Err(Problem::conflict("exists", "there is a token of this name").into());
            }
            Ok((vec![Change::Put(document)], ()))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(CreatedToken { name, scopes, token })))
}

async fn delete(State(app): Shared, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    remove(&app, DocumentKind::Token, name).await
}
