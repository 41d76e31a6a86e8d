//! What keeps keys that nobody has by heart: a file or a keyring.

use std::fmt;

use nuncio_client::{Error, Secret};
use zeroize::Zeroizing;

use crate::key::Key;
use crate::key_file::KeyFile;
use crate::keyring::Keyring;

/// One key a line. There are two while a store is being given a new key, so that either opens it after a crash.
#[derive(Debug, Clone)]
pub(crate) enum Keeper {
    File(KeyFile),
    Keyring(Keyring),
}

impl Keeper {
    /// The keys; none when nothing is kept.
    pub(crate) fn read(&self) -> Result<Vec<Key>, Error> {
        match self {
            Self::File(file) => file.read(),
            Self::Keyring(keyring) => match keyring.entry().load()? {
                None => Ok(Vec::new()),
                Some(text) => parse(text.expose()).ok_or_else(|| {
                    Error::configuration("what the keyring has as the key of the credential store is no key")
                        .advise("put a copy of it in its place; it is not made anew, since the old key would be lost")
                }),
            },
        }
    }

    /// The keys, of which one is made where there is none.
    pub(crate) fn read_or_make(&self) -> Result<Vec<Key>, Error> {
        match self {
            Self::File(file) => file.read_or_make(),
            Self::Keyring(keyring) => {
                let keys = self.read()?;
                if !keys.is_empty() {
                    return Ok(keys);
                }
                keyring.entry().save(&Key::generate().to_base64())?;
                // What another process may have put there meanwhile.
                self.read()
            }
        }
    }

    /// Puts `keys` in place of those that are there.
    pub(crate) fn replace(&self, keys: &[&Key]) -> Result<(), Error> {
        match self {
            Self::File(file) => file.replace(keys),
            Self::Keyring(keyring) => keyring.entry().save(&Secret::new(write(keys).as_str())),
        }
    }

    /// Forgets the keys, which open nothing any more: should that fail, nothing is lost.
    pub(crate) fn remove(&self) {
        match self {
            Self::File(file) => file.remove(),
            Self::Keyring(keyring) => drop(keyring.entry().remove()),
        }
    }
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "the key file {}", file.display()),
            Self::Keyring(_) => f.write_str("the keyring"),
        }
    }
}

/// The keys in `text`, a line each beside comments; nothing when it has none or something else.
pub(crate) fn parse(text: &str) -> Option<Vec<Key>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Option<Vec<Key>> = lines.map(Key::parse).collect();
    keys.filter(|keys| !keys.is_empty())
}

pub(crate) fn write(keys: &[&Key]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for key in keys {
        text.push_str(key.to_base64().expose());
        text.push('\n');
    }
    text
}
