//! Signatures of requests by a shared secret, described by a template.
//!
//! There is no standard for this, only habits: the parts of the request that matter are put one below the other, the HMAC of that
//! text goes into one header and the time into another. [`HmacSigner`] covers these habits by settings; what is signed is a
//! [`Template`]. The same signer checks a signature, which is what a fake server and an explanation need.
//!
//! The signed path and query are those that go on the wire, percent-encoding included.

mod key;
mod template;
#[cfg(test)]
mod tests;
mod timestamp;

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq as _;

use super::message::sensitive;
use super::{Authenticate, Exchange, Message, Step, empty_credential};
use crate::redact::BLANK;
use crate::{Error, Request};

pub use key::{Algorithm, Encoding, Key};
pub use template::{Parts, Template};
pub use timestamp::TimestampFormat;

const DEFAULT_SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-signature");
const DEFAULT_TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("x-timestamp");
const DEFAULT_NONCE_HEADER: HeaderName = HeaderName::from_static("x-nonce");

/// Signs each attempt anew.
///
/// By default it signs method, path with query, timestamp and body, joined by line ends, with SHA-256, and sends the hex digits as
/// `X-Signature` and the seconds since 1970 as `X-Timestamp`. The headers of timestamp and nonce are sent when the template signs
/// them.
///
/// ```
/// use nuncio_client::auth::hmac::{Algorithm, Encoding, Key, TimestampFormat};
/// use nuncio_client::auth::{Auth, HmacSigner};
/// use http::{HeaderName, HeaderValue};
///
/// let default = Auth::hmac(HmacSigner::new(Key::verbatim(&"made-up-secret".into())));
///
/// let signer = HmacSigner::new(Key::base64(&"bWFkZS11cA==".into())?)
///     .template("{timestamp}.{nonce}.{method}.{url}.{body_sha256}".parse()?)
///     .algorithm(Algorithm::Sha512)
///     .encoding(Encoding::Base64)
///     .signature_header(HeaderName::from_static("authorization"))
///     .signature_prefix("HMAC-SHA512 ")
///     .timestamp_format(TimestampFormat::Milliseconds)
///     .key_id(HeaderName::from_static("x-key-id"), HeaderValue::from_static("made-up-id"));
///
/// let mut request = http::Request::new(nuncio_client::Body::Empty);
/// Auth::hmac(signer).preview(&mut request)?;
/// assert_eq!(request.headers()["authorization"], "HMAC-SHA512 ***");
/// assert_eq!(request.headers()["x-key-id"], "made-up-id");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug)]
pub struct HmacSigner {
    key: Key,
    template: Template,
    algorithm: Algorithm,
    encoding: Encoding,
    signature_header: HeaderName,
    signature_prefix: String,
    timestamp_header: HeaderName,
    timestamp_format: TimestampFormat,
    nonce_header: HeaderName,
    key_id: Option<(HeaderName, HeaderValue)>,
}

