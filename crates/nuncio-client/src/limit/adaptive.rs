//! How many calls the server's own limits leave room for.
//!
//! The server counts a call when it gets there, and we hear of it when the answer is back. In between, answers overtake each other. So
//! the least that was seen to remain counts, and every call that is still under way is taken to be one that the server had not
//! counted then: whatever the order of the answers, the sum stays right, and no late answer widens it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::after;
use super::lane::{Closed, Hold};
use super::{Learned, Refill};

/// Longest reset that is believed.
const LONGEST_RESET: Duration = Duration::from_secs(86_400);

/// Resets are told in whole seconds and counted from the arrival of an answer: those of one window differ by that much.
const SAME_WINDOW: Duration = Duration::from_secs(2);

/// More than any server has; names that a server makes up cannot fill the memory.
const MAX_POLICIES: usize = 8;

/// The server's limits for one scope, and the tokens of the calls under way in it.
#[derive(Debug, Default)]
pub(super) struct Learner {
    windows: Vec<Window>,
    under_way: u64,
}

#[derive(Debug)]
struct Window {
    policy: Option<Arc<str>>,
    state: State,
}

#[derive(Debug)]
enum State {
    Told(Told),
    /// The reset is past, but the server has not said yet what is allowed after it. One call may find out, beside those that were
    /// under way already.
    Asking {
        under_way: u64,
    },
}

#[derive(Debug)]
struct Told {
    limit: u64,
    remaining: u64,
    refill: Option<Refill>,
    at: Instant,
    until: Instant,
}

impl Learner {
    /// Why `tokens` cannot be spent now, if they cannot.
    pub(super) fn closed(&self, tokens: u64, now: Instant) -> Option<Closed> {
        let closed = self.windows.iter().filter_map(|window| {
            let (earliest, recheck) = match &window.state {
                State::Told(told) => told.closed(self.under_way, tokens, now)?,
                State::Asking { under_way } if self.under_way <= *under_way => return None,
                State::Asking { .. } => (now, None),
            };
            Some(Closed { earliest, recheck, by: Hold::Server(window.policy.clone()) })
        });
        closed.reduce(Closed::and)
    }

    /// Lets go of the windows that are over. One that had too little left for `tokens` lets a single call through and the others
    /// after its answer: they would all come at once, and what the server allows now is not known ("the client MUST NOT assume that
    /// all its service limit will be reset").
    pub(super) fn lapse(&mut self, tokens: u32, now: Instant) {
        let under_way = self.under_way;
        self.windows.retain_mut(|window| match &window.state {
            State::Told(told) if now >= told.until => {
                let sufficed = told.available(now) >= under_way + u64::from(tokens);
                window.state = State::Asking { under_way };
                !sufficed
            }
            _ => true,
        });
    }

    pub(super) fn take(&mut self, tokens: u32) {
        self.under_way += u64::from(tokens);
    }

    /// A call of `tokens` was answered, and this is what the answer told.
    pub(super) fn answered(&mut self, tokens: u32, told: &[Learned], now: Instant) {
        self.under_way -= u64::from(tokens);
        let mentioned = |window: &Window| told.iter().any(|new| new.policy == window.policy);
        // A server that no longer speaks of a limit after its reset no longer has it.
        self.windows.retain(|window| mentioned(window) || matches!(window.state, State::Told(_)));
        for window in self.windows.iter_mut().filter(|window| !mentioned(window)) {
            window.spend(tokens);
        }
        for new in told {
            self.learn(new, tokens, now);
        }
    }

    /// A call of `tokens` ended without an answer: the server may have counted it.
    pub(super) fn unanswered(&mut self, tokens: u32) {
        self.under_way -= u64::from(tokens);
        for window in &mut self.windows {
            window.spend(tokens);
        }
    }

    /// Takes in what was told by the answer to a call of `tokens`; zero when it was not the answer to a call of ours.
    pub(super) fn learn(&mut self, new: &Learned, tokens: u32, now: Instant) {
        if let Some(window) = self.windows.iter_mut().find(|window| window.policy == new.policy) {
            window.learn(new, tokens, now);
        } else if self.windows.len() < MAX_POLICIES {
            let state = State::Told(Told::new(new, now));
            self.windows.push(Window { policy: new.policy.clone(), state });
        }
    }

