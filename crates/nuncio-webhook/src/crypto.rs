//! Digests and signatures, by AWS-LC.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED,
    ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use aws_lc_rs::{constant_time, digest, hmac};

use crate::content::Content;
use crate::scheme::{Algorithm, SignatureBytes};

/// Whether one of `signatures` is that of `content` under `key`. Of a shared secret it takes the same time wherever they differ: [`same`] compares
/// them, and only their length, which is public, ends it early.
pub(crate) fn verifies(
    algorithm: Algorithm,
    key: &[u8],
    content: &Content<'_>,
    signatures: &[SignatureBytes],
) -> bool {
    if let Some(verification) = verification(algorithm) {
        // These are made over one text and cannot be fed piece by piece.
        let (key, content) = (UnparsedPublicKey::new(verification, key), content.concat());
        return signatures.iter().any(|signature| key.verify(&content, signature).is_ok());
    }
    if algorithm == Algorithm::Token {
        return signatures.iter().any(|signature| same_text(key, signature));
    }
    let Some(hmac_of) = hash(algorithm) else {
        let expected = mac(algorithm, key, content);
        return signatures.iter().any(|signature| same(&expected, signature));
    };
    // Once, however many signatures there are.
    let expected = hmac(hmac_of, key, content);
    signatures.iter().any(|signature| same(expected.as_ref(), signature))
}

/// Whether two digests are the same: all of them is read, wherever they differ. Every comparison of something secret is made here.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// The same of two texts whose length is as secret as they are: their digests are compared.
pub(crate) fn same_text(one: &[u8], other: &[u8]) -> bool {
    same(&sha256(&[one]), &sha256(&[other]))
}

/// The signature of `content` by a shared secret. Nothing for algorithms of another kind.
pub(crate) fn mac(algorithm: Algorithm, key: &[u8], content: &Content<'_>) -> Vec<u8> {
    match (algorithm, hash(algorithm)) {
        (_, Some(hmac_of)) => hmac(hmac_of, key, content).as_ref().to_vec(),
        (Algorithm::SecretThenSha256, _) => {
            let pieces: Vec<&[u8]> = std::iter::once(key).chain(content.iter().map(AsRef::as_ref)).collect();
            sha256(&pieces)
        }
        (Algorithm::Token, _) => key.to_vec(),
        _ => Vec::new(),
    }
}

fn hmac(hmac_of: hmac::Algorithm, key: &[u8], content: &Content<'_>) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac_of, key));
    content.iter().for_each(|piece| context.update(piece));
    context.sign()
}

fn hash(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    Some(match algorithm {
        Algorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::HmacSha256 => hmac::HMAC_SHA256,
        Algorithm::HmacSha384 => hmac::HMAC_SHA384,
        Algorithm::HmacSha512 => hmac::HMAC_SHA512,
        _ => return None,
    })
}

pub(crate) fn sha256(pieces: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    pieces.iter().for_each(|piece| context.update(piece));
    context.finish().as_ref().to_vec()
}

/// The signature of `content` by a private key in PKCS#8, for Ed25519 also one of 32 bytes, or of 64 with its public half. `None` when it is no such
/// key, or signatures of this kind are not made.
pub(crate) fn sign(algorithm: Algorithm, key: &[u8], content: &Content<'_>) -> Option<Vec<u8>> {
    let ecdsa = |signing: &'static EcdsaSigningAlgorithm| {
        let pair = EcdsaKeyPair::from_pkcs8(signing, key).ok()?;
        Some(pair.sign(&SystemRandom::new(), &content.concat()).ok()?.as_ref().to_vec())
    };
    match algorithm {
        Algorithm::Ed25519 => {
            let pair = match key.len() {
                64 => Ed25519KeyPair::from_seed_and_public_key(&key[..32], &key[32..]),
                32 => Ed25519KeyPair::from_seed_unchecked(key),
                _ => Ed25519KeyPair::from_pkcs8_maybe_unchecked(key),
            };
            Some(pair.ok()?.sign(&content.concat()).as_ref().to_vec())
        }
        Algorithm::EcdsaP256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
        Algorithm::EcdsaP256Fixed => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
        _ => None,
    }
}

fn verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::Ed25519 => &ED25519,
        Algorithm::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
        Algorithm::EcdsaP256Fixed => &ECDSA_P256_SHA256_FIXED,
        Algorithm::RsaSha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaSha256 => &RSA_PKCS1_2048_8192_SHA256,
        _ => return None,
    })
}
