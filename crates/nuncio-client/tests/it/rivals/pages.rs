//! From one page to the next: what the last one says, and whether it can be true.

use futures_util::{StreamExt as _, TryStreamExt as _};
use nuncio_client::auth::Auth;
use nuncio_client::pages::{Item, Items};
use nuncio_client::{Kind, json};

use super::*;

/// The records as text, and the error at the end if there was one.
async fn read(items: Items) -> (Vec<String>, Option<Error>) {
    let (mut records, mut stream) = (Vec::new(), items.raw_records());
    while let Some(record) = stream.next().await {
        match record {
            Ok(record) => records.push(record.as_str().to_owned()),
            Err(error) => return (records, Some(error)),
        }
    }
    (records, None)
}

/// Reads pages by cursor from `page(cursor)`.
async fn by_cursors(
    page: impl Fn(Option<String>) -> Response + Send + Sync + 'static,
) -> (Vec<String>, Option<Error>, usize) {
    let (builder, log) = serve(move |_, request| page(param(request, "cursor")));
    let items = builder.build().expect("valid").get("/items").pages(&by_cursor()).expect("valid");
    let (records, error) = read(items).await;
    (records, error, log.len())
}

// gh: misses `rel=next` without quotes, other parameters first, and several relations in one.
#[tokio::test(start_paused = true)]
async fn a_link_is_found_in_all_its_forms() {
    let forms = [
        r#"</x?page=2>; rel="next""#,
        r"</x?page=2>; rel=next",
        r#"</x?page=2>; title="a, b; rel=prev"; rel="next""#,
        r#"</x?page=2>; rel="last next""#,
        r#"</x?page=9>; rel="last", <https://api.example.com/x?page=2>;REL=NEXT"#,
    ];
    for form in forms {
        let (builder, log) = serve(move |n, _| {
            let links = [("link", form)];
            answer(200, if n == 0 { &links } else { &[] }, format!("[{n}]"))
        });
        let pages = Pages::new(Strategy::Link, Records::Array(json::Path::ROOT));
        let items = builder.build().expect("valid").get("/x").pages(&pages).expect("valid");
        assert_eq!(
            items.records::<usize>().try_collect::<Vec<_>>().await.expect("two pages"),
            [0, 1],
            "{form}"
        );
        assert_eq!(log.map(Seen::uri).last().map(String::as_str), Some("https://api.example.com/x?page=2"));
    }
}

