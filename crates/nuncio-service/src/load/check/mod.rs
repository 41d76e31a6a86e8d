//! What the types cannot say: keys that exclude one another, names that must exist, texts that must be URLs, headers or schemas.

mod auth;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, StatusCode};
use nuncio_webhook::Scheme;
use url::{Host, Url};

use crate::model::{
    Encode, Idempotency, Input, Limit, Operation, Pages, Place, Retry, Service, Target, Total, Version,
};
use crate::path::PathTemplate;
use crate::schema;
use crate::suggest::unknown;
use crate::template::Template;

/// Calls `report` with the key path and the text of every mistake in `service`.
pub(super) fn check(service: &Service, report: &mut dyn FnMut(&[&str], String)) {
    let mut found = Findings { report, at: Vec::new() };
    found.service(service);
    found.named_limits(service);
    for (name, operation) in &service.operations {
        found.under(&["operations", name], |found| found.operation(service, name, operation));
    }
}

/// Likewise for a scheme in a file of its own.
pub(super) fn scheme(scheme: &Scheme, report: &mut dyn FnMut(&[&str], String)) {
    Findings { report, at: Vec::new() }.scheme(scheme);
}

struct Findings<'r> {
    report: &'r mut dyn FnMut(&[&str], String),
    at: Vec<String>,
}

/// What expressions of a place can look at.
#[derive(Clone, Copy)]
enum Sees<'a> {
    /// Fixed for all calls.
    Env,
    /// Made anew for each call of any operation.
    Call,
    /// Made anew for each call of an operation with these inputs.
    CallOf(&'a Operation),
}

