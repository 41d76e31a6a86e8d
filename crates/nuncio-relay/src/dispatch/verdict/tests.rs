use bytes::Bytes;

use super::*;
use crate::outcome::Failure;
use crate::store::Lease;
use crate::{DeliveryId, Event, EventId, Headers, Progress};

const DAY: Duration = Duration::from_secs(86_400);

fn at(wait: Duration) -> Timestamp {
    later(Timestamp::from_second(1_760_000_000).unwrap(), wait)
}

struct Facts {
    origin: Origin,
    attempt: u32,
    outcome: Outcome,
    turn: Turn,
    failing_since: Option<Timestamp>,
    age: Duration,
}

impl Facts {
    fn of(fault: Fault) -> Self {
        Self {
            origin: Origin::Source("shop".to_owned()),
            attempt: 1,
            outcome: Outcome::failed(fault, "because"),
            turn: Turn::None,
            failing_since: None,
            age: Duration::ZERO,
        }
    }

    fn decide(self) -> Verdict {
        self.decide_for(&Delivery::default())
    }

    fn decide_for(self, delivery: &Delivery) -> Verdict {
        let random = Random::seeded(1);
        let event = Event {
            id: EventId::new(at(Duration::ZERO), &random),
            origin: self.origin,
            event_type: String::new(),
            at: at(Duration::ZERO),
            headers: Headers::default(),
            body: Bytes::new(),
        };
        let lease = Lease { delivery: DeliveryId(7), fence: 1 };
        let case = Case {
            endpoint: "one",
            delivery,
            leased: &Leased { lease, event, attempt: self.attempt, progress: Progress::default() },
            outcome: &self.outcome,
            turn: self.turn,
            failing_since: self.failing_since,
            now: Now { due: at(self.age), age: at(self.age), shown: at(self.age) },
        };
        case.decide(&random)
    }
}

/// How long after the beginning the next attempt is.
fn wait(verdict: &Verdict) -> Duration {
    let Then::Retry(due) = verdict.then else { panic!("{verdict:?}") };
    due.duration_since(at(Duration::ZERO)).try_into().unwrap()
}

#[test]
fn what_fails_is_tried_again_by_the_schedule() {
    for (attempt, least) in [(1, 5), (2, 300), (9, 86_400)] {
        let verdict = Facts { attempt, ..Facts::of(Fault::Unavailable) }.decide();
        let least = Duration::from_secs(least);
        assert!(wait(&verdict) >= least && wait(&verdict) < least * 11 / 10, "{attempt}: {verdict:?}");
    }
}

#[test]
fn after_the_last_attempt_it_is_given_up_and_somebody_told() {
    let verdict = Facts { attempt: 10, ..Facts::of(Fault::Refused) }.decide();
    assert_eq!(verdict.then, Then::Dead);
    assert!(matches!(&verdict.notices[..], [Notice::DeliveryExhausted { attempts: 10, .. }]), "{verdict:?}");
}

#[test]
fn nobody_is_told_that_he_could_not_be_told() {
    let verdict = Facts { attempt: 10, origin: Origin::Relay, ..Facts::of(Fault::Refused) }.decide();
    assert_eq!((verdict.then, verdict.notices.len()), (Then::Dead, 0));
}

#[test]
fn what_would_be_too_old_is_given_up() {
    let verdict =
        Facts { attempt: 8, age: 5 * DAY - Duration::from_secs(60), ..Facts::of(Fault::Refused) }.decide();
    assert_eq!(verdict.then, Then::Dead);
}

#[test]
fn what_may_have_been_done_is_not_tried_again() {
    let mut outcome = Outcome::failed(Fault::Unavailable, "no answer in time");
    outcome.result.as_mut().unwrap_err().is_final = true;
    let verdict = Facts { outcome, ..Facts::of(Fault::Unavailable) }.decide();
    assert_eq!((verdict.then, verdict.notices.len()), (Then::Dead, 1));
}

