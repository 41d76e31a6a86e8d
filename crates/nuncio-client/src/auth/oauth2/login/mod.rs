//! Logging a person in, and out.
//!
//! [`Client::begin_login`] leads to a page in the browser, from which the user comes back with a code, to a [`Loopback`] for example
//! (RFC 8252). [`Client::begin_device_login`] is for machines without a browser: the user types a short code elsewhere (RFC 8628). Either
//! ends in [`Tokens`](super::Tokens), to be [kept](super::store::replace) where [`OAuth2::login`](super::OAuth2::login) finds them.
//! [`Client::revoke`] gives them back.
//!
//! ```no_run
//! use nuncio_client::auth::oauth2::login::Loopback;
//! use nuncio_client::auth::oauth2::{Client, OAuth2, Server, TokenStore, store};
//! use nuncio_client::auth::{Auth, Exchange};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! # async fn example(exchange: Exchange, tokens: Arc<dyn TokenStore>) -> Result<Auth, Box<dyn std::error::Error>> {
//! let server = Server::discover("https://auth.example.com".parse()?);
//! let client = Client::new(server, "made-up-client").scopes(["openid", "offline_access"]);
//!
//! let loopback = Loopback::bind(&"http://127.0.0.1/callback".parse()?).await?;
//! let login = client.begin_login(loopback.redirect_uri().as_str(), &exchange).await?;
//! println!("Open {}", login.url());
//! let redirected = loopback.receive(&login, Duration::from_secs(300)).await?;
//! store::replace(&*tokens, &login.finish(&redirected, &exchange).await?).await?;
//!
//! Ok(Auth::oauth2(OAuth2::login(client).store(tokens)))
//! # }
//! ```
//!
//! [`Client::begin_login`]: super::Client::begin_login
//! [`Client::begin_device_login`]: super::Client::begin_device_login
//! [`Client::revoke`]: super::Client::revoke

mod browser;
mod device;
mod loopback;
mod pkce;
mod revocation;

pub use self::browser::BrowserLogin;
pub use self::device::DeviceLogin;
pub use self::loopback::Loopback;
pub use self::pkce::Verifier;