impl Findings<'_> {
    fn under(&mut self, steps: &[&str], f: impl FnOnce(&mut Self)) {
        let depth = self.at.len();
        self.at.extend(steps.iter().map(|step| (*step).to_owned()));
        f(self);
        self.at.truncate(depth);
    }

    fn wrong(&mut self, key: &str, message: impl Into<String>) {
        self.under(&[key], |found| found.wrong_here(message));
    }

    fn wrong_here(&mut self, message: impl Into<String>) {
        let path: Vec<&str> = self.at.iter().map(String::as_str).collect();
        (self.report)(&path, message.into());
    }

    fn service(&mut self, service: &Service) {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if service.service.is_empty() || !service.service.chars().all(is_plain) {
            self.wrong("service", "a service's name is made of lower-case letters, digits and hyphens");
        }
        self.template("base_url", &service.base_url, Sees::Env);
        if service.base_url.is_literal()
            && let Err(message) = base_url(service.base_url.source(), service.allow_http)
        {
            self.wrong("base_url", message);
        }
        if let Some(Version { header, value }) = &service.version {
            self.under(&["version"], |found| {
                found.header("header", header);
                found.template("value", value, Sees::Env);
            });
        }
        if !service.graphql.path.starts_with('/') {
            self.under(&["graphql"], |found| found.wrong("path", "a path must begin with a slash"));
        }
        self.inputs(service.encode, service.input.iter());
        self.headers(&service.headers, Sees::Call);
        self.auth(&service.auth);
        self.login(service, &service.auth);
        self.limits(&service.limits, Sees::Call);
        self.retry(&service.retry);
        self.idempotency(service.idempotency.as_ref());
        self.pages(service.pages.as_ref());
        if let Some(webhooks) = &service.webhooks {
            self.under(&["webhooks"], |found| found.webhooks(webhooks));
        }
    }

    fn operation(&mut self, service: &Service, name: &str, operation: &Operation) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || !name.chars().all(is_plain) {
            self.wrong_here("an operation's name is made of letters, digits, dots, hyphens and underscores");
        }
        match operation.target() {
            None => self
                .wrong_here("an operation has exactly one of: get, post, put, patch, delete, head, graphql"),
            Some(Target::GraphQl { query }) => {
                if query.trim().is_empty() {
                    self.wrong("graphql", "the query is empty");
                }
                if operation.body.is_some() {
                    self.wrong(
                        "body",
                        "the body of a GraphQL request is the query and its variables: leave this out",
                    );
                }
            }
            Some(Target::Http { method, path }) => {
                self.path(&method.as_str().to_lowercase(), path, operation);
            }
        }
        // What the service handed down was checked there.
        let own = |(name, input): &(&String, &Input)| service.input.get(*name) != Some(*input);
        self.inputs(operation.encode.unwrap_or(service.encode), operation.input.iter().filter(own));
        let sees = Sees::CallOf(operation);
        self.headers(&operation.headers, sees);
        self.under(&["query"], |found| {
            for (name, value) in &operation.query {
                found.template(name, value, sees);
            }
        });
        if let Some(body) = &operation.body {
            self.variables("body", &body.variables(), sees);
        }
        if let Some(schema) = &operation.response {
            self.schema("response", &serde_json::Value::Object(schema.clone()));
        }
        if let Some(auth) = &operation.auth {
            self.auth(auth);
            self.login(service, auth);
        }
        self.limits(operation.limits.as_deref().unwrap_or_default(), sees);
        if let Some(retry) = &operation.retry {
            self.retry(retry);
        }
        self.pages(operation.pages.as_ref());
        self.sandbox(service, operation);
    }

    fn path(&mut self, key: &str, path: &str, operation: &Operation) {
        let path = match PathTemplate::parse(path) {
            Ok(path) => path,
            Err(message) => return self.wrong(key, message),
        };
        let declared: Vec<&str> = operation.input.keys().map(String::as_str).collect();
        for name in path.inputs() {
            match operation.input.get(name) {
                None => {
                    let message = unknown("input", name, &declared);
                    self.wrong(
                        key,
                        format!("{message} (the path names it: declare it under input, {name}: string!)"),
                    );
                }
                Some(input) if input.place.is_some_and(|place| place != Place::Path) => {
                    self.wrong(key, format!("the path names the input {name}, which goes elsewhere"));
                }
                Some(_) => {}
            }
        }
        let named: BTreeSet<&str> = path.inputs().collect();
        self.under(&["input"], |found| {
            for (name, input) in &operation.input {
                if input.place == Some(Place::Path) && !named.contains(name.as_str()) {
                    found.wrong(name, format!("the path does not name it: write {{{name}}} where it goes"));
                }
            }
        });
    }

    fn inputs<'i>(&mut self, encode: Encode, inputs: impl Iterator<Item = (&'i String, &'i Input)>) {
        let takes_files = matches!(encode, Encode::Multipart | Encode::Raw);
        self.under(&["input"], |found| {
            for (name, input) in inputs {
                found.under(&[name], |found| {
                    if input.place == Some(Place::Header) {
                        found.header("name", input.name.as_deref().unwrap_or(name));
                    }
                    if input.place == Some(Place::File) && !takes_files {
                        found.wrong("in", "a file needs `encode: multipart` or `encode: raw`");
                    }
                    // A type alone is a schema, and nothing to hold against it.
                    if input.schema.is_empty() && input.default.is_none() {
                        return;
                    }
                    match schema::compile(&input.json_schema()) {
                        Err(message) => found.wrong_here(message),
                        Ok(validator) => {
                            let default = input.default.iter();
                            for misfit in default.flat_map(|value| schema::misfits(&validator, value)) {
                                found.wrong("default", format!("the default does not fit: {misfit}"));
                            }
                        }
                    }
                });
            }
        });
    }

    fn schema(&mut self, key: &str, schema: &serde_json::Value) {
        if let Err(message) = schema::compile(schema) {
            self.wrong(key, message);
        }
    }

    fn headers(&mut self, headers: &BTreeMap<String, Template>, sees: Sees<'_>) {
        self.under(&["headers"], |found| {
            for (name, value) in headers {
                found.header(name, name);
                found.template(name, value, sees);
            }
        });
    }

    fn header(&mut self, key: &str, name: &str) {
        if name.parse::<HeaderName>().is_err() {
            self.wrong(key, format!("{name:?} is no name of a header"));
        }
    }

    fn template(&mut self, key: &str, template: &Template, sees: Sees<'_>) {
        self.variables(key, &template.variables(), sees);
    }

    fn variables(&mut self, key: &str, variables: &BTreeSet<String>, sees: Sees<'_>) {
        let roots: &[&str] = match sees {
            Sees::Env => &["env"],
            Sees::Call | Sees::CallOf(_) => &["env", "input", "operation"],
        };
        for variable in variables {
            let mut steps = variable.split('.');
            let (root, name) = (steps.next().unwrap_or_default(), steps.next());
            if !roots.contains(&root) {
                self.wrong(key, unknown("variable", root, roots));
            } else if let (Sees::CallOf(operation), "input", Some(name)) = (sees, root, name)
                && !operation.input.contains_key(name)
            {
                let declared: Vec<&str> = operation.input.keys().map(String::as_str).collect();
                self.wrong(key, unknown("input", name, &declared));
            }
        }
    }

    fn limits(&mut self, limits: &[Limit], sees: Sees<'_>) {
        self.under(&["limits"], |found| {
            for (index, limit) in limits.iter().enumerate() {
                if let Some(key) = &limit.key {
                    found.under(&[&index.to_string()], |found| found.template("key", key, sees));
                }
            }
            let keys: BTreeSet<&str> =
                limits.iter().filter_map(Limit::own_key).map(Template::source).collect();
            if keys.len() > 1 {
                found
                    .wrong_here("the limits of a call share one key: write the same template in all of them");
            }
        });
    }

    /// A bucket has one size.
    fn named_limits(&mut self, service: &Service) {
        let own = service.operations.iter().filter_map(|(name, operation)| {
            Some((vec!["operations", name.as_str(), "limits"], operation.limits.as_ref()?))
        });
        let mut known: BTreeMap<&str, &Limit> = BTreeMap::new();
        for (place, limits) in [(vec!["limits"], &service.limits)].into_iter().chain(own) {
            for (index, limit) in limits.iter().enumerate() {
                let Some(name) = limit.name.as_deref() else { continue };
                let step = index.to_string();
                let at = [&place[..], &[&step]].concat();
                if limits[..index].iter().any(|other| other.name == limit.name) {
                    let message = format!("the limit {name:?} stands twice here");
                    self.under(&at, |found| found.wrong("name", message));
                } else if *known.entry(name).or_insert(limit) != limit {
                    let message = format!(
                        "the limit {name:?} says something else elsewhere, and limits of one name are one bucket"
                    );
                    self.under(&at, |found| found.wrong("name", message));
                }
            }
        }
    }

    fn retry(&mut self, retry: &Retry) {
        self.under(&["retry"], |found| {
            for status in retry.statuses.iter().flatten() {
                if StatusCode::from_u16(*status).is_err() {
                    found.wrong("statuses", format!("{status} is no HTTP status"));
                }
            }
            if let Some(name) = &retry.hint {
                found.header("hint", name);
            }
        });
    }

    fn idempotency(&mut self, idempotency: Option<&Idempotency>) {
        if let Some(Idempotency { header }) = idempotency {
            self.under(&["idempotency"], |found| found.header("header", header));
        }
    }

    fn pages(&mut self, pages: Option<&Pages>) {
        let Some(pages) = pages else { return };
        self.under(&["pages"], |found| {
            if pages.strategy().is_none() {
                found.wrong_here(
                    "pages need exactly one of: page, offset, cursor, header_cursor, next_url, link, keyset, connection",
                );
            }
            if let Some(cursor) = &pages.header_cursor {
                found.under(&["header_cursor"], |found| found.header("header", &cursor.header));
            }
            if let Some(Total { path, header }) = &pages.total {
                if path.is_some() == header.is_some() {
                    found.wrong("total", "a total stands in exactly one of: path, header");
                }
                if let Some(name) = header {
                    found.under(&["total"], |found| found.header("header", name));
                }
            }
        });
    }

    fn sandbox(&mut self, service: &Service, operation: &Operation) {
        let Some(reply) = &operation.sandbox else { return };
        self.under(&["sandbox"], |found| {
            if let Some(resource) = &reply.resource
                && !service.sandbox.resources.contains_key(resource)
            {
                let known: Vec<&str> = service.sandbox.resources.keys().map(String::as_str).collect();
                found.wrong("resource", unknown("resource", resource, &known));
            }
            if let Some(status) = reply.status.filter(|status| StatusCode::from_u16(*status).is_err()) {
                found.wrong("status", format!("{status} is no HTTP status"));
            }
        });
    }
}

/// What the client says only when it is made, said where the file says it.
fn base_url(text: &str, allow_http: bool) -> Result<(), String> {
    let url: Url = text.parse().map_err(|error| format!("{text:?} is no URL: {error}"))?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http || is_loopback(&url) => {}
        "http" => {
            return Err(
                "http:// sends everything in the clear: use https://, or say allow_http: true".to_owned()
            );
        }
        other => return Err(format!("{other}:// is not known here: use https://")),
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err("a base URL has only scheme, host and path".to_owned());
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
