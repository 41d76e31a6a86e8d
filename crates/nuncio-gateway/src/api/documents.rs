//! Settings: sources, applications, types of events and endpoints, each by its name.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use nuncio_relay::settings;
use nuncio_relay::store::{Change, Document, DocumentKind, Documents, EndpointStatus};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::given::{Asked, Given, Named};
use super::page::{ByName, Page};
use super::route::{Answer, Method, Route};
use crate::app::{App, Shared};
use crate::problem::Problem;
use crate::registry::{MAX_NAME, NotChanged, check_origin, is_name};
use crate::secrets;

/// Settings that the API reads and writes.
pub(super) trait Kind: Serialize + DeserializeOwned + JsonSchema + Send + 'static {
    const KIND: DocumentKind;

    /// What is known of them beside what is set up.
    type Status: Serialize + JsonSchema + Send;

    /// What is known of all of them, by name.
    fn statuses(app: &App) -> impl Future<Output = Result<BTreeMap<String, Self::Status>, Problem>> + Send {
        let _ = app;
        async { Ok(BTreeMap::new()) }
    }
}

impl Kind for settings::Source {
    const KIND: DocumentKind = DocumentKind::Source;
    type Status = Nothing;
}

impl Kind for settings::Application {
    const KIND: DocumentKind = DocumentKind::Application;
    type Status = Nothing;
}

impl Kind for settings::EventType {
    const KIND: DocumentKind = DocumentKind::EventType;
    type Status = Nothing;
}

impl Kind for settings::Endpoint {
    const KIND: DocumentKind = DocumentKind::Endpoint;
    type Status = Status;

    async fn statuses(app: &App) -> Result<BTreeMap<String, Status>, Problem> {
        let all = app.store.endpoints().await?;
        Ok(all.into_iter().map(|status| (status.name.clone(), status.into())).collect())
    }
}

/// Nothing is known of it beside what is set up.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Nothing {}

pub(super) fn routes() -> Vec<Route> {
    let sources = of::<settings::Source>(
        ["/v1/sources", "/v1/sources/{source}"],
        ["listSources", "getSource", "putSource", "deleteSource"],
        ["Sources", "A source", "Set up a source", "Remove a source"],
    );
    let applications = of::<settings::Application>(
        ["/v1/applications", "/v1/applications/{application}"],
        ["listApplications", "getApplication", "putApplication", "deleteApplication"],
        ["Applications", "An application", "Set up an application", "Remove an application"],
    );
    let event_types = of::<settings::EventType>(
        ["/v1/event-types", "/v1/event-types/{event_type}"],
        ["listEventTypes", "getEventType", "putEventType", "deleteEventType"],
        ["Types of events", "A type of event", "Set up a type of event", "Remove a type of event"],
    );
    let endpoints = of::<settings::Endpoint>(
        ["/v1/endpoints", "/v1/endpoints/{endpoint}"],
        ["listEndpoints", "getEndpoint", "putEndpoint", "deleteEndpoint"],
        ["Endpoints", "An endpoint", "Set up an endpoint", "Remove an endpoint, and what is owed to it"],
    );
    let schedules = of::<settings::Schedule>(
        ["/v1/schedules", "/v1/schedules/{schedule}"],
        ["listSchedules", "getSchedule", "putSchedule", "deleteSchedule"],
        ["Schedules", "A schedule", "Set up a schedule", "Remove a schedule, and what is kept of it"],
    );
    [sources, applications, event_types, endpoints, schedules].into_iter().flatten().collect()
}

fn of<K: Kind>(paths: [&'static str; 2], ids: [&'static str; 4], summaries: [&'static str; 4]) -> Vec<Route> {
    let [all, one] = paths;
    let [list_id, get_id, put_id, delete_id] = ids;
    let [list_summary, get_summary, put_summary, delete_summary] = summaries;
    vec![
        Route::new(Method::Get, all, list_id, list_summary, list::<K>)
            .query::<ByName>()
            .answers::<Page<Item<K>>>(200),
        Route::new(Method::Get, one, get_id, get_summary, get::<K>).answers::<Item<K>>(200),
        Route::new(Method::Put, one, put_id, put_summary, put::<K>)
            .body::<K>()
            .answers::<Item<K>>(200)
            .answers::<Item<K>>(201),
        Route::new(Method::Delete, one, delete_id, delete_summary, delete::<K>)
            .answers_with(204, Answer::Nothing),
    ]
}

/// Who says what is set up, and alone may change it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Manager {
    /// The config file.
    File,
    /// The API.
    Api,
}

/// What is set up under a name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{K}Item")]
struct Item<K: Kind> {
    /// The name.
    name: String,
    /// Who says so.
    managed_by: Manager,
    /// What is set up. A secret is `***`; sent back like that, it stays as it is.
    settings: Shown<K>,
    /// What is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<K::Status>,
}

/// Settings as they are shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Shown<K>(Value, #[serde(skip)] PhantomData<K>);

impl<K: JsonSchema> JsonSchema for Shown<K> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        K::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        K::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        K::json_schema(generator)
    }
}

