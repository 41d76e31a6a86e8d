//! A place of the operating system for the key.

use std::fmt;
use std::sync::Arc;

use nuncio_client::{Error, Secret};

/// One secret in the keyring of an operating system: a keychain, a credential manager, a Secret Service.
///
/// With the feature `keyring`, `Keyring::of_user` is the one of this machine.
#[derive(Clone)]
pub struct Keyring(Arc<dyn Entry>);

/// What a keyring does with one secret.
pub trait Entry: Send + Sync {
    /// The secret; nothing where none is kept.
    ///
    /// # Errors
    /// When the keyring is locked or cannot be reached.
    fn load(&self) -> Result<Option<Secret>, Error>;

    /// Puts a secret in the place of the one that is kept.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn save(&self, secret: &Secret) -> Result<(), Error>;

    /// Forgets the secret.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn remove(&self) -> Result<(), Error>;
}

impl Keyring {
    /// A keyring that keeps the key in `entry`.
    pub fn new(entry: impl Entry + 'static) -> Self {
        Self(Arc::new(entry))
    }

    pub(crate) fn entry(&self) -> &dyn Entry {
        &*self.0
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

#[cfg(feature = "keyring")]
mod of_user {
    use keyring_core::Error as Refusal;
    use keyring_core::api::CredentialStoreApi as _;
    use nuncio_client::{Error, Secret};

    use super::{Entry, Keyring};

    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;
    #[cfg(windows)]
    use windows_native_keyring_store::Store;
    #[cfg(all(unix, not(target_os = "macos")))]
    use zbus_secret_service_keyring_store::Store;

    /// Under which name all keys stand there.
    const SERVICE: &str = "nuncio";

    impl Keyring {
        /// The keyring of this user: the Keychain of macOS, the Credential Manager of Windows, elsewhere a Secret Service (GNOME Keyring,
        /// KWallet, KeePassXC) on the session bus.
        ///
        /// The key stands there as `name` of nuncio, so that stores can have keys of their own. It may ask the user to unlock the keyring, and
        /// blocks until that is done.
        ///
        /// # Errors
        /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) where there is none.
        pub fn of_user(name: &str) -> Result<Self, Error> {
            let entry = Store::new().and_then(|store| store.build(SERVICE, name, None));
            Ok(Self::new(OfUser(entry.map_err(refused)?)))
        }
    }

    struct OfUser(keyring_core::Entry);

    impl Entry for OfUser {
        fn load(&self) -> Result<Option<Secret>, Error> {
            match self.0.get_password() {
                Ok(text) => Ok(Some(text.into())),
                Err(Refusal::NoEntry) => Ok(None),
                Err(error) => Err(refused(error)),
            }
        }

        fn save(&self, secret: &Secret) -> Result<(), Error> {
            self.0.set_password(secret.expose()).map_err(refused)
        }

        fn remove(&self) -> Result<(), Error> {
            match self.0.delete_credential() {
                Ok(()) | Err(Refusal::NoEntry) => Ok(()),
                Err(error) => Err(refused(error)),
            }
        }
    }

    fn refused(error: Refusal) -> Error {
        Error::configuration("the keyring of the operating system cannot be used")
            .because(error)
            .advise("unlock it, or set NUNCIO_KEY")
    }
}
