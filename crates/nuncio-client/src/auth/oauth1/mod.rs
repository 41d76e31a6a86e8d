//! OAuth 1.0a (RFC 5849): requests signed for a consumer and, mostly, a token of one user.
//!
//! The parameters of the query and of a form body are signed; other bodies are not, which is the protocol's own weakness. The signer also verifies,
//! which is what a fake service and an explanation need.

mod base_string;
#[cfg(test)]
mod tests;
mod verify;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE};

use self::base_string::{Params, base_string, encode, is_form};
use super::hmac::Key;
use super::key::{Algorithm, Hash, SigningKey};
use super::message::{sensitive, with_path_and_query};
use super::{Authenticate, Exchange, Message, Step, empty_credential};
use crate::redact::BLANK;
use crate::{Body, Error, Request, Secret};

/// Between the 20 and 30 characters that `RequestValidator.nonce_length` of oauthlib takes unless a service says otherwise.
const NONCE_LENGTH: usize = 30;

/// How requests are signed (RFC 5849, section 3.4).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Method {
    /// `HMAC-SHA1`, the default: what every server knows, and still sound as an HMAC.
    #[default]
    HmacSha1,
    /// `HMAC-SHA256`, beyond the RFC.
    HmacSha256,
    /// `HMAC-SHA512`, beyond the RFC.
    HmacSha512,
    /// `RSA-SHA1` with the consumer's private key; its secret has no part in it.
    RsaSha1(SigningKey),
    /// `PLAINTEXT`: both secrets as they are, for connections that are protected.
    Plaintext,
}

impl Method {
    fn name(&self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::RsaSha1(_) => "RSA-SHA1",
            Self::Plaintext => "PLAINTEXT",
        }
    }
}

/// Where the parameters of the protocol go (RFC 5849, section 3.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// Into `Authorization: OAuth`, the default.
    #[default]
    Header,
    /// Into the query.
    Query,
    /// Into the body, which is a form or empty.
    Body,
}

/// Signs each attempt anew.
///
/// ```
/// use nuncio_client::auth::{Auth, OAuth1Signer};
///
/// let signer = OAuth1Signer::new("made-up-consumer", "made-up-consumer-secret".into())
///     .token("made-up-token", "made-up-token-secret".into());
/// let mut request = http::Request::new(nuncio_client::Body::Empty);
/// Auth::oauth1(signer).preview(&mut request)?;
/// assert_eq!(request.headers()["authorization"], "OAuth oauth_consumer_key=\"made-up-consumer\", oauth_signature=\"***\"");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug)]
pub struct OAuth1Signer {
    consumer_key: String,
    consumer_secret: Secret,
    token: Option<(String, Secret)>,
    method: Method,
    placement: Placement,
    realm: Option<String>,
    more: Params,
}

impl OAuth1Signer {
    /// A signer for a consumer alone.
    #[must_use]
    pub fn new(consumer_key: impl Into<String>, consumer_secret: Secret) -> Self {
        Self {
            consumer_key: consumer_key.into(),
            consumer_secret,
            token: None,
            method: Method::default(),
            placement: Placement::default(),
            realm: None,
            more: Vec::new(),
        }
    }

