//! Where the key of a store is.

use std::fmt;
use std::path::PathBuf;

use nuncio_client::{Error, Secret};

use crate::key::{self, Key};
use crate::key_file::KeyFile;

/// The variable of the environment that gives a key. It is read by whoever opens the store.
pub const KEY_VARIABLE: &str = "NUNCIO_KEY";

/// Where to look for the key, in this order: the one that is given, the key file.
#[derive(Debug, Clone)]
pub struct Keys {
    /// 32 bytes in base64 or hex, which stand before every other place. Default: none.
    pub given: Option<Secret>,
    /// A file of mode 0600, made with a new key when a new store needs one.
    pub file: PathBuf,
}

/// Where a key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// It was given: [`KEY_VARIABLE`].
    Given,
    /// The key file.
    File,
}

impl KeySource {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::File => "file",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        if name == Self::Given.name() { Self::Given } else { Self::File }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str(KEY_VARIABLE),
            Self::File => f.write_str("the key file"),
        }
    }
}

/// Which key a store is encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// 16 hex digits that name the key and tell nothing about it.
    pub id: String,
    /// Where the key was when it was made the store's.
    pub source: KeySource,
}

impl Keys {
    pub(crate) fn file(&self) -> KeyFile {
        KeyFile::new(self.file.clone())
    }

    /// A key for a store that is yet to be made.
    pub(crate) fn choose(&self) -> Result<(Key, KeySource), Error> {
        if let Some(text) = &self.given {
            return Ok((key::given(text)?, KeySource::Given));
        }
        let first = self.file().read_or_make()?.into_iter().next().expect("a key file has a key");
        Ok((first, KeySource::File))
    }

    /// The key that `wanted` names.
    pub(crate) fn find(&self, wanted: &KeyInfo) -> Result<Key, Error> {
        let (found, place) = match &self.given {
            Some(text) => (vec![key::given(text)?], KEY_VARIABLE.to_owned()),
            None => (self.file().read()?, format!("the key file {}", self.file.display())),
        };
        let ids: Vec<&str> = found.iter().map(Key::id).collect();
        let has = match ids.as_slice() {
            [] => format!("{place} is not there"),
            ids => format!("{place} has the key {}", ids.join(" and ")),
        };
        let KeyInfo { id, source } = wanted;
        let advice = match (source, &self.given) {
            (KeySource::File, Some(_)) => {
                format!("unset {KEY_VARIABLE}: the store's key was in {}", self.file.display())
            }
            (KeySource::File, None) => "put the right key file in its place".to_owned(),
            (KeySource::Given, _) => format!("set {KEY_VARIABLE} to the key with this id"),
        };
        found.into_iter().find(|key| key.id() == *id).ok_or_else(|| {
            Error::configuration(format!(
                "the credential store is encrypted with the key {id} of {source}, but {has}"
            ))
            .advise(format!("{advice}; nothing was changed, and without its key nobody can read the store"))
        })
    }
}
