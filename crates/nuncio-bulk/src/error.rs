//! Why a run ended early.

use std::io;
use std::path::{Path, PathBuf};

/// Why a run ended early. What was noted as done by then is kept; the same run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] nuncio_client::Error),
    /// A file cannot be used: it is missing or not ours to write, the disk is full.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried, a verb: `write`.
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Another run has the file open.
    #[error("{} is in use by another run", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// What was asked for cannot be had together.
    #[error("{problem}")]
    Options {
        /// What does not go with what.
        problem: String,
    },
    /// What an earlier run left does not go with this one.
    #[error("{} {problem}", path.display())]
    State {
        /// The file that says so.
        path: PathBuf,
        /// What does not fit, and what to do.
        problem: String,
    },
    /// The input cannot be read any further.
    #[error("line {line} of the input {problem}")]
    Input {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A record does not fit the format of the output.
    #[error("record {number} {problem}")]
    Record {
        /// Number of the record in the output, from 1.
        number: u64,
        /// What is wrong with it, and what to do.
        problem: String,
    },
}

impl Error {
    /// For `map_err` on what is done to the file at `path`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, action, source }
    }

    pub(crate) fn state(path: &Path, problem: impl Into<String>) -> Self {
        Self::State { path: path.to_owned(), problem: problem.into() }
    }
}
