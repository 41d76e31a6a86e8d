//! Whose credentials they are.

use std::fmt;

use nuncio_client::Error;

/// The name of an account that was given none.
pub const DEFAULT_NAME: &str = "default";

/// Bound on the name of a service or an account: 128 bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// A service and one account there: what a connection is found by.
///
/// ```
/// use nuncio_credentials::Account;
///
/// let account = Account::new("stripe", "test")?;
/// assert_eq!(account.to_string(), "stripe as test");
/// assert!(Account::new("stripe", "").is_err());
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    service: String,
    name: String,
}

impl Account {
    /// The account `name` of `service`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for a name that is empty, longer than [`MAX_NAME_BYTES`], or has
    /// characters that no terminal shows.
    pub fn new(service: impl Into<String>, name: impl Into<String>) -> Result<Self, Error> {
        let account = Self { service: service.into(), name: name.into() };
        for (what, name) in [("service", &account.service), ("account", &account.name)] {
            if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
                return Err(Error::configuration(format!(
                    "{name:?} is no name of {what}: it has 1 to {MAX_NAME_BYTES} bytes, all of them to be seen"
                )));
            }
        }
        Ok(account)
    }

    /// The name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The name of the account.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.service, self.name)
    }
}
