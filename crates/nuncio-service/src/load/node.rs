//! YAML as a tree that knows where everything stands.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::problem::Problem;

/// Enough for a service with thousands of operations; an alias bomb is stopped long before memory matters.
const MAX_NODES: usize = 200_000;

/// Bound on the text in all values, aliases counted each time: a bomb may also be one long text, many times.
const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

const MAX_DEPTH: usize = 64;

/// A place in the file: line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<Marker> for Mark {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line().max(1), column: marker.col() + 1 }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Unquoted: what it is depends on who asks.
    Plain(String),
    Quoted(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) mark: Mark,
    pub(super) text: String,
}

impl Node {
    /// Where the value at `path` stands, or the nearest thing above it that exists.
    pub(super) fn find(&self, path: &[&str]) -> Mark {
        let Some((step, rest)) = path.split_first() else { return self.mark };
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|(key, _)| key.text == *step)
                .map_or(self.mark, |(key, node)| if rest.is_empty() { key.mark } else { node.find(rest) }),
            Kind::List(items) => step
                .parse()
                .ok()
                .and_then(|index: usize| items.get(index))
                .map_or(self.mark, |n| n.find(rest)),
            Kind::Plain(_) | Kind::Quoted(_) => self.mark,
        }
    }

    /// Whether it is a map with `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        matches!(&self.kind, Kind::Map(entries) if entries.iter().any(|(other, _)| other.text == key))
    }

    /// Takes `key` and its value out of a map.
    pub(super) fn remove(&mut self, key: &str) -> Option<(Key, Self)> {
        let Kind::Map(entries) = &mut self.kind else { return None };
        let index = entries.iter().position(|(other, _)| other.text == key)?;
        Some(entries.remove(index))
    }

    /// Puts back into a map what was taken out.
    pub(super) fn add(&mut self, entry: Option<(Key, Self)>) {
        if let Kind::Map(entries) = &mut self.kind {
            entries.extend(entry);
        }
    }

    fn size(&self) -> Size {
        match &self.kind {
            Kind::Plain(text) | Kind::Quoted(text) => Size { nodes: 1, text: text.len() },
            Kind::List(items) => items.iter().map(Self::size).fold(Size { nodes: 1, text: 0 }, Size::add),
            Kind::Map(entries) => entries.iter().fold(Size { nodes: 1, text: 0 }, |sum, (key, node)| {
                sum.add(Size { nodes: 0, text: key.text.len() }).add(node.size())
            }),
        }
    }
}

/// What a tree takes.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    /// Bytes of all texts.
    text: usize,
}

impl Size {
    fn add(self, other: Self) -> Self {
        Self { nodes: self.nodes + other.nodes, text: self.text + other.text }
    }
}

/// A list or map whose end has not come yet.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Key>,
    /// The line of each key so far.
    lines: HashMap<String, usize>,
}

/// Reads one YAML document. Keys that stand twice go to `problems`; the first one counts.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Result<Node, Problem> {
    let mut builder =
        Builder { open: Vec::new(), root: None, anchors: HashMap::new(), size: Size::default(), problems };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            Problem::at((*error.marker()).into(), format!("this is no YAML: {}", error.info()))
        })?;
        builder.take(event, span.start.into())?;
    }
    builder.root.ok_or_else(|| Problem::at(Mark { line: 1, column: 1 }, "the file is empty"))
}

struct Builder<'p> {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    /// Of all values so far, those of aliases and what is kept for anchors included.
    size: Size,
    problems: &'p mut Vec<Problem>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, mark: Mark) -> Result<(), Problem> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Problem::at(mark, "a second document begins here: a service file has one"))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Scalar(text, style, anchor, tag) => {
                let is_text =
                    tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                if tag.is_some() && !is_text {
                    return Err(Problem::at(mark, "tags are not known here"));
                }
                let kind = if style == ScalarStyle::Plain && !is_text { Kind::Plain } else { Kind::Quoted };
                self.add(Node { mark, kind: kind(text.into_owned()) }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(Node { mark, kind: Kind::List(Vec::new()) }, anchor)
            }
            Event::MappingStart(anchor, _) => self.begin(Node { mark, kind: Kind::Map(Vec::new()) }, anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop().expect("the parser ends only what it began");
                self.add(open.node, open.anchor)
            }
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor) else {
                    return Err(Problem::at(mark, "an alias inside of its own anchor"));
                };
                // Before it is copied.
                self.size = check(self.size.add(known.size()), mark)?;
                let node = Node { mark, ..known.clone() };
                self.put(node)
            }
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Problem::at(node.mark, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(Open { node, anchor, key: None, lines: HashMap::new() });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        let text = match &node.kind {
            Kind::Plain(text) | Kind::Quoted(text) => text.len(),
            Kind::List(_) | Kind::Map(_) => 0,
        };
        self.size = check(self.size.add(Size { nodes: 1, text }), node.mark)?;
        if anchor != 0 {
            self.size = check(self.size.add(node.size()), node.mark)?;
            self.anchors.insert(anchor, node.clone());
        }
        self.put(node)
    }

    fn put(&mut self, node: Node) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.kind, open.key.take()) {
            (Kind::Map(entries), Some(key)) => match open.lines.entry(key.text.clone()) {
                Entry::Occupied(first) => {
                    let message =
                        format!("the key `{}` stands twice, first in line {}", key.text, first.get());
                    self.problems.push(Problem::at(key.mark, message));
                }
                Entry::Vacant(vacant) => {
                    vacant.insert(key.mark.line);
                    entries.push((key, node));
                }
            },
            (Kind::Map(_), None) => match node.kind {
                Kind::Plain(text) | Kind::Quoted(text) => open.key = Some(Key { mark: node.mark, text }),
                Kind::List(_) | Kind::Map(_) => {
                    return Err(Problem::at(node.mark, "a key must be text"));
                }
            },
            (Kind::List(items), _) => items.push(node),
            (Kind::Plain(_) | Kind::Quoted(_), _) => unreachable!("only lists and maps are opened"),
        }
        Ok(())
    }
}

fn check(size: Size, mark: Mark) -> Result<Size, Problem> {
    if size.nodes > MAX_NODES {
        return Err(Problem::at(mark, format!("more than {MAX_NODES} values, aliases counted each time")));
    }
    if size.text > MAX_TEXT_BYTES {
        let message = format!("more than {MAX_TEXT_BYTES} bytes of text, aliases counted each time");
        return Err(Problem::at(mark, message));
    }
    Ok(size)
}