#[test]
fn a_retry_after_is_waited_for_and_shortens_nothing() {
    for (told, least) in [(3600, 3600), (1, 5)] {
        let told = Some(Duration::from_secs(told));
        let reason = "429".to_owned();
        let failure = Failure { fault: Fault::Throttled, reason, retry_after: told, is_final: false };
        let outcome = Outcome { result: Err(failure), ..Outcome::taken(429) };
        let verdict = Facts { outcome, ..Facts::of(Fault::Throttled) }.decide();
        assert!(wait(&verdict) >= Duration::from_secs(least), "{verdict:?}");
        assert!(wait(&verdict) < Duration::from_secs(least + 1), "{verdict:?}");
    }
}

#[test]
fn gone_disables_the_endpoint_and_leaves_it_what_it_is_owed() {
    let verdict = Facts { attempt: 10, ..Facts::of(Fault::Gone) }.decide();
    assert_eq!(verdict.then, Then::Retry(at(Duration::ZERO)));
    assert!(matches!(verdict.health, Some(HealthChange::Disable { .. })), "{verdict:?}");
    assert!(matches!(&verdict.notices[..], [Notice::EndpointDisabled { .. }]), "{verdict:?}");
}

#[test]
fn an_endpoint_that_begins_to_fail_is_told_of_once() {
    let first = Facts { turn: Turn::Failed, ..Facts::of(Fault::Unavailable) }.decide();
    assert_eq!(first.health, Some(HealthChange::Failing(at(Duration::ZERO))));
    assert!(matches!(&first.notices[..], [Notice::EndpointFailing { .. }]), "{first:?}");
    let since = Some(at(Duration::ZERO));
    let second =
        Facts { turn: Turn::Failed, failing_since: since, age: DAY, ..Facts::of(Fault::Unavailable) }
            .decide();
    assert_eq!((second.health, second.notices.len()), (None, 0));
}

#[test]
fn an_endpoint_that_does_nothing_but_fail_is_disabled_in_the_end() {
    let since = Some(at(Duration::ZERO));
    let age = 5 * DAY + Duration::from_secs(1);
    let verdict = Facts { failing_since: since, age, ..Facts::of(Fault::Unavailable) }.decide();
    assert!(matches!(verdict.health, Some(HealthChange::Disable { .. })), "{verdict:?}");
    assert!(
        verdict.notices.iter().any(|notice| matches!(notice, Notice::EndpointDisabled { .. })),
        "{verdict:?}"
    );
}

#[test]
fn an_endpoint_that_works_again_is_told_of() {
    let taken = |failing_since| {
        let facts = Facts { turn: Turn::Worked, failing_since, ..Facts::of(Fault::Refused) };
        Facts { outcome: Outcome::taken(200), ..facts }.decide()
    };
    let recovered = taken(Some(at(Duration::ZERO)));
    assert_eq!((recovered.then, recovered.health), (Then::Delivered, Some(HealthChange::Recovered)));
    assert_eq!(taken(None), Verdict { then: Then::Delivered, health: None, notices: vec![] });
}

#[test]
fn an_answer_that_the_settings_take_for_final_gives_the_event_up_and_leaves_the_endpoint_alone() {
    let give_up_on = vec!["4xx".parse().unwrap(), "500".parse().unwrap()];
    let delivery = Delivery { give_up_on, ..Delivery::default() };
    let answered = |fault, status| {
        let mut facts = Facts::of(fault);
        facts.outcome.status = Some(status);
        facts.decide_for(&delivery)
    };
    for (fault, status) in [(Fault::Refused, 404), (Fault::Gone, 410), (Fault::Unavailable, 500)] {
        let verdict = answered(fault, status);
        assert_eq!((verdict.then, verdict.health), (Then::Dead, None), "{status}");
    }
    assert!(matches!(answered(Fault::Throttled, 503).then, Then::Retry(_)));
}
