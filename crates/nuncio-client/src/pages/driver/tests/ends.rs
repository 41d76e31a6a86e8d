use super::*;

#[tokio::test]
async fn the_same_cursor_for_ever_is_an_error_that_names_the_page() {
    let script = Script::new(|_| answer(r#"{"data":[{"id":1}],"next":"again"}"#));
    let run = script.run(&by_cursor()).await;
    assert_eq!(run.error().kind(), Kind::Pages);
    assert_eq!(
        run.error().to_string(),
        r#"page 2: it leads back to the cursor "again", which was asked for before"#
    );
    assert_eq!((script.asked().len(), run.checkpoints.len(), run.verdict), (2, 1, None));
}

#[tokio::test]
async fn a_cycle_of_cursors_is_an_error() {
    let script = Script::new(|query| {
        let next = if query.get("cursor").is_some_and(|cursor| cursor == "a") { "b" } else { "a" };
        answer(json!({"data": [{"id": 1}], "next": next}).to_string())
    });
    let run = script.run(&by_cursor()).await;
    assert_eq!(
        run.error().to_string(),
        r#"page 3: it leads back to the cursor "a", which was asked for before"#
    );
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test]
async fn a_link_back_to_the_first_page_is_an_error() {
    let script = Script::new(|_| {
        let mut response = answer(r#"[{"id":1}]"#);
        response.headers_mut().insert("link", "</items>; rel=next".parse().unwrap());
        response
    });
    let error = script.run(&by_link()).await.error.unwrap();
    assert_eq!(
        error.to_string(),
        "page 1: it leads back to https://api.example.com/items, which was asked for before"
    );
}

#[tokio::test]
async fn a_service_that_ignores_the_page_number_is_found_out() {
    let script = Script::new(|_| answer(r#"{"data":[{"id":1},{"id":2}]}"#));
    let run = script.run(&by_number()).await;
    assert_eq!(run.error().to_string(), "page 2: it has the same records as the page before");
    assert_eq!(run.checkpoints.len(), 1, "the second page is not to be kept");
}

#[tokio::test]
async fn empty_pages_with_ever_new_cursors_end_in_an_error() {
    let script = Script::new(|query| {
        let next = query.get("cursor").map_or(1, |cursor| cursor.parse::<u64>().unwrap() + 1);
        answer(json!({"data": [], "next": next}).to_string())
    });
    let run = script.run(&by_cursor()).await;
    assert_eq!((run.error().kind(), script.asked().len()), (Kind::Pages, 1000));
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    for next in ["https://evil.example/items?page=2", "http://api.example.com/items?page=2"] {
        let script = Script::new(move |_| {
            let mut response = answer(r#"[{"id":1}]"#);
            response.headers_mut().insert("link", format!("<{next}>; rel=next").parse().unwrap());
            response
        });
        let run = script.run(&by_link()).await;
        assert_eq!(run.error().kind(), Kind::Pages, "{next}");
        assert_eq!((run.ids(), script.asked().len()), (vec![1], 1), "{next}");
    }
}

#[tokio::test]
async fn a_trusted_origin_is_followed() {
    let script = Script::new(|query| {
        let mut response = answer(json!([{"id": query.len()}]).to_string());
        if query.is_empty() {
            let link = "<https://eu.example.com/items?page=2>; rel=next";
            response.headers_mut().insert("link", link.parse().unwrap());
        }
        response
    });
    let mut pages = by_link();
    pages.trusted_origins = vec!["https://eu.example.com".parse().unwrap()];
    assert_eq!(script.run(&pages).await.ids(), [0, 1]);
}

#[tokio::test]
async fn html_under_200_is_an_error_with_an_excerpt() {
    let script = Script::new(|query| match query.get("cursor") {
        None => answer(r#"{"data":[{"id":1}],"next":"c2"}"#),
        Some(_) => answer("<html><body>Down for maintenance</body></html>"),
    });
    let run = script.run(&by_cursor()).await;
    assert_eq!(run.ids(), [1], "what came before it is kept");
    assert_eq!(run.error().kind(), Kind::Decode);
    assert_eq!(run.error().to_string(), "page 2: the body is not JSON: unexpected '<' at byte 0");
    let report = run.error().report();
    assert!(report.contains("server said: <html><body>Down for maintenance"), "{report}");
    assert!(report.contains("request: GET https://api.example.com/items?cursor=c2"), "{report}");
}

#[tokio::test]
async fn a_wrong_path_to_the_records_is_an_error_with_an_excerpt() {
    let script = Script::new(|_| answer(r#"{"items":[{"id":1}],"count":1}"#));
    let error = script.run(&by_cursor()).await.error.unwrap();
    assert_eq!(error.kind(), Kind::Decode);
    assert_eq!(
        error.to_string(),
        "page 1: no records at `data`: the body is an object with the keys items, count"
    );
    assert!(error.report().contains(r#"server said: {"items":[{"id":1}],"count":1}"#));
}

#[tokio::test]
async fn errors_beside_null_data_are_not_zero_records() {
    let body = r#"{"errors":[{"message":"x","extensions":{"code":"THROTTLED"}}],"data":null}"#;
    let script = Script::new(move |_| answer(body));
    let pages = Pages::connection(&"data.orders".parse().unwrap(), "after");
    let error = script.run(&pages).await.error.unwrap();
    assert_eq!(error.kind(), Kind::Decode);
    assert!(error.report().contains("THROTTLED"));
}

#[tokio::test]
async fn a_failed_answer_is_an_error_and_never_a_page() {
    let script = Script::new(|_| {
        let mut response = answer(r#"{"data":[]}"#);
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    });
    let error = script.run(&by_cursor()).await.error.unwrap();
    assert_eq!((error.kind(), error.status()), (Kind::Status, Some(StatusCode::BAD_REQUEST)));
}

#[tokio::test]
async fn a_panic_in_the_service_is_an_error_and_not_a_quiet_end() {
    let script = Script::new(|_| panic!("made up"));
    assert_eq!(script.run(&by_cursor()).await.error().kind(), Kind::Pages);
}

#[tokio::test]
async fn no_content_is_a_page_without_records() {
    let script = Script::new(|_| {
        let mut response = answer("");
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    });
    assert_eq!(script.run(&by_cursor()).await.verdict().stop, Stop::NoCursor);
}
