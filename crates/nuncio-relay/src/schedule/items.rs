//! What there is a call for each of.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use nuncio_client::Error;
use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

/// The longest line of a file of items, in bytes: 1 MiB.
const MAX_ITEM_BYTES: u64 = 1024 * 1024;

/// Where items come from.
#[derive(Debug)]
pub(super) enum Items {
    Listed(Vec<Value>),
    File(PathBuf),
}

/// Reads items, one after the other.
pub(super) enum Reader<'a> {
    Listed(std::slice::Iter<'a, Value>, Context),
    File(Box<BufReader<File>>, &'a Path, Context),
}

impl Items {
    pub(super) fn new(items: Option<Vec<Value>>, file: Option<PathBuf>) -> Result<Self, Error> {
        match (items, file) {
            (Some(items), None) => Ok(Self::Listed(items)),
            (None, Some(file)) => Ok(Self::File(file)),
            _ => Err(Error::configuration("one of `items` and `file` says what there is a call for each of")),
        }
    }

    pub(super) async fn read(&self) -> Result<Reader<'_>, Error> {
        match self {
            Self::Listed(items) => Ok(Reader::Listed(items.iter(), Context::new(&SHA256))),
            Self::File(path) => {
                let file = File::open(path).await.map_err(unreadable(path))?;
                Ok(Reader::File(Box::new(BufReader::new(file)), path, Context::new(&SHA256)))
            }
        }
    }
}

impl Reader<'_> {
    /// The next item, or why the next line is none.
    pub(super) async fn next(&mut self) -> Result<Option<Result<Value, Error>>, Error> {
        match self {
            Self::Listed(items, digest) => Ok(items.next().map(|item| {
                digest.update(item.to_string().as_bytes());
                Ok(item.clone())
            })),
            Self::File(lines, path, digest) => loop {
                let mut line = Vec::new();
                let mut bounded = (&mut **lines).take(MAX_ITEM_BYTES + 1);
                bounded.read_until(b'\n', &mut line).await.map_err(unreadable(path))?;
                if line.is_empty() {
                    return Ok(None);
                }
                if line.len() as u64 > MAX_ITEM_BYTES {
                    return Err(Error::configuration(format!(
                        "{} has a line of more than {MAX_ITEM_BYTES} bytes",
                        path.display()
                    )));
                }
                let line = line.trim_ascii();
                if line.is_empty() {
                    continue;
                }
                digest.update(line);
                digest.update(b"\n");
                return Ok(Some(serde_json::from_slice(line).map_err(|error| {
                    Error::configuration(format!("a line of {} is no JSON", path.display())).because(error)
                })));
            },
        }
    }

    /// SHA-256 of all items that were read.
    pub(super) fn digest(&self) -> String {
        let (Self::Listed(_, digest) | Self::File(_, _, digest)) = self;
        digest.clone().finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::configuration(format!("{} cannot be read", path.display())).because(error)
}
