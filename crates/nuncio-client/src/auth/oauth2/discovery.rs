//! What an authorization server says of itself (RFC 8414; OpenID Connect Discovery 1.0).

use http::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::client::{ask, uri};
use crate::auth::Exchange;
use crate::{Answer, Context, Error, Kind, Read, Request, excerpt};

/// The fields of a server's description that are used here.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: Option<String>,
    pub(super) token_endpoint: Option<Url>,
    pub(super) authorization_endpoint: Option<Url>,
    pub(super) device_authorization_endpoint: Option<Url>,
    pub(super) revocation_endpoint: Option<Url>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    mtls_endpoint_aliases: Aliases,
}

/// Where clients ask that show a certificate (RFC 8705, section 5).
#[derive(Debug, Clone, Default, Deserialize)]
struct Aliases {
    token_endpoint: Option<Url>,
    device_authorization_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
}

impl Metadata {
    /// The same for a client that shows a certificate.
    pub(super) fn for_tls(self) -> Self {
        let aliases = self.mtls_endpoint_aliases.clone();
        Self {
            token_endpoint: aliases.token_endpoint.or(self.token_endpoint),
            device_authorization_endpoint: aliases
                .device_authorization_endpoint
                .or(self.device_authorization_endpoint),
            revocation_endpoint: aliases.revocation_endpoint.or(self.revocation_endpoint),
            ..self
        }
    }
}

/// Asks `issuer` for its description, at the place of RFC 8414 and, where there is none, at that of OpenID Connect.
pub(super) async fn metadata(issuer: &Url, exchange: &Exchange) -> Result<Metadata, Error> {
    let [oauth, openid] = places(issuer);
    let (place, answer) = match get(&oauth, exchange).await {
        Err(error) if is_absent(&error) => (openid.clone(), get(&openid, exchange).await),
        answer => (oauth, answer),
    };
    answer.and_then(|answer| read(issuer, &answer)).map_err(|error| error.on(&Method::GET, &place))
}

/// RFC 8414 puts the well-known part between host and path (section 3.1), OpenID Connect after the path (section 4).
fn places(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().trim_end_matches('/');
    [
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ]
    .map(|path| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    })
}

async fn get(url: &Url, exchange: &Exchange) -> Result<Answer, Error> {
    let mut request = Request::default();
    *request.uri_mut() = uri(url)?;
    request.extensions_mut().insert(Context { read: Read::Stream, ..Context::default() });
    ask(request, exchange).await
}

/// Servers that know one of the two places say 404 for the other, and some 400, 403 or 405.
fn is_absent(error: &Error) -> bool {
    let status = error.status().or_else(|| error.cause::<Error>()?.status());
    status.as_ref().is_some_and(StatusCode::is_client_error)
}

fn read(issuer: &Url, answer: &Answer) -> Result<Metadata, Error> {
    let failed = |message: String| Error::new(Kind::Auth, message);
    let metadata: Metadata = serde_json::from_slice(&answer.body).map_err(|error| {
        failed(format!("the issuer does not describe itself: {}", excerpt(&answer.body)))
            .because(error)
            .advise("check the issuer's URL, or say where the endpoints are")
    })?;
    // Section 3.3: identical, or another server could speak for this one. A final slash is what URL parsers add of their own.
    let told = metadata.issuer.as_deref().unwrap_or_default();
    if told.trim_end_matches('/') != issuer.as_str().trim_end_matches('/') {
        return Err(failed(format!(
            "asked for {issuer}, the server calls itself {:?}",
            excerpt(told.as_bytes())
        ))
        .advise("give the issuer exactly as the server writes it, if that is the one you mean"));
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::{answer, exchange};

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_well_known_part_goes_before_or_after_the_path() {
        let places = |issuer| places(&url(issuer)).map(String::from);
        let bare = [
            "https://auth.example.com/.well-known/oauth-authorization-server",
            "https://auth.example.com/.well-known/openid-configuration",
        ];
        assert_eq!(places("https://auth.example.com"), bare);
        assert_eq!(places("https://auth.example.com/"), bare);
        assert_eq!(
            places("https://auth.example.com/tenant/7"),
            [
                "https://auth.example.com/.well-known/oauth-authorization-server/tenant/7",
                "https://auth.example.com/tenant/7/.well-known/openid-configuration",
            ]
        );
    }

    /// What comes of asking a server that answers `body` at the OpenID place alone.
    async fn found(body: &'static str) -> Result<Metadata, Error> {
        let server = exchange(move |request| async move {
            let is_openid = request.uri().path() == "/7/.well-known/openid-configuration";
            if is_openid { answer(200, body) } else { answer(404, "made-up page") }
        });
        metadata(&url("https://auth.example.com/7"), &server).await
    }

    #[tokio::test]
    async fn a_server_that_knows_one_place_is_found_there() {
        let found = found(
            r#"{"issuer": "https://auth.example.com/7", "token_endpoint": "https://auth.example.com/t",
                "authorization_response_iss_parameter_supported": true, "made_up": []}"#,
        );
        let found = found.await.unwrap();
        assert_eq!(found.token_endpoint, Some(url("https://auth.example.com/t")));
        assert_eq!(found.authorization_endpoint, None);
        assert!(found.authorization_response_iss_parameter_supported);
    }

    #[tokio::test]
    async fn a_server_that_calls_itself_otherwise_is_refused() {
        for body in
            [r#"{"issuer": "https://other.example.com/7"}"#, r#"{"token_endpoint": "https://a.example.com"}"#]
        {
            let error = found(body).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Auth);
            assert!(
                error
                    .to_string()
                    .starts_with("asked for https://auth.example.com/7, the server calls itself")
            );
        }
    }

    #[tokio::test]
    async fn a_client_that_shows_a_certificate_asks_where_the_server_wants_it() {
        let found = found(
            r#"{"issuer": "https://auth.example.com/7", "token_endpoint": "https://auth.example.com/t",
                "revocation_endpoint": "https://auth.example.com/r",
                "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.example.com/t"}}"#,
        );
        let found = found.await.unwrap().for_tls();
        assert_eq!(found.token_endpoint, Some(url("https://mtls.example.com/t")));
        assert_eq!(found.revocation_endpoint, Some(url("https://auth.example.com/r")));
    }

    #[tokio::test]
    async fn a_page_is_no_description() {
        let error = found("<html>made up</html>").await.unwrap_err();
        assert_eq!(error.to_string(), "the issuer does not describe itself: <html>made up</html>");
        assert_eq!(error.url(), Some("https://auth.example.com/7/.well-known/openid-configuration"));
    }

    #[tokio::test]
    async fn a_server_that_is_down_is_not_asked_elsewhere() {
        let down = exchange(|request| async move {
            assert_eq!(request.uri().path(), "/.well-known/oauth-authorization-server");
            answer(503, "")
        });
        let error = metadata(&url("https://auth.example.com"), &down).await.unwrap_err();
        assert_eq!(error.cause::<Error>().unwrap().status().unwrap().as_u16(), 503);
    }
}
