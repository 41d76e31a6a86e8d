//! A time of day that jumps in the middle of a wait: a laptop that slept, a clock that was set.
//!
//! Waits go by a clock that only goes forwards (and stands still while a laptop sleeps, so that none ends early). The time of day is
//! asked once, when a server's word is read, and for the age of tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_client::auth::Auth;
use nuncio_client::auth::oauth2::{self, OAuth2};
use nuncio_client::{Client, Clock, Error, Event, Kind, Observer, Response};
use tokio::time::Instant;

use crate::rivals::{Log, SECOND, answer, ok, serve};

const HOUR: i64 = 3_600;

/// 2027-01-15T08:00:00Z, by the server's clock.
const START: u64 = 1_800_000_000;

/// A clock beside the server's, which is right.
#[derive(Clone)]
struct Wall {
    start: Instant,
    /// How far it is ahead, in seconds.
    ahead: Arc<AtomicI64>,
}

impl Wall {
    fn new() -> Self {
        Self { start: Instant::now(), ahead: Arc::default() }
    }

    fn jump(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let wall = self.clone();
        Clock::new(move || {
            let ahead = wall.ahead.load(Ordering::Relaxed);
            let right = UNIX_EPOCH + Duration::from_secs(START) + wall.start.elapsed();
            let by = Duration::from_secs(ahead.unsigned_abs());
            if ahead < 0 { right - by } else { right + by }
        })
    }

    /// The server's time of day in some seconds, as a date of HTTP.
    fn date_in(&self, seconds: u64) -> String {
        let time: SystemTime = UNIX_EPOCH + Duration::from_secs(START + seconds) + self.start.elapsed();
        httpdate::fmt_http_date(time)
    }
}

/// How a clock jumps.
const JUMPS: [i64; 2] = [HOUR, -HOUR];

/// Jumps whenever a wait has begun.
fn jump_in_waits(wall: &Wall, by: i64) -> Observer {
    let wall = wall.clone();
    Observer::new(move |event: &Event<'_>| {
        if matches!(event, Event::Retrying { .. }) {
            wall.jump(by);
        }
    })
}

