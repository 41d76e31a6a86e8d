//! Pages that break off, stall or do not end while their records stream.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use nuncio_client::pages::{Pages, Param, Place, Records, Strategy};
use nuncio_client::{Client, Error, Kind};
use nuncio_faults::{At, Encoding, End, Fault, Origin, Proxy};

use super::{SHORT, client};

const PAGE: &str = r#"{"data":[{"id":1},{"id":2},{"id":3},{"id":4}],"next":null}"#;

/// Where [`PAGE`] begins in an answer.
const HEAD: usize = 70;

fn pages(records: Records) -> Pages {
    let next = Place::Body("next".parse().expect("a path"));
    Pages::new(Strategy::Cursor { param: Param::Query("cursor".into()), next }, records)
}

fn ids(client: &Client) -> impl Stream<Item = Result<u64, Error>> {
    let pages = pages(Records::Array("data".parse().expect("a path")));
    let items = client.get("/x").pages(&pages).expect("valid");
    items.records::<serde_json::Value>().map_ok(|record| record["id"].as_u64().expect("a number"))
}

/// What comes of the page when its first exchange meets `fault`: the records, and the kind of the error if there is one.
async fn first_struck(fault: Fault) -> (Vec<u64>, Option<Kind>) {
    let plan = move |exchange| (exchange == 0).then(|| fault.clone());
    let proxy = Proxy::start(Origin::Json(PAGE.into()), plan).expect("a free port");
    let client = client(&proxy.url()).timeout(SHORT).build().expect("valid");
    let (mut all, mut ids) = (Vec::new(), std::pin::pin!(ids(&client)));
    while let Some(id) = ids.next().await {
        match id {
            Ok(id) => all.push(id),
            Err(error) => return (all, Some(error.kind())),
        }
    }
    (all, None)
}

#[tokio::test]
async fn a_page_that_breaks_off_is_read_again_and_no_record_comes_twice() {
    for end in [End::Close, End::Reset, End::Stall] {
        for at in [0, 30, HEAD + 1, HEAD + 25, HEAD + PAGE.len() - 1] {
            let told = first_struck(Fault::Cut { at: At::Answer(at), end }).await;
            assert_eq!(told, (vec![1, 2, 3, 4], None), "{end:?} at {at}");
        }
    }
}

#[tokio::test]
async fn a_page_that_is_framed_wrongly_is_read_again() {
    for fault in
        [Fault::LongLength, Fault::MissingChunk, Fault::BadChunk, Fault::TwoLengths, Fault::ShortLength]
    {
        assert_eq!(first_struck(fault.clone()).await, (vec![1, 2, 3, 4], None), "{fault:?}");
    }
}

#[tokio::test]
async fn a_page_that_comes_compressed_is_read_as_it_comes() {
    for encoding in [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd] {
        assert_eq!(first_struck(Fault::Compressed(encoding)).await, (vec![1, 2, 3, 4], None));
    }
}

#[tokio::test]
async fn a_page_that_does_not_end_is_read_up_to_a_bound() {
    for fault in [
        Fault::EndlessBody { chunked: true },
        Fault::EndlessBody { chunked: false },
        Fault::Bomb(Encoding::Gzip),
        Fault::Bomb(Encoding::Brotli),
        Fault::Bomb(Encoding::Zstd),
    ] {
        assert_eq!(first_struck(fault.clone()).await.1, Some(Kind::TooLarge), "{fault:?}");
    }
}

/// A page whose records are followed by nothing but blanks.
#[tokio::test]
async fn blanks_without_end_between_records_are_read_up_to_a_bound() {
    for (records, origin) in [
        (Records::Array("data".parse().expect("a path")), r#"{"data":[{"id":1},"#),
        (Records::Lines, "{\"id\":1}\n"),
    ] {
        let plan = |_| Some(Fault::EndlessBody { chunked: true });
        let proxy = Proxy::start(Origin::Json(origin.into()), plan).expect("a free port");
        let client = client(&proxy.url()).build().expect("valid");
        let items = client.get("/x").pages(&pages(records)).expect("valid");
        let error = items.raw_records().try_collect::<Vec<_>>().await.expect_err("no end");
        assert_eq!(error.kind(), Kind::TooLarge, "{}", error.report());
    }
}
