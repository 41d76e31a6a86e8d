//! Where the key of a store is.

use std::fmt;
use std::path::PathBuf;

use nuncio_client::{Error, Secret};

use crate::keeper::Keeper;
use crate::key::{self, Key};
use crate::key_file::KeyFile;
use crate::keyring::Keyring;

/// The variable of the environment that gives a key. It is read by whoever opens the store.
pub const KEY_VARIABLE: &str = "NUNCIO_KEY";

/// Where to look for the key of a new store, in this order: the one that is given, the keyring, the key file. A store that is there says
/// where its own is.
#[derive(Debug, Clone)]
pub struct Keys {
    /// 32 bytes in base64 or hex, which stand before every other place. Default: none.
    pub given: Option<Secret>,
    /// The keyring of the operating system. Default: none.
    pub keyring: Option<Keyring>,
    /// A file of mode 0600, made with a new key when a new store needs one.
    pub file: PathBuf,
}

/// Where a key was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// It was given: [`KEY_VARIABLE`].
    Given,
    /// The keyring of the operating system.
    Keyring,
    /// The key file.
    File,
}

impl KeySource {
    const ALL: [Self; 3] = [Self::Given, Self::Keyring, Self::File];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|source| source.name() == name).unwrap_or(Self::File)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => KEY_VARIABLE,
            Self::Keyring => "the keyring",
            Self::File => "the key file",
        })
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
    /// What keeps the keys of `source`; nothing for one that is given, and for a keyring that is not there.
    pub(crate) fn keeper(&self, source: KeySource) -> Option<Keeper> {
        match source {
            KeySource::Given => None,
            KeySource::Keyring => self.keyring.clone().map(Keeper::Keyring),
            KeySource::File => Some(Keeper::File(KeyFile::new(self.file.clone()))),
        }
    }

    /// Where a key is kept that is made here.
    #[must_use]
    pub fn made_in(&self) -> KeySource {
        if self.keyring.is_some() { KeySource::Keyring } else { KeySource::File }
    }

    /// A key for a store that is yet to be made.
    pub(crate) fn choose(&self) -> Result<(Key, KeySource), Error> {
        if let Some(text) = &self.given {
            return Ok((key::given(text)?, KeySource::Given));
        }
        let source = self.made_in();
        let keeper = self.keeper(source).expect("keys are made where they are kept");
        let first = keeper.read_or_make()?.into_iter().next().expect("one was made");
        Ok((first, source))
    }

    /// The key that `wanted` names.
    pub(crate) fn find(&self, wanted: &KeyInfo) -> Result<Key, Error> {
        // Where a given key is missing, a file may still have it.
        let keeper = self.keeper(match wanted.source {
            KeySource::Given => KeySource::File,
            other => other,
        });
        let (found, place) = match (&self.given, keeper) {
            (Some(text), _) => (vec![key::given(text)?], KEY_VARIABLE.to_owned()),
            (None, Some(keeper)) => (keeper.read()?, keeper.to_string()),
            (None, None) => (Vec::new(), "the keyring".to_owned()),
        };
        let ids: Vec<&str> = found.iter().map(Key::id).collect();
        let has = match ids.as_slice() {
            [] => format!("{place} is not there"),
            ids => format!("{place} has the key {}", ids.join(" and ")),
        };
        let KeyInfo { id, source } = wanted;
        let advice = match (source, &self.given) {
            (KeySource::Given, _) => format!("set {KEY_VARIABLE} to the key with this id"),
            (KeySource::File, Some(_)) => {
                format!("unset {KEY_VARIABLE}: the store's key was in {}", self.file.display())
            }
            (KeySource::Keyring, Some(_)) => {
                format!("unset {KEY_VARIABLE}: the store's key was in the keyring")
            }
            (KeySource::File, None) => "put the right key file in its place".to_owned(),
            (KeySource::Keyring, None) => {
                "run it in the session that has the keyring, with a build that has the feature `keyring`"
                    .to_owned()
            }
        };
        found.into_iter().find(|key| key.id() == *id).ok_or_else(|| {
            Error::configuration(format!(
                "the credential store is encrypted with the key {id} of {source}, but {has}"
            ))
            .advise(format!("{advice}; nothing was changed, and without its key nobody can read the store"))
        })
    }
}
