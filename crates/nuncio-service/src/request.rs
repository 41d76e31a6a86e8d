//! From an operation and its inputs to what goes over the wire, before credentials.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use nuncio_client::body::multipart::{Form, Part};
use nuncio_client::json::scalar_text;
use nuncio_client::{Body, Error, Kind, graphql};
use serde_json::{Map, Value};

use crate::inputs::File;
use crate::model::{Encode, Operation, Place, Service, Target};
use crate::path::PathTemplate;
use crate::template::{Scope, Template};

/// A request as an operation describes it, before credentials.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The method.
    pub(crate) method: Method,
    /// The path below the service's `base_url`, percent-encoded, without query.
    pub(crate) path: String,
    /// The query parameters; a list is the same name several times.
    pub(crate) query: Vec<(String, String)>,
    /// Headers of the service, the operation and the inputs. Values from the environment are marked sensitive.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) content: Content,
}

/// The body of a request, not yet encoded.
#[derive(Debug)]
pub(crate) enum Content {
    /// No body.
    Empty,
    /// JSON.
    Json(Value),
    /// A form; nested fields go in brackets.
    Form(Value),
    /// A multipart form.
    Multipart(Form),
    /// Bytes as they are.
    Raw(Body, HeaderValue),
    /// A GraphQL request.
    GraphQl(graphql::Request),
}

/// What of an operation's requests is the same in all calls.
pub(crate) struct Plan {
    target: Way,
    /// The inputs, and where they go.
    fields: Vec<Field>,
    /// Whether some are for the body, given or not.
    has_body: bool,
}

enum Way {
    Http { method: Method, path: PathTemplate },
    GraphQl { query: String },
}

struct Field {
    name: String,
    wire_name: String,
    place: Place,
}

impl Plan {
    pub(crate) fn new(operation: &Operation) -> Result<Self, Error> {
        let target = operation
            .target()
            .ok_or_else(|| Error::configuration("the operation does not say what it sends"))?;
        let fields: Vec<Field> = operation
            .input
            .iter()
            .map(|(name, input)| Field {
                name: name.clone(),
                wire_name: input.name.as_ref().unwrap_or(name).clone(),
                place: place(operation, &target, name),
            })
            .collect();
        let has_body = fields.iter().any(|field| matches!(field.place, Place::Body | Place::File));
        let target = match target {
            Target::Http { method, path } => {
                Way::Http { method, path: PathTemplate::parse(path).map_err(Error::configuration)? }
            }
            Target::GraphQl { query } => Way::GraphQl { query: query.to_owned() },
        };
        Ok(Self { target, fields, has_body })
    }
}

/// Makes the request of `operation`, as planned, for inputs that were checked. `scope` has `env`, `input` and `operation`.
pub(crate) fn prepare(
    service: &Service,
    operation: &Operation,
    plan: &Plan,
    values: &Map<String, Value>,
    files: BTreeMap<String, File>,
    scope: &Scope,
) -> Result<Prepared, Error> {
    let encode = operation.encode.unwrap_or(service.encode);
    let mut sorted = Sorted::new(&plan.fields, values);
    let mut headers = service_headers(service, scope)?;
    for (name, value) in &operation.headers {
        put_header(&mut headers, name, value, scope)?;
    }
    for (name, value) in &sorted.headers {
        let value = text(value).unwrap_or_default();
        headers.insert(header_name(name)?, header_value(name, &value)?);
    }
    let mut query = Vec::new();
    for (name, value) in &operation.query {
        if let Some(value) = value.value(scope)? {
            write_query(&mut query, name, &value, encode);
        }
    }
    for (name, value) in &sorted.query {
        write_query(&mut query, name, value, encode);
    }
    let (method, path, content) = match &plan.target {
        Way::GraphQl { query } => {
            let request = graphql::Request::new(query).variables(&sorted.body)?;
            (Method::POST, service.graphql.path.clone(), Content::GraphQl(request))
        }
        Way::Http { method, path } => {
            let path = path.fill(|name| values.get(name).and_then(text))?;
            let body = match &operation.body {
                Some(tree) => tree.render(scope)?,
                None if plan.has_body => Value::Object(std::mem::take(&mut sorted.body)),
                None => Value::Null,
            };
            (method.clone(), path, content(encode, body, wire_names(operation, files))?)
        }
    };
    Ok(Prepared { method, path, query, headers, content })
}

/// The headers that every call of a service has.
pub(crate) fn service_headers(service: &Service, scope: &Scope) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let version = service.version.iter().map(|version| (&version.header, &version.value));
    for (name, value) in version.chain(&service.headers) {
        put_header(&mut headers, name, value, scope)?;
    }
    Ok(headers)
}

/// Whether requests of `method` say what they have to say in the query.
pub(crate) fn sends_query(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::DELETE)
}

/// The inputs by where they go, under their names on the wire.
#[derive(Default)]
struct Sorted {
    query: Map<String, Value>,
    headers: Map<String, Value>,
    body: Map<String, Value>,
}

impl Sorted {
    fn new(fields: &[Field], values: &Map<String, Value>) -> Self {
        let mut sorted = Self::default();
        for Field { name, wire_name, place } in fields {
            let into = match place {
                Place::Path => continue,
                Place::Query => &mut sorted.query,
                Place::Header => &mut sorted.headers,
                Place::Body | Place::File => &mut sorted.body,
            };
            if let Some(value) = values.get(name) {
                into.insert(wire_name.clone(), value.clone());
            }
        }
        sorted
    }
}

