//! From the text of a service file to a [`Service`], or to a list of its mistakes with their places.
//!
//! The YAML is read into a tree of our own and not straight into the types. The tree remembers lines and columns, so that mistakes which
//! show only later (an input that a path names and nobody declares) have a place too, and it remembers how a scalar was written, so
//! that `1.10` is still `1.10` where text is wanted.

mod check;
mod de;
mod node;
mod problem;

use std::cell::RefCell;

use nuncio_client::Error;
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
        if text.len() > MAX_FILE_BYTES {
            return Err(Error::configuration(format!("{name} is larger than {MAX_FILE_BYTES} bytes")));
        }
        let mut problems = Vec::new();
        let service = read(text, &mut problems);
        match service {
            Some(service) if problems.is_empty() => Ok(service),
            _ => {
                let problems = Problems::new(name, text, problems);
                let count = problems.list.len();
                let mistakes = if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") };
                Err(Error::configuration(format!("the service file {name} has {mistakes}")).because(problems))
            }
        }
    }
}

fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Service> {
    let root = node::parse(text, problems).map_err(|problem| problems.push(problem)).ok()?;
    let mut head = root.clone();
    // Each operation is read by itself, so that a mistake in one does not hide those in the others.
    let operations = head.remove("operations");
    let service: Option<Service> = typed(head, problems);
    let operations = operations.map_or_else(Default::default, |node| named(node, problems));
    let service = Service { operations, ..service? }.hand_down_inputs();
    if problems.is_empty() {
        check::check(&service, |path, message| problems.push(Problem::at(root.find(path), message)));
    }
    Some(service)
}

fn named(node: Node, problems: &mut Vec<Problem>) -> std::collections::BTreeMap<String, Operation> {
    let Kind::Map(entries) = node.kind else {
        problems.push(Problem::at(node.mark, "expected operations by name"));
        return Default::default();
    };
    entries.into_iter().filter_map(|(key, node)| Some((key.text, typed(node, problems)?))).collect()
}

/// Reads `node` as a `T`. After a mistake the key it stands under is left out and the rest is read again, for the mistakes there.
fn typed<T: DeserializeOwned>(mut node: Node, problems: &mut Vec<Problem>) -> Option<T> {
    let unknown = RefCell::new(Vec::new());
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
                if fault.key.and_then(|key| node.remove(&key)).is_none() {
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
