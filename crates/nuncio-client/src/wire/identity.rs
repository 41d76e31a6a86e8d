//! The certificate by which this side shows itself.

use std::fmt;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::{Error, Redactor, Secret};

/// A certificate with its private key, shown to every server that asks for one (mutual TLS; RFC 8446, section 4.3.2). Copies share it.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    /// The certificate, followed by those that lead to its authority, and its private key, both as PEM. They may be the same text. The key
    /// is not encrypted; each line of it is known to the redactor.
    ///
    /// PKCS#12 (`.p12`, `.pfx`) is read by `from_pkcs12`, with the feature `pkcs12`; `openssl pkcs12 -in FILE -nodes` makes PEM of it.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when one of them is missing or cannot be read, and when they do not go together.
    pub fn from_pem(certificates: &[u8], key: &Secret) -> Result<Self, Error> {
        for line in key.expose().lines().filter(|line| !line.starts_with("-----")) {
            Redactor::global().register(line.trim());
        }
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable("cannot be read").because(error))?;
        if chain.is_empty() {
            return Err(unusable("is not there").advise("give it as PEM: -----BEGIN CERTIFICATE-----"));
        }
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| {
            // The cause could quote the key.
            unusable("has no private key that can be read").advise(
                "give it as PEM without a passphrase: -----BEGIN PRIVATE KEY-----; `openssl pkcs12 -nodes` makes it of a .p12 file",
            )
        })?;
        Self::new(chain, key)
    }

    /// The first private key of a PKCS#12 file (RFC 7292) and the certificates that go with it, which `passphrase` opens.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for another passphrase, for what is no PKCS#12, and for a file without a private key.
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12(file: &[u8], passphrase: &Secret) -> Result<Self, Error> {
        use p12_keystore::{KeyStore, Pkcs12ImportPolicy};

        let store = KeyStore::from_pkcs12(file, passphrase.expose(), Pkcs12ImportPolicy::Relaxed).map_err(
            |error| unusable("cannot be read as PKCS#12").because(error).advise("check its passphrase"),
        )?;
        let (_, chain) =
            store.private_key_chain().ok_or_else(|| unusable("has no private key in its PKCS#12 file"))?;
        let key = PrivateKeyDer::try_from(chain.key().as_der().to_vec())
            .map_err(|what| unusable("has a private key that cannot be read").because(what))?;
        let certificates = chain.certs().iter().map(|certificate| certificate.as_der().to_vec().into());
        Self::new(certificates.collect(), key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Error> {
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .map_err(|error| unusable("and its private key cannot be used").because(error))?;
        Ok(Self(Arc::new(certified)))
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesClientCert> {
        Arc::new(SingleCertAndKey::from(Arc::clone(&self.0)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

fn unusable(what: &str) -> Error {
    Error::configuration(format!("the client certificate {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &[u8] = include_bytes!("../../tests/certificates/client.pem");
    const KEY: &str = include_str!("../../tests/certificates/client.key");

    fn refused(certificates: &[u8], key: &str) -> String {
        Identity::from_pem(certificates, &key.into()).unwrap_err().to_string()
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        assert!(Identity::from_pem(CERTIFICATE, &KEY.into()).is_ok());
        let other = include_str!("../../tests/certificates/server.key");
        assert_eq!(refused(CERTIFICATE, other), "the client certificate and its private key cannot be used");
        assert_eq!(
            refused(CERTIFICATE, "made-up-key"),
            "the client certificate has no private key that can be read"
        );
        assert_eq!(refused(b"", KEY), "the client certificate is not there");
    }

    #[cfg(feature = "pkcs12")]
    #[test]
    fn a_pkcs12_file_is_opened_by_its_passphrase() {
        const FILE: &[u8] = include_bytes!("../../tests/certificates/client.p12");
        let open = |file: &[u8], passphrase: &str| Identity::from_pkcs12(file, &passphrase.into());
        let opened = open(FILE, "made-up-passphrase").unwrap();
        let as_pem = Identity::from_pem(CERTIFICATE, &KEY.into()).unwrap();
        assert_eq!(opened.0.cert, as_pem.0.cert);
        let wrong = open(FILE, "made-up-wrong-passphrase").unwrap_err().report();
        assert!(
            wrong.contains("cannot be read as PKCS#12") && wrong.contains("check its passphrase"),
            "{wrong}"
        );
        assert!(open(b"made-up", "made-up-passphrase").is_err());
    }

    #[test]
    fn the_key_is_known_to_the_redactor_line_by_line() {
        Identity::from_pem(CERTIFICATE, &KEY.into()).unwrap();
        let line = KEY.lines().nth(1).unwrap();
        assert_eq!(Redactor::global().redact(&format!("<{line}>")), "<***>");
    }
}
