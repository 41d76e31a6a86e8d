//! What sources refused.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use nuncio_relay::Origin;
use nuncio_relay::store::DocumentKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::content::{Content, Header, headers};
use super::documents::absent;
use super::given::{Asked, Named};
use super::page::{self, Page};
use super::route::{Method, Route};

use crate::app::Shared;
use crate::problem::Problem;

pub(super) fn routes() -> Vec<Route> {
    let summary = "Requests that a source refused, the newest first";
    vec![
        Route::new(Method::Get, "/v1/sources/{source}/refused", "listRefused", summary, refused)
            .query::<RefusedQuery>()
            .answers::<Page<RefusedItem>>(200),
    ]
}

/// How many of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RefusedQuery {
    /// How many, 1 to 500. Default: 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// A request that was refused.
#[derive(Debug, Serialize, JsonSchema)]
struct RefusedItem {
    /// When.
    #[schemars(with = "String")]
    at: Timestamp,
    /// Why.
    reason: String,
    /// Its headers. Secrets are blanked.
    headers: Vec<Header>,
    /// Its body.
    #[serde(flatten)]
    content: Content,
}

async fn refused(
    State(app): Shared,
    Named(name): Named<String>,
    Asked(asked): Asked<RefusedQuery>,
) -> Result<Json<Page<RefusedItem>>, Problem> {
    if app.registry.current().get(DocumentKind::Source, &name).is_none() {
        return Err(absent(DocumentKind::Source, &name));
    }
    let refused = app.store.refused(Origin::Source(name), page::limit(asked.limit)?).await?;
    let items = refused.into_iter().map(|refused| RefusedItem {
        at: refused.at,
        reason: refused.reason,
        headers: headers(&refused.headers),
        content: Content::new(&refused.body),
    });
    Ok(Json(Page { items: items.collect(), next: None }))
}
