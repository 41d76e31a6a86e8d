//! How a client shows itself to the endpoints of its authorization server.

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use super::grant::Form;
use crate::auth::hmac::Key;
use crate::auth::jwt::Signer;
use crate::auth::key::SigningKey;
use crate::auth::{Exchange, basic};
use crate::{Error, Secret};

/// How a client shows itself to the endpoints of its authorization server (RFC 6749, section 2.3).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// By its id alone: a public client, which has no secret to keep. The default.
    #[default]
    None,
    /// Id and secret in a Basic header, which every server must support.
    Basic(Secret),
    /// Id and secret in the body, as `client_id` and `client_secret`.
    Body(Secret),
    /// A signed statement of its own for each request (RFC 7523, section 2.2), made of the claims `iss`, `sub`, `aud` and those of the
    /// signer: see [`secret_jwt`](Self::secret_jwt) and [`private_key_jwt`](Self::private_key_jwt).
    Jwt(Box<Signer>),
    /// The certificate of the TLS connection (RFC 8705, section 2), which the [wire](crate::wire::Settings) shows. Where the server has
    /// endpoints of their own for that, those are asked.
    Tls,
}

impl ClientAuth {
    /// `client_secret_jwt`: signed with the client's secret by HMAC-SHA256.
    #[must_use]
    pub fn secret_jwt(secret: &Secret) -> Self {
        Self::Jwt(Box::new(Signer::new(SigningKey::shared(Key::verbatim(secret)))))
    }

    /// `private_key_jwt`: signed with the client's private key, by the [usual algorithm](crate::auth::jwt::Algorithm::usual_for) of its type.
    /// Which key it is, another algorithm or another audience are said by a [signer](Self::Jwt).
    #[must_use]
    pub fn private_key_jwt(key: SigningKey) -> Self {
        Self::Jwt(Box::new(Signer::new(key)))
    }

    /// Whether servers that look closely take one request with it no second time.
    pub(super) fn is_single_use(&self) -> bool {
        matches!(self, Self::Jwt(_))
    }

    /// Puts what shows the client `id` on a request to the server whose token endpoint is `audience`.
    pub(super) fn put_on(
        &self,
        id: &str,
        audience: &Url,
        exchange: &Exchange,
        form: &mut Form,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
        match self {
            // Nobody: the grant says all there is.
            Self::None if id.is_empty() => {}
            Self::None | Self::Tls => put("client_id", id),
            Self::Basic(secret) => {
                headers.insert(header::AUTHORIZATION, basic_header(id, secret));
            }
            Self::Body(secret) => {
                put("client_id", id);
                put("client_secret", secret.expose());
            }
            Self::Jwt(signer) => {
                let signer = (**signer).clone();
                let signer =
                    signer.claim_or("iss", id).claim_or("sub", id).claim_or("aud", audience.as_str());
                put("client_id", id);
                put("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                put("client_assertion", signer.token(&exchange.clock, &exchange.random)?.expose());
            }
        }
        Ok(())
    }
}

/// Both are form-encoded first (RFC 6749, section 2.3.1), which changes nothing for letters, digits and `*-._`; providers that do not undo
/// it for the others want the credentials in the body.
fn basic_header(id: &str, secret: &Secret) -> HeaderValue {
    Secret::new(client_pair(id, secret.expose()))
        .header("Basic ")
        .expect("base64 has no character that a header cannot carry")
}

pub(super) fn client_pair(id: &str, secret: &str) -> String {
    let form = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    basic::pair(&form(id), &form(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::jwt::{Algorithm, Verifier};
    use crate::auth::key::testing::key;
    use crate::auth::testing::no_exchange;

    #[test]
    fn a_client_secret_is_form_encoded_before_it_goes_into_a_basic_header() {
        // RFC 6749, section 2.3.1: `:` and `%` within id and secret survive.
        let header = basic_header("made:up", &"made-up pass%wörd".into());
        let expected = basic::pair("made%3Aup", "made-up+pass%25w%C3%B6rd");
        assert_eq!(header, format!("Basic {expected}"));
        assert!(header.is_sensitive());
    }

    fn shown(auth: &ClientAuth) -> (Form, bool) {
        shown_over(auth, &no_exchange())
    }

    fn shown_over(auth: &ClientAuth, exchange: &Exchange) -> (Form, bool) {
        let (mut form, mut headers) = (Form::new(), HeaderMap::new());
        let audience = "https://auth.example.com/token".parse().unwrap();
        auth.put_on("made-up-client", &audience, exchange, &mut form, &mut headers).unwrap();
        (form, headers.contains_key("authorization"))
    }

    #[tokio::test]
    async fn a_client_shows_itself_in_one_place() {
        let secret = || Secret::from("made-up-client-secret");
        let id = ("client_id".to_owned(), "made-up-client".to_owned());
        let in_body = ("client_secret".to_owned(), "made-up-client-secret".to_owned());
        assert_eq!(shown(&ClientAuth::None), (vec![id.clone()], false));
        assert_eq!(shown(&ClientAuth::Tls), (vec![id.clone()], false));
        assert_eq!(shown(&ClientAuth::Basic(secret())), (vec![], true));
        assert_eq!(shown(&ClientAuth::Body(secret())), (vec![id, in_body], false));
    }

    #[tokio::test]
    async fn a_statement_is_of_the_client_for_the_server_and_never_the_same() {
        let (exchange, secret) = (no_exchange(), Secret::from("made-up-client-secret"));
        let with_secret = (ClientAuth::secret_jwt(&secret), SigningKey::shared(Key::verbatim(&secret)));
        let with_key = (ClientAuth::private_key_jwt(key("ec1")), key("ec1"));
        for ((auth, key), algorithm) in [(with_secret, Algorithm::Hs256), (with_key, Algorithm::Es256)] {
            let [(one, in_header), (other, _)] = [(); 2].map(|()| shown_over(&auth, &exchange));
            assert!(!in_header);
            let [id, kind, (name, statement)] = &one[..] else { panic!("{one:?}") };
            assert_eq!(*id, ("client_id".to_owned(), "made-up-client".to_owned()));
            assert_eq!(kind.1, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            assert_eq!(name, "client_assertion");
            let verifier = Verifier::new([algorithm])
                .issuer("made-up-client")
                .audience("https://auth.example.com/token");
            let keys = key.verifying_key().into();
            let verified = verifier.verify(statement, &keys, &exchange.clock).unwrap();
            assert_eq!(verified.claims["sub"], "made-up-client");
            assert_ne!(one, other);
        }
    }

    #[tokio::test]
    async fn another_audience_of_the_statement_is_the_signers_to_say() {
        let signer = Signer::new(key("ed1")).claim("aud", "https://auth.example.com");
        let (form, _) = shown(&ClientAuth::Jwt(Box::new(signer)));
        let verifier = Verifier::new([Algorithm::EdDsa]).audience("https://auth.example.com");
        let keys = key("ed1").verifying_key().into();
        assert!(verifier.verify(&form[2].1, &keys, &no_exchange().clock).is_ok());
    }
}
