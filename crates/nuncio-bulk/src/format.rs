use std::fmt;

use serde::{Deserialize, Serialize};

/// How records and items are written in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON value a line, in a pull as the service wrote it.
    #[default]
    Jsonl,
    /// Comma-separated values with a header (RFC 4180). In a pull, null is empty, and objects and arrays are written as JSON; as items,
    /// rows are objects of strings.
    Csv,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        })
    }
}
