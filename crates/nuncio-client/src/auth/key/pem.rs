//! Keys as files hold them (RFC 7468), and what people put there instead.

use std::borrow::Cow;

use pkcs8::ObjectIdentifier;
use rustls_pki_types::pem::{PemObject as _, SectionKind};

use super::KeyType;
use crate::Error;

/// A key of 8192 bits is an eighth of it, with its certificates beside it a half.
const MAX_PEM_BYTES: usize = 64 * 1024;

const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";

/// The first section of `pem` that is of one of `kinds`; or what is there instead.
pub(super) fn section(
    pem: &str,
    kinds: &[SectionKind],
    wanted: &str,
) -> Result<(SectionKind, Vec<u8>), Error> {
    if pem.trim().is_empty() {
        return Err(crate::auth::empty_credential());
    }
    if pem.len() > MAX_PEM_BYTES {
        return Err(Error::configuration(format!("{wanted} is larger than {MAX_PEM_BYTES} bytes")));
    }
    let pem = with_line_ends(pem);
    // In the old way under the label of a plain key.
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(Error::configuration(format!("{wanted} is encrypted with a passphrase"))
            .advise("decrypt it first: openssl pkey -in key.pem -out plain.pem"));
    }
    let mut others = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        // The cause would show bytes of the key.
        let (kind, der) = section.map_err(|_| {
            Error::configuration(format!("{wanted} is damaged PEM"))
                .advise("look for a line that is missing or was broken in two")
        })?;
        if kinds.contains(&kind) {
            return Ok((kind, der));
        }
        others.push(kind);
    }
    Err(instead(&pem, &others, wanted))
}

/// In a variable or in JSON the line ends are often written as `\n`.
fn with_line_ends(pem: &str) -> Cow<'_, str> {
    if pem.trim().contains('\n') { pem.into() } else { pem.replace("\\n", "\n").into() }
}

fn instead(pem: &str, others: &[SectionKind], wanted: &str) -> Error {
    if pem.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Error::configuration(format!("{wanted} is in the format of OpenSSH"))
            .advise("rewrite it in place: ssh-keygen -p -m PKCS8 -f key");
    }
    if pem.contains("BEGIN RSA PUBLIC KEY") {
        return Error::configuration(format!("{wanted} is a public key as PKCS#1 writes it"))
            .advise("rewrite it: openssl rsa -RSAPublicKey_in -in key.pem -pubout -out public.pem");
    }
    let is = |is, advice: &str| Error::configuration(format!("{wanted} is {is}")).advise(advice);
    match others.first() {
        Some(SectionKind::PublicKey) => {
            is("a public key", "give the private key, which starts with BEGIN PRIVATE KEY")
        }
        Some(SectionKind::Certificate) => is(
            "a certificate",
            "give the key itself; a certificate's public key is printed by: openssl x509 -pubkey -noout",
        ),
        Some(SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey) => {
            is("a private key", "give the public key, as printed by: openssl pkey -in key.pem -pubout")
        }
        _ => is("no PEM", "it starts with a line -----BEGIN …----- and ends with -----END …-----"),
    }
}

/// The type of the key whose structure names `algorithm` and, for elliptic curves, `curve`.
pub(super) fn key_type(
    algorithm: ObjectIdentifier,
    curve: Option<ObjectIdentifier>,
) -> Result<KeyType, Error> {
    let algorithm = algorithm.to_string();
    let curve = curve.map(|curve| curve.to_string());
    match (algorithm.as_str(), curve.as_deref()) {
        // Of RSA in general, and of RSA that is for PSS alone (RFC 4055).
        ("1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10", _) => Ok(KeyType::Rsa),
        (EC_PUBLIC_KEY, Some("1.2.840.10045.3.1.7")) => Ok(KeyType::P256),
        (EC_PUBLIC_KEY, Some("1.3.132.0.34")) => Ok(KeyType::P384),
        ("1.3.101.112", _) => Ok(KeyType::Ed25519),
        (EC_PUBLIC_KEY, curve) => Err(unsupported(match curve {
            Some("1.3.132.0.35") => "the curve P-521",
            Some("1.3.132.0.10") => "the curve secp256k1",
            Some(other) => other,
            None => "a curve of its own",
        })),
        (other, _) => Err(unsupported(match other {
            "1.3.101.113" => "Ed448",
            "1.3.101.110" | "1.3.101.111" => "key agreement, which cannot sign",
            "1.2.840.10040.4.1" => "DSA",
            other => other,
        })),
    }
}

fn unsupported(what: &str) -> Error {
    Error::configuration(format!("the key is for {what}"))
        .advise("use RSA of at least 2048 bits, P-256, P-384 or Ed25519")
}

/// A structure that is none, or a key that no arithmetic can use: too short, or off its curve.
pub(super) fn unusable(key_type: Option<KeyType>) -> Error {
    match key_type {
        Some(KeyType::Rsa) => Error::configuration("the RSA key is damaged or not of 2048 to 8192 bits")
            .advise("make a longer one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072"),
        _ => Error::configuration("the key is damaged")
            .advise("see what it is: openssl pkey -in key.pem -text -noout"),
    }
}
