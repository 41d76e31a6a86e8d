//! Compressed answers: gzip, brotli and zstd, right ones, broken ones and bombs.

use nuncio_client::Kind;
use nuncio_faults::{Encoding, Fault, Origin, Proxy};

use super::{MAX_BODY_BYTES, client, get, is_final, is_harmless};

const ALL: [Encoding; 3] = [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd];

#[tokio::test]
async fn a_compressed_answer_comes_out_as_it_was() {
    for encoding in ALL {
        is_harmless(Fault::Compressed(encoding)).await;
    }
}

/// RFC 1952, section 2.2, and RFC 8878, section 3.
#[tokio::test]
async fn an_answer_compressed_in_parts_comes_out_whole() {
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        is_harmless(Fault::TwoParts(encoding)).await;
    }
}

#[tokio::test]
async fn a_compressed_answer_that_breaks_off_is_not_taken_for_whole() {
    for encoding in ALL {
        is_final(Fault::HalfCompressed(encoding), Kind::Decode).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_compressed_as_it_says_is_refused() {
    for encoding in ALL {
        let error = is_final(Fault::FalselyCompressed(encoding), Kind::Decode).await;
        assert!(error.to_string().contains("cannot be decompressed"), "{error}");
    }
}

#[tokio::test]
async fn a_bomb_is_inflated_up_to_the_bound() {
    for encoding in ALL {
        let error = is_final(Fault::Bomb(encoding), Kind::TooLarge).await;
        assert!(error.to_string().contains(&MAX_BODY_BYTES.to_string()), "{error}");
    }
}

#[tokio::test]
async fn the_bound_is_on_what_comes_out() {
    let json = format!("[{}0]", "0,".repeat(MAX_BODY_BYTES / 2));
    for encoding in ALL {
        let plan = move |_| Some(Fault::Compressed(encoding));
        let proxy = Proxy::start(Origin::Json(json.clone().into()), plan).expect("a free port");
        let error = get(client(&proxy.url())).await.expect_err("a few bytes over the bound");
        assert_eq!(error.kind(), Kind::TooLarge, "{encoding:?}: {error}");
        let answer = get(client(&proxy.url()).max_body_bytes(json.len())).await.expect("just within it");
        assert_eq!(answer.body.len(), json.len());
    }
}
