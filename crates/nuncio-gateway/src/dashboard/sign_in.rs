//! Signing in and out.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::events::base;
use super::page::{Frame, Paged, done, page};
use super::session::are_equal;
use super::show;
use super::viewer::{Fields, Viewer};
use crate::app::{App, Shared};
use crate::auth;
use crate::problem::Problem;
use crate::token::Scope;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    refused: Option<String>,
    base: String,
}

pub(super) async fn show(State(app): Shared, headers: HeaderMap) -> Paged {
    if app.registry.current().tokens.is_empty() || Viewer::of(&app, &headers).is_ok() {
        return Ok(done("/"));
    }
    page(&SignIn { frame: Frame::bare("Sign in"), refused: None, base: base(&app) })
}

pub(super) async fn sign_in(State(app): Shared, request: Request) -> Paged {
    let is_secure = is_secure(&app);
    let fields = Fields::read(request, &app).await?;
    let token = fields.get("token").unwrap_or_default();
    let current = app.registry.current();
    let refused = match current.tokens.scopes(token) {
        None => "This token is not known.".to_owned(),
        Some(scopes) if auth::may(scopes, Scope::Read).is_err() => {
            "This token is not for reading: the dashboard needs the scope read.".to_owned()
        }
        Some(_) => {
            let cookie = app.dashboard.sessions.begin(token, is_secure)?;
            return Ok(with_cookie(done("/"), &cookie));
        }
    };
    let again = page(&SignIn { frame: Frame::bare("Sign in"), refused: Some(refused), base: base(&app) })?;
    Ok((StatusCode::UNAUTHORIZED, again).into_response())
}

pub(super) async fn sign_out(State(app): Shared, headers: HeaderMap, request: Request) -> Paged {
    let viewer = Viewer::of(&app, &headers)?;
    let fields = Fields::read(request, &app).await?;
    if !fields.get("csrf").is_some_and(|csrf| are_equal(csrf, &viewer.csrf)) {
        return Err(Problem::forbidden("this form is not of your session: load its page again"));
    }
    let cookie = app.dashboard.sessions.end(&headers, is_secure(&app));
    Ok(with_cookie(done("/sign-in"), &cookie))
}

/// Whether browsers reach us by HTTPS alone, as far as is known.
fn is_secure(app: &App) -> bool {
    let public = app.options.public_url.as_deref();
    app.options.tls.is_some() || public.is_some_and(|url| url.starts_with("https://"))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
