//! How the gateway is reached, and what it bears.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use nuncio_client::Secret;
use nuncio_client::wire::Cidr;
use nuncio_relay::Retention;
use nuncio_service::model::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// Settings of a [`Gateway`](crate::Gateway).
#[derive(Clone)]
pub struct Options {
    /// Where it listens. Default: 127.0.0.1:8480.
    pub listen: SocketAddr,
    /// What webhooks are sent to, as the providers know it: scheme, host and, behind a proxy that cuts it off, the beginning of the path.
    /// Default: what each request says.
    pub public_url: Option<String>,
    /// The certificate. Default: none, and plain HTTP.
    pub tls: Option<Tls>,
    /// Who may say for whom it forwards. Default: nobody.
    pub trusted_proxies: Vec<Cidr>,
    /// Bounds on what strangers may take up.
    pub limits: Limits,
    /// A token that may do everything, beside those that are set up. It is not stored. Default: none.
    pub bootstrap_token: Option<Secret>,
    /// What a config file says is set up. It is read again when it changes. Default: none, and what one said before stays set up.
    pub config: Option<Config>,
    /// How long events are kept. Default: 30 days.
    pub retention: Retention,
    /// How long requests and deliveries that are under way may take to end after [`Handle::stop`](crate::Handle::stop), each. Default: 30 s.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8480)),
            public_url: None,
            tls: None,
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            bootstrap_token: None,
            config: None,
            retention: Retention::default(),
            grace: Duration::from_secs(30),
        }
    }
}

/// A certificate and its key, in PEM files. They are read again whenever the config file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The file of the certificate and those it rests on.
    pub cert: PathBuf,
    /// The file of the private key.
    pub key: PathBuf,
}

/// Bounds on what strangers may take up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many connections may be open. Others wait until one ends. Default: 1024.
    pub connections: NonZeroUsize,
    /// The longest head of a request in bytes; a longer one is answered with 431. Default: 65536.
    pub header_bytes: NonZeroUsize,
    /// The longest path and query in bytes; a longer one is answered with 414. Default: 8192.
    pub url_bytes: NonZeroUsize,
    /// How long a TLS handshake or the head of a request may take, and how long a connection may be idle. Default: 15s.
    pub header_timeout: Span,
    /// How long the body of a request may take; one that takes longer is answered with 408. Default: 30s.
    pub body_timeout: Span,
    /// How long a client may take nothing of an answer. Default: 30s.
    pub write_timeout: Span,
}

impl Default for Limits {
    fn default() -> Self {
        let count = |count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
        Self {
            connections: count(1024),
            header_bytes: count(64 * 1024),
            url_bytes: count(8 * 1024),
            header_timeout: Span(Duration::from_secs(15)),
            body_timeout: Span(Duration::from_secs(30)),
            write_timeout: Span(Duration::from_secs(30)),
        }
    }
}
