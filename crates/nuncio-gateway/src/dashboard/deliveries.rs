//! Deliveries: the live list.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::HeaderMap;
use nuncio_client::Redactor;
use nuncio_relay::Delivery;
use nuncio_relay::store::{DeliveryQuery, DocumentKind, Particulars};
use serde::Deserialize;

use super::events::{ROWS, base};
use super::live;
use super::page::{Frame, Paged, page, render};
use super::show;
use super::viewer::Viewer;
use crate::api::given::Asked;
use crate::api::page::{Order, from};
use crate::app::{App, Shared};
use crate::problem::Problem;

/// How many deliveries are looked at to find those that are asked for.
const LOOK_AT: u32 = 10_000;

/// A delivery, and what it is about.
pub(super) struct Row {
    pub(super) delivery: Delivery,
    pub(super) about: Particulars,
}

impl Row {
    /// Why the last attempt failed, secrets blanked.
    pub(super) fn error(&self) -> Option<String> {
        let error = self.about.last.as_ref()?.error.as_deref()?;
        Some(Redactor::global().redact(error).into_owned())
    }
}

/// These deliveries with what they are about, but for those whose event is gone meanwhile.
pub(super) async fn rows(app: &App, deliveries: Vec<Delivery>) -> Result<Vec<Row>, Problem> {
    let about = app.store.particulars(deliveries.iter().map(|delivery| delivery.id).collect()).await?;
    let known = deliveries.into_iter().zip(about);
    Ok(known.filter_map(|(delivery, about)| Some(Row { delivery, about: about? })).collect())
}

/// Which deliveries.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    state: String,
    cursor: Option<String>,
}

impl Filter {
    pub(super) fn of(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), ..Self::default() }
    }

    fn query(&self) -> Result<DeliveryQuery, Problem> {
        Ok(DeliveryQuery {
            endpoint: Some(self.endpoint.clone()).filter(|endpoint| !endpoint.is_empty()),
            state: show::state(&self.state),
            look_at: Some(LOOK_AT),
            from: from(Order::Newest, self.cursor.as_deref())?,
            limit: ROWS,
            ..DeliveryQuery::default()
        })
    }

    pub(super) fn with_cursor(&self, cursor: Option<&str>) -> String {
        let (endpoint, state) = (Some(&*self.endpoint), Some(&*self.state));
        show::query(&[("endpoint", endpoint), ("state", state), ("cursor", cursor)])
    }
}

#[derive(Template)]
#[template(path = "deliveries_rows.html")]
struct Rows {
    items: Vec<Row>,
    older: Option<String>,
    is_cut: bool,
    is_filtered: bool,
    base: String,
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Deliveries {
    frame: Frame,
    filter: Filter,
    endpoints: Vec<String>,
    live: String,
    is_live: bool,
    rows: String,
}

pub(super) async fn rendered(app: &App, filter: &Filter) -> Result<String, Problem> {
    let found = app.store.deliveries(filter.query()?).await?;
    let is_cut = found.next.is_some() && found.items.len() < ROWS as usize;
    let older = found.next.map(|next| filter.with_cursor(Some(&next.to_string())));
    let items = rows(app, found.items).await?;
    let is_filtered = !filter.with_cursor(None).is_empty();
    render(&Rows { items, older, is_cut, is_filtered, base: base(app) })
}

/// The names of all endpoints.
pub(super) fn endpoints(app: &App) -> Vec<String> {
    app.registry.current().of(DocumentKind::Endpoint).map(|document| document.name.clone()).collect()
}

pub(super) async fn list(viewer: Viewer, State(app): Shared, Asked(filter): Asked<Filter>) -> Paged {
    let frame = Frame::new(&app, viewer, "deliveries", "Deliveries").await?;
    let rows = rendered(&app, &filter).await?;
    let (live, is_live) = (filter.with_cursor(None), filter.cursor.is_none());
    page(&Deliveries { frame, filter, endpoints: endpoints(&app), live, is_live, rows })
}

pub(super) async fn live(
    _viewer: Viewer,
    State(app): Shared,
    headers: HeaderMap,
    Asked(filter): Asked<Filter>,
) -> Paged {
    let filter = Arc::new(Filter { cursor: None, ..filter });
    live::live(app, headers, move |app, _| {
        let filter = Arc::clone(&filter);
        async move { rendered(&app, &filter).await }
    })
}
