//! A third party that lists and takes orders, remembers what it was sent, and stops still when it is told to.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use futures_util::stream;
use serde_json::Value;
use tokio::sync::Notify;

use crate::support::json;

pub(super) const PAGES: u64 = 12;
pub(super) const RECORDS: u64 = 7;

/// The header that [`Shop::service_file`] names.
pub(super) const KEY: &str = "idempotency-key";

#[derive(Clone, Default)]
pub(super) struct Shop {
    pub(super) url: String,
    seen: Arc<Mutex<Seen>>,
    bell: Arc<Notify>,
    thawed: Arc<Notify>,
}

#[derive(Default)]
struct Seen {
    /// Pages that were asked for.
    pages: Vec<u64>,
    /// Orders that were received: the name of the order and its key.
    orders: Vec<(String, Option<String>)>,
    /// How often each order was taken: once a key.
    taken: HashMap<String, u32>,
    keys: HashMap<String, String>,
    under_way: usize,
    most_under_way: usize,
    /// Moments until the bell rings; never at zero.
    alarm: u32,
    /// Whether everything stands still once it rang.
    freezes: bool,
    frozen: bool,
}

/// What the bell does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bell {
    /// Nothing is answered any more.
    Freezes,
    /// All goes on as if there were no bell.
    OnlyRings,
}

impl Shop {
    pub(super) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shop = Self { url, ..Self::default() };
        let serving = shop.clone();
        let app = axum::Router::new().fallback(move |request: Request| serving.clone().answer(request));
        tokio::spawn(async move { axum::serve(listener, app).await });
        shop
    }

    /// A service file in which the shop is `shop` and takes idempotency keys.
    pub(super) fn service_file(&self) -> String {
        format!(
            "service: shop\nbase_url: {}\nauth: none\nidempotency: {{ header: Idempotency-Key }}\n\
             operations:\n  orders.create: {{ post: /orders, input: {{ name: string! }} }}\n",
            self.url
        )
    }

    /// Every record of the list as a pull writes it.
    pub(super) fn all_records() -> String {
        (1..=PAGES).flat_map(|page| (0..RECORDS).map(move |n| record(page, n) + "\n")).collect()
    }

    /// Rings after so many moments: a request received, half of a page sent, an answer given.
    pub(super) fn set_alarm(&self, moments: u32, bell: Bell) {
        self.thaw();
        self.with(|seen| (seen.alarm, seen.freezes) = (moments, bell == Bell::Freezes));
    }

    /// Goes on where it stood still. The alarm is off.
    pub(super) fn thaw(&self) {
        self.with(|seen| (seen.alarm, seen.frozen) = (0, false));
        self.thawed.notify_waiters();
    }

    pub(super) async fn bell(&self) {
        self.bell.notified().await;
    }

    pub(super) fn pages_asked_for(&self) -> Vec<u64> {
        self.with(|seen| seen.pages.clone())
    }

    pub(super) fn orders_received(&self) -> Vec<(String, Option<String>)> {
        self.with(|seen| seen.orders.clone())
    }

    pub(super) fn orders_taken(&self) -> HashMap<String, u32> {
        self.with(|seen| seen.taken.clone())
    }

    pub(super) fn requests(&self) -> usize {
        self.with(|seen| seen.pages.len() + seen.orders.len())
    }

    pub(super) fn most_under_way(&self) -> usize {
        self.with(|seen| seen.most_under_way)
    }

    async fn answer(self, request: Request) -> Response {
        self.with(|seen| {
            seen.under_way += 1;
            seen.most_under_way = seen.most_under_way.max(seen.under_way);
        });
        let _guard = UnderWay(self.clone());
        match *request.method() {
            Method::GET => self.list(request.uri().query().unwrap_or_default().to_owned()).await,
            _ => self.take(request).await,
        }
    }

    /// Pages by number or by cursor; an empty one behind the last.
    async fn list(&self, query: String) -> Response {
        let number = |name| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok());
        let page: u64 = number("page=").or_else(|| number("cursor=c")).unwrap_or(1);
        self.with(|seen| seen.pages.push(page));
        self.moment().await;
        if query.contains("page=") {
            // As long as a real one takes, so that others are under way meanwhile.
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        let records: Vec<String> = match page {
            1..=PAGES => (0..RECORDS).map(|n| record(page, n)).collect(),
            _ => Vec::new(),
        };
        let next = if page < PAGES { format!("\"c{}\"", page + 1) } else { "null".to_owned() };
        let total = PAGES * RECORDS;
        let text = format!("{{\"total\":{total},\"data\":[{}],\"next\":{next}}}", records.join(","));
        let length = text.len();
        let half = Bytes::from(text[..length / 2].to_owned());
        let rest = Bytes::from(text[length / 2..].to_owned());
        let shop = self.clone();
        let body = stream::unfold((0, shop), move |(part, shop)| {
            let (half, rest) = (half.clone(), rest.clone());
            async move {
                let bytes = match part {
                    0 => half,
                    1 => {
                        shop.moment().await;
                        rest
                    }
                    _ => {
                        shop.moment().await;
                        return None;
                    }
                };
                Some((Ok::<_, Infallible>(bytes), (part + 1, shop)))
            }
        });
        // Chunked: the client is not done with a page before the last moment.
        Response::builder().header("content-type", "application/json").body(Body::from_stream(body)).unwrap()
    }

    /// Takes an order once a key, and every time without one.
    async fn take(&self, request: Request) -> Response {
        let key = request.headers().get(KEY).map(|key| key.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(request.into_body(), 1024).await.unwrap();
        let order: Value = serde_json::from_slice(&body).unwrap();
        let name = order["name"].as_str().unwrap().to_owned();
        self.with(|seen| seen.orders.push((name.clone(), key.clone())));
        self.moment().await;
        self.with(|seen| {
            if key.is_none_or(|key| seen.keys.insert(key, name.clone()).is_none()) {
                *seen.taken.entry(name.clone()).or_default() += 1;
            }
        });
        self.moment().await;
        json(201, &format!("{{\"taken\":\"{name}\"}}"))
    }

    async fn moment(&self) {
        let thawed = self.thawed.notified();
        let frozen = self.with(|seen| {
            if seen.alarm > 0 {
                seen.alarm -= 1;
                if seen.alarm == 0 {
                    seen.frozen = seen.freezes;
                    self.bell.notify_one();
                }
            }
            seen.frozen
        });
        if frozen {
            thawed.await;
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Seen) -> T) -> T {
        f(&mut self.seen.lock().unwrap())
    }
}

struct UnderWay(Shop);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.with(|seen| seen.under_way -= 1);
    }
}

/// What is hard to copy: digits that no float holds, line ends, quotes, separators, text that is not ASCII.
fn record(page: u64, n: u64) -> String {
    let id = page * 1000 + n;
    format!(
        r#"{{"id":{id},"amount":98765432109876543210.10,"text":"a,\n\"b\" – {id}","tags":["x",{{"y":{n}}}]}}"#
    )
}

/// The names of `count` orders, each on a line as an item.
pub(super) fn items(count: usize) -> String {
    (0..count).map(|n| format!("{{\"name\":\"o{n}\"}}\n")).collect()
}
