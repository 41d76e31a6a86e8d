//! Keys that sign.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair, RsaSignatureEncoding,
};
use pkcs8::PrivateKeyInfoRef;
use rustls_pki_types::pem::SectionKind;
use secrecy::{ExposeSecret as _, SecretSlice};

use super::{Algorithm, Hash, KeyType, VerifyingKey, pem, rsa_sha1};
use crate::auth::{empty_credential, hmac};
use crate::{Error, Redactor, Secret};

const WANTED: &str = "the private key";

/// A private key, or a secret that both sides share. Copies share it.
///
/// ```
/// use nuncio_client::auth::hmac::Key;
/// use nuncio_client::auth::key::SigningKey;
///
/// let shared = SigningKey::shared(Key::verbatim(&"made-up-secret".into()));
/// let error = SigningKey::from_pem(&"-----BEGIN ENCRYPTED PRIVATE KEY-----\n…".into()).unwrap_err();
/// assert_eq!(error.to_string(), "the private key is encrypted with a passphrase");
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Pair>);

enum Pair {
    Shared(hmac::Key),
    Rsa {
        pair: RsaKeyPair,
        /// For what the library does not sign.
        pkcs1: SecretSlice<u8>,
    },
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A secret that both sides share.
    #[must_use]
    pub fn shared(key: hmac::Key) -> Self {
        Self::new(Pair::Shared(key))
    }

    /// The first private key of a PEM file: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`), not
    /// encrypted, of at most 64 KiB. Line ends may be written as `\n`, as in JSON. Each line of it is known to the redactor.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when it is something else, is encrypted or damaged, or of a type that is not
    /// supported: RSA of 2048 to 8192 bits, P-256, P-384 and Ed25519 are.
    pub fn from_pem(pem: &Secret) -> Result<Self, Error> {
        let text = pem.expose();
        for line in text.split("\\n").flat_map(str::lines).filter(|line| !line.starts_with("-----")) {
            Redactor::global().register(line.trim());
        }
        let kinds = [SectionKind::PrivateKey, SectionKind::RsaPrivateKey, SectionKind::EcPrivateKey];
        let (kind, der) = pem::section(text, &kinds, WANTED)?;
        match kind {
            SectionKind::PrivateKey => Self::from_pkcs8_der(&der),
            SectionKind::RsaPrivateKey => rsa(&der).map(Self::new),
            _ => ecdsa(&der).map(Self::new),
        }
    }

    /// A private key in DER, as PKCS#8 has it (RFC 5958).
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| pem::unusable(None))?;
        let key_type = pem::key_type(info.algorithm.oid, info.algorithm.parameters_oid().ok())?;
        let pair = match key_type {
            // The inner key: the library does not know the label of RSA that is for PSS alone.
            KeyType::Rsa => rsa(info.private_key.as_bytes())?,
            KeyType::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(|_| pem::unusable(Some(key_type)))?)
            }
            _ => ecdsa(der)?,
        };
        Ok(Self::new(pair))
    }

    /// What kind of key it is.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        match &*self.0 {
            Pair::Shared(_) => KeyType::Shared,
            Pair::Rsa { .. } => KeyType::Rsa,
            Pair::P256(_) => KeyType::P256,
            Pair::P384(_) => KeyType::P384,
            Pair::Ed25519(_) => KeyType::Ed25519,
        }
    }

    /// The key that verifies what this one signs: the public key, or the shared secret itself.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        match &*self.0 {
            Pair::Shared(key) => VerifyingKey::shared(key.clone()),
            Pair::Rsa { pair, .. } => VerifyingKey::public(KeyType::Rsa, pair.public_key().as_ref()),
            Pair::P256(pair) => VerifyingKey::public(KeyType::P256, pair.public_key().as_ref()),
            Pair::P384(pair) => VerifyingKey::public(KeyType::P384, pair.public_key().as_ref()),
            Pair::Ed25519(pair) => VerifyingKey::public(KeyType::Ed25519, pair.public_key().as_ref()),
        }
    }

    /// The signature of `message`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a key that does not go with `algorithm`, and for an empty secret.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        match (&*self.0, algorithm) {
            (Pair::Shared(key), Algorithm::Hmac(_)) if key.is_empty() => Err(empty_credential()),
            (Pair::Shared(key), Algorithm::Hmac(hash)) => Ok(key.mac(hash, message)),
            (Pair::Rsa { pair, pkcs1 }, Algorithm::RsaPkcs1(Hash::Sha1)) => {
                let signature = rsa_sha1::sign(pkcs1.expose_secret(), message).ok_or_else(failed)?;
                // A slip of the arithmetic would give the key away.
                let public = VerifyingKey::public(KeyType::Rsa, pair.public_key().as_ref());
                public.verify(algorithm, message, &signature).then_some(signature).ok_or_else(failed)
            }
            (Pair::Rsa { pair, .. }, Algorithm::RsaPkcs1(_) | Algorithm::RsaPss(_)) => {
                let encoding = rsa_encoding(algorithm).ok_or_else(|| self.unfit(algorithm))?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| failed())?;
                Ok(signature)
            }
            (Pair::P256(pair), Algorithm::EcdsaP256) | (Pair::P384(pair), Algorithm::EcdsaP384) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| failed())?;
                Ok(signature.as_ref().to_vec())
            }
            (Pair::Ed25519(pair), Algorithm::Ed25519) => Ok(pair.sign(message).as_ref().to_vec()),
            _ => Err(self.unfit(algorithm)),
        }
    }

    fn unfit(&self, algorithm: Algorithm) -> Error {
        Error::configuration(format!("{} cannot sign by {algorithm}", self.key_type()))
            .advise(format!("give {}, or name another algorithm", algorithm.key_type()))
    }

    fn new(pair: Pair) -> Self {
        Self(Arc::new(pair))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.key_type())
    }
}