impl HmacSigner {
    /// A signer with all defaults.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self {
            key,
            template: Template::default(),
            algorithm: Algorithm::default(),
            encoding: Encoding::default(),
            signature_header: DEFAULT_SIGNATURE_HEADER,
            signature_prefix: String::new(),
            timestamp_header: DEFAULT_TIMESTAMP_HEADER,
            timestamp_format: TimestampFormat::default(),
            nonce_header: DEFAULT_NONCE_HEADER,
            key_id: None,
        }
    }

    /// What is signed. Default: [`Template::default`].
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.template = template;
        self
    }

    /// The hash function. Default: SHA-256.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// How the signature is written. Default: lower-case hex.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Where the signature goes. Default: `X-Signature`.
    #[must_use]
    pub fn signature_header(mut self, name: HeaderName) -> Self {
        self.signature_header = name;
        self
    }

    /// What stands before it, such as `sha256=`. Default: nothing.
    #[must_use]
    pub fn signature_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.signature_prefix = prefix.into();
        self
    }

    /// Where the timestamp goes. Default: `X-Timestamp`.
    #[must_use]
    pub fn timestamp_header(mut self, name: HeaderName) -> Self {
        self.timestamp_header = name;
        self
    }

    /// How the timestamp is written. Default: whole seconds since 1970.
    #[must_use]
    pub fn timestamp_format(mut self, format: TimestampFormat) -> Self {
        self.timestamp_format = format;
        self
    }

    /// Where the nonce goes, a new UUID for each attempt. Default: `X-Nonce`.
    #[must_use]
    pub fn nonce_header(mut self, name: HeaderName) -> Self {
        self.nonce_header = name;
        self
    }

    /// A header that says which key it is. Default: none.
    #[must_use]
    pub fn key_id(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.key_id = Some((name, value));
        self
    }

    /// The bytes that are signed for `parts`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when the template names a header that `parts` does not have.
    pub fn string_to_sign(&self, parts: &Parts<'_>) -> Result<Vec<u8>, Error> {
        self.template.string_to_sign(parts)
    }

    /// The signature of `message` as the header carries it, prefix included.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        let mac = self.encoding.encode(&self.key.mac(self.algorithm, message));
        format!("{}{mac}", self.signature_prefix)
    }

    /// Whether `signature`, prefix included, is that of `message`. Takes the same time wherever they differ.
    ///
    /// ```
    /// use nuncio_client::auth::HmacSigner;
    /// use nuncio_client::auth::hmac::Key;
    ///
    /// let signer = HmacSigner::new(Key::verbatim(&"made-up-secret".into()));
    /// assert!(signer.verify(b"message", &signer.sign(b"message")));
    /// assert!(!signer.verify(b"another", &signer.sign(b"message")));
    /// ```
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        self.sign(message).as_bytes().ct_eq(signature.as_bytes()).into()
    }

    /// Puts on what is sent in the open, and says what is signed.
    fn prepare(&self, request: &mut Request, exchange: &Exchange) -> Result<Vec<u8>, Error> {
        if self.key.is_empty() {
            return Err(empty_credential());
        }
        let timestamp = self.timestamp_format.write(exchange.clock.since_epoch());
        let nonce = exchange.random.uuid();
        // First, since the template may sign them by name.
        self.put_open_headers(request.headers_mut(), &timestamp, &nonce);

        let message = Message::of(request)?;
        self.string_to_sign(&Parts {
            method: message.method,
            origin: &format!("{}://{}", message.scheme, message.authority),
            path_and_query: &message.path_and_query(),
            timestamp: &timestamp,
            nonce: &nonce,
            headers: message.headers,
            body: self.signed_body(message.body)?,
        })
    }

    fn put_open_headers(&self, headers: &mut HeaderMap, timestamp: &str, nonce: &str) {
        let plain = |text| HeaderValue::from_str(text).expect("timestamps and nonces are printable");
        if self.template.signs_timestamp() {
            headers.insert(&self.timestamp_header, plain(timestamp));
        }
        if self.template.signs_nonce() {
            headers.insert(&self.nonce_header, plain(nonce));
        }
        if let Some((name, value)) = &self.key_id {
            headers.insert(name, value.clone());
        }
    }

    fn put_signature(&self, headers: &mut HeaderMap, signature: &str) -> Result<(), Error> {
        headers.insert(&self.signature_header, sensitive(signature)?);
        Ok(())
    }

    fn signed_body<'a>(&self, body: Option<&'a [u8]>) -> Result<&'a [u8], Error> {
        match body {
            Some(bytes) => Ok(bytes),
            None if !self.template.signs_body() => Ok(&[]),
            None => Err(Error::configuration("a body that is not held in memory cannot be signed")
                .advise("send it as bytes, or sign a template without {body} and {body_sha256}")),
        }
    }
}

impl Authenticate for HmacSigner {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            let message = self.prepare(&mut request, exchange)?;
            self.put_signature(request.headers_mut(), &self.sign(&message))?;
            Ok(request)
        })
    }

    fn can_renew(&self) -> bool {
        false
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        self.put_open_headers(request.headers_mut(), BLANK, BLANK);
        self.put_signature(request.headers_mut(), &format!("{}{BLANK}", self.signature_prefix))
    }

    fn explain(&self, mut request: Request, exchange: &Exchange) -> Result<Vec<Step>, Error> {
        let message = self.prepare(&mut request, exchange)?;
        Ok(vec![Step::new("string to sign", String::from_utf8_lossy(&message))])
    }
}
