//! Algorithms that no recorded provider uses, against signatures that OpenSSL made of `made-up body`.

use std::time::UNIX_EPOCH;

use nuncio_webhook::{Refusal, Request, Scheme, Secrets, verify};

/// `openssl pkey -pubout`, without its first and last line.
const PUBLIC_KEY: &str = concat!(
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2/DUKciaXbe2VKw9leOSTiX5Rzn3uLXkmedgwyW81nGWy9ZiG0hNpVWT",
    "QwgOxuUCunR9ln4kapZlE5BBnPrEauiapC2urCwV8fdVJd5Dh4tvTvbmhBeJwMdrSIAVuTkT4WKXi0nT7ShbNBgj1eOEOJ4e1v0C",
    "/yi5moF+14LnkuPkR7MQgdCb1xY2koBq57k3j8oC0fVfQPRFMm7HBujIehojnLcnvHR4aF9cT57hKIorHa8udMetDPmi3sLG8GSV",
    "UOTmkU9mUeRCLiAiOnnXrgPbEdMK+1NvIar2h2+eQszr4RLjQySsSC2F18hAOLbgkrFLeF16bScXEb2T3FVQQQIDAQAB",
);

/// `openssl dgst -sha1 -sign`
const RSA_SHA1: &str = concat!(
    "qxuhbSMt79g5rZGws6IK8wzJj6WAmdcTXJNhJv+8D5siXyhQbMb0LCZyTVKX2EtQ52ExDplnfgwejm5JopvcS3eqFda9HPxj0RqE",
    "mp62l1h+eD5kCpzF19gn4e2jw3f/7z31UFdvvKCYlY+wzuuP4v/17PyWDkWR87sNzupLZaUCEGVWJM9+mTs+UUgaacsvOyy0OkYd",
    "4gtzOyY93hTh6L6ToRFdGJ6j6DoY8jurq11bxmQyM2HJ3xRuhT9uhUay5dKS3TY8l/OnkaXfSMLiMaWrxSvYZePDeFu02zQyLCCn",
    "ty0G20VDg9XQAfy9GZZeJ+wwIXw8kQb1awC2O5oULQ==",
);

/// `openssl dgst -sha256 -sign`
const RSA_SHA256: &str = concat!(
    "TOg/1/zMoAgJ3JcGmi1kbjjq+Q86QYp2NYCQ9JGsKeuqp/GjCl5zeq0oHCjfJVPEnfIW0sXdi4y4UGAIGkAQe6EuuPJ3S/82DV0s",
    "yPO8f8xdJLKQpwYpvS+zyf8khCWVWLXV3j8TbVjwBMt29sa31egrY7xKQqY7t8tAOtEK0vU7zMqSKCrqBHPylVUntAVveCRSqq8T",
    "080csQqV3VhPRtWoxviXHeGOdDewjP7Q+DqjeR+ccdZF1DlzrxHWS7vC8wv7VPC/4MAE/+sU9pwFIyELcfJIF1dKVPbObC+YdOXN",
    "RyUHOtNCkTBDVyjA2KIMoBhvCX875K1+QRUbs2w0Vw==",
);

/// `openssl dgst -sha384 -hmac made-up-secret`
const HMAC_SHA384: &str =
    "360130eccc096d61dfa9ec3af0a786130d65da33ed773a6ef5b648939385b59c1aa02db3d9aae61a3c52e10b898586b4";

/// `openssl dgst -sha512 -hmac made-up-secret`
const HMAC_SHA512: &str = concat!(
    "997b1139cc40278b3e37156a47a171f73da9acab9c22326167b0c887a7da900c319dd471f47e8d6cc7bba96e79bc29887b9d",
    "04866557439cd380a2b34ce2e3c0",
);

fn verdict(
    algorithm: &str,
    encoding: &str,
    key: (&str, &str),
    signature: &str,
    body: &[u8],
) -> Result<(), Refusal> {
    let scheme: Scheme = serde_json::from_value(serde_json::json!({"signatures": [{
        "at": {"header": "X-Signature"}, "signed": "{body}", "algorithm": algorithm, "encoding": encoding, "key": key.0,
    }]}))
    .unwrap();
    let headers = vec![("X-Signature", signature)];
    let request = Request { method: "POST", url: "", headers: &headers, body };
    verify(&scheme, &request, &Secrets::new().with("theirs", key.1), UNIX_EPOCH).map(|_| ())
}

#[test]
fn signatures_of_openssl_are_taken_by_their_algorithm_alone() {
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{PUBLIC_KEY}\n-----END PUBLIC KEY-----\n");
    let (public, secret) = (("spki", PUBLIC_KEY), ("verbatim", "made-up-secret"));
    for (algorithm, encoding, key, signature, other) in [
        ("rsa-sha1", "base64", public, RSA_SHA1, RSA_SHA256),
        ("rsa-sha256", "base64", ("spki", pem.as_str()), RSA_SHA256, RSA_SHA1),
        ("hmac-sha384", "hex", secret, HMAC_SHA384, HMAC_SHA512),
        ("hmac-sha512", "hex", secret, HMAC_SHA512, HMAC_SHA384),
    ] {
        assert_eq!(verdict(algorithm, encoding, key, signature, b"made-up body"), Ok(()), "{algorithm}");
        assert_eq!(verdict(algorithm, encoding, key, other, b"made-up body"), Err(Refusal::NoMatch));
        assert_eq!(verdict(algorithm, encoding, key, signature, b"made-up bodY"), Err(Refusal::NoMatch));
    }
}

#[test]
fn a_key_that_cannot_be_decoded_is_told_by_its_label() {
    let unusable = Err(Refusal::UnusableSecret { labels: "theirs".to_owned() });
    assert_eq!(
        verdict("rsa-sha256", "base64", ("spki", "no base64!"), RSA_SHA256, b"made-up body"),
        unusable
    );
}
