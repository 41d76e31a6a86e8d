//! What a server says of its limits.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt as _;

use super::*;

/// A server that lets through `limit` requests in each window, and tells so.
struct Window {
    limit: u64,
    length: Duration,
    start: Instant,
    used: Mutex<(u128, u64)>,
    refused: AtomicUsize,
}

impl Window {
    fn new(limit: u64, length: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            length,
            start: Instant::now(),
            used: Mutex::default(),
            refused: AtomicUsize::new(0),
        })
    }

    /// Whether the request is let through, what remains then, and the time until the next window.
    fn enter(&self) -> (bool, u64, Duration) {
        let (now, length) = (self.start.elapsed().as_millis(), self.length.as_millis());
        let (window, passed) = (now / length, now % length);
        let mut used = self.used.lock().expect("not poisoned");
        if used.0 != window {
            *used = (window, 0);
        }
        let allowed = used.1 < self.limit;
        if allowed {
            used.1 += 1;
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        (allowed, self.limit - used.1, self.length - Duration::from_millis(passed as u64))
    }
}

// Airbyte: `RateLimit-Reset: 30` is read as 1970, so that 20 of 20 calls go at once to a server that allows 5 a minute.
#[tokio::test(start_paused = true)]
async fn a_reset_in_seconds_is_not_a_time_of_day() {
    let window = Window::new(5, 60 * SECOND);
    let server = Arc::clone(&window);
    let (builder, log) = serve(move |_, _| {
        let (allowed, remaining, reset) = server.enter();
        let (remaining, reset) = (remaining.to_string(), reset.as_secs().to_string());
        let headers =
            [("ratelimit-limit", "5"), ("ratelimit-remaining", &remaining), ("ratelimit-reset", &reset)];
        answer(if allowed { 200 } else { 429 }, &headers, "{}")
    });
    let client = builder.build().expect("valid");
    for _ in 0..20 {
        client.get("/x").send().await.expect("waited for");
    }
    assert_eq!((log.len(), window.refused.load(Ordering::Relaxed)), (20, 0));
}

/// Fifty pages from a server that allows ten requests a second: the records, and how often it had to refuse.
async fn fifty_pages(tells: bool) -> (Vec<u64>, usize) {
    let window = Window::new(10, SECOND);
    let server = Arc::clone(&window);
    let (builder, _) = serve(move |_, request| {
        let (allowed, remaining, _) = server.enter();
        if !allowed {
            return answer(429, &[("retry-after", "1")], "");
        }
        let page: u64 = param(request, "cursor").map_or(1, |cursor| cursor.parse().expect("our cursor"));
        let next = (page < 50).then(|| (page + 1).to_string());
        let body = serde_json::json!({"data": [page], "next": next}).to_string();
        let remaining = remaining.to_string();
        let told = [("ratelimit-limit", "10"), ("ratelimit-remaining", &remaining), ("ratelimit-reset", "1")];
        answer(200, if tells { &told } else { &[] }, body)
    });
    let items = builder.build().expect("valid").get("/items").pages(&by_cursor()).expect("valid");
    let records = items.records::<u64>().try_collect().await.expect("all pages");
    (records, window.refused.load(Ordering::Relaxed))
}

// All: four 429s in fifty pages even where the server tells what remains; Singer takes twice as long.
#[tokio::test(start_paused = true)]
async fn a_server_that_tells_its_limit_never_has_to_refuse() {
    assert_eq!(fifty_pages(true).await, ((1..=50).collect(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_tells_nothing_refuses_once_a_window_and_no_page_is_lost() {
    let start = Instant::now();
    assert_eq!(fifty_pages(false).await, ((1..=50).collect(), 4));
    assert_eq!(start.elapsed(), 4 * SECOND);
}
