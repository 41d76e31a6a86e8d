//! RSA signatures with SHA-1, which OAuth 1.0a wants and the library of all other signatures does not make.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use pkcs1::RsaPrivateKeyRef;
use sha1::{Digest as _, Sha1};

/// What stands before the hash: that it is one of SHA-1 (RFC 8017, section 9.2, note 1).
const DIGEST_INFO: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

/// The signature of `message` with the key in `pkcs1` (RFC 8017, section 8.2.1). Its time does not depend on the key's bits. Nothing for
/// a key that is none.
pub(super) fn sign(pkcs1: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let key = RsaPrivateKeyRef::try_from(pkcs1).ok()?;
    let (modulus, exponent) = (key.modulus.as_bytes(), key.private_exponent.as_bytes());
    let bits = u32::try_from(modulus.len()).ok()? * 8;
    let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits).ok();
    let params = BoxedMontyParams::new(Odd::new(number(modulus)?).into_option()?);
    let power =
        BoxedMontyForm::new(number(&padded(message, modulus.len())?)?, &params).pow(&number(exponent)?);
    let bytes = power.retrieve().to_be_bytes();
    Some(bytes[bytes.len() - modulus.len()..].to_vec())
}

/// The hash of `message`, padded to `length` (RFC 8017, section 9.2).
fn padded(message: &[u8], length: usize) -> Option<Vec<u8>> {
    let digest = Sha1::digest(message);
    let padding = length.checked_sub(3 + DIGEST_INFO.len() + digest.len())?;
    Some([&[0, 1][..], &vec![0xff; padding], &[0], &DIGEST_INFO, &digest].concat())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MESSAGE, key};
    use super::super::{Algorithm, Hash};

    /// `openssl dgst -sha1 -sign` with the same key.
    const BY_OPENSSL: &str = "3aaeb4f985cec81b17cfea6ae7bd399986e71ba711791acef537de2f6cd4d3cce9483585a91ab80133ba5714b2113538\
        e7324a2db7c1d53b13a20fd27af914743af58fa4c9d297634cff194ecdfc7b9221cf6cbbb1bee398a204f168b72f00a63b9a65a43cc2297e903247de\
        13ba2749ed8cabc5e061635246d5f1451e7974b6e797c1f5175d21b33438dd6acf5b9c85884012c81864b0b49c80e596ce7d9987d8d1ec5116d583fe\
        557bbf1cc7b1a7af83813f591cfbc97052f9384e00bd58b3839c45e8a250283ab9f756ac8fd358a93c3d4a56a32dbcdc6016bc3c41d3ae868ef7509c\
        5399165c10486662489c41642d107c880093e8daf4e09cc38a02285e";

    #[test]
    fn a_signature_is_the_one_that_openssl_makes() {
        let signature = key("rsa1").sign(Algorithm::RsaPkcs1(Hash::Sha1), MESSAGE).unwrap();
        assert_eq!(hex::encode(signature), BY_OPENSSL);
    }

    #[test]
    fn a_key_that_is_none_or_too_short_signs_nothing() {
        assert_eq!(super::sign(b"made up", MESSAGE), None);
        assert_eq!(super::padded(MESSAGE, 37), None);
    }
}
