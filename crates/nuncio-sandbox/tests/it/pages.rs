//! Lists come in the described pages.

use nuncio_sandbox::Options;
use serde_json::{Value, json};

use crate::support::{Played, body, options, service};

/// Seven records in pages of three.
async fn of(pages: &str) -> Played {
    let text = format!(
        "operations: {{ rows.list: {{ get: /rows, input: {{ color: string }}, records: rows, pages: {{ {pages}, size: {{ param: limit, value: 3 }} }} }},
                        rows.create: {{ post: /rows, input: {{ color: string }} }} }}
sandbox: {{ resources: {{ rows: {{ count: 7, object: {{ color: blue }} }} }} }}"
    );
    Played::of(&text).await
}

fn ids(page: &Value) -> Vec<u64> {
    page["rows"].as_array().expect("rows").iter().filter_map(|row| row["id"].as_u64()).collect()
}

const PAGES: [&[u64]; 3] = [&[1, 2, 3], &[4, 5, 6], &[7]];

#[tokio::test]
async fn numbered_pages() {
    let played = of("page: { param: page, start: 0, total_pages: pages }, total: { path: total }").await;
    for (number, expected) in PAGES.iter().enumerate() {
        let page = body(played.get(&format!("/rows?limit=3&page={number}"))).await;
        assert_eq!((ids(&page), &page["pages"], &page["total"]), (expected.to_vec(), &json!(3), &json!(7)));
    }
    assert_eq!(ids(&body(played.get("/rows?limit=3&page=3")).await), [0; 0]);
}

#[tokio::test]
async fn offsets() {
    let played = of("offset: { param: skip }, total: { header: X-Total }").await;
    let answer = played.get("/rows?limit=3&skip=5").send().await.unwrap();
    assert_eq!(answer.headers()["x-total"], "7");
    assert_eq!(ids(&answer.json().await.unwrap()), [6, 7]);
}

#[tokio::test]
async fn cursors_in_the_body_end_empty() {
    let played = of("cursor: { param: cursor, next: meta.next }").await;
    let mut cursor = String::new();
    for expected in PAGES {
        let page = body(played.get(&format!("/rows?limit=3&cursor={cursor}"))).await;
        assert_eq!(ids(&page), expected);
        cursor = page["meta"]["next"].as_str().expect("a cursor").to_owned();
    }
    assert_eq!(cursor, "");
}

#[tokio::test]
async fn a_cursor_keeps_its_place_when_records_come_and_go() {
    let text = "
operations:
  rows.list: { get: /rows, records: ., pages: { header_cursor: { param: after, header: X-Next }, size: { param: limit, value: 3 } } }
  rows.create: { post: /rows }
  rows.delete: { delete: '/rows/{id}', input: { id: string! } }
sandbox: { resources: { rows: { count: 7, newest_first: true } } }";
    let played = Played::of(text).await;
    let first = played.get("/rows?limit=3").send().await.unwrap();
    let next = first.headers()["x-next"].to_str().unwrap().to_owned();
    body(played.post("/rows")).await;
    body(played.request("DELETE", "/rows/5")).await;
    let second = body(played.get(&format!("/rows?limit=3&after={next}"))).await;
    assert_eq!(second, json!([{ "id": 4 }, { "id": 3 }, { "id": 2 }]));
}

#[tokio::test]
async fn the_id_of_the_last_record_and_a_flag() {
    let played = of("keyset: { param: after, id: id, more: more }").await;
    for (expected, after) in PAGES.iter().zip(["", "&after=3", "&after=6"]) {
        let page = body(played.get(&format!("/rows?limit=3{after}"))).await;
        assert_eq!((ids(&page), &page["more"]), (expected.to_vec(), &json!(expected.len() == 3)));
    }
}

#[tokio::test]
async fn backwards_from_the_id_of_the_first_record() {
    let played = of("keyset: { param: after, before: before, more: more }").await;
    for (before, expected, more) in
        [(7, &[4, 5, 6][..], true), (4, &[1, 2, 3], false), (2, &[1], false), (1, &[], false)]
    {
        let page = body(played.get(&format!("/rows?limit=3&before={before}"))).await;
        assert_eq!((ids(&page), &page["more"]), (expected.to_vec(), &json!(more)), "before {before}");
    }
    for wrong in ["before=8", "before=4&after=1"] {
        assert_eq!(played.get(&format!("/rows?{wrong}")).send().await.unwrap().status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_next_page_s_url_keeps_the_query() {
    let played = of("next_url: { next: next }").await;
    let mut url = format!("{}/rows?color=blue&limit=3", played.url);
    for (expected, is_last) in PAGES.iter().zip([false, false, true]) {
        let page = body(played.get(url.strip_prefix(&played.url).unwrap())).await;
        assert_eq!((ids(&page), page["next"].is_null()), (expected.to_vec(), is_last));
        url = page["next"].as_str().unwrap_or_default().to_owned();
    }
}

#[tokio::test]
async fn links_in_a_header() {
    let played = of("link: {}").await;
    let link = |page| format!("<{}/rows?color=blue&limit=3&page={page}>", played.url);
    let answer = played.get("/rows?color=blue&limit=3&page=2").send().await.unwrap();
    let expected = format!(
        "{}; rel=\"prev\", {}; rel=\"first\", {}; rel=\"next\", {}; rel=\"last\"",
        link(1),
        link(1),
        link(3),
        link(3)
    );
    assert_eq!(answer.headers()["link"], expected.as_str());
    assert_eq!(ids(&answer.json().await.unwrap()), [4, 5, 6]);
}

#[tokio::test]
async fn pages_are_never_larger_than_described() {
    let played = of("offset: { param: skip }").await;
    assert_eq!(ids(&body(played.get("/rows?limit=100")).await).len(), 3);
    for wrong in ["limit=0", "limit=-1", "limit=all", "skip=x"] {
        assert_eq!(played.get(&format!("/rows?{wrong}")).send().await.unwrap().status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_list_is_filtered_by_its_inputs() {
    let played = of("offset: { param: skip }").await;
    body(played.post("/rows").json(&json!({ "color": "red" }))).await;
    assert_eq!(ids(&body(played.get("/rows?color=red")).await), [8]);
}

#[tokio::test]
async fn a_repeated_cursor_leads_to_the_same_page() {
    let played = of("cursor: { param: cursor, next: next }").await;
    let page = |cursor: &str| {
        played.get(&format!("/rows?limit=3&cursor={cursor}")).header("sandbox-fault", "repeat-cursor")
    };
    let mut cursor = String::new();
    for _ in 0..3 {
        let page = body(page(&cursor)).await;
        assert_eq!(ids(&page), PAGES[0]);
        cursor = page["next"].as_str().expect("a cursor").to_owned();
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_objects() {
    let text =
        "operations: { rows.list: { get: /rows } }\nsandbox: { resources: { rows: { id: '{{ random }}' } } }";
    let objects = async |seed| {
        let records = [("example.rows".to_owned(), 2)].into();
        let played = Played::start(Options { seed, records, ..options(service(text)) }).await;
        played.sandbox.objects("example", "rows")
    };
    let first = objects(1).await;
    assert_eq!(first.len(), 2);
    assert_eq!(first, objects(1).await);
    assert_ne!(first, objects(2).await);
}
