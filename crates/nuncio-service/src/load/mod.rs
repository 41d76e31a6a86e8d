//! From the text of a service file to a [`Service`], or to a list of its mistakes with their places.
//!
//! The YAML is read into a tree of our own and not straight into the types. The tree remembers lines and columns, so that mistakes which
//! show only later (an input that a path names and nobody declares) have a place too, and it remembers how a scalar was written, so
//! that `1.10` is still `1.10` where text is wanted.

mod check;
mod de;
mod node;
mod problem;

use std::borrow::Cow;
use std::cell::RefCell;

use nuncio_client::Error;
use nuncio_webhook::Scheme;
use serde::de::DeserializeOwned;

use self::de::Cursor;
use self::node::{Kind, Node};
pub use self::problem::{Problem, Problems};
use crate::model::{Operation, Service};

/// The largest service file that is read: 1 MiB.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

impl Service {
    /// Reads a service file. `name` is its path, for messages.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the file is over [`MAX_FILE_BYTES`] or has mistakes; its
    /// cause [`Problems`] lists them all.
    pub fn from_yaml(text: &str, name: &str) -> Result<Self, Error> {
        load(text, name, |problems| service(parse(text, problems)?, check::check, problems))
    }

    /// Reads a file that comes with nuncio: what the types cannot say, the tests have checked.
    pub(crate) fn from_built_in(text: &str, name: &str) -> Result<Self, Error> {
        load(text, name, |problems| service(parse(text, problems)?, |_, _| {}, problems))
    }
}

/// What a file says about webhooks.
#[derive(Debug, Clone)]
pub enum WebhookFile {
    /// How somebody signs them, and nothing else.
    Scheme(Box<Scheme>),
    /// A service, with the key `webhooks` or without.
    Service(Box<Service>),
}

impl WebhookFile {
    /// Reads a scheme in YAML or JSON, or a service file, which is known by its key `service`. `name` is its path, for messages.
    ///
    /// # Errors
    /// Those of [`Service::from_yaml`].
    pub fn from_yaml(text: &str, name: &str) -> Result<Self, Error> {
        load(text, name, |problems| {
            let root = parse(text, problems)?;
            if root.has("service") {
                return service(root, check::check, problems).map(Box::new).map(Self::Service);
            }
            let scheme: Scheme = typed(&root, problems)?;
            check::scheme(&scheme, &mut |path, message| problems.push(Problem::at(root.find(path), message)));
            Some(Self::Scheme(Box::new(scheme)))
        })
    }
}

/// Reads a file of another shape, with every mistake at its place as in a service file. `name` is its path, for messages. `check` tells what the types
/// cannot say: the path of keys to a mistake, and what is wrong there.
///
/// ```
/// let read = |text: &str| {
///     nuncio_service::read_yaml(text, "ports.yaml", |ports: &std::collections::BTreeMap<String, u16>, tell| {
///         for (name, _) in ports.iter().filter(|(_, port)| **port == 0) {
///             tell(&[name.as_str()], "no port has the number 0".to_owned());
///         }
///     })
/// };
/// assert_eq!(read("http: 80")?["http"], 80);
/// assert!(read("http: 80\nnone: 0").unwrap_err().report().contains("ports.yaml:2:1: no port has the number 0"));
/// # Ok::<(), nuncio_client::Error>(())
/// ```
///
/// # Errors
/// Those of [`Service::from_yaml`].
pub fn read_yaml<T: DeserializeOwned>(
    text: &str,
    name: &str,
    check: impl FnOnce(&T, &mut dyn FnMut(&[&str], String)),
) -> Result<T, Error> {
    load(text, name, |problems| {
        let root = parse(text, problems)?;
        let read: T = typed(&root, problems)?;
        check(&read, &mut |path, message| problems.push(Problem::at(root.find(path), message)));
        Some(read)
    })
}

/// What `read` makes of the file, when it finds no problem.
fn load<T>(text: &str, name: &str, read: impl FnOnce(&mut Vec<Problem>) -> Option<T>) -> Result<T, Error> {
    if text.len() > MAX_FILE_BYTES {
        return Err(Error::configuration(format!("{name} is larger than {MAX_FILE_BYTES} bytes")));
    }
    let mut problems = Vec::new();
    match read(&mut problems) {
        Some(read) if problems.is_empty() => Ok(read),
        _ => {
            let problems = Problems::new(name, text, problems);
            let count = problems.list.len();
            let mistakes = if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") };
            Err(Error::configuration(format!("the file {name} has {mistakes}")).because(problems))
        }
    }
}

/// Tells the key path and the text of every mistake in a service.
type Check = fn(&Service, &mut dyn FnMut(&[&str], String));

fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    node::parse(text, problems).map_err(|problem| problems.push(problem)).ok()
}

fn service(mut root: Node, check: Check, problems: &mut Vec<Problem>) -> Option<Service> {
    // Each operation is read by itself, so that a mistake in one does not hide those in the others.
    let operations = root.remove("operations");
    let service: Option<Service> = typed(&root, problems);
    let named = operations.as_ref().map_or_else(Default::default, |(_, node)| named(node, problems));
    let service = Service { operations: named, ..service? }.hand_down_inputs();
    if problems.is_empty() {
        root.add(operations);
        check(&service, &mut |path, message| problems.push(Problem::at(root.find(path), message)));
    }
    Some(service)
}

fn named(node: &Node, problems: &mut Vec<Problem>) -> std::collections::BTreeMap<String, Operation> {
    let Kind::Map(entries) = &node.kind else {
        problems.push(Problem::at(node.mark, "expected operations by name"));
        return Default::default();
    };
    entries.iter().filter_map(|(key, node)| Some((key.text.clone(), typed(node, problems)?))).collect()
}

/// Reads `node` as a `T`. After a mistake the key it stands under is left out and the rest is read again, for the mistakes there.
fn typed<T: DeserializeOwned>(node: &Node, problems: &mut Vec<Problem>) -> Option<T> {
    let unknown = RefCell::new(Vec::new());
    let mut node = Cow::Borrowed(node);
    let mut whole = true;
    let value = loop {
        match T::deserialize(Cursor { node: &node, unknown: &unknown }) {
            Ok(value) => break Some(value),
            Err(fault) => {
                // A missing key that was taken out here is no mistake of the file.
                if whole || fault.key.is_some() {
                    problems.push(Problem::at(fault.mark.unwrap_or(node.mark), fault.message));
                }
                whole = false;
                if fault.key.and_then(|key| node.to_mut().remove(&key)).is_none() {
                    break None;
                }
            }
        }
    };
    problems.append(&mut unknown.borrow_mut());
    value.filter(|_| whole)
}

#[cfg(test)]
mod tests;
