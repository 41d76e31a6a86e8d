use super::*;

const GET: Method = Method::GET;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;
const POST: Method = Method::POST;
const PATCH: Method = Method::PATCH;

/// Whether the request carries an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Key {
    NoKey,
    WithKey,
}
use Key::{NoKey, WithKey};

/// What the attempt came to.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Answered(u16),
    AnsweredWithRetryAfter(u16, u64),
    NoConnection,
    H2Refused,
    TimedOut,
    Reset,
    Other(Kind),
}
use Failure::{Answered, AnsweredWithRetryAfter, H2Refused, NoConnection, Other, Reset, TimedOut};

#[derive(Debug, PartialEq)]
enum Verdict {
    /// After the backoff.
    Later,
    /// After so many seconds.
    AsTold(u64),
    Never(Stop),
}
use Verdict::{AsTold, Later, Never};

const BACKOFF: Duration = Duration::from_millis(1_250);

fn outcome(method: Method, key: Key, failure: Failure) -> Outcome {
    let (status, kind, evidence) = match failure {
        Answered(status) | AnsweredWithRetryAfter(status, _) => {
            let status = StatusCode::from_u16(status).unwrap();
            (Some(status), Some(Kind::Status), Evidence::of_status(status))
        }
        NoConnection => (None, Some(Kind::Connect), Evidence::NeverSent),
        H2Refused => (None, Some(Kind::Connect), Evidence::Rejected),
        TimedOut => (None, Some(Kind::Timeout), Evidence::Unknown),
        Reset => (None, Some(Kind::Connect), Evidence::Unknown),
        Other(kind) => (None, Some(kind), Evidence::NeverSent),
    };
    let told = match failure {
        AnsweredWithRetryAfter(_, seconds) => {
            Some(Told { wait: Duration::from_secs(seconds), by: "Retry-After" })
        }
        _ => None,
    };
    Outcome {
        method,
        repeatable: key == WithKey,
        replayable: true,
        attempt: 1,
        evidence,
        status,
        kind,
        lasting: false,
        credentials_renewed: false,
        connection_ended: false,
        told,
        should_retry: None,
        quota_exhausted: false,
        backoff: BACKOFF,
        time_left: None,
    }
}

fn verdict(policy: &Policy, outcome: &Outcome) -> Verdict {
    match policy.decide(outcome) {
        Decision::Retry { after: BACKOFF, counted: true, .. } => Later,
        Decision::Retry { after, counted: true, .. } => AsTold(after.as_secs()),
        Decision::Retry { counted: false, .. } => panic!("only renewed credentials are not counted"),
        Decision::GiveUp(stop) => Never(stop),
    }
}

