//! JSON that nests deeper than any stack: an error, or passed on unread.

use futures_util::TryStreamExt as _;
use nuncio_client::check::{Checks, OnMismatch, Schema};
use nuncio_client::graphql::Request;
use nuncio_client::pages::{Pages, Param, Place, Records, Strategy};
use nuncio_client::{Client, Kind};
use nuncio_faults::{Fault, Proxy};

use super::{client, struck};

const DEPTH: usize = 500_000;

fn deep() -> (Proxy, nuncio_client::Builder) {
    let proxy = struck(&Fault::DeepJson(DEPTH), usize::MAX);
    let builder = client(&proxy.url());
    (proxy, builder)
}

#[tokio::test]
async fn it_passes_through_a_call_and_is_an_error_to_whoever_reads_it() {
    let (_proxy, builder) = deep();
    let answer = builder.build().expect("valid").get("/x").send().await.expect("bytes");
    assert_eq!(answer.body.len(), 2 * DEPTH);
    assert_eq!(answer.value().expect_err("too deep").kind(), Kind::Decode);
}

#[tokio::test]
async fn a_predicate_sees_no_body() {
    let (_proxy, builder) = deep();
    let checks = Checks::new().fails_when(|answer| Ok(!answer.body.is_null()));
    builder.checks(checks).build().expect("valid").get("/x").send().await.expect("nothing to judge");
}

#[tokio::test]
async fn a_schema_does_not_let_it_pass() {
    let (_proxy, builder) = deep();
    let schema = Schema::new(&serde_json::json!({"items": {"$ref": "#"}})).expect("a schema");
    let checks = Checks::new().schema(schema.into(), OnMismatch::Fail);
    let error = builder.checks(checks).build().expect("valid").get("/x").send().await.expect_err("too deep");
    assert_eq!(error.kind(), Kind::Decode);
}

#[tokio::test]
async fn it_is_no_graphql() {
    let (_proxy, builder) = deep();
    let request = Request::new("{ me { id } }");
    let told = builder.build().expect("valid").graphql(&request).send().await;
    assert_eq!(told.and_then(|answer| answer.value()).expect_err("too deep").kind(), Kind::Decode);
}

async fn page_error(client: &Client, records: Records) -> Kind {
    let next = Place::Body("next".parse().expect("a path"));
    let pages = Pages::new(Strategy::Cursor { param: Param::Query("cursor".into()), next }, records);
    let items = client.get("/x").pages(&pages).expect("valid");
    items.raw_records().try_collect::<Vec<_>>().await.expect_err("too deep").kind()
}

#[tokio::test]
async fn it_is_no_page_and_no_record() {
    let (_proxy, builder) = deep();
    let client = builder.build().expect("valid");
    let data = || "data".parse().expect("a path");
    for records in [Records::Array(data()), Records::OptionalArray(data()), Records::Lines] {
        assert_eq!(page_error(&client, records).await, Kind::Decode);
    }
    assert_eq!(page_error(&client, Records::Array(".".parse().expect("a path"))).await, Kind::Decode);
}
