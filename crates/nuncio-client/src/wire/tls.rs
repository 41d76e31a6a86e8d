//! What TLS connections are made with: the authorities of the system and those that the user adds.

use std::sync::{Arc, OnceLock};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::Identity;
use crate::Error;

/// The protocols that are offered to a server. A proxy is offered none, and speaks HTTP/1.1.
const OFFERED: [&[u8]; 2] = [b"h2", b"http/1.1"];

pub(super) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    /// Made for the first connection that needs it: reading the system's authorities takes longer than many a call to this machine.
    configs: OnceLock<Configs>,
}

#[derive(Clone)]
pub(super) struct Configs {
    pub(super) server: Arc<ClientConfig>,
    pub(super) proxy: Arc<ClientConfig>,
}

impl Tls {
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a bundle without certificates, or with one that cannot be used.
    pub(super) fn new(pem_bundles: &[Vec<u8>], identity: Option<Identity>) -> Result<Self, Error> {
        let mut extra_roots = Vec::new();
        for bundle in pem_bundles {
            extra_roots.extend(certificates(bundle)?);
        }
        Ok(Self { extra_roots, identity, configs: OnceLock::new() })
    }

    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when no authority can be trusted.
    pub(super) fn configs(&self) -> Result<Configs, Error> {
        if let Some(configs) = self.configs.get() {
            return Ok(configs.clone());
        }
        // Two connections may both come here first, and make the same.
        let configs =
            self.make().map_err(|error| Error::configuration("TLS cannot be set up").because(error))?;
        Ok(self.configs.get_or_init(|| configs).clone())
    }

    fn make(&self) -> Result<Configs, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            Verifier::new_with_extra_roots(self.extra_roots.iter().cloned(), Arc::clone(&provider))?;
        let proxy = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            // The verifier is that of the platform; "dangerous" is what rustls calls any but its own.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let mut server = proxy.clone();
        if let Some(identity) = &self.identity {
            server.client_auth_cert_resolver = identity.resolver();
        }
        server.alpn_protocols = OFFERED.map(<[u8]>::to_vec).to_vec();
        Ok(Configs { server: Arc::new(server), proxy: Arc::new(proxy) })
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::configuration("a root certificate cannot be read").because(error))?;
    if certificates.is_empty() {
        return Err(Error::configuration("no root certificate stands where one should")
            .advise("give it as PEM: -----BEGIN CERTIFICATE-----"));
    }
    // Tried here: the verifier passes over those that it cannot use.
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store
            .add(certificate.clone())
            .map_err(|error| Error::configuration("a root certificate cannot be used").because(error))?;
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn root_certificates_that_are_none_are_refused_rather_than_passed_over() {
        for pem in ["", "made up", "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n"] {
            let refused = Tls::new(&[pem.into()], None).map(drop).map_err(|error| error.kind());
            assert_eq!(refused, Err(Kind::Configuration), "{pem}");
        }
    }
}