    /// When it can be forgotten without loss, if that is known.
    pub(super) fn forgettable_at(&self, now: Instant) -> Option<Instant> {
        self.windows.iter().try_fold(now, |latest, window| match &window.state {
            State::Told(told) => Some(latest.max(told.until)),
            State::Asking { .. } => None,
        })
    }
}

impl Window {
    /// Counts a call that the server may have counted after it last told what remains.
    fn spend(&mut self, tokens: u32) {
        if let State::Told(told) = &mut self.state {
            told.remaining = told.remaining.saturating_sub(tokens.into());
        }
    }

    fn learn(&mut self, new: &Learned, tokens: u32, now: Instant) {
        let new = Told::new(new, now);
        match &mut self.state {
            State::Told(known) if now < known.until => {
                if new.remaining > known.available(now) {
                    // From before what is known, or from the next window while this one is not over for us.
                } else if new.until + SAME_WINDOW < known.until {
                    // A late word on an earlier window says nothing of this one, except that a call was spent.
                    self.spend(tokens);
                } else {
                    *known = Told { until: new.until.max(known.until), ..new };
                }
            }
            _ => self.state = State::Told(new),
        }
    }
}

impl Told {
    fn new(new: &Learned, now: Instant) -> Self {
        Self {
            limit: new.limit.unwrap_or(u64::MAX),
            remaining: new.remaining,
            refill: new.refill,
            at: now,
            until: now + new.reset_after.min(LONGEST_RESET),
        }
    }

    /// From when `tokens` can be spent at the earliest, and as far as is known now; nothing if they can be now.
    fn closed(&self, under_way: u64, tokens: u64, now: Instant) -> Option<(Instant, Option<Instant>)> {
        let needed = under_way.saturating_add(tokens);
        if now >= self.until || self.available(now) >= needed {
            return None;
        }
        // What is under way may turn out to be counted already.
        let earliest = if self.available(now) >= tokens { now } else { self.opens_at(tokens) };
        Some((earliest, Some(self.opens_at(needed))))
    }

    fn available(&self, now: Instant) -> u64 {
        let refilled = self.refill.map_or(0, |refill| {
            let shares = refill.accrued(now.saturating_duration_since(self.at));
            u64::try_from(shares / refill.shares(1)).unwrap_or(u64::MAX)
        });
        self.remaining.saturating_add(refilled).min(self.limit.max(self.remaining))
    }

