//! A route: what is served, to whom, and how it is told of.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::app::App;
use crate::auth;
use crate::problem::Problem;
use crate::token::Scope;

/// Makes the schema of a type.
pub(super) type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// A route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// What programs call it.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) scope: Scope,
    /// What stands in the query, as the properties of an object.
    pub(super) query: Option<MakeSchema>,
    /// A header that is read, and what it is for.
    pub(super) header: Option<(&'static str, &'static str)>,
    pub(super) body: Option<MakeSchema>,
    /// What is answered when all goes well.
    pub(super) answers: Vec<(u16, Answer)>,
    serve: MethodRouter<Arc<App>>,
}

/// What stands in an answer.
pub(super) enum Answer {
    Nothing,
    Json(MakeSchema),
    Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Put,
    Post,
    Delete,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Put => MethodFilter::PUT,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

impl Route {
    /// A route that needs the scope `read` for a GET, and else `write`.
    pub(super) fn new<H, T>(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let scope = if method == Method::Get { Scope::Read } else { Scope::Write };
        let serve = on(method.filter(), handler);
        let (query, header, body, answers) = (None, None, None, Vec::new());
        Self { method, path, id, summary, scope, query, header, body, answers, serve }
    }

    pub(super) fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self
    }

    pub(super) fn header(mut self, name: &'static str, description: &'static str) -> Self {
        self.header = Some((name, description));
        self
    }

    pub(super) fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    pub(super) fn answers<T: JsonSchema>(self, status: u16) -> Self {
        self.answers_with(status, Answer::Json(SchemaGenerator::subschema_for::<T>))
    }

    pub(super) fn answers_with(mut self, status: u16, answer: Answer) -> Self {
        self.answers.push((status, answer));
        self
    }

    /// Puts it into a router, behind its scope.
    pub(super) fn mount(self, router: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
        let guard = Guard { app: Arc::clone(app), scope: self.scope };
        router.route(self.path, self.serve.layer(from_fn_with_state(guard, authorize)))
    }
}

#[derive(Clone)]
struct Guard {
    app: Arc<App>,
    scope: Scope,
}

async fn authorize(State(guard): State<Guard>, request: Request, next: Next) -> Result<Response, Problem> {
    auth::check(&guard.app, request.headers(), guard.scope)?;
    Ok(next.run(request).await)
}