fn rsa(pkcs1: &[u8]) -> Result<Pair, Error> {
    let pair = RsaKeyPair::from_der(pkcs1).map_err(|_| pem::unusable(Some(KeyType::Rsa)))?;
    Ok(Pair::Rsa { pair, pkcs1: pkcs1.to_vec().into() })
}

/// SEC 1 need not name the curve: it is the one that the key fits.
fn ecdsa(der: &[u8]) -> Result<Pair, Error> {
    let on = |curve: &'static EcdsaSigningAlgorithm| EcdsaKeyPair::from_private_key_der(curve, der);
    on(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .map(Pair::P256)
        .or_else(|_| on(&ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::P384))
        .map_err(|_| pem::unusable(None))
}

fn rsa_encoding(algorithm: Algorithm) -> Option<&'static RsaSignatureEncoding> {
    Some(match algorithm {
        Algorithm::RsaPkcs1(Hash::Sha256) => &RSA_PKCS1_SHA256,
        Algorithm::RsaPkcs1(Hash::Sha384) => &RSA_PKCS1_SHA384,
        Algorithm::RsaPkcs1(Hash::Sha512) => &RSA_PKCS1_SHA512,
        Algorithm::RsaPss(Hash::Sha256) => &RSA_PSS_SHA256,
        Algorithm::RsaPss(Hash::Sha384) => &RSA_PSS_SHA384,
        Algorithm::RsaPss(Hash::Sha512) => &RSA_PSS_SHA512,
        _ => return None,
    })
}

fn failed() -> Error {
    Error::configuration("the private key could not sign")
        .advise("the key is too short for the algorithm, or damaged")
}

#[cfg(test)]
mod tests {
    use pkcs8::PrivateKeyInfoRef;

    use super::super::testing::{MESSAGE, algorithms, der, key, pem};
    use super::*;

    fn refusal(text: &str) -> Error {
        SigningKey::from_pem(&text.into()).unwrap_err()
    }

    #[test]
    fn what_a_key_signs_its_verifying_key_verifies_and_no_other() {
        for (name, algorithm) in algorithms() {
            let signature = key(name).sign(algorithm, MESSAGE).unwrap();
            let verifying = key(name).verifying_key();
            assert!(verifying.verify(algorithm, MESSAGE, &signature), "{algorithm}");
            assert!(!verifying.verify(algorithm, b"another", &signature), "{algorithm}");
            assert!(!verifying.verify(algorithm, MESSAGE, &signature[1..]), "{algorithm}");
            assert!(!verifying.verify(algorithm, MESSAGE, b""), "{algorithm}");
        }
    }

