//! A machine without a browser shows a short code, and its user agrees elsewhere (RFC 8628).

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::auth::Exchange;
use crate::auth::oauth2::answer::{self, failed};
use crate::auth::oauth2::client::Patience;
use crate::auth::oauth2::grant::{Grant, present, scope};
use crate::auth::oauth2::server::missing;
use crate::auth::oauth2::token::lifetime;
use crate::auth::oauth2::{Client, DEFAULT_TIMEOUT, Tokens};
use crate::{Answer, Error, Secret, excerpt};

/// How long between two questions where the server does not say (section 3.2), and how much longer after `slow_down` (section 3.5).
const INTERVAL: Duration = Duration::from_secs(5);

/// How long a code is good where the server does not say, which it must; and at most.
const LIFETIME: Duration = Duration::from_secs(600);
const LONGEST_LIFETIME: Duration = Duration::from_secs(86_400);

/// A login that was begun: what to show to the user, and the code to ask with.
#[derive(Debug, Clone)]
pub struct DeviceLogin {
    client: Client,
    device_code: Secret,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    interval: Duration,
    ends: Instant,
}

impl Client {
    /// Begins a login for a machine without a browser.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when the device authorization endpoint is not known;
    /// [`Kind::Auth`](crate::Kind::Auth) when the server refuses; those of the discovery.
    pub async fn begin_device_login(&self, exchange: &Exchange) -> Result<DeviceLogin, Error> {
        let endpoints = self.endpoints(exchange).await?;
        let endpoint = endpoints
            .device_authorization
            .ok_or_else(|| missing("device authorization", "device_authorization_url"))?;
        let scope = scope(&self.scopes);
        let form = present([("scope", scope.as_deref())]).chain(self.login_params.clone()).collect();
        let begun = self.post(&endpoint, form, Patience::OfCalls, exchange).await;
        begun
            .and_then(|answer| self.device_login(&answer))
            .map_err(|error| error.on(&http::Method::POST, &endpoint))
    }

    /// Reads what to show (section 3.2).
    fn device_login(&self, answer: &Answer) -> Result<DeviceLogin, Error> {
        let fields = answer::object(answer).ok_or_else(|| answer::no_object(answer))?;
        let text = |name| answer::text(&fields, name).map(str::to_owned);
        let required =
            |name| text(name).ok_or_else(|| answer::refusal(answer).unwrap_or_else(|| without(name)));
        let device_code = required("device_code")?;
        let duration = |name| fields.get(name).and_then(|value: &Value| lifetime(Some(value)));
        let lifetime = duration("expires_in").unwrap_or(LIFETIME).min(LONGEST_LIFETIME);
        Ok(DeviceLogin {
            client: self.clone(),
            device_code: device_code.into(),
            user_code: required("user_code")?,
            // Google wrote it so before there was an RFC.
            verification_uri: text("verification_url").map_or_else(|| required("verification_uri"), Ok)?,
            verification_uri_complete: text("verification_uri_complete"),
            interval: duration("interval")
                .unwrap_or(INTERVAL)
                .clamp(Duration::from_secs(1), LONGEST_LIFETIME),
            ends: Instant::now() + lifetime,
        })
    }
}

impl DeviceLogin {
    /// What the user types.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where the user types it.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// The same with the code in it, for a QR code, where the server has such a page.
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// Asks for the tokens until the user has agreed or refused, as often as the server allows.
    ///
    /// # Errors
    /// [`Kind::Auth`](crate::Kind::Auth) when the user refused or did not come in time, or the server does not give the tokens. A server that
    /// is down is asked again, more and more slowly (section 3.5).
    pub async fn finish(&self, exchange: &Exchange) -> Result<Tokens, Error> {
        let mut interval = self.interval;
        loop {
            if Instant::now() + interval >= self.ends {
                return Err(failed("nobody agreed before the code expired".to_owned())
                    .advise("begin again, and enter the new code in time"));
            }
            sleep(interval).await;
            let asked =
                self.client.token(Grant::DeviceCode(&self.device_code), DEFAULT_TIMEOUT, exchange).await;
            let error = match asked {
                Ok(tokens) => return Ok(tokens),
                Err(error) => error,
            };
            match error.code() {
                Some("authorization_pending") => {}
                Some("slow_down") => interval += INTERVAL,
                None if answer::is_passing(&error) => interval *= 2,
                _ => return Err(error),
            }
        }
    }
}