    /// The token that stands for the user, with its secret. Default: none.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>, secret: Secret) -> Self {
        self.token = Some((token.into(), secret));
        self
    }

    /// How requests are signed. Default: `HMAC-SHA1`.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Where the parameters go. Default: into `Authorization`.
    #[must_use]
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// The realm that the header names, which is not signed. Default: none.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// A further parameter of the protocol: `oauth_callback` and `oauth_verifier` on the way to a token.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.more.push((name.into(), value.into()));
        self
    }

    /// The parameters of the protocol, but for the signature.
    fn params(&self, nonce: &str, timestamp: u64) -> Params {
        let timestamp = timestamp.to_string();
        let own = [
            ("oauth_nonce", nonce),
            ("oauth_timestamp", &timestamp),
            ("oauth_version", "1.0"),
            ("oauth_signature_method", self.method.name()),
            ("oauth_consumer_key", &self.consumer_key),
        ];
        let token = self.token.iter().map(|(token, _)| ("oauth_token", token.as_str()));
        let own = own.into_iter().chain(token).map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(self.more.iter().cloned()).collect()
    }

    /// Both secrets, as they sign and as `PLAINTEXT` sends them.
    fn secrets(&self) -> Secret {
        let token_secret = self.token.as_ref().map_or("", |(_, secret)| secret.expose());
        Secret::new(format!("{}&{}", encode(self.consumer_secret.expose()), encode(token_secret)))
    }

    fn sign(&self, base_string: &str) -> Result<String, Error> {
        let (key, algorithm) = match &self.method {
            Method::Plaintext => return Ok(self.secrets().expose().to_owned()),
            Method::RsaSha1(key) => (key.clone(), Algorithm::RsaPkcs1(Hash::Sha1)),
            Method::HmacSha1 => (self.shared(), Algorithm::Hmac(Hash::Sha1)),
            Method::HmacSha256 => (self.shared(), Algorithm::Hmac(Hash::Sha256)),
            Method::HmacSha512 => (self.shared(), Algorithm::Hmac(Hash::Sha512)),
        };
        Ok(BASE64_STANDARD.encode(key.sign(algorithm, base_string.as_bytes())?))
    }

    fn shared(&self) -> SigningKey {
        SigningKey::shared(Key::verbatim(&self.secrets()))
    }

    /// The parameters for `request`, and what is signed of both.
    fn prepare(&self, request: &Request, exchange: &Exchange) -> Result<(Params, String), Error> {
        let has_secret = !self.consumer_secret.expose().is_empty();
        if self.consumer_key.is_empty() || !(has_secret || matches!(self.method, Method::RsaSha1(_))) {
            return Err(empty_credential());
        }
        let message = Message::of(request)?;
        if message.body.is_none() && (is_form(&message) || self.placement == Placement::Body) {
            return Err(Error::configuration("a form that is not held in memory cannot be signed")
                .advise("send it as bytes: OAuth 1.0a signs the fields of a form"));
        }
        let mut nonce = exchange.random.uuid().replace('-', "");
        nonce.truncate(NONCE_LENGTH);
        let params = self.params(&nonce, exchange.clock.since_epoch().as_secs());
        let signed = base_string(&message, &params);
        Ok((params, signed))
    }

    fn put(&self, request: &mut Request, params: &Params) -> Result<(), Error> {
        match self.placement {
            Placement::Header => {
                request.headers_mut().insert(AUTHORIZATION, sensitive(&self.authorization(params))?);
            }
            Placement::Query => {
                let query: Vec<String> =
                    request.uri().query().map(str::to_owned).into_iter().chain([form(params)]).collect();
                let target = format!("{}?{}", request.uri().path(), query.join("&"));
                *request.uri_mut() = with_path_and_query(request.uri(), target)?;
            }
            Placement::Body => {
                if !is_form(&Message::of(request)?) {
                    if request.body().as_bytes().is_none_or(|body| !body.is_empty()) {
                        return Err(Error::configuration(
                            "the parameters of OAuth 1.0a go into a form, and the body is none",
                        )
                        .advise("put them into the header or the query"));
                    }
                    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                    request.headers_mut().insert(CONTENT_TYPE, form);
                }
                let body = request.body().as_bytes().unwrap_or_default();
                let mark: &[u8] = if body.is_empty() { b"" } else { b"&" };
                *request.body_mut() = Body::from([body, mark, form(params).as_bytes()].concat());
            }
        }
        Ok(())
    }

    fn authorization(&self, params: &Params) -> String {
        let realm = self.realm.iter().map(|realm| format!("realm=\"{}\"", realm.replace(['"', '\\'], "")));
        let params = params.iter().map(|(name, value)| format!("{}=\"{}\"", encode(name), encode(value)));
        format!("OAuth {}", realm.chain(params).collect::<Vec<_>>().join(", "))
    }
}

impl Authenticate for OAuth1Signer {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            let (mut params, signed) = self.prepare(&request, exchange)?;
            params.push(("oauth_signature".to_owned(), self.sign(&signed)?));
            self.put(&mut request, &params)?;
            Ok(request)
        })
    }

    fn can_renew(&self) -> bool {
        false
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        let shown = format!(
            "OAuth oauth_consumer_key=\"{}\", oauth_signature=\"{BLANK}\"",
            encode(&self.consumer_key)
        );
        match self.placement {
            Placement::Header => {
                request.headers_mut().insert(AUTHORIZATION, sensitive(&shown)?);
                Ok(())
            }
            Placement::Query | Placement::Body => {
                self.put(request, &vec![("oauth_signature".to_owned(), BLANK.to_owned())])
            }
        }
    }

    fn explain(&self, request: Request, exchange: &Exchange) -> Result<Vec<Step>, Error> {
        let (_, signed) = self.prepare(&request, exchange)?;
        // PLAINTEXT signs nothing.
        let signs = !matches!(self.method, Method::Plaintext);
        Ok(signs.then(|| Step::new("signature base string", signed)).into_iter().collect())
    }
}

/// As the query and a form have them; `***` stays as it is, since people read it.
fn form(params: &Params) -> String {
    let value = |value: &str| if value == BLANK { value.to_owned() } else { encode(value) };
    params.iter().map(|(name, it)| format!("{}={}", encode(name), value(it))).collect::<Vec<_>>().join("&")
}