    #[test]
    fn a_key_signs_only_by_algorithms_of_its_type() {
        for (name, _) in algorithms() {
            for (_, algorithm) in algorithms() {
                let key = key(name);
                let suits = algorithm.key_type() == key.key_type();
                assert_eq!(key.sign(algorithm, MESSAGE).is_ok(), suits, "{name} {algorithm}");
            }
        }
        let error = key("ec1").sign(Algorithm::RsaPkcs1(Hash::Sha256), MESSAGE).unwrap_err();
        assert_eq!(error.to_string(), "a key on P-256 cannot sign by RSA PKCS#1 v1.5 with SHA-256");
        assert_eq!(error.advice(), Some("give an RSA key, or name another algorithm"));
    }

    #[test]
    fn a_key_is_read_from_every_usual_structure() {
        let rsa = der("rsa1");
        let rsa = PrivateKeyInfoRef::try_from(&rsa[..]).unwrap();
        let pkcs1 = pem("RSA PRIVATE KEY", rsa.private_key.as_bytes());
        let ec = der("ec384");
        let ec = PrivateKeyInfoRef::try_from(&ec[..]).unwrap();
        let sec1 = pem("EC PRIVATE KEY", ec.private_key.as_bytes());
        let one_line = pem("PRIVATE KEY", &der("ed1")).trim().replace('\n', "\\n");
        let after_others = format!("{}{}", pem("CERTIFICATE", b"made up"), pem("PRIVATE KEY", &der("ec1")));
        for (text, key_type) in [
            (pem("PRIVATE KEY", &der("rsa1")), KeyType::Rsa),
            (pkcs1, KeyType::Rsa),
            (sec1, KeyType::P384),
            (one_line, KeyType::Ed25519),
            (after_others, KeyType::P256),
        ] {
            assert_eq!(SigningKey::from_pem(&text.into()).unwrap().key_type(), key_type);
        }
    }

    #[test]
    fn something_else_than_a_private_key_is_named() {
        for (text, message) in [
            (String::new(), "the credential is empty"),
            (pem("PUBLIC KEY", b"made up"), "the private key is a public key"),
            (pem("CERTIFICATE", b"made up"), "the private key is a certificate"),
            (pem("ENCRYPTED PRIVATE KEY", b"made up"), "the private key is encrypted with a passphrase"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nbWFkZSB1cA==\n-----END RSA PRIVATE KEY-----\n".to_owned(),
                "the private key is encrypted with a passphrase",
            ),
            (pem("OPENSSH PRIVATE KEY", b"made up"), "the private key is in the format of OpenSSH"),
            ("made-up-no-pem".to_owned(), "the private key is no PEM"),
            ("-----BEGIN PRIVATE KEY-----\nbWFkZSB1cA==\n".to_owned(), "the private key is damaged PEM"),
            (pem("PRIVATE KEY", b"made up"), "the key is damaged"),
            (pem("RSA PRIVATE KEY", b"made up"), "the RSA key is damaged or not of 2048 to 8192 bits"),
            ("-".repeat(70_000), "the private key is larger than 65536 bytes"),
        ] {
            let error = refusal(&text);
            assert_eq!(error.to_string(), message);
            assert!(error.advice().is_some() || text.len() > 65_536, "{message}");
        }
    }

    #[test]
    fn a_key_of_another_type_is_named() {
        // PKCS#8 of X25519: a key agreement key has the same shape as one of Ed25519.
        let mut x25519 = der("ed1");
        let at = x25519.windows(3).position(|bytes| bytes == [0x2b, 0x65, 0x70]).unwrap();
        x25519[at + 2] = 0x6e;
        let error = refusal(&pem("PRIVATE KEY", &x25519));
        assert_eq!(error.to_string(), "the key is for key agreement, which cannot sign");
    }

    #[test]
    fn each_line_of_a_private_key_is_known_to_the_redactor() {
        let text = pem("PRIVATE KEY", &der("rsa1"));
        SigningKey::from_pem(&text.clone().into()).unwrap();
        let line = text.lines().nth(5).unwrap();
        assert_eq!(Redactor::global().redact(&format!("<{line}>")), "<***>");
        let debug = format!("{:?}", key("rsa1"));
        assert_eq!(debug, "SigningKey(an RSA key)");
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let key = SigningKey::shared(hmac::Key::verbatim(&"".into()));
        assert_eq!(
            key.sign(Algorithm::Hmac(Hash::Sha256), MESSAGE).unwrap_err().to_string(),
            "the credential is empty"
        );
    }
}