#[test]
#[rustfmt::skip]
fn the_table_of_defaults() {
    let never_again = || Never(Stop::NotRetried);
    let unsafe_to_repeat = |method| Never(Stop::Unsafe(method));
    let too_long = |seconds| Never(Stop::WaitTooLong {
        told: Told { wait: Duration::from_secs(seconds), by: "Retry-After" },
        max: Duration::from_secs(300),
    });
    let table = [
        // method, key,    what it came to,                  what is done
        // Never sent: nothing can happen twice.
        (GET,    NoKey,   NoConnection,                     Later),
        (POST,   NoKey,   NoConnection,                     Later),
        (PATCH,  NoKey,   NoConnection,                     Later),
        // Rejected: the server says that it did nothing.
        (GET,    NoKey,   H2Refused,                        Later),
        (POST,   NoKey,   H2Refused,                        Later),
        (POST,   NoKey,   Answered(425),                    Later),
        (POST,   NoKey,   Answered(429),                    Later),
        (PATCH,  NoKey,   Answered(429),                    Later),
        (POST,   NoKey,   AnsweredWithRetryAfter(429, 8),   AsTold(8)),
        (POST,   NoKey,   AnsweredWithRetryAfter(429, 0),   AsTold(0)),
        // Unknown, and a second copy does no harm.
        (GET,    NoKey,   TimedOut,                         Later),
        (GET,    NoKey,   Reset,                            Later),
        (GET,    NoKey,   Answered(408),                    Later),
        (GET,    NoKey,   Answered(500),                    Later),
        (GET,    NoKey,   Answered(502),                    Later),
        (GET,    NoKey,   Answered(503),                    Later),
        (GET,    NoKey,   Answered(504),                    Later),
        (GET,    NoKey,   AnsweredWithRetryAfter(503, 8),   AsTold(8)),
        (PUT,    NoKey,   Answered(503),                    Later),
        (PUT,    NoKey,   TimedOut,                         Later),
        (DELETE, NoKey,   Answered(503),                    Later),
        (DELETE, NoKey,   Reset,                            Later),
        // Unknown, and a second copy may act twice.
        (POST,   NoKey,   TimedOut,                         unsafe_to_repeat(POST)),
        (POST,   NoKey,   Reset,                            unsafe_to_repeat(POST)),
        (POST,   NoKey,   Answered(408),                    unsafe_to_repeat(POST)),
        (POST,   NoKey,   Answered(500),                    unsafe_to_repeat(POST)),
        (POST,   NoKey,   Answered(502),                    unsafe_to_repeat(POST)),
        (POST,   NoKey,   Answered(503),                    unsafe_to_repeat(POST)),
        (POST,   NoKey,   AnsweredWithRetryAfter(503, 30),  unsafe_to_repeat(POST)),
        (PATCH,  NoKey,   Answered(504),                    unsafe_to_repeat(PATCH)),
        // Unknown, and the key makes the second copy the first.
        (POST,   WithKey, TimedOut,                         Later),
        (POST,   WithKey, Reset,                            Later),
        (POST,   WithKey, Answered(500),                    Later),
        (POST,   WithKey, AnsweredWithRetryAfter(503, 30),  AsTold(30)),
        (PATCH,  WithKey, Answered(502),                    Later),
        // The server's wait, up to the cap and beyond.
        (GET,    NoKey,   AnsweredWithRetryAfter(429, 300), AsTold(300)),
        (GET,    NoKey,   AnsweredWithRetryAfter(429, 301), too_long(301)),
        (GET,    NoKey,   AnsweredWithRetryAfter(503, 3600), too_long(3600)),
        // Failures that stay failures.
        (GET,    NoKey,   Answered(400),                    never_again()),
        (GET,    NoKey,   Answered(401),                    never_again()),
        (GET,    NoKey,   Answered(403),                    never_again()),
        (GET,    NoKey,   Answered(404),                    never_again()),
        (POST,   WithKey, Answered(409),                    never_again()),
        (GET,    NoKey,   Answered(422),                    never_again()),
        (GET,    NoKey,   AnsweredWithRetryAfter(403, 8),   never_again()),
        (GET,    NoKey,   Answered(501),                    never_again()),
        (GET,    NoKey,   Answered(505),                    never_again()),
        (GET,    NoKey,   Answered(301),                    never_again()),
        (GET,    NoKey,   Other(Kind::Configuration),       never_again()),
        (GET,    NoKey,   Other(Kind::Auth),                never_again()),
        (GET,    NoKey,   Other(Kind::Limit),               never_again()),
        (GET,    NoKey,   Other(Kind::TooLarge),            never_again()),
        (GET,    NoKey,   Other(Kind::Decode),              never_again()),
    ];
    let policy = Policy::default();
    for (method, key, failure, expected) in table {
        let row = format!("{method} {key:?} {failure:?}");
        assert_eq!(verdict(&policy, &outcome(method, key, failure)), expected, "{row}");
    }
}

#[test]
fn a_failure_that_lasts_is_not_tried_again_though_its_kind_is() {
    let lasting = Outcome { lasting: true, ..outcome(GET, NoKey, NoConnection) };
    assert_eq!(verdict(&Policy::default(), &lasting), Never(Stop::NotRetried));
}

#[test]
fn a_body_that_can_be_sent_only_once_is_not_sent_twice() {
    let once = Outcome { replayable: false, ..outcome(GET, NoKey, NoConnection) };
    assert_eq!(verdict(&Policy::default(), &once), Never(Stop::BodySpent));
    let renewed =
        Outcome { replayable: false, credentials_renewed: true, ..outcome(GET, NoKey, Answered(401)) };
    assert_eq!(verdict(&Policy::default(), &renewed), Never(Stop::BodySpent));
}

#[test]
fn the_last_attempt_is_the_last() {
    let attempt = |attempt| Outcome { attempt, ..outcome(GET, NoKey, Answered(503)) };
    assert_eq!(verdict(&Policy::default(), &attempt(4)), Later);
    assert_eq!(verdict(&Policy::default(), &attempt(5)), Never(Stop::AttemptsSpent));
    let once = Policy { attempts: NonZeroU32::MIN, ..Policy::default() };
    assert_eq!(verdict(&once, &attempt(1)), Never(Stop::AttemptsSpent));
}