/// What is known of an endpoint.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Status {
    /// Since when nothing is delivered to it.
    #[schemars(with = "Option<String>")]
    disabled_at: Option<jiff::Timestamp>,
    /// Why nothing is delivered to it.
    disabled_because: Option<String>,
    /// Since when it fails.
    #[schemars(with = "Option<String>")]
    failing_since: Option<jiff::Timestamp>,
    /// When its next delivery is due.
    #[schemars(with = "Option<String>")]
    next_due: Option<jiff::Timestamp>,
}

impl From<EndpointStatus> for Status {
    fn from(status: EndpointStatus) -> Self {
        let (disabled_at, disabled_because) =
            status.disabled.map(|disabled| (disabled.at, disabled.reason)).unzip();
        let (failing_since, next_due) = (status.failing_since, status.next_due);
        Self { disabled_at, disabled_because, failing_since, next_due }
    }
}

fn item<K: Kind>(document: &Document, statuses: &mut BTreeMap<String, K::Status>) -> Item<K> {
    Item {
        name: document.name.clone(),
        managed_by: if document.from_file { Manager::File } else { Manager::Api },
        settings: Shown(secrets::blank(K::KIND, document.value.clone()), PhantomData),
        status: statuses.remove(&document.name),
    }
}

async fn list<K: Kind>(
    State(app): Shared,
    Asked(asked): Asked<ByName>,
) -> Result<Json<Page<Item<K>>>, Problem> {
    let current = app.registry.current();
    let page = asked.of(current.of(K::KIND), |document| &document.name)?;
    let mut statuses = K::statuses(&app).await?;
    Ok(Json(page.show(|document| item(document, &mut statuses))))
}

async fn get<K: Kind>(State(app): Shared, Named(name): Named<String>) -> Result<Json<Item<K>>, Problem> {
    let current = app.registry.current();
    let document = current.get(K::KIND, &name).ok_or_else(|| absent(K::KIND, &name))?;
    let mut statuses = K::statuses(&app).await?;
    Ok(Json(item(document, &mut statuses)))
}

async fn put<K: Kind>(
    State(app): Shared,
    Named(name): Named<String>,
    Given(mut settings): Given<Value>,
) -> Result<(StatusCode, Json<Item<K>>), Problem> {
    if !is_name(&name) {
        let detail = format!("a name has 1 to {MAX_NAME} letters, digits, `.`, `_` and `-`");
        return Err(Problem::invalid(detail));
    }
    let (named, file) = (name.clone(), app.config_file());
    let is_new = app
        .registry
        .whole(move |before| {
            let old = ours(before, K::KIND, &named, &file);
            let old = match old {
                Err(NotChanged::Refused(problem)) if problem.code() == "not_found" => None,
                old => Some(old?),
            };
            secrets::restore(K::KIND, &mut settings, old.map(|old| &old.value))?;
            let read: K = serde_json::from_value(settings.clone())
                .map_err(|error| Problem::invalid(error.to_string()))?;
            let value = serde_json::to_value(read).map_err(|error| Problem::invalid(error.to_string()))?;
            if let Some(place) = list_for_object(&settings, &value, "") {
                return Err(Problem::invalid(format!("{place} is a list, and is to be an object")).into());
            }
            let document = Document { kind: K::KIND, name: named, from_file: false, value };
            check_origin(&before.all, &document).map_err(NotChanged::Invalid)?;
            let changes = if old == Some(&document) { Vec::new() } else { vec![Change::Put(document)] };
            Ok((changes, old.is_none()))
        })
        .await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, get(State(app), Named(name)).await?))
}

/// Where a list was given for what is kept as an object: serde takes a list of its values for it.
fn list_for_object(given: &Value, kept: &Value, at: &str) -> Option<String> {
    match (given, kept) {
        (Value::Array(_), Value::Object(_)) => Some(at.to_owned()),
        (Value::Array(given), Value::Array(kept)) => {
            let pairs = given.iter().zip(kept).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (given, kept))| list_for_object(given, kept, &format!("{at}/{index}")))
        }
        (Value::Object(given), Value::Object(kept)) => given.iter().find_map(|(name, given)| {
            kept.get(name).and_then(|kept| list_for_object(given, kept, &format!("{at}/{name}")))
        }),
        _ => None,
    }
}

async fn delete<K: Kind>(State(app): Shared, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    remove(&app, K::KIND, name).await
}

/// Removes what the API set up.
pub(super) async fn remove(app: &Arc<App>, kind: DocumentKind, name: String) -> Result<StatusCode, Problem> {
    let file = app.config_file();
    app.registry
        .whole(move |before| {
            ours(before, kind, &name, &file)?;
            Ok((vec![Change::Remove(kind, name)], ()))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is set up under this name, if the API may change it: what `file` says only `file` changes.
pub(super) fn ours<'a>(
    documents: &'a Documents,
    kind: DocumentKind,
    name: &str,
    file: &str,
) -> Result<&'a Document, NotChanged> {
    let found = documents.all.iter().find(|document| document.kind == kind && document.name == name);
    let document = found.ok_or_else(|| absent(kind, name))?;
    if document.from_file {
        let detail = format!("{} {name} is managed by {file}: change it there", word(kind));
        return Err(Problem::conflict("managed_by_file", detail).into());
    }
    Ok(document)
}

pub(crate) fn absent(kind: DocumentKind, name: &str) -> Problem {
    Problem::not_found(format!("{} {name:?}", word(kind)))
}

fn word(kind: DocumentKind) -> String {
    kind.to_string().replace('_', " ")
}
