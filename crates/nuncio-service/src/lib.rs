//! Third-party APIs described by one YAML file each.
//!
//! A [`Service`] is what a file says: where the API is, who calls it, how fast, what failures look like, how lists are paged, and
//! what it can do. A [`Connection`] is a service with one account: it checks inputs and makes the calls, by way of
//! [`nuncio_client`]. A [`Catalog`] finds files by the name of their service; some come with nuncio.
//!
//! ```
//! use nuncio_service::{Connection, Env, Inputs, Service, Settings};
//!
//! let shop = Service::from_yaml(
//!     r#"
//! service: shop
//! base_url: https://api.shop.example.com/v1
//! auth: { bearer: "{{ env.SHOP_TOKEN }}" }
//! limits: [{ capacity: 10, refill: 5/s }]
//! errors: { code: error.code, message: error.message }
//! pages: { cursor: { param: cursor, next: next_cursor } }
//! operations:
//!   orders.create: { post: /orders, input: { item: string!, count: integer } }
//!   orders.get: { get: "/orders/{id}", input: { id: string! } }
//!   orders.list: { get: /orders, input: { status: string }, records: data }
//! "#,
//!     "shop.yaml",
//! )?;
//! assert!(shop.operation("orders.create")?.input["item"].required);
//!
//! let env = Env::new(|name| (name == "SHOP_TOKEN").then(|| "made-up-token".to_owned()));
//! let shop = Connection::new(shop, Settings { env, ..Settings::default() })?;
//! let call = shop.call("orders.create", Inputs::from([("item", "book"), ("count", "2")]))?;
//! assert_eq!(call.preview()?.body().as_bytes(), Some(&br#"{"count":2,"item":"book"}"#[..]));
//!
//! let error = shop.call("orders.create", Inputs::from([("count", "two")])).unwrap_err();
//! assert_eq!(error.to_string(), r#"orders.create: `count` takes a whole number, not "two"; `item` is missing"#);
//! # Ok::<(), nuncio_client::Error>(())
//! ```
//!
//! The format is described in `docs/service-files.md`. This crate reads neither the environment nor a home folder: both are handed
//! in. It opens no sockets.

mod catalog;
mod connection;
mod inputs;
mod load;
pub mod model;
mod path;
mod request;
mod schema;
mod suggest;
pub mod template;

pub use catalog::{Catalog, Origin};
pub use connection::{Connection, Login, Settings};
pub use inputs::{Checked, File, Given, Inputs};
pub use load::{MAX_FILE_BYTES, Problem, Problems, WebhookFile, read_yaml};
pub use model::{Operation, Service};
pub use schema::service_schema;
pub use suggest::suggest;
pub use template::{Condition, Env, Scope, Template, Tree};
