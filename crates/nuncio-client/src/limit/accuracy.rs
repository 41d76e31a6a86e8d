//! How much of the allowed rate is made use of, in paused time: its timer rounds up to the millisecond, as the real one does.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;
use crate::Context;

/// Callers of each of `keys` who all ask without pause, as long as a turn comes within `time`.
struct Load {
    capacity: u32,
    per_second: u32,
    keys: u32,
    callers: u32,
    time: Duration,
}

impl Load {
    /// When the calls of each key went.
    async fn run(&self) -> Vec<Vec<Instant>> {
        let count = |n| NonZeroU32::new(n).expect("not zero");
        let quota = Quota {
            name: "rate".into(),
            capacity: count(self.capacity),
            refill: Refill::per_second(count(self.per_second)),
            per: Scope::Key,
        };
        let limiter = Limiter::new(Limits { quotas: vec![quota], ..Limits::default() });
        let deadline = Some(Instant::now() + self.time);
        let mut callers = JoinSet::new();
        let went: Vec<_> = (0..self.keys).map(|_| Arc::new(Mutex::new(Vec::new()))).collect();
        for (key, went) in went.iter().enumerate() {
            for _ in 0..self.callers {
                let (limiter, went) = (limiter.clone(), Arc::clone(went));
                let limit_key = Some(key.to_string().into());
                let context = Context { limit_key, deadline, ..Context::default() };
                callers.spawn(async move {
                    while let Ok(mut permit) = limiter.acquire(&context).await {
                        permit.answered(&[]);
                        went.lock().expect("not poisoned").push(Instant::now());
                    }
                });
            }
        }
        callers.join_all().await;
        went.iter().map(|went| std::mem::take(&mut *went.lock().expect("not poisoned"))).collect()
    }

    fn allowed(&self, time: Duration) -> usize {
        self.capacity as usize + (u128::from(self.per_second) * time.as_nanos() / 1_000_000_000) as usize
    }

    async fn check(&self) {
        for went in self.run().await {
            let (allowed, rate) = (self.allowed(self.time), self.per_second);
            let used = went.len() as f64 / allowed as f64;
            assert!((0.99..=1.0).contains(&used), "{} of {allowed} calls at {rate}/s", went.len());
            for window in [1, 10, 100, 1_000].map(Duration::from_millis) {
                let mut first = 0;
                for (last, at) in went.iter().enumerate() {
                    while went[first] + window < *at {
                        first += 1;
                    }
                    let (calls, allowed) = (last + 1 - first, self.allowed(window));
                    assert!(calls <= allowed, "{calls} of {allowed} calls in {window:?} at {rate}/s");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_rate_is_made_use_of() {
    Load { capacity: 1, per_second: 10, keys: 1, callers: 3, time: Duration::from_secs(100) }.check().await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_as_fine_as_the_timer_is_made_use_of() {
    Load { capacity: 10, per_second: 1_000, keys: 1, callers: 50, time: Duration::from_secs(10) }
        .check()
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_many_calls_for_each_tick_of_the_timer_is_made_use_of() {
    Load { capacity: 1_000, per_second: 100_000, keys: 1, callers: 100, time: Duration::from_secs(1) }
        .check()
        .await;
}

#[tokio::test(start_paused = true)]
async fn each_of_many_keys_makes_use_of_its_own_rate() {
    Load { capacity: 2, per_second: 10, keys: 10_000, callers: 1, time: Duration::from_secs(1) }
        .check()
        .await;
}
