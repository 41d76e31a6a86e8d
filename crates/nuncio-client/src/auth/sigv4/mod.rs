//! AWS Signature Version 4, of Amazon's services and of those that speak like them
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! [`SigV4Signer`] signs the headers of each attempt, or makes a presigned URL of it; the same signer verifies, which is what a fake
//! service and an explanation need. Two dialects differ in the path: S3 signs it as it was sent, all other services normalise it and
//! encode it once more. Which one it is follows from the service's name.
//!
//! A body that is held in memory is signed by its hash. A stream goes to S3 over TLS as `UNSIGNED-PAYLOAD`: the connection protects it, and
//! reading it twice may be impossible. Elsewhere a stream is refused. S3 wants a `Content-Length` beside it.

mod canonical;
mod credentials;
#[cfg(test)]
mod tests;
mod verify;

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Uri, header};

use self::canonical::{ALGORITHM, SIGNATURE_PARAM, Scope, UNSIGNED_PAYLOAD};
use super::hmac::TimestampFormat;
use super::message::{sensitive, with_path_and_query};
use super::{Authenticate, Exchange, Message, Step, empty_credential};
use crate::redact::BLANK;
use crate::{Body, Error, Request};

pub use credentials::Credentials;

/// The longest time that a presigned URL may be good for: seven days.
pub const MAX_EXPIRY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Services that sign paths as they are sent and want the hash of the body in a header.
const S3_SERVICES: [&str; 4] = ["s3", "s3express", "s3-object-lambda", "s3-outposts"];

/// Signs each attempt anew.
///
/// ```
/// use nuncio_client::auth::sigv4::{Credentials, SigV4Signer};
/// use nuncio_client::auth::Auth;
///
/// let credentials = Credentials::new("MADEUPKEYID", "made-up-secret-access-key".into());
/// let auth = Auth::sigv4(SigV4Signer::new(credentials, "eu-west-1", "execute-api"));
/// let mut request = http::Request::new(nuncio_client::Body::Empty);
/// auth.preview(&mut request)?;
/// assert_eq!(
///     request.headers()["authorization"],
///     "AWS4-HMAC-SHA256 Credential=MADEUPKEYID/***/eu-west-1/execute-api/aws4_request, SignedHeaders=***, Signature=***"
/// );
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug)]
pub struct SigV4Signer {
    credentials: Credentials,
    region: String,
    service: String,
    unsigned_payload: bool,
    presigned: Option<Duration>,
}

/// What is signed of one request, step by step.
struct Signing {
    canonical_request: String,
    string_to_sign: String,
    signature: String,
    signed_headers: String,
}

