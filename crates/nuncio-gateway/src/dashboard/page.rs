//! Pages: rendered, and dressed in the headers that keep them harmless.

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{HeaderValue, Method, StatusCode, header};
use nuncio_relay::store::Stats;

use super::assets::{PATHS, Paths};
use super::show::{self, COUNTED};
use super::viewer::Viewer;
use crate::app::{App, Shared};
use crate::problem::Problem;

/// Nothing but what we serve ourselves, nothing inline, in no frame.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What stands around every page.
pub(super) struct Frame {
    pub(super) title: String,
    /// Which part of the dashboard it belongs to.
    pub(super) section: &'static str,
    /// `None` for somebody who is not signed in.
    pub(super) viewer: Option<Viewer>,
    pub(super) stats: Stats,
    pub(super) paths: &'static Paths,
}

impl Frame {
    pub(super) async fn new(
        app: &App,
        viewer: Viewer,
        section: &'static str,
        title: impl Into<String>,
    ) -> Result<Self, Problem> {
        let stats = app.store.glance(COUNTED + 1).await?;
        Ok(Self { title: title.into(), section, viewer: Some(viewer), stats, paths: &PATHS })
    }

    /// One with nothing but a title.
    pub(super) fn bare(title: impl Into<String>) -> Self {
        let title = title.into();
        Self { title, section: "", viewer: None, stats: Stats::default(), paths: &PATHS }
    }

    /// Whether there are buttons.
    pub(super) fn may_write(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.may_write)
    }

    /// What forms carry.
    pub(super) fn csrf(&self) -> &str {
        self.viewer.as_ref().map_or("", |viewer| &viewer.csrf)
    }
}

/// A page of this template.
pub(super) fn page(template: &impl Template) -> Result<Response, Problem> {
    Ok(Html(render(template)?).into_response())
}

pub(super) fn render(template: &impl Template) -> Result<String, Problem> {
    template.render().map_err(|error| {
        tracing::error!(%error, "a page was not rendered");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "page", "this page cannot be shown")
    })
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    status: u16,
    detail: String,
}

/// Says in a page what is wrong, sends whoever is not signed in to do so, and puts the headers on.
pub(super) async fn dress(State(app): Shared, request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let is_live = request.uri().path().starts_with("/live/");
    let viewer = Viewer::of(&app, request.headers()).ok();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = if response.status() == StatusCode::UNAUTHORIZED && is_get && !is_live {
            Redirect::to("/sign-in").into_response()
        } else {
            told(response.status(), &problem, viewer)
        };
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn told(status: StatusCode, problem: &Problem, viewer: Option<Viewer>) -> Response {
    let frame = Frame { viewer, ..Frame::bare(problem.title()) };
    let page = ProblemPage { frame, status: status.as_u16(), detail: problem.detail().to_owned() };
    match page.render() {
        Ok(page) => (status, Html(page)).into_response(),
        Err(_) => (status, problem.detail().to_owned()).into_response(),
    }
}

/// Back to this page after something was done.
pub(super) fn done(to: &str) -> Response {
    Redirect::to(to).into_response()
}

pub(super) type Paged = Result<Response, Problem>;
