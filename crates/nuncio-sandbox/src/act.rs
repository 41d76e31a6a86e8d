//! What an operation does to its resource, and its good answer.

use std::collections::BTreeMap;

use nuncio_client::Error;
use nuncio_client::json::{Path, scalar_text};
use nuncio_service::model::{Action, Pages, Place, Reply, Resource, Target};
use nuncio_service::{Operation, Scope, Service, Tree};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, merge, put};
use crate::graphql;
use crate::paging::Page;
use crate::refusal::Refusal;
use crate::store::Store;
use crate::wire::Received;

/// A checked request for an operation.
pub(crate) struct Act<'a> {
    pub(crate) service: &'a Service,
    pub(crate) name: &'a str,
    pub(crate) operation: &'a Operation,
    pub(crate) received: &'a Received,
    /// Where the sandbox plays the service.
    pub(crate) base_url: &'a str,
    /// The inputs that stand in the path.
    pub(crate) path: &'a BTreeMap<String, String>,
    /// The fields of query and body as they came.
    pub(crate) fields: &'a Map<String, Value>,
    pub(crate) input: &'a Map<String, Value>,
    /// Whether a page is said to be followed by itself.
    pub(crate) repeats_cursor: bool,
}

/// What came of it.
pub(crate) struct Done {
    pub(crate) answer: Answer,
    /// Whether something was created, changed, deleted or accepted.
    pub(crate) is_applied: bool,
    /// Records handed out.
    pub(crate) records: u64,
}

/// The resource that `operation` acts on: by default the name before the last dot.
pub(crate) fn resource_of<'a>(name: &'a str, operation: &'a Operation) -> &'a str {
    let described = operation.sandbox.as_ref().and_then(|reply| reply.resource.as_deref());
    described.unwrap_or_else(|| name.rsplit_once('.').map_or("", |(before, _)| before))
}

fn action_of(name: &str, operation: &Operation) -> Action {
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    let described = operation.sandbox.as_ref().and_then(|reply| reply.action);
    described.unwrap_or(match last {
        "create" => Action::Create,
        "get" => Action::Get,
        "list" => Action::List,
        "update" => Action::Update,
        "delete" => Action::Delete,
        _ if operation.records.is_some() => Action::List,
        _ => Action::Reply,
    })
}

/// A new object of `resource` with what it was `given`, and its id.
pub(crate) fn make(
    resource: &Resource,
    key: &Path,
    number: u64,
    given: Map<String, Value>,
    scope: Scope,
) -> Result<(String, Value), Refusal> {
    let scope = scope.with("number", json!(number));
    let given_id = key_step(key).and_then(|step| given.get(step)).filter(|id| scalar_text(id).is_some());
    let id = match (given_id, &resource.id) {
        (Some(id), _) => id.clone(),
        (None, Some(template)) => json!(template.text(&scope).map_err(broken)?),
        (None, None) => json!(number),
    };
    let scope = scope.with("id", id.clone());
    let mut object = json!({});
    if let Some(step) = key_step(key) {
        object[step] = id.clone();
    }
    merge(&mut object, render(resource.object.as_ref(), &scope)?);
    merge(&mut object, Value::Object(given));
    let id = key.text(&object).unwrap_or_else(|| {
        put(&mut object, key.steps(), id.clone());
        scalar_text(&id).unwrap_or_default()
    });
    Ok((id, object))
}

/// Place of the id in an object.
pub(crate) fn key_of(resource: &Resource, reply: Option<&Reply>) -> Path {
    let described = reply.and_then(|reply| reply.key.clone()).or_else(|| resource.key.clone());
    described.unwrap_or_else(|| Path::from_iter(["id".to_owned()]))
}

fn key_step(key: &Path) -> Option<&String> {
    if let [step] = key.steps() { Some(step) } else { None }
}

fn render(tree: Option<&Tree>, scope: &Scope) -> Result<Value, Refusal> {
    tree.map_or_else(|| Ok(json!({})), |tree| tree.render(scope).map_err(broken))
}

