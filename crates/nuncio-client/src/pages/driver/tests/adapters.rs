use super::*;

#[derive(Debug, serde::Deserialize, PartialEq)]
struct Row {
    id: u64,
}

#[tokio::test]
async fn records_come_typed() {
    let script = Script::new(|query| cursor_page(query, 2));
    let rows: Vec<Row> = script.read(&by_cursor()).records().try_collect().await.unwrap();
    assert_eq!(rows, [1, 2, 3, 4].map(|id| Row { id }));
    let script = Script::new(|_| answer(r#"{"data":["x"]}"#));
    let first = script.read(&by_cursor()).records::<Row>().next().await;
    assert_eq!(first.unwrap().unwrap_err().kind(), Kind::Decode);
}

#[tokio::test]
async fn records_come_by_page() {
    let script = Script::new(|query| cursor_page(query, 2));
    let pages: Vec<_> = script.read(&by_cursor()).pages().try_collect().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(pages[0].checkpoint.next, Next::At(Position::Cursor("c2".into())));
}

#[tokio::test]
async fn a_list_that_was_cut_short_by_itself_ends_in_an_error() {
    let script = Script::new(|_| {
        let mut response = answer(r#"[{"id":1}]"#);
        response.headers_mut().insert("link", "</items?page=2>; rel=next".parse().unwrap());
        response
    });
    let pages = Pages::new(Strategy::Single, Records::Array(crate::json::Path::ROOT));
    let error = script.read(&pages).raw_records().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.to_string(), "records are missing: the answer tells of more, but paging is not set up");
}

#[tokio::test]
async fn a_flag_that_says_more_without_a_cursor_ends_in_an_error() {
    let script = Script::new(|_| answer(r#"{"data":[{"id":1}],"more":true}"#));
    let mut pages = by_cursor();
    pages.more = Some(More::If("more".parse().unwrap()));
    let run = script.run(&pages).await;
    assert_eq!((run.ids(), run.error().kind(), run.checkpoints.len()), (vec![1], Kind::Pages, 0));
}
