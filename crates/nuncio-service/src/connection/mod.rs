//! A service with one account: from what the file says to calls.

mod auth;
mod checks;
mod limits;
mod pages;
mod retry;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use nuncio_client::auth::Auth;
use nuncio_client::auth::oauth2::TokenStore;
use nuncio_client::check::Checks;
use nuncio_client::json::scalar_text;
use nuncio_client::limit::Limiter;
use nuncio_client::pages::Pages;
use nuncio_client::retry::Policy;
use nuncio_client::{Builder, Call, Client, Error, graphql, wire};
use serde_json::Value;

pub use auth::Login;

use crate::inputs::{Checked, Checker, Inputs};
use crate::model::{Operation, Service};
use crate::request::{Content, Plan, Prepared, header_name, prepare, service_headers};
use crate::suggest::unknown;
use crate::template::{Env, Scope, Template};

/// What a connection is made with, beside the service.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where `{{ env.X }}` comes from. Default: nowhere.
    pub env: Env,
    /// Instead of the file's `base_url`: a sandbox, a proxy, another region.
    pub base_url: Option<String>,
    /// How to connect. Plain HTTP is allowed too when the file allows it.
    pub wire: wire::Settings,
    /// Where the tokens of the service's own `oauth2` are kept between processes. Those of an operation's are kept in memory. Default: in
    /// memory.
    pub tokens: Option<Arc<dyn TokenStore>>,
    /// What the client starts from: observer, clock, transport, bounds. What the file says comes on top.
    pub client: Builder,
}

/// A service with one account's credentials. Copies are cheap and share connections, tokens and limits.
///
/// ```no_run
/// # async fn example() -> Result<(), nuncio_client::Error> {
/// use nuncio_service::{Catalog, Connection, Env, Inputs, Settings};
///
/// let stripe = Catalog::built_in().get("stripe")?;
/// let env = Env::new(|name| std::env::var(name).ok());
/// let stripe = Connection::new(stripe, Settings { env, ..Settings::default() })?;
///
/// let inputs = Inputs::from([("email", "ada@example.com")]);
/// let customer: serde_json::Value = stripe.call("customers.create", inputs)?.send().await?.json()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Connection(Arc<Inner>);

struct Inner {
    service: Service,
    client: Client,
    env: Env,
    base_url: String,
    limiters: limits::Limiters,
    /// Each is bound when it is first called: of a large service, most are not.
    operations: BTreeMap<String, OnceLock<Bound>>,
}

/// What of an operation is the same in all calls.
struct Bound {
    /// Its name, as templates see it.
    name: Arc<Value>,
    inputs: Checker,
    plan: Plan,
    /// The service's own where it is nothing.
    limiter: Option<Limiter>,
    limit_key: Option<Template>,
    retry: Option<Arc<Policy>>,
    checks: Option<Arc<Checks>>,
    auth: Option<Auth>,
}

impl Connection {
    /// Connects `service` to an account. Nothing is sent. Credentials may still be missing: a call that needs them says so.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the base URL needs an environment variable that is missing or is no
    /// URL, or when the wire cannot be set up.
    pub fn new(service: Service, settings: Settings) -> Result<Self, Error> {
        let Settings { env, base_url, mut wire, tokens, client } = settings;
        let scope = Scope::new(&env);
        let base_url = match base_url {
            Some(url) => url,
            None => {
                lacking(&service, &env, needs([&service.base_url]))?;
                service.base_url.text(&scope)?
            }
        };
        wire.allow_http |= service.allow_http;
        let limiters = limits::Limiters::new(&service);
        let mut client = client
            .base_url(&base_url)
            .retry(retry::policy(&service.retry)?)
            .limiter(limiters.of(&service.limits).clone())
            .checks(checks::checks(&service.errors, None, service.validate)?)
            .graphql_path(&service.graphql.path)
            .wire(wire);
        if lacking(&service, &env, needs(service.auth.templates())).is_ok() {
            client = client.auth(auth::auth(
                &service.auth,
                auth::Of { service: Some(&service), env: &env, base_url: &base_url },
                tokens,
            )?);
        }
        if let Some(timeout) = service.timeout {
            client = client.timeout(timeout.0);
        }
        if let Some(deadline) = service.deadline {
            client = client.deadline(deadline.0);
        }
        if let Some(idempotency) = &service.idempotency {
            client = client.idempotency_header(header_name(&idempotency.header)?);
        }
        let operations = service.operations.keys().map(|name| (name.clone(), OnceLock::new())).collect();
        Ok(Self(Arc::new(Inner { client: client.build()?, env, base_url, limiters, operations, service })))
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.0.service
    }

