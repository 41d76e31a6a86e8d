//! JSON Web Tokens (RFC 7519, signed as RFC 7515 has it): made, verified, and sent as bearer tokens.
//!
//! [`sign`] makes one token, a [`Signer`] one after another, for a token endpoint for example (RFC 7523); [`Verifier`] says whether a token
//! from elsewhere holds; [`JwtBearer`] is a scheme that signs a token of its own now and then and sends it with each request.
//!
//! ```
//! use nuncio_client::Clock;
//! use nuncio_client::auth::hmac::Key;
//! use nuncio_client::auth::jwt::{self, Algorithm, Header, Verifier};
//! use nuncio_client::auth::key::SigningKey;
//! use serde_json::json;
//!
//! let key = SigningKey::shared(Key::verbatim(&"made-up-shared-secret".into()));
//! let claims = json!({ "iss": "made-up-issuer", "aud": "https://api.example.com", "exp": 4_000_000_000_u64 });
//! let token = jwt::sign(&Header::new(Algorithm::Hs256), &claims, &key)?;
//!
//! let verifier = Verifier::new([Algorithm::Hs256]).issuer("made-up-issuer").audience("https://api.example.com");
//! let verified = verifier.verify(token.expose(), &key.verifying_key().into(), &Clock::system())?;
//! assert_eq!(verified.claims["iss"], "made-up-issuer");
//! # Ok::<(), nuncio_client::Error>(())
//! ```

mod algorithm;
mod bearer;
mod key_set;
mod sign;
mod signer;
mod verify;

pub use algorithm::Algorithm;
pub use bearer::JwtBearer;
pub use key_set::KeySet;
pub use sign::{Header, sign};
pub use signer::{DEFAULT_LIFETIME, Signer};
pub use verify::{Verified, Verifier};
