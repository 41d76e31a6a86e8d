//! The limiter as its callers see it, in paused time.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, sleep_until};

use super::window_check::{Grant, assert_no_window_exceeds};
use super::*;
use crate::{Context, Error, Event, Kind, Observer};

fn count(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn quota(name: &str, capacity: u32, refill: &str, per: Scope) -> Quota {
    Quota { name: name.into(), capacity: count(capacity), refill: refill.parse().expect(refill), per }
}

fn limiter(quotas: impl Into<Vec<Quota>>) -> Limiter {
    Limiter::new(Limits { quotas: quotas.into(), ..Limits::default() })
}

fn of(key: &str, operation: &str) -> Context {
    Context { limit_key: Some(key.into()), operation: Some(operation.into()), ..Context::default() }
}

fn costing(cost: u32) -> Context {
    Context { cost: count(cost), ..Context::default() }
}

fn told(remaining: u64, reset_secs: u64) -> Learned {
    Learned { policy: None, limit: None, remaining, reset_after: secs(reset_secs), refill: None }
}

/// Lets every task that can go on do so, without letting time pass.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Calls that each wait on their own task, and the names of those that went, in order.
#[derive(Default)]
struct Calls {
    went: Arc<Mutex<Vec<&'static str>>>,
    tasks: JoinSet<Result<Permit, Error>>,
}

impl Calls {
    async fn start(
        &mut self,
        name: &'static str,
        limiter: &Limiter,
        context: Context,
    ) -> tokio::task::AbortHandle {
        let (limiter, went) = (limiter.clone(), Arc::clone(&self.went));
        let handle = self.tasks.spawn(async move {
            let permit = limiter.acquire(&context).await?;
            went.lock().expect("not poisoned").push(name);
            Ok(permit)
        });
        settle().await;
        handle
    }

    async fn went(&self) -> Vec<&'static str> {
        settle().await;
        std::mem::take(&mut *self.went.lock().expect("not poisoned"))
    }
}

