//! Whether a retry may add to the load of its host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::HashMap;
use tokio::time::Instant;

/// The part of the first attempts that may be added by retries: 20 %.
pub const DEFAULT_RATIO: f64 = 0.2;

/// Retries in a window that are granted however few first attempts there were: one a second. Without it, a program that makes a
/// call now and then could never try again.
pub const DEFAULT_FLOOR: u32 = 60;

/// How far back first attempts and retries are counted.
pub const WINDOW: Duration = Duration::from_secs(60);

const SLOTS: usize = 6;
const SLOT: Duration = Duration::from_secs(WINDOW.as_secs() / SLOTS as u64);

/// More hosts than this are not remembered: the one that was called least recently is forgotten.
const MAX_HOSTS: usize = 1_024;

/// Bounds the extra load that retries put on each host.
///
/// A number of attempts bounds the retries of one call. When a host fails all calls, that multiplies its load by the number of
/// attempts at the worst time. A budget bounds the sum: in the last [`WINDOW`], at most `ratio` retries for each first attempt, or
/// `floor` if that is more. A retry that comes when the server told it to, by a refusal with a wait such as a 429 with `Retry-After`, is
/// not counted: it is the server's word and no extra load. A 429 without a wait is counted, and so is a 503, with a wait or without. As the window slides, in steps of ten seconds, the budget refills by itself.
///
/// Copies share one budget, which is what the calls of one client should do. It remembers some thousand hosts.
#[derive(Debug, Clone)]
pub struct Budget {
    ratio: f64,
    floor: u32,
    origin: Instant,
    hosts: Arc<Mutex<HashMap<String, Window>>>,
}

impl Budget {
    /// A budget of `ratio` retries for each first attempt (0.2: a fifth more load), and of `floor` retries a minute in any case.
    #[must_use]
    pub fn new(ratio: f64, floor: u32) -> Self {
        Self { ratio, floor, origin: Instant::now(), hosts: Arc::default() }
    }

    /// Counts the first attempt of a call.
    pub fn deposit(&self, host: &str) {
        self.with(host, |window, now| window.slot(now).firsts += 1);
    }

    /// Asks for a retry, and counts it if it is granted.
    #[must_use]
    pub fn withdraw(&self, host: &str) -> bool {
        self.with(host, |window, now| {
            let share = self.ratio * f64::from(window.sum(now, |slot| slot.firsts));
            let granted = window.sum(now, |slot| slot.retries) < self.floor.max(share as u32);
            window.slot(now).retries += u32::from(granted);
            granted
        })
    }

    fn with<T>(&self, host: &str, f: impl FnOnce(&mut Window, u64) -> T) -> T {
        let now = self.origin.elapsed().as_secs() / SLOT.as_secs();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = hosts.get_mut(host) {
            return f(window, now);
        }
        if hosts.len() >= MAX_HOSTS {
            forget_one(&mut hosts);
        }
        f(hosts.entry(host.to_owned()).or_default(), now)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(DEFAULT_RATIO, DEFAULT_FLOOR)
    }
}

fn forget_one(hosts: &mut HashMap<String, Window>) {
    let oldest = hosts.iter().min_by_key(|(_, window)| window.latest()).map(|(host, _)| host.clone());
    if let Some(host) = oldest {
        hosts.remove(&host);
    }
}

/// A ring of slots; each knows which stretch of time it counts, so that nothing has to clear it in time.
#[derive(Debug, Default)]
struct Window([Slot; SLOTS]);

#[derive(Debug, Default)]
struct Slot {
    number: u64,
    firsts: u32,
    retries: u32,
}

impl Window {
    fn slot(&mut self, now: u64) -> &mut Slot {
        let slot = &mut self.0[now as usize % SLOTS];
        if slot.number != now {
            *slot = Slot { number: now, ..Slot::default() };
        }
        slot
    }

    fn sum(&self, now: u64, count: impl Fn(&Slot) -> u32) -> u32 {
        self.0.iter().filter(|slot| slot.number + SLOTS as u64 > now).map(count).sum()
    }

    fn latest(&self) -> u64 {
        self.0.iter().map(|slot| slot.number).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "api.example.com";

    fn granted(budget: &Budget, asked: u32) -> usize {
        (0..asked).filter(|_| budget.withdraw(HOST)).count()
    }

    #[tokio::test(start_paused = true)]
    async fn retries_add_a_fifth_to_the_load() {
        let budget = Budget::default();
        (0..1_000).for_each(|_| budget.deposit(HOST));
        assert_eq!(granted(&budget, 1_000), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_calls_now_and_then_has_the_floor() {
        let budget = Budget::new(0.2, 4);
        budget.deposit(HOST);
        assert_eq!(granted(&budget, 10), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_budget_refills_as_the_window_slides() {
        let budget = Budget::new(0.2, 4);
        for _ in 0..3 {
            assert_eq!(granted(&budget, 10), 4);
            tokio::time::advance(WINDOW - SLOT).await;
            assert_eq!(granted(&budget, 1), 0);
            tokio::time::advance(SLOT).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn first_attempts_of_an_earlier_window_buy_nothing() {
        let budget = Budget::new(0.2, 0);
        (0..100).for_each(|_| budget.deposit(HOST));
        tokio::time::advance(WINDOW).await;
        assert_eq!(granted(&budget, 1), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_host_does_not_spend_the_budget_of_another() {
        let budget = Budget::new(0.2, 1);
        assert_eq!(granted(&budget, 2), 1);
        assert!(budget.withdraw("other.example.com"));
    }

    #[tokio::test(start_paused = true)]
    async fn copies_spend_the_same_budget() {
        let budget = Budget::new(0.2, 3);
        let copy = budget.clone();
        assert_eq!((granted(&copy, 2), granted(&budget, 2), granted(&copy, 2)), (2, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_host_called_least_recently_is_forgotten_first() {
        let budget = Budget::new(0.2, 1);
        assert!(budget.withdraw("oldest"));
        tokio::time::advance(SLOT).await;
        for n in 0..MAX_HOSTS {
            budget.deposit(&format!("host-{n}"));
        }
        let hosts = budget.hosts.lock().unwrap();
        assert!(!hosts.contains_key("oldest"));
        assert_eq!(hosts.len(), MAX_HOSTS);
    }
}
