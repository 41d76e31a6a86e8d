//! Keys in certificates.

use std::time::{SystemTime, UNIX_EPOCH};

use x509_cert::Certificate;
use x509_cert::der::Encode as _;

/// The public key (`SubjectPublicKeyInfo`) of the first certificate of a PEM, if the certificate is of this time.
///
/// Who issued it is not looked at: providers serve it without the chain up to a root, and a certificate of whoever it may be is believed because it
/// came over HTTPS from the host that the scheme pins.
pub(super) fn public_key(document: &[u8], now: SystemTime) -> Result<Vec<u8>, &'static str> {
    let chain = Certificate::load_pem_chain(document).map_err(|_| "it is no certificate in PEM")?;
    let certificate = chain.first().ok_or("it is no certificate in PEM")?.tbs_certificate();
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let validity = certificate.validity();
    if now < validity.not_before.to_unix_duration() {
        return Err("its certificate is not valid yet");
    }
    if now > validity.not_after.to_unix_duration() {
        return Err("its certificate has expired");
    }
    certificate.subject_public_key_info().to_der().map_err(|_| "its certificate has no public key")
}
