//! Connections that do not come about, break, or fall silent.

use nuncio_client::{Evidence, Kind};
use nuncio_faults::{At, ClosedPort, End, Fault, Origin, Proxy};

use std::time::Duration;

use super::{ANSWER, SHORT, client, get, is_harmless, leaves_the_fate_unknown, post, struck};

#[tokio::test]
async fn a_refused_connection_was_never_sent_so_even_a_post_is_repeated() {
    let port = ClosedPort::bind().expect("a free port");
    let error = post(client(&port.url().expect("bound"))).await.expect_err("refused");
    assert_eq!(
        (error.kind(), error.evidence(), error.history().len()),
        (Kind::Connect, Evidence::NeverSent, 2)
    );
    assert!(error.report().contains("nothing listens at that address"), "{}", error.report());
}

#[tokio::test]
async fn a_connection_that_ends_within_the_request_leaves_its_fate_unknown() {
    for end in [End::Close, End::Reset] {
        for at in [At::Request(1), At::Request(30), At::Request(usize::MAX)] {
            leaves_the_fate_unknown(Fault::Cut { at, end }, Kind::Connect).await;
        }
    }
}

/// Whether anything was written before the end was seen is a race, and what follows from either is right.
#[tokio::test]
async fn a_connection_that_ends_as_soon_as_it_is_there_is_repeated_as_far_as_that_is_safe() {
    for end in [End::Close, End::Reset] {
        let fault = Fault::Cut { at: At::Connect, end };
        let proxy = struck(&fault, 1);
        assert_eq!(&get(client(&proxy.url())).await.expect("then let in").body[..], ANSWER.as_bytes());

        let proxy = struck(&fault, 1);
        match post(client(&proxy.url())).await {
            Ok(answer) => assert_eq!((answer.history.len(), proxy.forwarded()), (2, 1)),
            Err(error) => {
                assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::Unknown));
                assert_eq!(proxy.forwarded(), 0);
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_or_within_the_answer_leaves_the_fate_unknown() {
    let head = 70;
    for end in [End::Close, End::Reset] {
        for at in [0, 1, 20, head, head + 30] {
            leaves_the_fate_unknown(Fault::Cut { at: At::Answer(at), end }, Kind::Connect).await;
        }
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_runs_out_of_time() {
    for at in [At::Connect, At::Request(20), At::Answer(0), At::Answer(30), At::Answer(100)] {
        leaves_the_fate_unknown(Fault::Cut { at, end: End::Stall }, Kind::Timeout).await;
    }
}

#[tokio::test]
async fn a_server_that_closes_its_half_and_acts_all_the_same_has_acted_once() {
    let proxy = struck(&Fault::Cut { at: At::Request(10), end: End::HalfClose }, 1);
    let error = post(client(&proxy.url())).await.expect_err("no answer");
    assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::Unknown));
    assert!(proxy.forwarded() <= 1 && proxy.exchanges() == 1);
}

#[tokio::test]
async fn a_drip_is_an_answer_too() {
    is_harmless(Fault::Drip).await;
}

/// The connection that was to be used again is closed behind the first answer, or just as the second request comes in.
#[tokio::test]
async fn a_kept_connection_that_closes_is_no_failure_of_a_get() {
    let races = [
        (0, Fault::CloseBehind),
        (1, Fault::Cut { at: At::Connect, end: End::Close }),
        (1, Fault::Cut { at: At::Connect, end: End::Reset }),
    ];
    for (struck, fault) in races {
        let plan = move |exchange| (exchange == struck).then(|| fault.clone());
        let proxy = Proxy::start(Origin::Json(ANSWER.into()), plan).expect("a free port");
        let client = client(&proxy.url()).build().expect("valid");
        for _ in 0..2 {
            let answer = client.get("/x").send().await.expect("repeated if need be");
            assert_eq!(&answer.body[..], ANSWER.as_bytes());
        }
        assert_eq!(proxy.connections(), 2);
    }
}

#[tokio::test]
async fn a_post_on_a_kept_connection_that_closes_reaches_the_server_once_at_most() {
    for end in [End::Close, End::Reset] {
        let plan = move |exchange| (exchange == 1).then_some(Fault::Cut { at: At::Request(usize::MAX), end });
        let proxy = Proxy::start(Origin::Json(ANSWER.into()), plan).expect("a free port");
        let client = client(&proxy.url()).build().expect("valid");
        client.get("/x").send().await.expect("the connection is fresh");
        let error = client.post("/x").send().await.expect_err("closed as it comes in");
        assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::Unknown));
        assert_eq!((proxy.connections(), proxy.exchanges()), (1, 2));
    }
}

/// A connection that is not closed then would be read from, or wait, for ever.
#[tokio::test]
async fn whoever_is_given_up_on_is_hung_up_on() {
    for fault in [
        Fault::Cut { at: At::Answer(0), end: End::Stall },
        Fault::Cut { at: At::Answer(100), end: End::Stall },
        Fault::EndlessInterim,
        Fault::EndlessHeaders,
        Fault::EndlessBody { chunked: true },
        Fault::EndlessBody { chunked: false },
    ] {
        let proxy = struck(&fault, usize::MAX);
        let client = client(&proxy.url()).timeout(SHORT).build().expect("valid");
        client.get("/x").send().await.expect_err("no answer");
        let closed = async {
            while proxy.open() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), closed).await.is_ok(), "{fault:?}");
    }
}
