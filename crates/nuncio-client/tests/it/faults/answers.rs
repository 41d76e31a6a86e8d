//! Answers that are no HTTP, contradict themselves, or do not end.

use nuncio_client::Kind;
use nuncio_faults::{Fault, Origin, Proxy};

use super::{ANSWER, client, is_final, is_harmless, leaves_the_fate_unknown, struck};

#[tokio::test]
async fn bytes_that_are_no_http_leave_the_fate_unknown() {
    for seed in 0..5 {
        leaves_the_fate_unknown(Fault::Garbage { seed }, Kind::Connect).await;
    }
}

#[tokio::test]
async fn headers_without_end_are_not_read_to_it() {
    leaves_the_fate_unknown(Fault::EndlessHeaders, Kind::Connect).await;
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    for count in [1, 2, 50] {
        is_harmless(Fault::Interim(count)).await;
    }
}

#[tokio::test]
async fn interim_answers_without_end_run_out_of_time() {
    leaves_the_fate_unknown(Fault::EndlessInterim, Kind::Timeout).await;
}

#[tokio::test]
async fn a_body_without_end_is_read_up_to_the_bound() {
    for chunked in [false, true] {
        is_final(Fault::EndlessBody { chunked }, Kind::TooLarge).await;
    }
}

#[tokio::test]
async fn a_length_that_is_more_than_comes_is_a_body_that_broke_off() {
    leaves_the_fate_unknown(Fault::LongLength, Kind::Connect).await;
}

#[tokio::test]
async fn a_length_that_is_less_than_comes_does_not_spoil_the_next_answer() {
    let proxy = struck(&Fault::ShortLength, 1);
    let client = client(&proxy.url()).build().expect("valid");
    let cut = client.get("/x").send().await.expect("as long as it says");
    assert_eq!(&cut.body[..], &ANSWER.as_bytes()[..ANSWER.len() - 3]);
    assert_eq!(cut.json::<serde_json::Value>().expect_err("cut").kind(), Kind::Decode);
    assert_eq!(&client.get("/x").send().await.expect("afresh").body[..], ANSWER.as_bytes());
}

#[tokio::test]
async fn two_lengths_that_differ_are_no_answer() {
    leaves_the_fate_unknown(Fault::TwoLengths, Kind::Connect).await;
}

/// RFC 9112, section 6.3: the chunks overrule the length.
#[tokio::test]
async fn chunks_overrule_a_length() {
    is_harmless(Fault::LengthAndChunks).await;
}

#[tokio::test]
async fn chunks_that_are_wrong_or_missing_are_a_body_that_broke_off() {
    leaves_the_fate_unknown(Fault::BadChunk, Kind::Connect).await;
    leaves_the_fate_unknown(Fault::MissingChunk, Kind::Connect).await;
}

#[tokio::test]
async fn a_corrupt_byte_is_an_error_or_within_what_was_asked_for() {
    for at in 0..150 {
        let fault = Fault::Corrupt { at };
        let proxy =
            Proxy::start(Origin::Json(ANSWER.into()), move |_| Some(fault.clone())).expect("a free port");
        let told = client(&proxy.url()).timeout(super::SHORT).build().expect("valid").get("/x").send().await;
        match told.and_then(|answer| answer.json::<serde_json::Value>()) {
            Ok(value) => {
                assert_eq!(value, serde_json::from_str::<serde_json::Value>(ANSWER).expect("JSON"), "{at}");
            }
            Err(error) => {
                assert!(
                    matches!(error.kind(), Kind::Connect | Kind::Decode | Kind::Timeout),
                    "{at}: {error}"
                );
            }
        }
    }
}
