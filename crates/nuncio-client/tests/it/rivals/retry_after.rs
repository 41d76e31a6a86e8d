//! How long a server that asks us to stay away is stayed away from.

use tokio::time::Instant;

use super::*;

/// The wait between an answer of `status` with `headers` and the second attempt, which succeeds.
async fn waited(status: u16, headers: &'static [(&'static str, &'static str)]) -> Duration {
    let (builder, log) = serve(move |n, _| if n == 0 { answer(status, headers, "") } else { ok("{}") });
    builder.build().expect("valid").get("/x").send().await.expect("second time lucky");
    log.gaps()[0]
}

// Airbyte waits 1 s, or 9; Singer ignores it; Respect does not read it; faucet waits 0.6 s after a 503.
#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_exactly_whatever_the_status() {
    assert_eq!(waited(429, &[("retry-after", "8")]).await, 8 * SECOND);
    assert_eq!(waited(503, &[("retry-after", "8")]).await, 8 * SECOND);
}

// Airbyte, kiota-http-ruby#43: a date is ignored.
#[tokio::test(start_paused = true)]
async fn retry_after_as_a_date_is_waited_for_exactly() {
    // Eight seconds after the time of day at which these tests begin.
    assert_eq!(waited(429, &[("retry-after", "Fri, 15 Jan 2027 08:00:08 GMT")]).await, 8 * SECOND);
}

// Kiota Go: a date in the past is a negative wait.
#[tokio::test(start_paused = true)]
async fn retry_after_in_the_past_means_now() {
    assert_eq!(waited(429, &[("retry-after", "Fri, 15 Jan 2027 07:59:00 GMT")]).await, Duration::ZERO);
}

// Fern Python: `retry_after_ms` is compared as text with a number, so that it never counts.
#[tokio::test(start_paused = true)]
async fn retry_after_ms_counts_before_retry_after() {
    let headers = &[("retry-after-ms", "250"), ("retry-after", "1")];
    assert_eq!(waited(429, headers).await, Duration::from_millis(250));
}

// Req raises on 1.5; restish ignores fractions; Kiota Go makes 0 of 0.5.
#[tokio::test(start_paused = true)]
async fn fractions_of_a_second_are_kept() {
    assert_eq!(waited(429, &[("retry-after", "1.5")]).await, Duration::from_millis(1_500));
    assert_eq!(waited(429, &[("retry-after", "0.5")]).await, Duration::from_millis(500));
}

// got: zero falls through to the backoff.
#[tokio::test(start_paused = true)]
async fn retry_after_zero_means_at_once() {
    assert_eq!(waited(429, &[("retry-after", "0")]).await, Duration::ZERO);
}

// Req raises on a repeated header.
#[tokio::test(start_paused = true)]
async fn the_longest_of_a_repeated_retry_after_counts() {
    assert_eq!(waited(429, &[("retry-after", "2"), ("retry-after", "5")]).await, 5 * SECOND);
}

// Req raises on what it does not know.
#[tokio::test(start_paused = true)]
async fn a_retry_after_that_cannot_be_read_leaves_it_to_the_backoff() {
    assert_eq!(waited(429, &[("retry-after", "soon")]).await, SECOND);
}

// restish cuts it short; openai-python#3555 replaced it by a backoff; Kiota and openai-node#1840 sleep for as long as told.
#[tokio::test(start_paused = true)]
async fn retry_after_above_the_cap_is_refused_at_once_and_not_cut_short() {
    assert_eq!(waited(429, &[("retry-after", "300")]).await, 300 * SECOND);

    let (builder, log) = serve(|_, _| answer(429, &[("retry-after", "301")], ""));
    let start = Instant::now();
    let error = builder.build().expect("valid").get("/x").send().await.expect_err("too long a wait");
    assert_eq!((log.len(), start.elapsed()), (1, Duration::ZERO));
    assert_eq!(error.retry_after(), Some(301 * SECOND));
}

// Speakeasy: elapsed time is checked before the wait only, so that one Retry-After overshoots by hours.
#[tokio::test(start_paused = true)]
async fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    let (builder, log) = serve(|_, _| answer(429, &[("retry-after", "100")], ""));
    let start = Instant::now();
    let error = builder.build().expect("valid").get("/x").deadline(60 * SECOND).send().await;
    assert_eq!(error.expect_err("no time").retry_after(), Some(100 * SECOND));
    assert_eq!((log.len(), start.elapsed()), (1, Duration::ZERO));
}
