//! How a client shows itself to the endpoints of its authorization server.

use http::{HeaderMap, HeaderValue, header};

use super::grant::Form;
use crate::Secret;
use crate::auth::basic;

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
}

impl ClientAuth {
    /// Puts what shows the client `id` on a request.
    pub(super) fn put_on(&self, id: &str, form: &mut Form, headers: &mut HeaderMap) {
        let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
        match self {
            Self::None => put("client_id", id),
            Self::Basic(secret) => {
                headers.insert(header::AUTHORIZATION, basic_header(id, secret));
            }
            Self::Body(secret) => {
                put("client_id", id);
                put("client_secret", secret.expose());
            }
        }
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

    #[test]
    fn a_client_secret_is_form_encoded_before_it_goes_into_a_basic_header() {
        // RFC 6749, section 2.3.1: `:` and `%` within id and secret survive.
        let header = basic_header("made:up", &"made-up pass%wörd".into());
        let expected = basic::pair("made%3Aup", "made-up+pass%25w%C3%B6rd");
        assert_eq!(header, format!("Basic {expected}"));
        assert!(header.is_sensitive());
    }

    #[test]
    fn a_client_shows_itself_in_one_place() {
        let shown = |auth: ClientAuth| {
            let (mut form, mut headers) = (Form::new(), HeaderMap::new());
            auth.put_on("made-up-client", &mut form, &mut headers);
            (form, headers.contains_key("authorization"))
        };
        let secret = || Secret::from("made-up-client-secret");
        let id = ("client_id".to_owned(), "made-up-client".to_owned());
        let in_body = ("client_secret".to_owned(), "made-up-client-secret".to_owned());
        assert_eq!(shown(ClientAuth::None), (vec![id.clone()], false));
        assert_eq!(shown(ClientAuth::Basic(secret())), (vec![], true));
        assert_eq!(shown(ClientAuth::Body(secret())), (vec![id, in_body], false));
    }
}
