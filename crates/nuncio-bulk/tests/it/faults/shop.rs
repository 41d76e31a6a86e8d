//! The third party: a sandbox, and how it is reached through a proxy.

use std::collections::HashMap;
use std::net::SocketAddr;

use nuncio_client::Client;
use nuncio_client::wire::{Proxy as Route, Settings as WireSettings, Wire};
use nuncio_faults::Origin;
use nuncio_sandbox::{Options, Sandbox};
use nuncio_service::{Connection, Service, Settings};
use serde_json::Value;

/// Bound on answers that are read whole.
const MAX_BODY_BYTES: usize = 512 * 1024;

const SHOP: &str = r#"
service: shop
base_url: https://shop.example.com
timeout: 1500ms
deadline: 30s
retry: { attempts: 3, backoff: { base: 1ms, max: 5ms, jitter: none } }
operations:
  orders.create: { post: /orders, input: { ref: string! } }
  rows.get: { get: "/rows/{id}", input: { id: string! } }
  rows.list:
    get: /rows
    records: data
    pages: { cursor: { param: cursor, next: next }, size: { param: limit, value: 12 } }
  items.list:
    get: /items
    records: data
    pages: { offset: { param: offset }, size: { param: limit, value: 12 }, total: { path: total } }
sandbox:
  resources:
    rows: { count: 60, object: { note: "Row {{ number }}, made up" } }
    items: { count: 60, object: { note: "Item {{ number }}, made up" } }
"#;

const KEY: &str = "idempotency: { header: Idempotency-Key }\n";

pub(super) struct Shop {
    sandbox: Sandbox,
    wire: Wire,
    pub(super) rows: Vec<Value>,
    pub(super) items: Vec<Value>,
}

impl Shop {
    pub(super) async fn open() -> Self {
        let options = Options { services: vec![service(true)], ..Options::default() };
        let sandbox = Sandbox::start(options).await.expect("it starts");
        let mut settings = WireSettings::default();
        settings.proxy = Route::Direct;
        let wire = Wire::new(&settings).expect("valid");
        let mut shop = Self { sandbox, wire, rows: Vec::new(), items: Vec::new() };
        // What it has to begin with is made when it is first asked for.
        let direct = shop.connect(&format!("http://{}", shop.address()), false);
        for list in ["rows", "items"] {
            let call = direct.call(&format!("{list}.list"), Default::default()).expect("valid");
            call.send().await.expect("no fault yet");
        }
        shop.rows = shop.sandbox.objects("shop", "rows");
        shop.items = shop.sandbox.objects("shop", "items");
        shop
    }

    fn address(&self) -> SocketAddr {
        let url = self.sandbox.url("shop").expect("it is played");
        let host = url.trim_start_matches("http://").trim_end_matches("/shop");
        host.parse().expect("an address")
    }

    pub(super) fn origin(&self) -> Origin {
        Origin::Server(self.address())
    }

    /// A connection by way of `url`, with idempotency keys or without.
    pub(super) fn connect(&self, url: &str, keyed: bool) -> Connection {
        let client = Client::builder().max_body_bytes(MAX_BODY_BYTES).transport(self.wire.clone());
        let base_url = Some(format!("{url}/shop"));
        Connection::new(service(keyed), Settings { base_url, client, ..Settings::default() }).expect("valid")
    }

    /// How often each reference was ordered.
    pub(super) fn applied(&self) -> HashMap<String, u64> {
        let mut applied = HashMap::new();
        for order in self.sandbox.objects("shop", "orders") {
            *applied.entry(order["ref"].as_str().expect("text").to_owned()).or_default() += 1;
        }
        applied
    }
}

fn service(keyed: bool) -> Service {
    let text = if keyed { format!("{SHOP}{KEY}") } else { SHOP.to_owned() };
    Service::from_yaml(&text, "shop.yaml").unwrap_or_else(|error| panic!("{}", error.report()))
}
