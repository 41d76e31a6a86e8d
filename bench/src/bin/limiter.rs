//! Waiting for one's turn: how much of what is allowed is granted, whether more is ever granted, and what a grant costs.

use std::cell::RefCell;
use std::iter::repeat_n;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use governor::{Quota as Cells, RateLimiter};
use nuncio_bench::table;
use nuncio_bench::way::{Way, runtime};
use nuncio_client::Context;
use nuncio_client::limit::{Limiter, Limits, Quota, Refill, Scope};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

const RUN: Duration = Duration::from_secs(5);
const ROUNDS: usize = 9;
const GRANTS: u32 = 100_000;
const KEYS: usize = 10_000;
/// More than can be used up.
const ENDLESS: u32 = 100_000_000;

fn main() {
    accuracy();
    println!();
    cost();
}

/// What each key may have.
#[derive(Clone, Copy)]
struct Allowed {
    keys: usize,
    per_second: u32,
    burst: u32,
}

fn accuracy() {
    println!("{} s at each rate; granted, and the most in any window above what it allows\n", RUN.as_secs());
    let rates = [(1, 10, 1), (1, 10, 10), (1, 1_000, 10), (1, 100_000, 1_000), (KEYS, 10, 10)];
    let mut rows = Vec::new();
    for (keys, per_second, burst) in rates {
        let allowed = Allowed { keys, per_second, burst };
        let limiter = limiter(allowed);
        let nuncio =
            run(allowed, &async |context: &Context| drop(limiter.acquire(context).await.expect("a permit")));
        rows.push(row("nuncio", allowed, &nuncio));
        let cells = Cells::per_second(count(per_second)).allow_burst(count(burst));
        let governor = RateLimiter::keyed(cells);
        let governed = run(allowed, &async |context: &Context| {
            governor.until_key_ready(context.limit_key.as_ref().expect("a key")).await;
        });
        rows.push(row("governor", allowed, &governed));
    }
    table::print(&["", "keys", "rate of each", "burst", "granted", "most above, in tokens"], &rows);
}

/// When each key had its grants, from the start: everyone asks again as soon as they have been served.
fn run(allowed: Allowed, acquire: &impl AsyncFn(&Context)) -> Vec<Vec<Duration>> {
    // One key has many callers.
    let callers = if allowed.keys == 1 { 64 } else { 1 };
    let grants: Vec<_> = (0..allowed.keys).map(|_| RefCell::new(Vec::new())).collect();
    let start = Instant::now();
    let ask = async |key: usize| {
        let context = context(key);
        loop {
            if timeout_at(start + RUN, acquire(&context)).await.is_err() || start.elapsed() > RUN {
                return;
            }
            grants[key].borrow_mut().push(start.elapsed());
            // A grant that need not wait does not let others run.
            yield_now().await;
        }
    };
    let everyone = (0..allowed.keys).flat_map(|key| repeat_n(key, callers)).map(ask);
    runtime().block_on(join_all(everyone));
    grants.into_iter().map(RefCell::into_inner).collect()
}

fn row(name: &str, allowed: Allowed, grants: &[Vec<Duration>]) -> Vec<String> {
    let Allowed { keys, per_second, burst } = allowed;
    // The token that comes back as the run ends is too late for it.
    let all = (f64::from(burst) + f64::from(per_second) * RUN.as_secs_f64() - 1.0) * keys as f64;
    let granted = grants.iter().map(Vec::len).sum::<usize>() as f64;
    let most = grants.iter().map(|times| most_above(allowed, times)).fold(f64::NEG_INFINITY, f64::max);
    vec![
        name.to_owned(),
        keys.to_string(),
        format!("{per_second}/s"),
        burst.to_string(),
        format!("{:.2} %", granted / all * 100.0),
        format!("{most:.2}"),
    ]
}

/// The most by which the grants of a window, from one of them to another, are above the burst and what came back in it. Below zero is
/// what was left. A grant is noted a moment after it was decided on, so a busy machine adds to this.
fn most_above(allowed: Allowed, times: &[Duration]) -> f64 {
    let ahead =
        |number: usize, at: Duration| number as f64 - f64::from(allowed.per_second) * at.as_secs_f64();
    let mut least = f64::INFINITY;
    let mut most = f64::NEG_INFINITY;
    for (number, &at) in times.iter().enumerate() {
        least = least.min(ahead(number, at));
        most = most.max(ahead(number + 1, at) - least - f64::from(allowed.burst));
    }
    most
}

fn cost() {
    println!("{ROUNDS} rounds of {GRANTS} grants that need not wait, in turns; medians\n");
    let endless = Allowed { keys: 1, per_second: ENDLESS, burst: ENDLESS };
    let cells = Cells::per_second(count(ENDLESS));
    let (direct, keyed) = (RateLimiter::direct(cells), RateLimiter::keyed(cells));
    let (one, many) = (limiter(endless), limiter(endless));
    let contexts: Vec<Context> = (0..KEYS).map(context).collect();
    let keys = || contexts.iter().cycle();

    let mut ways =
        ["governor, 1 key", "nuncio, 1 key", "governor, 10000 keys", "nuncio, 10000 keys"].map(Way::new);
    let runtime = runtime();
    for _ in 0..ROUNDS {
        let [governor_one, nuncio_one, governor_many, nuncio_many] = &mut ways;
        governor_one.sample(&runtime, GRANTS, async || direct.until_ready().await);
        nuncio_one
            .sample(&runtime, GRANTS, async || drop(one.acquire(&contexts[0]).await.expect("a permit")));
        let mut next = keys();
        governor_many.sample(&runtime, GRANTS, async || {
            let context = next.next().expect("endless");
            keyed.until_key_ready(context.limit_key.as_ref().expect("a key")).await;
        });
        let mut next = keys();
        nuncio_many.sample(&runtime, GRANTS, async || {
            let context = next.next().expect("endless");
            drop(many.acquire(context).await.expect("a permit"));
        });
    }
    let rows = ways.iter().map(|way| {
        let cost = way.median();
        vec![way.name.to_owned(), format!("{}", cost.cpu.as_nanos()), format!("{:.1}", cost.allocations)]
    });
    table::print(&["a grant", "CPU ns", "allocations"], &rows.collect::<Vec<_>>());
}

fn limiter(allowed: Allowed) -> Limiter {
    let quota = Quota {
        name: "rate".into(),
        capacity: count(allowed.burst),
        refill: Refill::per_second(count(allowed.per_second)),
        per: Scope::Key,
    };
    Limiter::new(Limits { quotas: vec![quota], ..Limits::default() })
}

fn context(key: usize) -> Context {
    let mut context = Context::default();
    context.limit_key = Some(Arc::from(format!("key-{key}")));
    context
}

fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not zero")
}
