//! The flows; what is sent is in `vectors.rs`.

mod answers;
mod client_credentials;
mod refresh;
mod standing;
mod vectors;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::time::sleep;

use super::*;
use crate::auth::testing::{answer, exchange, get};

const SECOND: Duration = Duration::from_secs(1);
const TOKEN_URL: &str = "https://auth.example.com/token";

fn client() -> Client {
    let url: url::Url = TOKEN_URL.parse().unwrap();
    Client::new(url, "made-up-client").secret("made-up-client-secret".into())
}

fn scheme() -> OAuth2 {
    OAuth2::client_credentials(client())
}

fn token(number: usize) -> String {
    format!("made-up-token-{number}.")
}

/// A provider that takes a second for each token and numbers them, and can be down.
#[derive(Clone)]
struct Provider {
    fetches: Arc<AtomicUsize>,
    expires_in: &'static str,
    is_down: Arc<Mutex<bool>>,
}

impl Provider {
    fn new(expires_in: &'static str) -> Self {
        Self { fetches: Arc::default(), expires_in, is_down: Arc::default() }
    }

    fn exchange(&self) -> Exchange {
        let provider = self.clone();
        exchange(move |_| {
            let provider = provider.clone();
            async move {
                let number = provider.fetches.fetch_add(1, Ordering::Relaxed) + 1;
                sleep(SECOND).await;
                if *provider.is_down.lock().unwrap() {
                    return answer(503, "made-up outage");
                }
                let (token, expires_in) = (token(number), provider.expires_in);
                answer(200, &format!(r#"{{"access_token": "{token}", "token_type": "bearer"{expires_in}}}"#))
            }
        })
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    fn set_down(&self, down: bool) {
        *self.is_down.lock().unwrap() = down;
    }
}

/// The token that a call carries.
async fn call(scheme: &OAuth2, exchange: &Exchange) -> Result<String, Error> {
    let request = scheme.authenticate(get("https://api.example.com/"), exchange).await?;
    let value = request.headers()["authorization"].to_str().unwrap().to_owned();
    Ok(value.strip_prefix("Bearer ").unwrap().to_owned())
}

/// The fields of a form, in order.
fn pairs(request: &Request) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body().as_bytes().unwrap()).into_owned().collect()
}

/// The result of a fetch that the provider answers with `status` and `body`.
async fn fetched(status: u16, body: &'static str) -> Result<String, Error> {
    call(&scheme(), &exchange(move |_| async move { answer(status, body) })).await
}
