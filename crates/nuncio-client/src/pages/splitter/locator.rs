//! Finds the array of records while a document goes by.

use crate::json;

use super::scanner::{Scanner, Token};

/// Follows a path through the tokens of one document.
#[derive(Debug)]
pub(super) struct Locator {
    path: json::Path,
    /// Depth of the innermost open container that lies on the path; 0 before the first.
    trail: u32,
    /// Whether the next value is what the path's first `trail` steps lead to.
    hit: bool,
    /// Number of the next element, where the container at `trail` is an array.
    index: usize,
    found: Found,
}

/// What stands at the path's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Array,
    Other,
    /// The path's last key came again behind its records, so that nobody can tell which ones were meant.
    Twice,
}

impl Locator {
    pub(super) fn new(path: json::Path) -> Self {
        Self { path, trail: 0, hit: true, index: 0, found: Found::Nothing }
    }

    pub(super) fn path(&self) -> &json::Path {
        &self.path
    }

    pub(super) fn found(&self) -> Found {
        self.found
    }

    /// Whether `token`, just read by `scanner`, is a key that may be the path's next step.
    pub(super) fn wants_key(&self, token: Token, scanner: &Scanner) -> bool {
        token == Token::Key && scanner.depth() == self.trail
    }

    /// Takes a wanted key, given as JSON.
    pub(super) fn key(&mut self, json: &[u8]) {
        let Some(step) = self.step() else { return };
        let quoted = json.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\"")).unwrap_or(json);
        let hit = if quoted.contains(&b'\\') {
            serde_json::from_slice::<String>(json).is_ok_and(|key| key == *step)
        } else {
            quoted == step.as_bytes()
        };
        match self.found {
            Found::Array if hit => self.found = Found::Twice,
            Found::Nothing => self.hit = hit,
            _ => {}
        }
    }

    /// Takes any other token; true when it opens the array of records.
    pub(super) fn value(&mut self, token: Token, scanner: &Scanner) -> bool {
        let at_the_end = self.trail as usize == self.path.steps().len();
        let hit = std::mem::take(&mut self.hit);
        match token {
            Token::Open if hit && at_the_end && !scanner.in_object() => {
                self.found = Found::Array;
                return true;
            }
            Token::Open | Token::Scalar if hit && at_the_end => self.found = Found::Other,
            Token::Open if hit => self.enter(scanner),
            Token::Close if scanner.depth() + 1 == self.trail => self.trail = NOWHERE,
            Token::Scalar | Token::Close if scanner.depth() == self.trail && !scanner.in_object() => {
                self.index += 1;
                self.hit = self.is_next_element();
            }
            _ => {}
        }
        false
    }

    fn enter(&mut self, scanner: &Scanner) {
        self.trail = scanner.depth();
        self.index = 0;
        self.hit = !scanner.in_object() && self.is_next_element();
    }

    fn is_next_element(&self) -> bool {
        self.found == Found::Nothing && self.step().is_some_and(|step| step.parse() == Ok(self.index))
    }

    /// The step from the container at `trail`.
    fn step(&self) -> Option<&String> {
        self.path.steps().get((self.trail as usize).checked_sub(1)?)
    }
}

/// No depth: the path's containers were left.
const NOWHERE: u32 = u32::MAX;