// Airbyte and dlt loop for ever and end well; faucet stops with a warning and ends well.
#[tokio::test(start_paused = true)]
async fn the_same_cursor_again_is_an_error() {
    let (records, error, requests) = by_cursors(|_| ok(r#"{"data":[1],"next":"a"}"#)).await;
    assert_eq!(error.expect("a loop").kind(), Kind::Pages);
    assert!(records.len() <= 2 && requests <= 2, "{records:?}, {requests} requests");
}

// All but faucet 1.17 loop for ever, and that one ends well.
#[tokio::test(start_paused = true)]
async fn a_cycle_of_cursors_is_an_error() {
    let page = |cursor: Option<String>| match cursor.as_deref() {
        None | Some("b") => ok(r#"{"data":[1],"next":"a"}"#),
        _ => ok(r#"{"data":[2],"next":"b"}"#),
    };
    let (_, error, requests) = by_cursors(page).await;
    assert_eq!(error.expect("a cycle").kind(), Kind::Pages);
    assert!(requests <= 4, "{requests} requests");
}

// Airbyte: a page of HTML is `{}`, so the stream is complete with the records before it.
#[tokio::test(start_paused = true)]
async fn html_under_200_on_the_second_page_is_an_error_and_the_first_page_is_kept() {
    let page = |cursor: Option<String>| match cursor {
        None => ok(r#"{"data":[1],"next":"a"}"#),
        Some(_) => answer(200, &[("content-type", "text/html")], "<h1>Maintenance</h1>"),
    };
    let (records, error, _) = by_cursors(page).await;
    assert_eq!((records, error.expect("no JSON").kind()), (vec!["1".to_owned()], Kind::Decode));
}

// Airbyte, dlt, Singer: no records, and all is well.
#[tokio::test(start_paused = true)]
async fn records_that_are_not_where_they_should_be_are_an_error_that_names_the_place() {
    let (records, error, _) = by_cursors(|_| ok(r#"{"items":[1,2]}"#)).await;
    let report = error.expect("no `data`").report();
    assert!(records.is_empty() && report.contains("`data`") && report.contains("items"), "{report}");
}

// Airbyte: decoders that stream hide from the paginator what stands behind the records.
#[tokio::test(start_paused = true)]
async fn a_cursor_behind_the_records_of_a_streamed_page_is_seen() {
    let page = |cursor: Option<String>| {
        let rest = if cursor.is_none() { r#"],"next":"a"}"# } else { r#"],"next":null}"# };
        let pieces =
            [r#"{"data":[1"#, ",2", ",3", rest].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        Response::new(Body::once(futures_util::stream::iter(pieces)))
    };
    let (records, error, requests) = by_cursors(page).await;
    assert_eq!((records.len(), error.map(|error| error.report()), requests), (6, None, 2));
}

// Airbyte, dlt, Singer, faucet 1.10: the token goes to whatever host the answer names.
#[tokio::test(start_paused = true)]
async fn a_next_link_to_another_host_is_not_followed_and_the_token_stays_home() {
    let (builder, log) = serve(|_, _| ok(r#"{"data":[1],"next":"https://evil.example/items?page=2"}"#));
    let strategy = Strategy::NextUrl { next: "next".parse().expect("a path") };
    let pages = Pages::new(strategy, Records::Array("data".parse().expect("a path")));
    let client = builder.auth(Auth::bearer("made-up-token".to_owned().into())).build().expect("valid");
    let (records, error) = read(client.get("/items").pages(&pages).expect("valid")).await;
    let error = error.expect("another origin");
    assert_eq!((records, error.kind()), (vec!["1".to_owned()], Kind::Pages));
    assert!(error.report().contains("evil.example"), "{}", error.report());
    assert_eq!(log.map(Seen::uri), ["https://api.example.com/items"]);
}

// Airbyte: the state has no cursor; dlt, Singer: no state at all. Each begins anew with page 1.
#[tokio::test(start_paused = true)]
async fn a_list_that_failed_on_page_3_is_taken_up_on_page_3() {
    let page = |n: usize, request: &http::Request<Bytes>| {
        let page: u64 = param(request, "cursor").map_or(1, |cursor| cursor.parse().expect("our cursor"));
        match (n, page) {
            (2, 3) => answer(400, &[], "not today"),
            (_, 7) => ok(r#"{"data":[7],"next":null}"#),
            _ => ok(format!(r#"{{"data":[{page}],"next":"{}"}}"#, page + 1)),
        }
    };
    let (builder, log) = serve(page);
    let client = builder.build().expect("valid");
    let mut items = client.get("/items").pages(&by_cursor()).expect("valid");
    let (mut checkpoint, mut failed) = (None, false);
    while let Some(item) = items.next().await {
        match item {
            Ok(Item::Page(behind)) => checkpoint = Some(behind),
            Ok(_) => {}
            Err(_) => failed = true,
        }
    }
    assert!(failed && log.len() == 3);

    // As a file keeps it.
    let kept = serde_json::to_string(&checkpoint.expect("two pages")).expect("JSON");
    let checkpoint = serde_json::from_str(&kept).expect("our JSON");
    let rest = client.get("/items").resume(&by_cursor(), checkpoint).expect("valid");
    assert_eq!(read(rest).await.0, ["3", "4", "5", "6", "7"]);
    let again: Vec<String> = log.map(Seen::uri).split_off(3);
    assert_eq!((again.len(), again[0].as_str()), (5, "https://api.example.com/items?cursor=3"));
}