fn without(name: &str) -> Error {
    failed(format!("the device authorization endpoint answered without {}", excerpt(name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::auth::oauth2::Server;
    use crate::auth::testing::{answer, exchange};
    use crate::{Context, Kind};

    const BEGUN: &str = r#"{"device_code": "made-up-device-code", "user_code": "ABCD-EFGH",
        "verification_uri": "https://auth.example.com/device", "expires_in": 120}"#;

    fn client() -> Client {
        let server = Server::new("https://auth.example.com/token".parse().unwrap())
            .device_authorization_endpoint("https://auth.example.com/device_authorization".parse().unwrap());
        Client::new(server, "made-up-client").scopes(["read"])
    }

    /// A server that begins a login and then says what is on its list, the last again and again; and when it was asked.
    fn server(says: &'static [(u16, &'static str)]) -> (Exchange, Arc<Mutex<Vec<u64>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let copy = Arc::clone(&asked);
        let start = Instant::now();
        let exchange = exchange(move |request| {
            let form = String::from_utf8(request.body().as_bytes().unwrap().to_vec()).unwrap();
            let (status, body) = if request.uri().path() == "/device_authorization" {
                assert_eq!(form, "scope=read&client_id=made-up-client");
                (200, BEGUN)
            } else {
                assert!(!Context::of(&request).repeatable);
                assert_eq!(
                    form,
                    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code\
                     &device_code=made-up-device-code&client_id=made-up-client"
                );
                let mut asked = copy.lock().unwrap();
                asked.push(start.elapsed().as_secs());
                says[(asked.len() - 1).min(says.len() - 1)]
            };
            async move { answer(status, body) }
        });
        (exchange, asked)
    }

    async fn finished(says: &'static [(u16, &'static str)]) -> (Result<Tokens, Error>, Vec<u64>) {
        let (exchange, asked) = server(says);
        let login = client().begin_device_login(&exchange).await.unwrap();
        let finished = login.finish(&exchange).await;
        let asked = asked.lock().unwrap().clone();
        (finished, asked)
    }

    const PENDING: (u16, &str) = (400, r#"{"error": "authorization_pending"}"#);
    const SLOW_DOWN: (u16, &str) = (400, r#"{"error": "slow_down"}"#);
    const TOKEN: (u16, &str) = (200, r#"{"access_token": "made-up-device-token"}"#);

    #[tokio::test(start_paused = true)]
    async fn what_to_show_is_read() {
        let login = client().begin_device_login(&server(&[TOKEN]).0).await.unwrap();
        assert_eq!(login.user_code(), "ABCD-EFGH");
        assert_eq!(login.verification_uri(), "https://auth.example.com/device");
        assert_eq!(login.verification_uri_complete(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_is_asked_every_five_seconds_until_the_user_agreed() {
        let (tokens, asked) = finished(&[PENDING, PENDING, TOKEN]).await;
        assert_eq!(tokens.unwrap().access_token.unwrap().expose(), "made-up-device-token");
        assert_eq!(asked, [5, 10, 15]);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_down_makes_every_wait_five_seconds_longer() {
        let (tokens, asked) = finished(&[PENDING, SLOW_DOWN, SLOW_DOWN, PENDING, TOKEN]).await;
        assert!(tokens.is_ok());
        assert_eq!(asked, [5, 10, 20, 35, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_down_is_asked_more_and_more_slowly() {
        let (tokens, asked) = finished(&[(503, ""), PENDING, (502, ""), TOKEN]).await;
        assert!(tokens.is_ok());
        assert_eq!(asked, [5, 15, 25, 45]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_who_refuses_ends_it() {
        let (tokens, asked) = finished(&[PENDING, (400, r#"{"error": "access_denied"}"#)]).await;
        let error = tokens.unwrap_err();
        assert_eq!((error.kind(), error.code(), asked.len()), (Kind::Auth, Some("access_denied"), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_that_the_server_calls_expired_ends_it() {
        let error = finished(&[(400, r#"{"error": "expired_token"}"#)]).await.0.unwrap_err();
        assert_eq!(error.to_string(), "the authorization server refused: expired_token");
        assert_eq!(error.advice(), Some("begin again, and agree in time"));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_longer_than_the_code_is_good() {
        let (tokens, asked) = finished(&[PENDING]).await;
        assert_eq!(tokens.unwrap_err().to_string(), "nobody agreed before the code expired");
        assert_eq!(asked.last(), Some(&115));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_makes_no_sense_is_an_error() {
        for (status, body, message) in [
            (200, "<html>", "the server answered no JSON object: <html>"),
            (
                200,
                r#"{"device_code": "made-up-device-code"}"#,
                "the device authorization endpoint answered without user_code",
            ),
            (200, r#"{"user_code": 7}"#, "the device authorization endpoint answered without device_code"),
            (
                400,
                r#"{"error": "unauthorized_client"}"#,
                "the authorization server refused: unauthorized_client",
            ),
        ] {
            let exchange = exchange(move |_| async move { answer(status, body) });
            assert_eq!(client().begin_device_login(&exchange).await.unwrap_err().to_string(), message);
        }
    }
}