    /// The client that makes the calls, for requests that the file does not describe.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// What all paths are relative to.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// How a person logs in to the service, where it has `oauth2` with such a grant.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for environment variables that are missing, all of which are named, and for
    /// credentials that cannot be used.
    pub fn login(&self) -> Result<Option<Login>, Error> {
        let Inner { service, env, base_url, .. } = &*self.0;
        lacking(service, env, needs(service.auth.templates()))?;
        auth::login(&service.auth, &Scope::new(env), base_url)
    }

    /// A call of `operation` with `inputs`, ready to be sent.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for an unknown operation, with the nearest name, and for environment
    /// variables that are missing, all of which are named, and for an operation that was not loaded from a file and is wrong;
    /// [`Kind::Validation`](nuncio_client::Kind::Validation) for inputs that do not fit, all of which are told.
    pub fn call(&self, operation: &str, inputs: Inputs) -> Result<Call, Error> {
        self.prepare(operation, inputs).map_err(|error| error.during(operation))
    }

    /// How the list operation `name` pages, for [`Call::pages`].
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for an operation that is unknown or no list.
    pub fn pages(&self, name: &str) -> Result<Pages, Error> {
        let service = self.service();
        pages::pages(service, service.operation(name)?).map_err(|error| error.during(name))
    }

    /// A call of a GraphQL query or mutation that the file does not have.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn graphql(&self, request: &graphql::Request) -> Result<Call, Error> {
        let Inner { service, client, env, .. } = &*self.0;
        let own = service.headers.values().chain(service.version.as_ref().map(|version| &version.value));
        lacking(service, env, needs(own.chain(service.auth.templates())))?;
        let headers = service_headers(service, &Scope::new(env))?;
        let call = client.graphql(request);
        Ok(headers.into_iter().fold(call, |call, (name, value)| match name {
            Some(name) => call.header(name, value),
            None => call,
        }))
    }

    fn prepare(&self, name: &str, inputs: Inputs) -> Result<Call, Error> {
        let Inner { service, client, env, base_url, .. } = &*self.0;
        let operation = service.operation(name)?;
        let bound = self.0.bound(name, operation)?;
        let Checked { values, files } = bound.inputs.check(operation, inputs)?;
        let values = Arc::new(Value::Object(values));
        let scope =
            Scope::new(env).with("input", Arc::clone(&values)).with("operation", Arc::clone(&bound.name));
        let values = values.as_object().expect("it was made one");
        let Prepared { method, path, query, headers, content } =
            prepare(service, operation, &bound.plan, values, files, &scope)?;

        let mut call = client.call(method, &path).operation(name);
        for (name, value) in &query {
            call = call.param(name, value);
        }
        if let Some(checks) = &bound.checks {
            call = call.checks(Arc::clone(checks));
        }
        call = match content {
            Content::Empty => call,
            Content::Json(value) => call.json(&value),
            Content::Form(value) => call.form(&value),
            Content::Multipart(form) => call.multipart(form),
            Content::Raw(body, media_type) => call.body(body, media_type),
            Content::GraphQl(request) => call.graphql(&request),
        };
        // After the body, whose media type a header may name better: `application/vnd.api+json`.
        for (name, value) in headers.iter() {
            call = call.header(name.clone(), value.clone());
        }
        // A call without the input that a limit is keyed by shares the bucket of all such calls.
        if let Some(key) = bound.limit_key.as_ref().map(|key| key.value(&scope)).transpose()?.flatten() {
            call = call.limit_key(scalar_text(&key).unwrap_or_else(|| key.to_string()));
        }
        if let Some(limiter) = &bound.limiter {
            call = call.limiter(limiter.clone());
        }
        if let Some(policy) = &bound.retry {
            call = call.retry(Arc::clone(policy));
        }
        if let Some(auth) = &operation.auth {
            // Made here only when it could not be made before, and then it says why.
            let bound = bound.auth.clone();
            call = call.auth(bound.map_or_else(
                || auth::auth(auth, auth::Of { service: Some(service), env, base_url }, None),
                Ok,
            )?);
        }
        if operation.repeatable == Some(true) {
            call = call.repeatable();
        }
        if let Some(cost) = operation.cost {
            call = call.cost(cost);
        }
        if let Some(timeout) = operation.timeout {
            call = call.timeout(timeout.0);
        }
        if let Some(deadline) = operation.deadline {
            call = call.deadline(deadline.0);
        }
        Ok(call)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({} at {})", self.0.service.service, self.0.base_url)
    }
}