#[tokio::test(start_paused = true)]
async fn calls_go_in_order_of_arrival_even_when_a_later_one_would_fit() {
    let limiter = limiter([quota("second", 3, "1/s", Scope::All)]);
    let mut calls = Calls::default();
    for (name, cost) in [("a", 2), ("b", 3), ("c", 1)] {
        calls.start(name, &limiter, costing(cost)).await;
    }
    assert_eq!(calls.went().await, ["a"]);
    advance(secs(1)).await;
    assert_eq!(calls.went().await, [""; 0]);
    advance(secs(1)).await;
    assert_eq!(calls.went().await, ["b"]);
    advance(secs(1)).await;
    assert_eq!(calls.went().await, ["c"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_has_taken_nothing_and_the_next_goes() {
    let limiter = limiter([quota("second", 2, "1/s", Scope::All)]);
    let mut calls = Calls::default();
    calls.start("a", &limiter, costing(1)).await;
    let b = calls.start("b", &limiter, costing(2)).await;
    calls.start("c", &limiter, costing(1)).await;
    assert_eq!(calls.went().await, ["a"]);
    b.abort();
    assert_eq!(calls.went().await, ["c"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_one_limit_takes_nothing_from_another() {
    let limiter =
        limiter([quota("all", 3, "1/h", Scope::All), quota("operation", 1, "1/m", Scope::Operation)]);
    let mut calls = Calls::default();
    for (name, operation) in [("a", "x"), ("held", "x"), ("b", "y"), ("c", "z")] {
        calls.start(name, &limiter, of("k", operation)).await;
    }
    assert_eq!(calls.went().await, ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_held_by_a_narrow_limit_is_not_starved_by_those_that_it_does_not_hold() {
    let limiter = Limiter::new(Limits {
        quotas: vec![quota("all", 1, "1/s", Scope::All), quota("operation", 1, "1/3s", Scope::Operation)],
        ..Limits::default()
    });
    let mut calls = Calls::default();
    calls.start("x1", &limiter, of("k", "x")).await;
    calls.start("x2", &limiter, of("k", "x")).await;
    for operation in ["a", "b", "c", "d", "e"] {
        calls.start(operation.to_owned().leak(), &limiter, of("k", operation)).await;
    }
    for _ in 0..6 {
        advance(secs(1)).await;
        settle().await;
    }
    assert_eq!(calls.went().await, ["x1", "a", "b", "x2", "c", "d", "e"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_its_place_in_the_wider_limit_as_soon_as_the_narrow_one_lets_it() {
    let limiter =
        limiter([quota("all", 2, "1/5s", Scope::All), quota("operation", 2, "2/s", Scope::Operation)]);
    let mut calls = Calls::default();
    let both = |operation| Context { cost: count(2), ..of("k", operation) };
    calls.start("x1", &limiter, both("x")).await;
    calls.start("x2", &limiter, both("x")).await;
    advance(secs(1)).await;
    settle().await;
    advance(secs(5)).await;
    calls.start("y", &limiter, of("k", "y")).await;
    assert_eq!(calls.went().await, ["x1"], "one token is there, but x2 came first");
    advance(secs(4)).await;
    assert_eq!(calls.went().await, ["x2"]);
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_share_and_no_key_is_a_key() {
    let limiter = limiter([quota("key", 1, "1/m", Scope::Key)]);
    let mut calls = Calls::default();
    for (name, context) in
        [("a", of("a", "x")), ("b", of("b", "x")), ("none", costing(1)), ("none again", costing(1))]
    {
        calls.start(name, &limiter, context).await;
    }
    assert_eq!(calls.went().await, ["a", "b", "none"]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_beyond_the_longest_wait_fails_at_once_and_names_the_limit() {
    let limiter = limiter([quota("day", 1, "1/d", Scope::All)]);
    let _first = limiter.acquire(&costing(1)).await.expect("there is one");
    let error = limiter.acquire(&costing(1)).now_or_never().expect("at once").expect_err("there is none");
    assert_eq!((error.kind(), error.retry_after()), (Kind::Limit, Some(secs(86_400))));
    assert_eq!(
        error.to_string(),
        r#"the limit "day" has no room for another 24 h, and the call may wait for 5 min"#
    );
}

#[tokio::test(start_paused = true)]
async fn those_ahead_count_when_a_turn_is_foreseen() {
    let limiter = limiter([quota("second", 1, "1/s", Scope::All)]);
    let mut calls = Calls::default();
    for _ in 0..4 {
        calls.start("ahead", &limiter, costing(1)).await;
    }
    let late =
        Context { deadline: Some(Instant::now() + Duration::from_millis(3_999)), ..Context::default() };
    let error = limiter.acquire(&late).now_or_never().expect("at once").expect_err("three are ahead");
    assert_eq!(error.retry_after(), Some(secs(4)));
    let in_time = Context { deadline: Some(Instant::now() + secs(4)), ..Context::default() };
    assert!(limiter.acquire(&in_time).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn with_no_wait_allowed_a_call_goes_now_or_fails_now() {
    let limits = Limits { concurrency: NonZeroU32::new(1), max_wait: Duration::ZERO, ..Limits::default() };
    let limiter = Limiter::new(limits);
    let permit = limiter.acquire(&costing(1)).await.expect("a free place");
    let error = limiter.acquire(&costing(1)).now_or_never().expect("at once").expect_err("no place");
    assert_eq!(error.kind(), Kind::Limit);
    drop(permit);
    assert!(limiter.acquire(&costing(1)).now_or_never().expect("at once").is_ok());
}

#[tokio::test(start_paused = true)]
async fn more_than_a_bucket_holds_is_an_error_and_no_wait() {
    let limiter = limiter([quota("second", 5, "1/s", Scope::All)]);
    let error = limiter.consume(count(6)).now_or_never().expect("at once").expect_err("too many");
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(error.to_string(), r#"a call takes 6 tokens of the limit "second", which holds 5"#);
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_under_way_than_the_bound_allows() {
    let limiter = Limiter::new(Limits { concurrency: NonZeroU32::new(2), ..Limits::default() });
    let first = limiter.acquire(&costing(1)).await.expect("a free place");
    let mut calls = Calls::default();
    for name in ["a", "b", "c"] {
        calls.start(name, &limiter, costing(1)).await;
    }
    assert_eq!(calls.went().await, ["a"]);
    drop(first);
    assert_eq!(calls.went().await, ["b"]);
    limiter.set_concurrency(NonZeroU32::new(3));
    assert_eq!(calls.went().await, ["c"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_place_ends_with_the_longest_wait() {
    let limiter = Limiter::new(Limits { concurrency: NonZeroU32::new(1), ..Limits::default() });
    let _held = limiter.acquire(&costing(1)).await.expect("a free place");
    let started = Instant::now();
    let error = limiter.acquire(&costing(1)).await.expect_err("no place");
    assert_eq!(started.elapsed(), DEFAULT_MAX_WAIT);
    assert_eq!(
        error.to_string(),
        "the concurrency bound of 1 had no room within the 5 min that the call may wait"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_told_with_its_length_and_reason() {
    let limiter = limiter([quota("second", 1, "1/s", Scope::All)]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let heard = Arc::clone(&heard);
        Observer::new(move |event| {
            if let Event::Limited { waited, reason } = event {
                heard.lock().expect("not poisoned").push((*waited, (*reason).to_owned()));
            }
        })
    };
    let context = Context { observer, ..Context::default() };
    for _ in 0..2 {
        let _permit = limiter.acquire(&context).await.expect("in time");
    }
    assert_eq!(*heard.lock().expect("not poisoned"), [(secs(1), r#"the limit "second""#.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_quota_can_be_changed_while_calls_wait_for_it() {
    let limiter = limiter([quota("second", 1, "1/m", Scope::All)]);
    let mut calls = Calls::default();
    for name in ["a", "b"] {
        calls.start(name, &limiter, costing(1)).await;
    }
    limiter.set_quota("second", count(1), "1/s".parse().expect("a refill")).expect("it is there");
    advance(secs(1)).await;
    assert_eq!(calls.went().await, ["a", "b"]);
    assert_eq!(
        limiter.set_quota("minute", count(1), "1/s".parse().expect("a refill")).expect_err("no such").kind(),
        Kind::Configuration
    );
}

#[tokio::test(start_paused = true)]
async fn the_server_is_obeyed_without_any_quota_configured() {
    let limiter = Limiter::default();
    let mut first = limiter.acquire(&costing(1)).await.expect("no limit");
    first.answered(&[told(2, 30)]);
    let mut calls = Calls::default();
    for name in ["a", "b", "c", "d"] {
        calls.start(name, &limiter, costing(1)).await;
    }
    assert_eq!(calls.went().await, ["a", "b"]);
    advance(secs(30)).await;
    assert_eq!(calls.went().await, ["c"], "one asks what is allowed now");
}

#[tokio::test(start_paused = true)]
async fn the_server_cannot_widen_a_configured_quota() {
    let limiter = limiter([quota("second", 1, "1/s", Scope::All)]);
    let mut first = limiter.acquire(&costing(1)).await.expect("a token");
    first.answered(&[told(1_000, 30)]);
    assert!(limiter.acquire(&costing(1)).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stops_all_calls_of_its_key_and_no_others() {
    let limiter = Limiter::default();
    let mut refused = limiter.acquire(&of("a", "x")).await.expect("no limit");
    refused.answered(&[Learned::pause("Retry-After", secs(8))]);
    let mut calls = Calls::default();
    for (name, context) in
        [("same", of("a", "x")), ("other operation", of("a", "y")), ("other key", of("b", "x"))]
    {
        calls.start(name, &limiter, context).await;
    }
    assert_eq!(calls.went().await, ["other key"]);
    advance(Duration::from_millis(7_999)).await;
    assert_eq!(calls.went().await, [""; 0]);
    advance(Duration::from_millis(1)).await;
    assert_eq!(calls.went().await, ["same"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_the_longest_wait_fails_those_who_wait_already() {
    let limiter = limiter([quota("second", 1, "1/m", Scope::Key)]);
    let mut first = limiter.acquire(&costing(1)).await.expect("a token");
    let mut calls = Calls::default();
    for name in ["a", "b", "c"] {
        calls.start(name, &limiter, costing(1)).await;
    }
    first.answered(&[Learned::pause("Retry-After", secs(600))]);
    settle().await;
    for _ in 0..3 {
        let error = calls.tasks.try_join_next().expect("it failed").expect("no panic").expect_err("refused");
        assert_eq!(error.retry_after(), Some(secs(600)));
        assert_eq!(
            error.to_string(),
            r#"the server's limit "Retry-After" has no room for another 10 min, and the call may wait for 5 min"#
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_fails_a_call_whose_deadline_it_passes_though_the_one_before_it_waits() {
    let limiter = limiter([quota("second", 1, "1/m", Scope::Key)]);
    let mut first = limiter.acquire(&costing(1)).await.expect("a token");
    let mut calls = Calls::default();
    calls.start("patient", &limiter, costing(1)).await;
    let deadline = Some(Instant::now() + secs(150));
    calls.start("hurried", &limiter, Context { deadline, ..Context::default() }).await;
    first.answered(&[Learned::pause("Retry-After", secs(200))]);
    settle().await;
    let error = calls.tasks.try_join_next().expect("it failed").expect("no panic").expect_err("too late");
    assert_eq!(error.retry_after(), Some(secs(200)));
    advance(secs(200)).await;
    assert_eq!(calls.went().await, ["patient"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asks_after_a_pause_and_is_lost_lets_the_next_ask() {
    let limiter = Limiter::default();
    limiter.learn(&Context::default(), &[told(0, 1)]).expect("room for a key");
    advance(secs(1)).await;
    let asking = limiter.acquire(&costing(1)).await.expect("one may ask");
    let mut calls = Calls::default();
    calls.start("next", &limiter, costing(1)).await;
    assert_eq!(calls.went().await, [""; 0]);
    drop(asking);
    assert_eq!(calls.went().await, ["next"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_elsewhere_counts_for_its_key() {
    let limiter = Limiter::default();
    limiter.learn(&of("a", "x"), &[told(0, 5)]).expect("room for a key");
    assert!(limiter.acquire(&of("a", "y")).now_or_never().is_none());
    assert!(limiter.acquire(&of("b", "x")).now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_refused_a_place_among_the_keys_says_so() {
    let limits =
        Limits { quotas: vec![quota("key", 1, "1/m", Scope::Key)], max_keys: 2, ..Limits::default() };
    let limiter = Limiter::new(limits);
    for key in ["a", "b"] {
        limiter.acquire(&of(key, "x")).await.expect("room for a key").answered(&[]);
    }
    let error = limiter.acquire(&of("c", "x")).now_or_never().expect("at once").expect_err("no room");
    assert_eq!(
        (error.kind(), error.to_string()),
        (Kind::Limit, "more than 2 keys are limited at once".to_owned())
    );
    advance(secs(60)).await;
    assert!(limiter.acquire(&of("c", "x")).await.is_ok(), "the buckets of the others are full again");
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_not_used_any_more_do_not_pile_up() {
    let limiter = limiter([quota("key", 1, "1/s", Scope::Key)]);
    for key in 0..1_000 {
        limiter.acquire(&of(&key.to_string(), "x")).await.expect("its own bucket").answered(&[]);
        advance(Duration::from_millis(100)).await;
    }
    let keys = limiter.keys();
    assert!(keys < 20, "{keys} keys");
}

#[derive(Debug, Clone)]
struct Arrival {
    after_ms: u64,
    cost: u32,
    key: usize,
    operation: usize,
    gives_up_after_ms: Option<u64>,
    under_way_ms: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Call(Arrival),
    SetQuota { after_ms: u64, capacity: u32, per_second: u32 },
    Learn { after_ms: u64, key: usize, remaining: u64, reset_ms: u64 },
}

const KEYS: [&str; 2] = ["k0", "k1"];
const OPERATIONS: [&str; 2] = ["o0", "o1"];
const MAX_COST: u32 = 3;

fn step() -> impl Strategy<Value = Step> {
    let call = (
        0..300_u64,
        1..=MAX_COST,
        0..2_usize,
        0..2_usize,
        prop::option::weighted(0.3, 0..2_000_u64),
        0..200_u64,
    );
    prop_oneof![
        20 => call.prop_map(|(after_ms, cost, key, operation, gives_up_after_ms, under_way_ms)| {
            Step::Call(Arrival { after_ms, cost, key, operation, gives_up_after_ms, under_way_ms })
        }),
        1 => (0..300_u64, MAX_COST..12, 1..20_u32)
            .prop_map(|(after_ms, capacity, per_second)| Step::SetQuota { after_ms, capacity, per_second }),
        2 => (0..300_u64, 0..2_usize, 0..10_u64, 0..3_000_u64)
            .prop_map(|(after_ms, key, remaining, reset_ms)| Step::Learn { after_ms, key, remaining, reset_ms }),
    ]
}

/// A call that went: its number, when, its cost, key and operation.
type Went = (usize, Instant, Arrival);

/// Runs the steps; tells when the quota of all calls changed, which calls went, and which neither went nor gave up.
async fn run(steps: Vec<Step>) -> (Vec<(Instant, u32, Refill)>, Vec<Went>, Vec<usize>) {
    let limiter = Limiter::new(Limits {
        quotas: vec![
            quota("all", 6, "5/s", Scope::All),
            quota("long", 40, "3/s", Scope::All),
            quota("key", 5, "3/s", Scope::Key),
            quota("operation", 4, "2/s", Scope::Operation),
        ],
        concurrency: NonZeroU32::new(3),
        max_wait: secs(3_600),
        ..Limits::default()
    });
    let mut now = Instant::now();
    let mut quotas = vec![(now, 6, "5/s".parse().expect("a refill"))];
    let went = Arc::new(Mutex::new(Vec::new()));
    let mut calls = JoinSet::new();
    for (number, step) in steps.into_iter().enumerate() {
        let (Step::Call(Arrival { after_ms, .. })
        | Step::SetQuota { after_ms, .. }
        | Step::Learn { after_ms, .. }) = &step;
        now += Duration::from_millis(*after_ms);
        sleep_until(now).await;
        match step {
            Step::SetQuota { capacity, per_second, .. } => {
                let refill = Refill::per_second(count(per_second));
                limiter.set_quota("all", count(capacity), refill).expect("it is there");
                quotas.push((now, capacity, refill));
            }
            Step::Learn { key, remaining, reset_ms, .. } => {
                let told = Learned { reset_after: Duration::from_millis(reset_ms), ..told(remaining, 0) };
                limiter.learn(&of(KEYS[key], ""), &[told]).expect("room for a key");
            }
            Step::Call(arrival) => {
                let (limiter, went) = (limiter.clone(), Arc::clone(&went));
                let context = Context {
                    cost: count(arrival.cost),
                    ..of(KEYS[arrival.key], OPERATIONS[arrival.operation])
                };
                calls.spawn(async move {
                    let patience = Duration::from_millis(arrival.gives_up_after_ms.unwrap_or(10_000_000));
                    let gives_up = arrival.gives_up_after_ms.is_some();
                    match tokio::time::timeout(patience, limiter.acquire(&context)).await {
                        Err(_) => (!gives_up).then_some(number),
                        Ok(permit) => {
                            let mut permit = permit.expect("there is time for all");
                            let under_way = Duration::from_millis(arrival.under_way_ms);
                            went.lock().expect("not poisoned").push((number, Instant::now(), arrival));
                            tokio::time::sleep(under_way).await;
                            permit.answered(&[]);
                            None
                        }
                    }
                });
                settle().await;
            }
        }
    }
    let left = calls.join_all().await.into_iter().flatten().collect();
    let went = std::mem::take(&mut *went.lock().expect("not poisoned"));
    (quotas, went, left)
}

fn assert_windows<'a>(quotas: &[(Instant, u32, Refill)], went: impl Iterator<Item = &'a Went>) {
    let grants: Vec<_> = went.map(|(_, at, arrival)| Grant { at: *at, tokens: arrival.cost }).collect();
    assert_no_window_exceeds(quotas, &grants);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_window_is_exceeded_nobody_is_overtaken_and_everyone_gets_there(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (quotas, went, left) = runtime.expect("a runtime").block_on(run(steps));
        prop_assert_eq!(left, Vec::<usize>::new(), "waited for ever");

        let start = quotas[0].0;
        let fixed = |capacity, refill: &str| [(start, capacity, refill.parse().expect("a refill"))];
        assert_windows(&quotas, went.iter());
        assert_windows(&fixed(40, "3/s"), went.iter());
        let mut lanes = BTreeMap::<_, Vec<usize>>::new();
        for (number, _, arrival) in &went {
            lanes.entry((arrival.key, arrival.operation)).or_default().push(*number);
        }
        for key in 0..KEYS.len() {
            assert_windows(&fixed(5, "3/s"), went.iter().filter(|(.., arrival)| arrival.key == key));
        }
        for ((key, operation), numbers) in lanes {
            let same = |arrival: &Arrival| (arrival.key, arrival.operation) == (key, operation);
            assert_windows(&fixed(4, "2/s"), went.iter().filter(|(.., arrival)| same(arrival)));
            prop_assert!(numbers.is_sorted(), "{numbers:?} of {key} {operation} went out of order");
        }
    }
}

/// A server that allows `limit` calls in each window of 10 s, counts a call when it gets there, and answers late and out of order.
struct Server {
    limit: u64,
    start: Instant,
    window: u64,
    counted: u64,
    refused: u64,
}

impl Server {
    fn count(&mut self) -> Vec<Learned> {
        let elapsed = self.start.elapsed();
        let window = elapsed.as_secs() / 10;
        if window != self.window {
            (self.window, self.counted) = (window, 0);
        }
        if self.counted == self.limit {
            self.refused += 1;
        } else {
            self.counted += 1;
        }
        // As servers tell it: whole seconds, rounded up.
        let reset = (secs((window + 1) * 10) - elapsed).as_millis().div_ceil(1_000) as u64;
        vec![told(self.limit - self.counted, reset)]
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_server_that_tells_what_remains_never_has_to_refuse(
        limit in 3..20_u64,
        concurrency in 1..30_u32,
        calls in prop::collection::vec((0..400_u64, 0..400_u64), 20..100),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let refused = runtime.expect("a runtime").block_on(async {
            let limits = Limits { concurrency: NonZeroU32::new(concurrency), max_wait: secs(3_600), ..Limits::default() };
            let limiter = Limiter::new(limits);
            let server = Server { limit, start: Instant::now(), window: 0, counted: 0, refused: 0 };
            let server = Arc::new(Mutex::new(server));
            // Before its first word nothing is known of a server's limits.
            let told = server.lock().expect("not poisoned").count();
            limiter.acquire(&costing(1)).await.expect("no limit yet").answered(&told);
            let mut tasks = JoinSet::new();
            for (there_ms, back_ms) in calls {
                let (limiter, server) = (limiter.clone(), Arc::clone(&server));
                tasks.spawn(async move {
                    let mut permit = limiter.acquire(&costing(1)).await.expect("there is time for all");
                    tokio::time::sleep(Duration::from_millis(there_ms)).await;
                    let told = server.lock().expect("not poisoned").count();
                    tokio::time::sleep(Duration::from_millis(back_ms)).await;
                    permit.answered(&told);
                });
            }
            tasks.join_all().await;
            server.lock().expect("not poisoned").refused
        });
        prop_assert_eq!(refused, 0);
    }
}

fn lists<const N: usize>(lists: [Vec<Quota>; N], concurrency: Option<NonZeroU32>) -> [Limiter; N] {
    let lists = lists.map(|quotas| Limits { quotas, concurrency, ..Limits::default() });
    Limiter::sharing(lists.into(), &["shared"]).try_into().expect("as many limiters as lists")
}

fn goes(limiter: &Limiter) -> bool {
    limiter.acquire(&Context::default()).now_or_never().is_some_and(|acquired| acquired.is_ok())
}

#[tokio::test(start_paused = true)]
async fn lists_share_the_bucket_that_is_named_and_no_other() {
    let shared = || quota("shared", 3, "1/s", Scope::All);
    let [reads, writes] = lists(
        [
            vec![shared(), quota("own", 9, "1/h", Scope::All)],
            vec![shared(), quota("own", 1, "1/h", Scope::All)],
        ],
        None,
    );
    assert_eq!([&reads, &writes, &reads, &reads].map(goes), [true, true, true, false]);
    advance(secs(1)).await;
    // The reads have their own left; the write that has none left takes nothing of what is shared.
    assert_eq!([&writes, &reads].map(goes), [false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_own_list_holds_up_no_other() {
    let shared = || quota("shared", 100, "1/s", Scope::All);
    let [slow, quick] = lists([vec![shared(), quota("own", 1, "1/h", Scope::All)], vec![shared()]], None);
    assert!(goes(&slow));
    let waits = tokio::spawn({
        let (slow, context) = (slow.clone(), Context { deadline: None, ..Context::default() });
        async move { slow.acquire(&context).await.map(drop) }
    });
    settle().await;
    assert!(goes(&quick));
    assert!(waits.await.expect("no panic").is_err(), "an hour is too long");
}

#[tokio::test(start_paused = true)]
async fn no_window_has_more_than_the_shared_bucket_gives_and_every_list_gets_some() {
    let shared = || quota("shared", 5, "10/s", Scope::All);
    let limiters = lists([vec![shared()], vec![shared()], vec![shared()]], None);
    let (begun, went) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let mut tasks = JoinSet::new();
    for n in 0..90 {
        let (limiter, went) = (limiters[n % 3].clone(), Arc::clone(&went));
        tasks.spawn(async move {
            let _permit = limiter.acquire(&Context::default()).await.expect("within the wait");
            went.lock().unwrap().push((n % 3, begun.elapsed()));
        });
    }
    while tasks.join_next().await.is_some() {}
    let went = went.lock().unwrap();
    for (index, (_, at)) in went.iter().enumerate() {
        assert!(index as f64 + 1.0 <= 5.0 + 10.0 * at.as_secs_f64() + 0.001, "{index} at {at:?}");
    }
    let first_half = |list| went[..45].iter().filter(|(of, _)| *of == list).count();
    assert!((0..3).all(|list| first_half(list) >= 5), "{went:?}");
}

#[tokio::test(start_paused = true)]
async fn the_bound_on_concurrency_counts_the_calls_of_all_lists() {
    let [one, other] = lists([Vec::new(), Vec::new()], NonZeroU32::new(1));
    let held = one.acquire(&Context::default()).await.expect("a free place");
    assert!(!goes(&other));
    let waits = tokio::spawn({
        let other = other.clone();
        async move { other.acquire(&Context::default()).await.map(drop) }
    });
    settle().await;
    drop(held);
    waits.await.expect("no panic").expect("the place is free");
    one.set_concurrency(NonZeroU32::new(2));
    let _both = (one.acquire(&Context::default()).await, other.acquire(&Context::default()).await);
    assert!(!goes(&other));
}

#[tokio::test(start_paused = true)]
async fn a_shared_quota_changes_for_all_lists() {
    let shared = || quota("shared", 1, "1/h", Scope::All);
    let [one, other] = lists([vec![shared()], vec![shared()]], None);
    assert!(goes(&one));
    assert!(!goes(&other));
    other.set_quota("shared", count(10), "1/s".parse().unwrap()).expect("there is one");
    advance(secs(2)).await;
    assert_eq!([&one, &other, &one].map(goes), [true, true, false]);
}
