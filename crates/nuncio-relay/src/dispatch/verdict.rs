//! What an outcome means for the delivery and for the endpoint: a value, decided without side effects.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nuncio_client::Random;

use crate::Origin;
use crate::notice::Notice;
use crate::outcome::{Fault, Outcome};
use crate::settings::Delivery;
use crate::store::{HealthChange, Leased, Then};

use super::lane::Turn;

/// What becomes of a delivery and its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) then: Then,
    pub(super) health: Option<HealthChange>,
    pub(super) notices: Vec<Notice>,
}

/// What is known when an attempt has ended.
pub(super) struct Case<'a> {
    pub(super) endpoint: &'a str,
    pub(super) delivery: &'a Delivery,
    pub(super) leased: &'a Leased,
    pub(super) outcome: &'a Outcome,
    pub(super) turn: Turn,
    pub(super) failing_since: Option<Timestamp>,
    pub(super) now: Now,
}

/// The time, for each that it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// When something is due.
    pub(super) due: Timestamp,
    /// How old something is.
    pub(super) age: Timestamp,
    /// What people are shown.
    pub(super) shown: Timestamp,
}

impl Case<'_> {
    pub(super) fn decide(&self, random: &Random) -> Verdict {
        let failure = match &self.outcome.result {
            Ok(()) => {
                let (health, notices) = self.recovery();
                return Verdict { then: Then::Delivered, health, notices };
            }
            Err(failure) => failure,
        };
        let given_up = self
            .outcome
            .status
            .is_some_and(|status| self.delivery.give_up_on.iter().any(|pattern| pattern.matches(status)));
        if failure.fault == Fault::Gone && !given_up {
            // What is owed stays owed: it goes out when somebody enables the endpoint again.
            let (health, notice) = self.disabled(failure.reason.clone());
            return Verdict { then: Then::Retry(self.now.due), health: Some(health), notices: vec![notice] };
        }
        let then = if given_up || failure.is_final {
            Then::Dead
        } else {
            self.next_try(failure.retry_after, random)
        };
        let (health, mut notices) = self.decline(&failure.reason);
        // Nobody is told that he could not be told: it would go on for ever.
        if then == Then::Dead && self.leased.event.origin != Origin::Relay {
            notices.push(Notice::DeliveryExhausted {
                endpoint: self.endpoint.to_owned(),
                delivery: self.leased.lease.delivery,
                event: self.leased.event.id,
                attempts: self.leased.attempt,
                reason: failure.reason.clone(),
            });
        }
        Verdict { then, health, notices }
    }

    /// How long ago that was; no time for what is still to come, as after a clock was set back.
    fn age(&self, at: Timestamp) -> Duration {
        Duration::try_from(self.now.age.duration_since(at)).unwrap_or_default()
    }

    fn next_try(&self, told: Option<Duration>, random: &Random) -> Then {
        let Some(wait) = self.delivery.schedule.wait(self.leased.attempt, random) else { return Then::Dead };
        let wait = wait.max(told.unwrap_or_default());
        if self.age(self.leased.event.at) + wait > self.delivery.expires_after.0 {
            Then::Dead
        } else {
            Then::Retry(later(self.now.due, wait))
        }
    }

    fn recovery(&self) -> (Option<HealthChange>, Vec<Notice>) {
        match self.failing_since.filter(|_| self.turn == Turn::Worked) {
            Some(failing_since) => {
                let notice = Notice::EndpointRecovered { endpoint: self.endpoint.to_owned(), failing_since };
                (Some(HealthChange::Recovered), vec![notice])
            }
            None => (None, Vec::new()),
        }
    }

    fn decline(&self, reason: &str) -> (Option<HealthChange>, Vec<Notice>) {
        match (self.turn, self.failing_since) {
            (Turn::Failed, None) => {
                let notice = Notice::EndpointFailing {
                    endpoint: self.endpoint.to_owned(),
                    since: self.now.shown,
                    reason: reason.to_owned(),
                };
                (Some(HealthChange::Failing(self.now.shown)), vec![notice])
            }
            (_, Some(since)) if self.age(since) > self.delivery.disable_after.0 => {
                let (health, notice) = self.disabled(format!("it has failed since {since}: {reason}"));
                (Some(health), vec![notice])
            }
            _ => (None, Vec::new()),
        }
    }

    fn disabled(&self, reason: String) -> (HealthChange, Notice) {
        let notice = Notice::EndpointDisabled { endpoint: self.endpoint.to_owned(), reason: reason.clone() };
        (HealthChange::Disable { at: self.now.shown, reason }, notice)
    }
}

/// The time after `wait`, or the last there is.
pub(super) fn later(at: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