fn broken(error: impl Into<Error>) -> Refusal {
    Refusal::Broken(error.into().report())
}

impl Act<'_> {
    /// Does it with the objects in `store`. `scope` is for the object, `words` for the answer: each has its own `random`.
    pub(crate) fn run(
        &self,
        store: &mut Store,
        resource: &Resource,
        scope: &Scope,
        words: Scope,
    ) -> Result<Done, Refusal> {
        let action = action_of(self.name, self.operation);
        let reply = self.operation.sandbox.as_ref();
        let key = key_of(resource, reply);
        let set = |object: &mut Value, scope: &Scope| -> Result<(), Refusal> {
            let scope = scope.clone().with("object", object.clone());
            merge(object, render(reply.and_then(|reply| reply.set.as_ref()), &scope)?);
            Ok(())
        };
        let object = match action {
            Action::List => return self.list(store, resource, words),
            Action::Reply => None,
            Action::Create => {
                let given = self.given(key_step(&key).map(String::as_str), None);
                let (id, mut object) = make(resource, &key, store.made + 1, given, scope.clone())?;
                set(&mut object, scope)?;
                let under = self.path.iter().filter(|(name, _)| Some(*name) != key_step(&key));
                let under = under.map(|(name, value)| (name.clone(), value.clone())).collect();
                store.add(id, under, object.clone());
                Some(object)
            }
            Action::Get | Action::Update | Action::Delete => {
                let by = self.by(resource);
                let id = self.input.get(&by).and_then(scalar_text).unwrap_or_default();
                let not_found = || Refusal::NotFound {
                    by: by.clone(),
                    message: format!("no such {}: {id}", resource_of(self.name, self.operation)),
                };
                let above = self.path.iter().filter(|(name, _)| **name != by);
                let above = above.map(|(name, value)| (name.clone(), value.clone())).collect();
                match action {
                    Action::Get => Some(store.get(&id, &above).ok_or_else(not_found)?.object.clone()),
                    Action::Delete => {
                        let entry = store.remove(&id, &above).ok_or_else(not_found)?;
                        return self.deleted(resource, &key, entry.object, words);
                    }
                    _ => {
                        let entry = store.get_mut(&id, &above).ok_or_else(not_found)?;
                        let mut object = entry.object.clone();
                        merge(&mut object, Value::Object(self.given(None, Some(&by))));
                        set(&mut object, scope)?;
                        entry.object = object;
                        Some(entry.object.clone())
                    }
                }
            }
        };
        let is_applied = match action {
            Action::Create | Action::Update => true,
            _ => {
                self.operation.get.is_none() && action == Action::Reply && !graphql::is_query(self.operation)
            }
        };
        let answer = self.answer(resource, object, words)?;
        Ok(Done { answer, is_applied, records: 0 })
    }

    /// The input that names an object.
    fn by(&self, resource: &Resource) -> String {
        let described = self.operation.sandbox.as_ref().and_then(|reply| reply.by.clone());
        let last_in_path = || {
            let Some(Target::Http { path, .. }) = self.operation.target() else { return None };
            Some(path.rsplit_once('{')?.1.split_once('}')?.0.to_owned())
        };
        described.or_else(|| resource.by.clone()).or_else(last_in_path).unwrap_or_else(|| "id".to_owned())
    }

    /// The inputs that are the object's own, by their names on the wire: not those of the path (but for `key`), of headers, of every
    /// operation, nor `by`.
    fn given(&self, key: Option<&str>, by: Option<&str>) -> Map<String, Value> {
        let own = self.input.iter().filter(|(name, _)| {
            let is_header =
                self.operation.input.get(*name).is_some_and(|input| input.place == Some(Place::Header));
            let is_above = self.path.contains_key(*name) && Some(name.as_str()) != key;
            !is_header && !is_above && !self.service.input.contains_key(*name) && Some(name.as_str()) != by
        });
        own.map(|(name, value)| {
            let wire_name = self.operation.input.get(name).and_then(|input| input.name.clone());
            (wire_name.unwrap_or_else(|| name.clone()), value.clone())
        })
        .collect()
    }

    fn list(&self, store: &Store, resource: &Resource, scope: Scope) -> Result<Done, Refusal> {
        let entries = store.list(self.path, &self.given(None, None), resource.newest_first);
        let pages = self.operation.pages.as_ref().or(self.service.pages.as_ref());
        let pages = pages.filter(|_| self.operation.records.is_some());
        let whole = Pages::default();
        let page = match pages {
            Some(pages) => Some(Page::new(pages, self.fields, &entries, self.repeats_cursor)?),
            None => None,
        };
        let records: Vec<&Value> = match &page {
            Some(page) => page.records.clone(),
            None => entries.iter().map(|entry| &entry.object).collect(),
        };
        let scope = scope.with("records", json!(records));
        let own = match self.operation.sandbox.as_ref().and_then(|reply| reply.reply.as_ref()) {
            Some(tree) => tree.render(&scope).map_err(broken)?,
            None => {
                let mut body = Value::Null;
                let steps = self.operation.records.as_ref().map_or(&[][..], |path| path.steps());
                put(&mut body, steps, json!(records));
                body
            }
        };
        let mut body = render(self.service.sandbox.answer.as_ref(), &scope)?;
        merge(&mut body, render(self.service.sandbox.list.as_ref(), &scope)?);
        merge(&mut body, own);
        let answer = self.finish(Some(body), &scope)?;
        let url = format!("{}{}", self.base_url, self.received.path);
        let answer = match &page {
            Some(page) => page.describe(pages.unwrap_or(&whole), answer, &url, self.fields),
            None => answer,
        };
        Ok(Done { answer, is_applied: false, records: records.len() as u64 })
    }

    fn deleted(&self, resource: &Resource, key: &Path, object: Value, words: Scope) -> Result<Done, Refusal> {
        let mut gone = json!({});
        put(&mut gone, key.steps(), key.get(&object).cloned().unwrap_or_default());
        gone["deleted"] = json!(true);
        let scope = words.with("id", key.get(&object).cloned().unwrap_or_default()).with("object", object);
        let own = match (self.reply_tree(), &resource.deleted) {
            (Some(tree), _) | (None, Some(tree)) => tree.render(&scope).map_err(broken)?,
            (None, None) => gone,
        };
        let mut body = render(self.service.sandbox.answer.as_ref(), &scope)?;
        merge(&mut body, own);
        Ok(Done { answer: self.finish(Some(body), &scope)?, is_applied: true, records: 0 })
    }

    fn reply_tree(&self) -> Option<&Tree> {
        self.operation.sandbox.as_ref().and_then(|reply| reply.reply.as_ref())
    }

    fn answer(&self, resource: &Resource, object: Option<Value>, words: Scope) -> Result<Answer, Refusal> {
        let scope = match &object {
            Some(object) => words.with("object", object.clone()),
            None => words,
        };
        let own = match (self.reply_tree(), object) {
            (Some(tree), _) => Some(tree.render(&scope).map_err(broken)?),
            (None, Some(object)) => Some(match &resource.wrap {
                Some(key) => json!({ key.as_str(): object }),
                None => object,
            }),
            (None, None) => None,
        };
        let common = self.service.sandbox.answer.as_ref();
        let body = match own {
            None if common.is_none() => None,
            own => {
                let mut body = render(common, &scope)?;
                merge(&mut body, own.unwrap_or_else(|| json!({})));
                Some(body)
            }
        };
        self.finish(body, &scope)
    }

    fn finish(&self, body: Option<Value>, scope: &Scope) -> Result<Answer, Refusal> {
        let reply = self.operation.sandbox.as_ref();
        let status = reply.and_then(|reply| reply.status).unwrap_or(200);
        let mut answer = Answer::new(status, body.filter(|_| status != 204));
        for (name, value) in reply.iter().flat_map(|reply| &reply.headers) {
            answer = answer.with_header(name, &value.text(scope).map_err(broken)?);
        }
        Ok(answer)
    }
}