fn place(operation: &Operation, target: &Target<'_>, name: &str) -> Place {
    if let Some(place) = operation.input.get(name).and_then(|input| input.place) {
        return place;
    }
    match target {
        Target::GraphQl { .. } => Place::Body,
        Target::Http { path, .. } if path.contains(&format!("{{{name}}}")) => Place::Path,
        Target::Http { method, .. } if sends_query(method) => Place::Query,
        Target::Http { .. } => Place::Body,
    }
}

impl Operation {
    /// Where the input `name` goes: where it says, else in the path if it stands in braces there, else in the query of a GET, HEAD or
    /// DELETE, else in the body.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<Place> {
        self.input.get(name)?;
        Some(place(self, &self.target()?, name))
    }
}

fn wire_names(operation: &Operation, files: BTreeMap<String, File>) -> Vec<(String, File)> {
    let named = files.into_iter().map(|(name, file)| {
        let wire_name = operation.input.get(&name).and_then(|input| input.name.clone());
        (wire_name.unwrap_or(name), file)
    });
    named.collect()
}

/// Text of a scalar, JSON text of anything else; nothing for null.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        other => Some(scalar_text(other).unwrap_or_else(|| other.to_string())),
    }
}

/// A list is `name=a&name=b`, and `name[0]=a&name[1]=b` where bodies are forms too; an object is `name[key]=a`.
fn write_query(query: &mut Vec<(String, String)>, name: &str, value: &Value, encode: Encode) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let nested = encode == Encode::Form || item.is_object() || item.is_array();
                let name = if nested { format!("{name}[{index}]") } else { name.to_owned() };
                write_query(query, &name, item, encode);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                write_query(query, &format!("{name}[{key}]"), value, encode);
            }
        }
        scalar => query.extend(text(scalar).map(|text| (name.to_owned(), text))),
    }
}

fn put_header(headers: &mut HeaderMap, name: &str, value: &Template, scope: &Scope) -> Result<(), Error> {
    let Some(text) = value.value(scope)?.as_ref().and_then(text) else { return Ok(()) };
    let mut header = header_value(name, &text)?;
    header.set_sensitive(value.variables().iter().any(|variable| variable.starts_with("env.")));
    headers.insert(header_name(name)?, header);
    Ok(())
}

pub(crate) fn header_name(name: &str) -> Result<HeaderName, Error> {
    name.parse().map_err(|_| Error::configuration(format!("{name:?} is no name of a header")))
}

/// A line end would make what follows it another header.
fn header_value(name: &str, text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|_| {
        Error::new(
            Kind::Validation,
            format!("the value of the header {name} has a character that no header can carry"),
        )
        .advise("look for a line end in it")
    })
}

fn content(encode: Encode, body: Value, files: Vec<(String, File)>) -> Result<Content, Error> {
    Ok(match encode {
        _ if body.is_null() && files.is_empty() => Content::Empty,
        Encode::Json => Content::Json(body),
        Encode::Form => Content::Form(body),
        Encode::Multipart => Content::Multipart(multipart(body, files)?),
        Encode::Raw => raw(body, files)?,
    })
}

fn multipart(body: Value, files: Vec<(String, File)>) -> Result<Form, Error> {
    let fields = match body {
        Value::Object(fields) => fields,
        Value::Null => Map::new(),
        _ => return Err(Error::configuration("a multipart body is an object with named fields")),
    };
    let texts = fields.iter().filter_map(|(name, value)| Some((name, text(value)?)));
    let form = texts.fold(Form::new(), |form, (name, text)| form.text(name, text));
    files.into_iter().try_fold(form, |form, (name, file)| Ok(form.part(name, part(file)?)))
}

fn part(file: File) -> Result<Part, Error> {
    let part = match file.content {
        Body::Empty => Part::bytes(""),
        Body::Bytes(bytes) => Part::bytes(bytes),
        Body::Replay(open) => Part::stream(file.length, move || open()),
        Body::Once(_) => {
            return Err(Error::configuration(format!("the file {:?} can be read only once", file.name))
                .advise("read it into memory, or give it as something that can be opened anew"));
        }
    };
    let part = part.file_name(file.name);
    Ok(match file.media_type {
        Some(media_type) => part.content_type(media_type),
        None => part,
    })
}

fn raw(body: Value, files: Vec<(String, File)>) -> Result<Content, Error> {
    let single = |count: usize| match count {
        0 | 1 => Ok(()),
        _ => Err(Error::new(Kind::Validation, "a raw body is one input, and several were given")),
    };
    if let Some((_, file)) = files.into_iter().next() {
        let media_type = file.media_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        return Ok(Content::Raw(file.content, media_type));
    }
    let value = match body {
        Value::Object(fields) => {
            single(fields.len())?;
            fields.into_iter().next().map(|(_, value)| value).unwrap_or_default()
        }
        other => other,
    };
    Ok(match value {
        Value::Null => Content::Empty,
        Value::String(text) => {
            Content::Raw(text.into(), HeaderValue::from_static("text/plain; charset=utf-8"))
        }
        json => Content::Raw(json.to_string().into(), HeaderValue::from_static("application/json")),
    })
}

#[cfg(test)]
mod tests;