#[test]
fn renewed_credentials_are_tried_at_once_even_after_the_last_attempt() {
    let renewed = Outcome { credentials_renewed: true, attempt: 5, ..outcome(POST, NoKey, Answered(401)) };
    let Decision::Retry { after: Duration::ZERO, counted: false, .. } = Policy::default().decide(&renewed)
    else {
        panic!("{:?}", Policy::default().decide(&renewed));
    };
}

#[test]
fn what_a_connection_did_not_get_to_is_tried_at_once_on_another() {
    let ended = Outcome { connection_ended: true, attempt: 5, ..outcome(POST, NoKey, H2Refused) };
    let Decision::Retry { after: Duration::ZERO, counted: false, .. } = Policy::default().decide(&ended)
    else {
        panic!("{:?}", Policy::default().decide(&ended));
    };
    let once = Outcome { replayable: false, ..ended };
    assert_eq!(verdict(&Policy::default(), &once), Never(Stop::BodySpent));
}

#[test]
fn a_wait_that_would_pass_the_deadline_fails_at_once() {
    let left =
        |left| Outcome { time_left: Some(left), ..outcome(GET, NoKey, AnsweredWithRetryAfter(429, 8)) };
    let second = Duration::from_secs(1);
    assert_eq!(verdict(&Policy::default(), &left(9 * second)), AsTold(8));
    let too_close = Stop::DeadlineTooClose { wait: 8 * second, left: 8 * second };
    assert_eq!(verdict(&Policy::default(), &left(8 * second)), Never(too_close));
}

#[test]
fn the_servers_no_forbids_what_the_table_allows() {
    for failure in [Answered(503), Answered(429)] {
        let forbidden = Outcome { should_retry: Some(false), ..outcome(GET, NoKey, failure) };
        assert_eq!(verdict(&Policy::default(), &forbidden), Never(Stop::Forbidden));
    }
}

#[test]
fn the_servers_yes_allows_a_status_outside_of_the_table_but_nothing_unsafe() {
    let allowed = |method, key| Outcome { should_retry: Some(true), ..outcome(method, key, Answered(409)) };
    assert_eq!(verdict(&Policy::default(), &allowed(GET, NoKey)), Later);
    assert_eq!(verdict(&Policy::default(), &allowed(POST, WithKey)), Later);
    assert_eq!(verdict(&Policy::default(), &allowed(POST, NoKey)), Never(Stop::Unsafe(POST)));
}

#[test]
fn an_exhausted_quota_fails_at_once() {
    let exhausted = Outcome { quota_exhausted: true, ..outcome(GET, NoKey, AnsweredWithRetryAfter(429, 8)) };
    assert_eq!(verdict(&Policy::default(), &exhausted), Never(Stop::QuotaExhausted));
}

#[test]
fn a_throttle_that_is_told_in_the_body_is_one() {
    let graphql = |evidence| Outcome {
        kind: Some(Kind::GraphQl),
        evidence,
        ..outcome(POST, NoKey, AnsweredWithRetryAfter(200, 2))
    };
    assert_eq!(verdict(&Policy::default(), &graphql(Evidence::Rejected)), AsTold(2));
    assert_eq!(verdict(&Policy::default(), &graphql(Evidence::Unknown)), Never(Stop::NotRetried));
}

#[test]
fn a_policy_departs_from_the_table_by_name() {
    let policy = Policy { statuses: vec![StatusCode::LOCKED], ..Policy::default() };
    assert_eq!(verdict(&policy, &outcome(GET, NoKey, Answered(423))), Later);
    assert_eq!(verdict(&policy, &outcome(GET, NoKey, Answered(503))), Never(Stop::NotRetried));
    assert_eq!(verdict(&policy, &outcome(GET, NoKey, Answered(429))), Never(Stop::NotRetried));
}

#[test]
fn a_reason_names_the_failure_and_who_chose_the_wait() {
    let reason = |failure| match Policy::default().decide(&outcome(GET, NoKey, failure)) {
        Decision::Retry { reason, .. } => reason,
        Decision::GiveUp(stop) => stop.to_string(),
    };
    assert_eq!(reason(AnsweredWithRetryAfter(503, 8)), "503, wait by Retry-After");
    assert_eq!(reason(TimedOut), "timeout, wait by backoff");
    assert_eq!(
        reason(AnsweredWithRetryAfter(429, 3_600)),
        "Retry-After asks for a wait of 3600s, and we wait at most 300s"
    );
}
