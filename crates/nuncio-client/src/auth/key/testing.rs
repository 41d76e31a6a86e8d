//! Keys for tests, made for the recorded tokens and used nowhere else.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{
    AlgorithmIdentifierRef, SubjectPublicKeyInfoRef, der::Encode as _, der::asn1::BitStringRef,
};
use serde_json::Value;

use super::{Algorithm, Hash, SigningKey};
use crate::auth::hmac;

pub(in crate::auth) const MESSAGE: &[u8] = b"a message";

fn recorded(name: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("../../../tests/vectors/jwt-sign.json")).unwrap();
    file["keys"][name].clone()
}

/// A private key in PKCS#8: `rsa1`, `ec1`, `ec384` or `ed1`.
pub(in crate::auth) fn der(name: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(recorded(name)["pkcs8_der_base64"].as_str().unwrap()).unwrap()
}

pub(in crate::auth) fn jwk(name: &str) -> Value {
    recorded(name)["jwk"].clone()
}

/// One of [`der`], or `shared`.
pub(in crate::auth) fn key(name: &str) -> SigningKey {
    match name {
        "shared" => SigningKey::shared(hmac::Key::verbatim(&"made-up-shared-secret".into())),
        _ => SigningKey::from_pkcs8_der(&der(name)).unwrap(),
    }
}

/// The public half as `openssl pkey -pubout` writes it.
pub(in crate::auth) fn public_der(name: &str) -> Vec<u8> {
    let private = der(name);
    let algorithm: AlgorithmIdentifierRef<'_> = PrivateKeyInfoRef::try_from(&private[..]).unwrap().algorithm;
    let public = key(name).verifying_key();
    let subject_public_key = BitStringRef::from_bytes(public.bytes()).unwrap();
    let mut out = vec![0; 1024];
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.encode_to_slice(&mut out).unwrap().to_vec()
}

pub(in crate::auth) fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Every algorithm that can sign, with a key for it.
pub(in crate::auth) fn algorithms() -> Vec<(&'static str, Algorithm)> {
    let hashes = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
    hashes
        .into_iter()
        .flat_map(|hash| {
            [
                ("shared", Algorithm::Hmac(hash)),
                ("rsa1", Algorithm::RsaPkcs1(hash)),
                ("rsa1", Algorithm::RsaPss(hash)),
            ]
        })
        .chain([
            ("rsa1", Algorithm::RsaPkcs1(Hash::Sha1)),
            ("ec1", Algorithm::EcdsaP256),
            ("ec384", Algorithm::EcdsaP384),
            ("ed1", Algorithm::Ed25519),
        ])
        .collect()
}
