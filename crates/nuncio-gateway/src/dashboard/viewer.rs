//! Who looks at a page, and what may be done from it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, header};

use super::session::are_equal;
use crate::app::App;
use crate::client::{Client, Peer};
use crate::problem::Problem;
use crate::token::Scope;
use crate::{auth, body};

/// The largest form, in bytes.
const MAX_FORM_BYTES: u64 = 16 * 1024;

/// Somebody who may read.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    pub(super) may_write: bool,
    pub(super) is_signed_in: bool,
    /// What forms carry.
    pub(super) csrf: String,
}

impl Viewer {
    /// Who asks with these headers.
    ///
    /// # Errors
    /// 401 for somebody who is not signed in, 403 for a token that is not for reading, and for pages from elsewhere.
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Result<Self, Problem> {
        let current = app.registry.current();
        if current.tokens.is_empty() {
            return if auth::is_open(app, headers) {
                let csrf = app.dashboard.sessions.open_csrf().to_owned();
                Ok(Self { may_write: true, is_signed_in: false, csrf })
            } else {
                Err(Problem::forbidden(
                    "this is open to browsers of this machine alone, by its own name, while there is no token",
                ))
            };
        }
        let session = app.dashboard.sessions.find(headers);
        let known = session.and_then(|session| Some((current.tokens.scopes_of(&session.token)?, session)));
        let (scopes, session) = known.ok_or_else(|| Problem::unauthorized("sign in with a token"))?;
        auth::may(scopes, Scope::Read)?;
        let may_write = auth::may(scopes, Scope::Write).is_ok();
        Ok(Self { may_write, is_signed_in: true, csrf: session.csrf })
    }
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        // An event stream that a page from elsewhere opens has its origin.
        check_page(app, parts)?;
        Self::of(app, &parts.headers)
    }
}

/// Refuses what a page from elsewhere has a browser ask, but for opening one of ours.
pub(super) fn check_page(app: &App, parts: &Parts) -> Result<(), Problem> {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_opened = parts.method == http::Method::GET
        && text("sec-fetch-mode") == "navigate"
        && text("sec-fetch-dest") == "document";
    let url = parts.extensions.get::<Peer>().map(|peer| {
        // Where a proxy is asked, it is the proxy's name that browsers know.
        Client::new(&app.options, *peer, &parts.uri, &parts.headers).url
    });
    let asked = url.as_deref().and_then(|url| url.split_once("://")?.1.split('/').next());
    let hosts: Vec<_> = [text(header::HOST.as_str())].into_iter().chain(asked).collect();
    if is_opened || auth::is_from_our_page(&parts.headers, &hosts) {
        return Ok(());
    }
    Err(Problem::forbidden("a page from elsewhere asked for this"))
}

/// A form that somebody sent who may write.
pub(super) struct Posted {
    pub(super) fields: Fields,
}

/// What stands in a form.
pub(super) struct Fields(HashMap<String, String>);

impl Fields {
    /// Reads a form.
    pub(super) async fn read(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, sent) = request.into_parts();
        check_page(app, &parts)?;
        let timeout = app.options.limits.body_timeout.0;
        let form = body::read(sent, &parts.headers, MAX_FORM_BYTES, timeout).await?;
        Ok(Self(form_urlencoded::parse(&form).into_owned().collect()))
    }

    /// What was filled in; `None` where nothing was.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

impl FromRequest<Arc<App>> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let viewer = Viewer::of(app, request.headers())?;
        let fields = Fields::read(request, app).await?;
        if !fields.get("csrf").is_some_and(|csrf| are_equal(csrf, &viewer.csrf)) {
            return Err(Problem::forbidden("this form is not of your session: load its page again"));
        }
        if !viewer.may_write {
            return Err(Problem::forbidden(format!("the token needs the scope {}", Scope::Write)));
        }
        Ok(Self { fields })
    }
}
