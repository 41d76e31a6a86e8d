//! What OAuth 2.0 sends, as pure functions (RFC 6749, 7636, 8707).

use http::HeaderValue;
use url::Url;

use crate::Secret;
use crate::auth::basic;

/// What a user is asked to agree to in the browser (RFC 6749, section 4.1.1).
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// The client's public name at the provider.
    pub client_id: &'a str,
    /// Where the provider sends the user back to. Unset: the one that was registered.
    pub redirect_uri: Option<&'a str>,
    /// Rights asked for. Empty: those that the provider gives by default.
    pub scopes: &'a [String],
    /// Comes back unchanged and ties the answer to this request.
    pub state: &'a str,
    /// SHA-256 of the code verifier in base64url (RFC 7636, section 4.2).
    pub code_challenge: Option<&'a str>,
}

/// The URL to open. Parameters that `endpoint` has are kept.
///
/// ```
/// use nuncio_client::auth::oauth2::request::{AuthorizationRequest, authorization_url};
///
/// let endpoint = "https://auth.example.com/authorize?tenant=7".parse()?;
/// let scopes = ["read".to_owned(), "write".to_owned()];
/// let request = AuthorizationRequest {
///     client_id: "made-up-client",
///     redirect_uri: None,
///     scopes: &scopes,
///     state: "made-up-state",
///     code_challenge: None,
/// };
/// assert_eq!(
///     authorization_url(&endpoint, &request).query(),
///     Some("tenant=7&response_type=code&client_id=made-up-client&scope=read+write&state=made-up-state"),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn authorization_url(endpoint: &Url, request: &AuthorizationRequest<'_>) -> Url {
    let scope = scope(request.scopes);
    let pairs = [
        ("response_type", Some("code")),
        ("client_id", Some(request.client_id)),
        ("redirect_uri", request.redirect_uri),
        ("scope", scope.as_deref()),
        ("state", Some(request.state)),
        ("code_challenge", request.code_challenge),
        ("code_challenge_method", request.code_challenge.map(|_| "S256")),
    ];
    let mut url = endpoint.clone();
    url.query_pairs_mut().extend_pairs(present(pairs));
    url
}

/// What a token is asked for with.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Grant<'a> {
    /// The client's own credentials (RFC 6749, section 4.4.2).
    ClientCredentials,
    /// The code with which the user came back (RFC 6749, section 4.1.3).
    AuthorizationCode {
        /// The code.
        code: &'a Secret,
        /// As in the authorization request.
        redirect_uri: Option<&'a str>,
        /// What the code challenge was made of (RFC 7636, section 4.5).
        code_verifier: Option<&'a Secret>,
    },
    /// A refresh token (RFC 6749, section 6).
    RefreshToken(&'a Secret),
}

impl Grant<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::RefreshToken(_) => "refresh_token",
        }
    }

    fn pairs(&self) -> [(&'static str, Option<&str>); 3] {
        match *self {
            Self::ClientCredentials => Default::default(),
            Self::AuthorizationCode { code, redirect_uri, code_verifier } => [
                ("code", Some(code.expose())),
                ("redirect_uri", redirect_uri),
                ("code_verifier", code_verifier.map(Secret::expose)),
            ],
            Self::RefreshToken(token) => {
                [("refresh_token", Some(token.expose())), Default::default(), Default::default()]
            }
        }
    }
}

/// A request for a token.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// What it is asked for with.
    pub grant: Grant<'a>,
    /// The client, where it is named in the body: a public client, or one that does not use a Basic header.
    pub client_id: Option<&'a str>,
    /// The client's secret, where it stands in the body.
    pub client_secret: Option<&'a Secret>,
    /// Rights asked for. Empty: those that the provider gives by default.
    pub scopes: &'a [String],
    /// Further parameters, such as `audience`.
    pub params: &'a [(String, String)],
}

/// The body of a token request, form-encoded.
///
/// ```
/// use nuncio_client::auth::oauth2::request::{Grant, TokenRequest, token_body};
///
/// let scopes = ["read".to_owned(), "write".to_owned()];
/// let request = TokenRequest {
///     grant: Grant::ClientCredentials,
///     client_id: None,
///     client_secret: None,
///     scopes: &scopes,
///     params: &[],
/// };
/// assert_eq!(token_body(&request), "grant_type=client_credentials&scope=read+write");
/// ```
#[must_use]
pub fn token_body(request: &TokenRequest<'_>) -> String {
    let scope = scope(request.scopes);
    let client = [
        ("grant_type", Some(request.grant.kind())),
        ("client_id", request.client_id),
        ("client_secret", request.client_secret.map(Secret::expose)),
        ("scope", scope.as_deref()),
    ];
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(present(client))
        .extend_pairs(present(request.grant.pairs()))
        .extend_pairs(request.params)
        .finish()
}

/// The client's credentials as a Basic header. Both are form-encoded first (RFC 6749, section 2.3.1), which changes nothing for
/// letters, digits and `*-._`; providers that do not undo it for the others want the credentials in the body.
#[must_use]
pub fn basic_header(client_id: &str, client_secret: &Secret) -> HeaderValue {
    Secret::new(client_pair(client_id, client_secret.expose()))
        .header("Basic ")
        .expect("base64 has no character that a header cannot carry")
}

pub(super) fn client_pair(client_id: &str, client_secret: &str) -> String {
    let form = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    basic::pair(&form(client_id), &form(client_secret))
}

fn scope(scopes: &[String]) -> Option<String> {
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

fn present<'a>(
    pairs: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    pairs.into_iter().filter_map(|(name, value)| Some((name, value?)))
}
