//! What comes out of a list: all of it, digit for digit, or a word that it is not all.

use std::num::NonZeroU64;

use futures_util::{StreamExt as _, TryStreamExt as _};
use nuncio_client::pages::{Completeness, Item, Items, Size, Stop, Verdict};
use nuncio_client::{Kind, graphql};

use super::*;

async fn verdict(items: Items) -> (Vec<String>, Verdict) {
    let (mut records, mut items) = (Vec::new(), items);
    while let Some(item) = items.next().await {
        match item.expect("no failure") {
            Item::Record(record) => records.push(record.as_str().to_owned()),
            Item::End(verdict) => return (records, verdict),
            _ => {}
        }
    }
    panic!("no verdict");
}

// Airbyte: a short page is the end, 19 rows and all is well. faucet: the offset grows by what came, so that one row comes twice.
#[tokio::test(start_paused = true)]
async fn an_offset_counts_what_was_asked_for_and_a_short_page_is_not_the_end() {
    let (builder, _) = serve(|_, request| {
        let number = |name| param(request, name).map_or(0, |value| value.parse::<u64>().expect("a number"));
        let (offset, limit) = (number("offset"), number("limit"));
        // Of fifty rows, one may not be seen, and is left out after the page was cut.
        let rows = (offset..(offset + limit).min(50)).filter(|row| *row != 25);
        ok(serde_json::json!({"data": rows.collect::<Vec<_>>()}).to_string())
    });
    let strategy = Strategy::Offset { param: Param::Query("offset".into()) };
    let mut pages = Pages::new(strategy, Records::Array("data".parse().expect("a path")));
    pages.size = Some(Size { param: Param::Query("limit".into()), value: 20 });
    let items = builder.build().expect("valid").get("/items").pages(&pages).expect("valid");
    let (records, verdict) = verdict(items).await;
    let expected: Vec<String> = (0..50).filter(|row| *row != 25).map(|row| row.to_string()).collect();
    assert_eq!((records, verdict.completeness), (expected, Completeness::Complete));
}

// Airbyte, dlt, Singer, faucet: no records, and all is well.
#[tokio::test(start_paused = true)]
async fn a_200_with_errors_inside_is_a_failure() {
    const THROTTLED: &str =
        r#"{"errors":[{"message":"slow down","extensions":{"code":"THROTTLED"}}],"data":null}"#;
    const PAGE: &str =
        r#"{"data":{"orders":{"nodes":[1,2],"pageInfo":{"hasNextPage":false,"endCursor":null}}}}"#;
    let query =
        "query($after: String) { orders(after: $after) { nodes pageInfo { hasNextPage endCursor } } }";
    let pages = Pages::connection(&"data.orders".parse().expect("a path"), "after");
    let read = async |answers: fn(usize) -> &'static str| {
        let (builder, log) = serve(move |n, _| ok(answers(n)));
        let client = builder.build().expect("valid");
        let items = client.graphql(&graphql::Request::new(query)).pages(&pages).expect("valid");
        (items.records::<u64>().try_collect::<Vec<_>>().await, log.len())
    };

    let (refused, requests) = read(|_| THROTTLED).await;
    let error = refused.expect_err("throttled");
    assert!(matches!(error.kind(), Kind::GraphQl | Kind::Limit), "{error:?}");
    assert_eq!(requests, 5, "throttling is worth another attempt");

    let (records, requests) = read(|n| if n == 0 { THROTTLED } else { PAGE }).await;
    assert_eq!((records.expect("second time lucky"), requests), (vec![1, 2], 2));
}

/// Three hundred pages of one record.
fn long_list() -> Builder {
    let page = |_: usize, request: &http::Request<Bytes>| {
        let page: u64 = param(request, "cursor").map_or(1, |cursor| cursor.parse().expect("our cursor"));
        let next = (page < 300).then(|| (page + 1).to_string());
        ok(serde_json::json!({"data": [page], "next": next}).to_string())
    };
    serve(page).0
}

// faucet 1.10: a hundred pages by default, 50,000 of 100,000 rows, and all is well.
#[tokio::test(start_paused = true)]
async fn there_is_no_bound_on_pages_unless_one_is_set() {
    let items = long_list().build().expect("valid").get("/items").pages(&by_cursor()).expect("valid");
    let (records, verdict) = verdict(items).await;
    assert_eq!((records.len(), verdict.completeness), (300, Completeness::Complete));
}

// stripe/ai#388: lists stop in silence at 100 records.
#[tokio::test(start_paused = true)]
async fn a_list_that_is_cut_short_says_so() {
    let mut pages = by_cursor();
    pages.max_pages = NonZeroU64::new(2);
    let items = long_list().build().expect("valid").get("/items").pages(&pages).expect("valid");
    let (records, verdict) = verdict(items).await;
    assert_eq!(
        (records.len(), verdict.completeness, verdict.stop),
        (2, Completeness::Truncated, Stop::MaxPages)
    );
}

// Airbyte and faucet 1.10: 1234567890.1234567; faucet 1.17: a text.
#[tokio::test(start_paused = true)]
async fn a_number_keeps_all_its_digits() {
    const RECORD: &str =
        r#"{"price":1234567890.1234567890123,"id":12345678901234567890123,"rate":1e5,"none":"None"}"#;
    let (builder, _) = serve(|_, _| ok(format!(r#"{{"data":[{RECORD}],"next":null}}"#)));
    let items = builder.build().expect("valid").get("/items").pages(&by_cursor()).expect("valid");
    assert_eq!(verdict(items).await.0, [RECORD]);
}
