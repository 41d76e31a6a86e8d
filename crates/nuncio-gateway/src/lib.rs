//! The relay as a server: webhooks in, the API, the dashboard, metrics.
//!
//! [`Options`] go in, a [`Gateway`] comes out, and a [`Handle`] to it. It knows HTTP; what is stored and delivered, and how, is the matter of
//! [`nuncio_relay`].

mod api;
mod app;
mod auth;
mod body;
mod client;
mod config;
mod dashboard;
mod gateway;
mod health;
mod inbound;
mod listener;
mod metrics;
mod options;
mod problem;
mod registry;
mod router;
mod secrets;
mod server;
mod token;

pub use api::openapi;
pub use config::{Config, TokenConfig, config_schema};
pub use gateway::{Gateway, Handle, Parts};
pub use listener::{Arrived, Happening, Listener, ListenerOptions, Replay, SOURCE, Tried};
pub use options::{Limits, Options, Tls};
pub use token::Scope;