impl Inner {
    fn bound(&self, name: &str, operation: &Operation) -> Result<&Bound, Error> {
        let place = &self.operations[name];
        match place.get() {
            Some(bound) => Ok(bound),
            None => {
                let bound = Bound::new(self, name, operation)?;
                Ok(place.get_or_init(|| bound))
            }
        }
    }
}

impl Bound {
    fn new(connection: &Inner, name: &str, operation: &Operation) -> Result<Self, Error> {
        let Inner { service, env, base_url, limiters, .. } = connection;
        let limits = operation.limits.as_ref().unwrap_or(&service.limits);
        let own_checks = operation.errors.is_some() || operation.response.is_some();
        let errors = operation.errors.as_ref().unwrap_or(&service.errors);
        let validate = operation.validate.unwrap_or(service.validate);
        let auth = operation.auth.as_ref().unwrap_or(&service.auth);
        let templates = service
            .headers
            .values()
            .chain(service.version.as_ref().map(|version| &version.value))
            .chain(operation.headers.values())
            .chain(operation.query.values())
            .chain(limits.iter().filter_map(|limit| limit.key.as_ref()))
            .chain(auth.templates());
        let mut needs = needs(templates);
        needs.extend(operation.body.iter().flat_map(|body| env_names(body.variables())));
        lacking(service, env, needs)?;
        Ok(Self {
            name: Arc::new(Value::from(name)),
            inputs: Checker::new(operation)?,
            plan: Plan::new(operation)?,
            limiter: operation.limits.as_ref().map(|limits| limiters.of(limits).clone()),
            limit_key: limits.iter().find_map(|limit| limit.own_key()).cloned(),
            retry: operation.retry.as_ref().map(retry::policy).transpose()?.map(Arc::new),
            checks: own_checks
                .then(|| checks::checks(errors, operation.response.as_ref(), validate))
                .transpose()?
                .map(Arc::new),
            auth: operation.auth.as_ref().and_then(|auth| {
                auth::auth(auth, auth::Of { service: Some(service), env, base_url }, None).ok()
            }),
        })
    }
}

impl Service {
    /// The names X of every `{{ env.X }}` without a fallback in its base URL, version, headers and credentials, those of its operations
    /// included: what an account differs in from another.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let own = [&self.base_url].into_iter().chain(self.version.as_ref().map(|version| &version.value));
        let own = own.chain(self.headers.values()).chain(self.auth.templates());
        let operations = self.operations.values().flat_map(|operation| {
            operation.headers.values().chain(operation.auth.iter().flat_map(|auth| auth.templates()))
        });
        needs(own.chain(operations))
    }

    /// The operation `name`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when there is none, with the nearest name.
    pub fn operation(&self, name: &str) -> Result<&Operation, Error> {
        self.operations.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.operations.keys().map(String::as_str).collect();
            Error::configuration(format!("{}: {}", self.service, unknown("operation", name, &known)))
        })
    }
}

fn env_names(variables: impl IntoIterator<Item = String>) -> impl Iterator<Item = String> {
    variables.into_iter().filter_map(|variable| variable.strip_prefix("env.").map(str::to_owned))
}

/// The environment variables without which `templates` have no value.
fn needs<'a>(templates: impl IntoIterator<Item = &'a Template>) -> BTreeSet<String> {
    templates.into_iter().flat_map(|template| env_names(template.needs())).collect()
}

fn lacking(service: &Service, env: &Env, mut needs: BTreeSet<String>) -> Result<(), Error> {
    needs.retain(|name| env.get(name).is_none());
    if needs.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = needs.iter().map(String::as_str).collect();
    let (noun, verb) = if names.len() == 1 { ("variable", "is") } else { ("variables", "are") };
    let error = Error::configuration(format!("the environment {noun} {} {verb} not set", names.join(", ")));
    Err(match needs.is_subset(&service.variables()) {
        true => error.advise(format!("set what is missing, or store it: `nuncio login {}`", service.service)),
        false => error,
    })
}