    fn opens_at(&self, needed: u64) -> Instant {
        let refilled = self.refill.filter(|_| needed <= self.limit).map(|refill| {
            after(self.at, refill.time_for(refill.shares(needed.saturating_sub(self.remaining))))
        });
        refilled.map_or(self.until, |at| at.min(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(remaining: u64, secs: u64) -> Learned {
        Learned {
            policy: None,
            limit: Some(100),
            remaining,
            reset_after: Duration::from_secs(secs),
            refill: None,
        }
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// How many calls of one token it lets through at `now`.
    fn room(learner: &mut Learner, now: Instant) -> u32 {
        learner.lapse(1, now);
        (0..1_000).find(|calls| learner.closed(u64::from(calls + 1), now).is_some()).unwrap_or(1_000)
    }

    fn learner(told: &Learned, now: Instant) -> Learner {
        let mut learner = Learner::default();
        learner.learn(told, 0, now);
        learner
    }

    #[test]
    fn what_remains_is_the_bound_until_the_reset() {
        let now = Instant::now();
        let mut learner = learner(&told(3, 10), now);
        assert_eq!(room(&mut learner, now), 3);
        assert_eq!(room(&mut learner, now + secs(9)), 3);
        let closed = learner.closed(4, now).expect("too many");
        assert_eq!((closed.earliest, closed.recheck), (now + secs(10), Some(now + secs(10))));
        assert_eq!(room(&mut learner, now + secs(10)), 1_000);
    }

    #[test]
    fn calls_under_way_are_taken_to_be_uncounted() {
        let now = Instant::now();
        let mut learner = learner(&told(5, 10), now);
        learner.take(3);
        assert_eq!(room(&mut learner, now), 2);
        let closed = learner.closed(4, now).expect("too many");
        assert_eq!(closed.earliest, now, "an answer may open it");
    }

    #[test]
    fn an_answer_that_was_overtaken_does_not_widen_what_is_known() {
        let now = Instant::now();
        let mut learner = Learner::default();
        learner.take(1);
        learner.take(1);
        learner.answered(1, &[told(8, 10)], now);
        assert_eq!(room(&mut learner, now), 7, "the other call is under way");
        learner.answered(1, &[told(9, 10)], now + secs(1));
        assert_eq!(room(&mut learner, now + secs(1)), 8, "it was counted before what is known");
    }

    #[test]
    fn a_late_word_on_the_last_window_does_not_close_this_one() {
        let now = Instant::now();
        let mut learner = learner(&told(90, 3_600), now);
        learner.take(1);
        learner.answered(1, &[told(0, 0)], now);
        assert_eq!(room(&mut learner, now), 89);
    }

    #[test]
    fn a_call_whose_answer_is_silent_or_missing_counts_as_spent() {
        let now = Instant::now();
        let mut learner = learner(&told(5, 10), now);
        learner.take(2);
        learner.answered(1, &[], now);
        learner.unanswered(1);
        assert_eq!(room(&mut learner, now), 3);
    }

    #[test]
    fn policies_are_held_side_by_side() {
        let now = Instant::now();
        let mut learner = learner(&Learned { policy: Some("burst".into()), ..told(2, 1) }, now);
        learner.learn(&Learned { policy: Some("daily".into()), ..told(5, 1_000) }, 0, now);
        assert_eq!(room(&mut learner, now), 2);
        assert_eq!(room(&mut learner, now + secs(2)), 5);
        assert!(learner.closed(6, now + secs(2)).expect("too many").by.to_string().contains("daily"));
    }

    #[test]
    fn after_an_exhausted_window_one_call_asks_and_its_answer_lets_the_others_go() {
        let now = Instant::now();
        let mut learner = learner(&told(0, 10), now);
        let reset = now + secs(10);
        assert_eq!(room(&mut learner, now), 0);
        learner.lapse(1, reset);
        assert!(learner.closed(1, reset).is_none());
        learner.take(1);
        let closed = learner.closed(1, reset).expect("the answer is not back");
        assert_eq!((closed.earliest, closed.recheck), (reset, None));
        learner.answered(1, &[told(99, 10)], reset);
        assert_eq!(room(&mut learner, reset), 99);
    }

    #[test]
    fn a_call_that_asked_and_got_no_answer_lets_another_ask() {
        let now = Instant::now();
        let mut learner = learner(&told(0, 10), now);
        learner.lapse(1, now + secs(10));
        learner.take(1);
        learner.unanswered(1);
        assert!(learner.closed(7, now + secs(10)).is_none());
    }

    #[test]
    fn a_server_that_speaks_no_more_of_a_limit_after_its_reset_has_none() {
        let now = Instant::now();
        let mut learner = learner(&told(0, 10), now);
        learner.lapse(1, now + secs(10));
        learner.take(1);
        learner.answered(1, &[], now + secs(10));
        assert_eq!(room(&mut learner, now + secs(10)), 1_000);
    }

    #[test]
    fn a_limit_that_refills_opens_before_it_is_full() {
        let now = Instant::now();
        let refill = Some("50/s".parse().expect("a refill"));
        let mut learner = learner(&Learned { limit: Some(1_000), refill, ..told(100, 18) }, now);
        assert_eq!(learner.closed(150, now).expect("too many").earliest, now + secs(1));
        assert_eq!(room(&mut learner, now + secs(1)), 150);
        learner.learn(&Learned { limit: Some(1_000), refill, ..told(120, 17) }, 0, now + secs(1));
        assert_eq!(room(&mut learner, now + secs(1)), 120);
    }

    #[test]
    fn a_reset_in_a_year_is_believed_for_a_day() {
        let now = Instant::now();
        let mut learner = learner(&told(0, 366 * 86_400), now);
        learner.lapse(1, now + LONGEST_RESET);
        assert!(learner.closed(1, now + LONGEST_RESET).is_none());
    }

    #[test]
    fn names_that_a_server_makes_up_do_not_pile_up() {
        let now = Instant::now();
        let mut learner = Learner::default();
        for n in 0..1_000 {
            learner.learn(&Learned { policy: Some(n.to_string().into()), ..told(5, 10) }, 0, now);
        }
        assert_eq!(learner.windows.len(), MAX_POLICIES);
    }
}
