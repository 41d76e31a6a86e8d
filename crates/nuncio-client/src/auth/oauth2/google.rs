//! Google's key files of service accounts
//! (<https://developers.google.com/identity/protocols/oauth2/service-account#httprest>).

use serde::Deserialize;
use url::Url;

use super::{Client, OAuth2};
use crate::auth::jwt::{Algorithm, Header, Signer};
use crate::auth::key::SigningKey;
use crate::{Error, Secret};

#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: Option<String>,
    private_key: Option<Secret>,
    private_key_id: Option<String>,
    token_uri: Option<Url>,
}

impl OAuth2 {
    /// A Google service account, by its key file in JSON (RFC 7523 as Google has it: the scopes are a claim). `user` is whom it acts for, where
    /// the Workspace domain allows that.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for another kind of file and for a key that cannot be used.
    pub fn google_service_account(
        key_file: &Secret,
        scopes: &[impl AsRef<str>],
        user: Option<&str>,
    ) -> Result<Self, Error> {
        let unusable = |what: &str| {
            Error::configuration(format!("the key file of the Google service account {what}"))
                .advise("make a key of type JSON on the page of the service account, and give that file")
        };
        let file: KeyFile = serde_json::from_str(key_file.expose())
            // The cause of serde's would quote the file.
            .map_err(|error| unusable(&format!("cannot be read at line {}", error.line())))?;
        if file.kind != "service_account" {
            return Err(unusable(&format!("is of type {:?}", file.kind)));
        }
        let (Some(email), Some(key), Some(token_uri)) = (file.client_email, file.private_key, file.token_uri)
        else {
            return Err(unusable("has no client_email, private_key or token_uri"));
        };
        let mut header = Header::new(Algorithm::Rs256);
        header.key_id = file.private_key_id;
        let scopes: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
        let mut signer = Signer::new(SigningKey::from_pem(&key)?)
            .header(header)
            .claim("iss", email)
            .claim("scope", scopes.join(" "));
        if let Some(user) = user {
            signer = signer.claim("sub", user);
        }
        Ok(Self::jwt_bearer(Client::unregistered(token_uri), signer))
    }
}
