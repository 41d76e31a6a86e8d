//! Keys that sign and keys that verify, for the schemes that are made of signatures.
//!
//! [`SigningKey`] is a private key, read from PEM, or a secret that both sides share; [`VerifyingKey`] is its counterpart. JSON Web
//! Tokens ([`jwt`](super::jwt)), OAuth 1.0a and HTTP Message Signatures take them. Which [`Algorithm`] goes with a key is decided by the key's
//! [`KeyType`] alone, so that a public key can never pass for a shared secret.
//!
//! The mathematics are those of AWS-LC, as for TLS, but for RSA with SHA-1.

mod algorithm;
mod jwk;
mod pem;
mod rsa_sha1;
mod signing;
#[cfg(test)]
pub(super) mod testing;
mod verifying;

pub use algorithm::{Algorithm, Hash, KeyType};
pub use signing::SigningKey;
pub use verifying::VerifyingKey;
