//! Who signs.

use crate::Secret;

/// An access key, or what a role gave out for some time.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Secret,
    pub(super) session_token: Option<Secret>,
}

impl Credentials {
    /// An access key that is good until it is withdrawn.
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, secret_access_key: Secret) -> Self {
        Self { access_key_id: access_key_id.into(), secret_access_key, session_token: None }
    }

    /// The token that comes with an access key that is good for some time only.
    #[must_use]
    pub fn session_token(mut self, token: Secret) -> Self {
        self.session_token = Some(token);
        self
    }
}