/// A server that is first unavailable, with these headers, and then well.
fn unavailable_once(
    wall: &Wall,
    headers: impl Fn() -> Vec<(&'static str, String)> + Send + Sync + 'static,
) -> (Client, Log) {
    let (builder, log) = serve(move |n, _| {
        let headers = headers();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if n == 0 { answer(503, &headers, "") } else { ok("{}") }
    });
    (builder.clock(wall.clock()).build().expect("valid"), log)
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_as_long_as_the_server_meant_whatever_the_clock_does_meanwhile() {
    for by in JUMPS {
        for server_tells_its_time in [true, false] {
            let wall = Wall::new();
            let server = wall.clone();
            let (client, log) = unavailable_once(&wall, move || {
                let mut headers = vec![("retry-after", server.date_in(30))];
                headers.extend(server_tells_its_time.then(|| ("date", server.date_in(0))));
                headers
            });
            client.get("/x").observer(jump_in_waits(&wall, by)).send().await.expect("well by then");
            assert_eq!(log.gaps(), [30 * SECOND], "{by}, {server_tells_its_time}");
            assert_eq!(wall.ahead.load(Ordering::Relaxed), by, "it jumped once");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_does_not_matter_to_a_server_that_tells_its_time() {
    for by in JUMPS {
        let wall = Wall::new();
        wall.jump(by);
        let server = wall.clone();
        let (client, log) = unavailable_once(&wall, move || {
            vec![("retry-after", server.date_in(30)), ("date", server.date_in(0))]
        });
        client.get("/x").send().await.expect("well by then");
        assert_eq!(log.gaps(), [30 * SECOND], "{by}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_behind_fails_at_once_and_does_not_wait_for_an_hour() {
    let wall = Wall::new();
    wall.jump(-HOUR);
    let server = wall.clone();
    let (client, log) = unavailable_once(&wall, move || vec![("retry-after", server.date_in(30))]);
    let begun = Instant::now();
    let error = client.get("/x").send().await.expect_err("too long a wait");
    assert_eq!((log.len(), begun.elapsed()), (1, Duration::ZERO), "{error}");
    assert!(error.to_string().contains("asks for a wait of 3630s"), "{error}");
}

/// A server that always refuses, until a time that is past by a clock an hour ahead.
async fn refused_by_a_server_that_seems_to_be_slow(
    header: &'static str,
    in_words: bool,
) -> (Error, Vec<Duration>) {
    let wall = Wall::new();
    wall.jump(HOUR);
    let server = wall.clone();
    let (builder, log) = serve(move |_, _| {
        let time = (START + server.start.elapsed().as_secs() + 30).to_string();
        let time = if in_words { server.date_in(30) } else { time };
        answer(429, &[(header, &time), ("x-ratelimit-remaining", "0")], "")
    });
    let client = builder.clock(wall.clock()).build().expect("valid");
    let error = client.get("/x").send().await.expect_err("refused each time");
    (error, log.gaps())
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_is_past_is_no_reason_to_try_at_once() {
    let (error, gaps) = refused_by_a_server_that_seems_to_be_slow("x-ratelimit-reset", false).await;
    assert_eq!(error.history().len(), 5, "{error}");
    assert_eq!(gaps, [1, 2, 4, 8].map(|seconds| seconds * SECOND), "the backoff");
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_past_is_obeyed_a_bounded_number_of_times() {
    let (error, gaps) = refused_by_a_server_that_seems_to_be_slow("retry-after", true).await;
    assert_eq!((error.history().len(), gaps.len()), (5, 4), "{error}");
}

/// A server whose limit is spent until 20 s after the first request.
fn limited_once(wall: &Wall, tells_its_time: bool) -> (Client, Log) {
    let server = wall.clone();
    let (builder, log) = serve(move |n, _| {
        let reset = (START + 20).to_string();
        let date = server.date_in(0);
        let mut headers =
            vec![("x-ratelimit-limit", "100"), ("x-ratelimit-remaining", if n == 0 { "0" } else { "99" })];
        headers.push(("x-ratelimit-reset", &reset));
        headers.extend(tells_its_time.then_some(("date", date.as_str())));
        answer(200, &headers, "{}")
    });
    (builder.clock(wall.clock()).build().expect("valid"), log)
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_waited_for_whatever_the_clock_does_meanwhile() {
    for by in JUMPS {
        let wall = Wall::new();
        let (client, log) = limited_once(&wall, false);
        client.get("/x").send().await.expect("answered");
        let second = tokio::spawn({
            let client = client.clone();
            async move { client.get("/x").send().await }
        });
        tokio::time::sleep(10 * SECOND).await;
        wall.jump(by);
        second.await.expect("no panic").expect("answered");
        assert_eq!(log.gaps(), [20 * SECOND], "{by}");
        client.get("/x").send().await.expect("answered");
        assert_eq!(log.gaps()[1], Duration::ZERO, "{by}: the limit that was learned before is over");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_read_by_a_wrong_clock_is_neither_an_endless_wait_nor_a_hot_loop() {
    for by in JUMPS {
        let wall = Wall::new();
        wall.jump(by);
        let (client, log) = limited_once(&wall, true);
        client.get("/x").send().await.expect("answered");
        client.get("/x").send().await.expect("answered");
        assert_eq!(log.gaps(), [20 * SECOND], "{by}: the server tells its time");
    }
    let wall = Wall::new();
    wall.jump(-HOUR);
    let (client, log) = limited_once(&wall, false);
    client.get("/x").send().await.expect("answered");
    let error = client.get("/x").send().await.expect_err("it is told to wait for an hour");
    assert_eq!(
        (error.kind(), error.retry_after(), log.len()),
        (Kind::Limit, Some(3_620 * SECOND), 1),
        "{error}"
    );
    // It knows no better until then, and no longer.
    tokio::time::sleep(3_620 * SECOND).await;
    client.get("/x").send().await.expect("answered");
}

/// A client whose tokens live for an hour, and how many were fetched. `/x` is answered by `answer(n, token)`.
fn with_tokens(wall: &Wall, answer: fn(usize) -> Response) -> (Client, Log, Arc<AtomicUsize>) {
    let fetched = Arc::new(AtomicUsize::new(0));
    let (count, calls) = (Arc::clone(&fetched), AtomicUsize::new(0));
    let (builder, log) = serve(move |_, request| match request.uri().path() {
        "/token" => {
            let n = count.fetch_add(1, Ordering::Relaxed) + 1;
            ok(format!(r#"{{"access_token":"made-up-token-{n}","token_type":"Bearer","expires_in":3600}}"#))
        }
        _ => answer(calls.fetch_add(1, Ordering::Relaxed)),
    });
    let url: url::Url = "https://api.example.com/token".parse().expect("a URL");
    let credentials = oauth2::Client::new(url, "made-up-client").secret("made-up-secret".into());
    let client = builder
        .clock(wall.clock())
        .auth(Auth::oauth2(OAuth2::client_credentials(credentials)))
        .build()
        .expect("valid");
    (client, log, fetched)
}

/// The tokens that `/x` was called with.
fn tokens(log: &Log) -> Vec<String> {
    let sent = log.map(|seen| {
        let header =
            seen.request.headers().get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?.to_owned();
        (seen.request.uri().path() == "/x").then_some(header)
    });
    sent.into_iter().flatten().collect()
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expired_while_the_machine_slept_is_replaced_before_it_is_used() {
    let wall = Wall::new();
    let (client, log, fetched) = with_tokens(&wall, |_| ok("{}"));
    client.get("/x").send().await.expect("answered");
    wall.jump(HOUR);
    for _ in 0..10 {
        client.get("/x").send().await.expect("answered");
    }
    assert_eq!(tokens(&log)[..3], ["made-up-token-1", "made-up-token-2", "made-up-token-2"]);
    assert_eq!(fetched.load(Ordering::Relaxed), 2, "one for each hour, not one for each call");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_in_the_wait_for_a_retry_is_replaced_for_the_next_attempt() {
    let wall = Wall::new();
    let unavailable_once = |n| if n == 0 { answer(503, &[("retry-after", "30")], "") } else { ok("{}") };
    let (client, log, _) = with_tokens(&wall, unavailable_once);
    client.get("/x").observer(jump_in_waits(&wall, HOUR)).send().await.expect("answered");
    assert_eq!(tokens(&log), ["made-up-token-1", "made-up-token-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_neither_prolongs_a_token_nor_fetches_one_for_each_call() {
    let wall = Wall::new();
    let (client, log, fetched) = with_tokens(&wall, |_| ok("{}"));
    client.get("/x").send().await.expect("answered");
    wall.jump(-HOUR);
    for _ in 0..10 {
        client.get("/x").send().await.expect("answered");
    }
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
    tokio::time::sleep(3_600 * SECOND).await;
    client.get("/x").send().await.expect("answered");
    assert_eq!(tokens(&log).last().map(String::as_str), Some("made-up-token-2"));
}
