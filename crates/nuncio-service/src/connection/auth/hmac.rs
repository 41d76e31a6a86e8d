use nuncio_client::Error;
use nuncio_client::auth::hmac::{self, HmacSigner, Key, TimestampFormat};

use crate::model::{self, Algorithm, Encoding, TimeFormat};
use crate::request::header_name;
use crate::template::Scope;

pub(super) fn signer(hmac: &model::Hmac, scope: &Scope) -> Result<HmacSigner, Error> {
    let mut signer = HmacSigner::new(Key::verbatim(&hmac.secret.secret(scope)?))
        .algorithm(match hmac.algorithm {
            Algorithm::Sha256 => hmac::Algorithm::Sha256,
            Algorithm::Sha1 => hmac::Algorithm::Sha1,
            Algorithm::Sha512 => hmac::Algorithm::Sha512,
        })
        .encoding(match hmac.encoding {
            Encoding::Hex => hmac::Encoding::Hex,
            Encoding::Base64 => hmac::Encoding::Base64,
        });
    if let Some(sign) = &hmac.sign {
        signer = signer.template(sign.parse()?);
    }
    if let Some(signature) = &hmac.signature {
        signer = signer.signature_header(header_name(&signature.header)?).signature_prefix(&signature.prefix);
    }
    if let Some(timestamp) = &hmac.timestamp {
        signer = signer.timestamp_header(header_name(&timestamp.header)?).timestamp_format(
            match timestamp.format {
                TimeFormat::Seconds => TimestampFormat::Seconds,
                TimeFormat::Milliseconds => TimestampFormat::Milliseconds,
                TimeFormat::Rfc3339 => TimestampFormat::Rfc3339,
            },
        );
    }
    if let Some(nonce) = &hmac.nonce {
        signer = signer.nonce_header(header_name(&nonce.header)?);
    }
    if let Some(key_id) = &hmac.key_id {
        signer = signer.key_id(header_name(&key_id.header)?, key_id.value.secret(scope)?.header("")?);
    }
    Ok(signer)
}
