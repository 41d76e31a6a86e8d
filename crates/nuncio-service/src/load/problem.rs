//! What is wrong with a service file, and where.

use std::fmt;

use super::node::Mark;

/// A mistake in a service file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, what was expected, and what was probably meant.
    pub message: String,
}

impl Problem {
    pub(super) fn at(mark: Mark, message: impl Into<String>) -> Self {
        Self { line: mark.line, column: mark.column, message: message.into() }
    }
}

/// All mistakes found in a service file, in the order of the file; [`Error::cause`](nuncio_client::Error::cause) finds them in the
/// error of a load. Printed with the lines they stand in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Problems {
    /// Path of the file.
    pub file: String,
    /// The mistakes.
    pub list: Vec<Problem>,
    /// The lines of those that are shown.
    lines: Vec<String>,
}

impl Problems {
    pub(super) fn new(file: &str, text: &str, mut list: Vec<Problem>) -> Self {
        list.sort();
        list.dedup();
        // Once for all: a file can have a mistake on each of its lines.
        let all: Vec<&str> = text.lines().collect();
        let line = |problem: &Problem| all.get(problem.line - 1).copied().unwrap_or_default().to_owned();
        let lines = list.iter().take(SHOWN).map(line).collect();
        Self { file: file.to_owned(), list, lines }
    }
}

/// More mistakes are only counted: the first ones are often the cause of the others.
const SHOWN: usize = 20;

/// Longer lines are cut around the mistake: a terminal would wrap them and tear the caret from its place.
const SHOWN_CHARS: usize = 100;

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (problem, line)) in self.list.iter().zip(&self.lines).take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            let Problem { line: number, column, message } = problem;
            write!(f, "{}:{number}:{column}: {message}", self.file)?;
            let chars = line.chars().count();
            let skipped = column.saturating_sub(SHOWN_CHARS / 2).min(chars);
            let skipped = if chars > SHOWN_CHARS { skipped } else { 0 };
            let shown: String = line.chars().skip(skipped).take(SHOWN_CHARS).collect();
            let gutter = number.to_string().len();
            // YAML also ends lines where an editor does not, and may count other ones than those here.
            let caret = (column - skipped).min(shown.chars().count() + 1);
            write!(f, "\n {number} | {}\n {:gutter$} | {:>caret$}", shown.trim_end(), "", "^")?;
        }
        match self.list.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            rest => write!(f, "\n\nand {rest} more"),
        }
    }
}

impl std::error::Error for Problems {}