impl SigV4Signer {
    /// A signer for the service `service`, such as `execute-api` or `s3`, in `region`, such as `eu-west-1`.
    #[must_use]
    pub fn new(credentials: Credentials, region: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            credentials,
            region: region.into(),
            service: service.into(),
            unsigned_payload: false,
            presigned: None,
        }
    }

    /// Leaves the body out of the signature even where it is held in memory: for services that allow it, over TLS. Default: it is signed.
    #[must_use]
    pub fn unsigned_payload(mut self) -> Self {
        self.unsigned_payload = true;
        self
    }

    /// Signs in the query, which makes a URL that anyone can use for `expiry`, at most [`MAX_EXPIRY`]. Default: in headers.
    #[must_use]
    pub fn presigned(mut self, expiry: Duration) -> Self {
        self.presigned = Some(expiry.min(MAX_EXPIRY));
        self
    }

    fn is_s3(&self) -> bool {
        S3_SERVICES.contains(&self.service.as_str())
    }

    fn scope<'a>(&'a self, time: &'a str) -> Scope<'a> {
        Scope { day: &time[..8], region: &self.region, service: &self.service }
    }

    /// Puts on everything that is signed, but for the signature.
    fn prepare(&self, request: &mut Request, time: &str) -> Result<(), Error> {
        if self.credentials.access_key_id.is_empty() || self.credentials.secret_access_key.expose().is_empty()
        {
            return Err(empty_credential());
        }
        *request.uri_mut() = self.settled(request.uri())?;
        let payload = self.payload(request)?;
        if self.presigned.is_some() {
            return self.put_params(request, time);
        }
        let headers = request.headers_mut();
        headers.remove(header::AUTHORIZATION);
        headers.insert(DATE, HeaderValue::from_str(time).expect("a time is printable"));
        if let Some(token) = &self.credentials.session_token {
            headers.insert(TOKEN, token.header("")?);
        }
        if self.is_s3() || payload == UNSIGNED_PAYLOAD {
            headers.insert(CONTENT_HASH, HeaderValue::from_str(&payload).expect("a hash is printable"));
        }
        Ok(())
    }

    fn put_params(&self, request: &mut Request, time: &str) -> Result<(), Error> {
        let credential = format!("{}/{}", self.credentials.access_key_id, self.scope(time));
        let signed = canonical::signed_headers(&Message::of(request)?).join(";");
        let expiry = self.presigned.unwrap_or_default().as_secs().to_string();
        let mut params = vec![
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", time),
            ("X-Amz-Expires", &expiry),
            ("X-Amz-SignedHeaders", &signed),
        ];
        if let Some(token) = &self.credentials.session_token {
            params.push(("X-Amz-Security-Token", token.expose()));
        }
        *request.uri_mut() = with_params(request.uri(), &params)?;
        Ok(())
    }

    /// What stands for the body.
    fn payload(&self, request: &Request) -> Result<String, Error> {
        let is_tls = request.uri().scheme_str() == Some("https");
        match request.body() {
            _ if self.unsigned_payload || (self.presigned.is_some() && self.is_s3()) => {
                Ok(UNSIGNED_PAYLOAD.to_owned())
            }
            body @ (Body::Empty | Body::Bytes(_)) => {
                Ok(canonical::sha256(body.as_bytes().unwrap_or_default()))
            }
            Body::Replay(_) | Body::Once(_) if self.is_s3() && is_tls => Ok(UNSIGNED_PAYLOAD.to_owned()),
            Body::Replay(_) | Body::Once(_) => {
                Err(Error::configuration("a body that is not held in memory cannot be signed")
                    .advise("send it as bytes; S3 takes it unsigned over https"))
            }
        }
    }

    fn sign(&self, message: &Message<'_>, time: &str, payload: &str) -> Signing {
        let signed = canonical::signed_headers(message);
        let canonical_request = canonical::canonical_request(message, self.is_s3(), &signed, payload);
        let string_to_sign = canonical::string_to_sign(time, self.scope(time), &canonical_request);
        let secret = self.credentials.secret_access_key.expose();
        let signature = canonical::signature(secret, self.scope(time), &string_to_sign);
        Signing { canonical_request, string_to_sign, signature, signed_headers: signed.join(";") }
    }

    /// Prepares `request` and says what is signed of it.
    fn signing(&self, request: &mut Request, exchange: &Exchange) -> Result<(String, Signing), Error> {
        let time = amz_date(exchange.clock.since_epoch());
        self.prepare(request, &time)?;
        let payload = self.payload(request)?;
        let signing = self.sign(&Message::of(request)?, &time, &payload);
        Ok((time, signing))
    }

    fn put(&self, request: &mut Request, exchange: &Exchange) -> Result<(), Error> {
        let (time, signing) = self.signing(request, exchange)?;
        if self.presigned.is_some() {
            *request.uri_mut() = with_params(request.uri(), &[(SIGNATURE_PARAM, &signing.signature)])?;
            return Ok(());
        }
        let authorization =
            self.authorization(&self.scope(&time).to_string(), &signing.signed_headers, &signing.signature);
        request.headers_mut().insert(header::AUTHORIZATION, sensitive(&authorization)?);
        Ok(())
    }

    fn authorization(&self, scope: &str, signed_headers: &str, signature: &str) -> String {
        let id = &self.credentials.access_key_id;
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}")
    }

    /// The URL in a spelling that every service reads the same way: some decode and encode what was sent before they verify, some do not,
    /// and `+` is a space to some and a plus to others.
    fn settled(&self, uri: &Uri) -> Result<Uri, Error> {
        let path = match self.is_s3() {
            true => uri.path().split('/').map(canonical::encode_strictly).collect::<Vec<_>>().join("/"),
            false => uri.path().to_owned(),
        };
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let query: Vec<String> = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let encode = |text: &str| canonical::encode_strictly(&text.replace('+', " "));
                format!("{}={}", encode(name), encode(value))
            })
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        with_path_and_query(uri, format!("{path}{mark}{}", query.join("&")))
    }
}

impl Authenticate for SigV4Signer {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            self.put(&mut request, exchange)?;
            Ok(request)
        })
    }

    fn can_renew(&self) -> bool {
        false
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        if self.presigned.is_some() {
            *request.uri_mut() = with_params(request.uri(), &[(SIGNATURE_PARAM, BLANK)])?;
            return Ok(());
        }
        let headers = request.headers_mut();
        let scope = format!("{BLANK}/{}/{}/aws4_request", self.region, self.service);
        headers.insert(header::AUTHORIZATION, sensitive(&self.authorization(&scope, BLANK, BLANK))?);
        headers.insert(DATE, HeaderValue::from_static(BLANK));
        if self.credentials.session_token.is_some() {
            headers.insert(TOKEN, sensitive(BLANK)?);
        }
        Ok(())
    }

    fn explain(&self, mut request: Request, exchange: &Exchange) -> Result<Vec<Step>, Error> {
        let (_, signing) = self.signing(&mut request, exchange)?;
        Ok(vec![
            Step::new("canonical request", signing.canonical_request),
            Step::new("string to sign", signing.string_to_sign),
        ])
    }
}

/// `20150830T123600Z`
fn amz_date(since_epoch: Duration) -> String {
    TimestampFormat::Rfc3339.write(since_epoch).replace(['-', ':'], "")
}

fn with_params(uri: &Uri, params: &[(&str, &str)]) -> Result<Uri, Error> {
    let own = params.iter().map(|(name, value)| format!("{name}={}", encode_param(value)));
    let query: Vec<String> = uri.query().map(str::to_owned).into_iter().chain(own).collect();
    with_path_and_query(uri, format!("{}?{}", uri.path(), query.join("&")))
}

/// `***` stays as it is: people read it.
fn encode_param(value: &str) -> String {
    if value == BLANK { value.to_owned() } else { canonical::encode_value(value) }
}
