use super::*;

/// 50 rows of which the server shows 49: row 13 is filtered after counting.
fn filtered(query: &BTreeMap<String, String>) -> Response {
    let from: u64 = query["offset"].parse().unwrap();
    let shown = (from.min(50)..(from + 10).min(50)).filter(|id| *id != 13);
    answer(json!({ "data": rows(shown) }).to_string())
}

#[tokio::test]
async fn rows_that_the_server_filters_neither_end_nor_shift_the_pages() {
    let script = Script::new(filtered);
    let run = script.run(&by_offset(10)).await;
    assert_eq!(run.ids(), (0..50).filter(|id| *id != 13).collect::<Vec<_>>());
    assert_eq!(run.verdict().completeness, Completeness::Complete);
    assert_eq!(script.asked()[..2], ["/items?limit=10&offset=0", "/items?limit=10&offset=10"]);
}

#[tokio::test]
async fn a_page_size_that_the_service_caps_is_an_error_and_not_a_gap() {
    // Asked for 100, the service gives 10 of 50 (and of 500).
    for total in [50, 500] {
        let script = Script::new(move |query| {
            let from = query["offset"].parse::<u64>().unwrap().min(total);
            answer(json!({ "data": rows(from..(from + 10).min(total)) }).to_string())
        });
        let run = script.run(&by_offset(100)).await;
        assert_eq!(run.error().kind(), Kind::Pages);
        assert_eq!(run.error().advice(), Some("ask for 10 records a page"));
        assert_eq!(run.checkpoints.len(), 0);
    }
}

#[tokio::test]
async fn a_short_list_needs_no_further_request() {
    let script = Script::new(|query| counted_page(query, 5));
    let run = script.run(&by_offset(10)).await;
    assert_eq!((run.ids(), run.verdict().stop), ((0..5).collect(), Stop::EmptyPage));
    assert_eq!(script.asked(), ["/items?limit=10&offset=0", "/items?limit=10&offset=5"]);
    let mut pages = by_offset(10);
    pages.total = Some(Place::Body("total".parse().unwrap()));
    assert_eq!(script.run(&pages).await.verdict().stop, Stop::TotalReached);
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test]
async fn rows_hidden_on_the_first_page_are_no_cap() {
    for hidden in [vec![3], vec![9], vec![0, 8, 9], (1..10).collect(), (5..14).collect()] {
        let shown: Vec<u64> = (0..35).filter(|id| !hidden.contains(id)).collect();
        let visible = shown.clone();
        let script = Script::new(move |query| {
            let from: u64 = query["offset"].parse().unwrap();
            let page = visible.iter().copied().filter(|id| (from..from + 10).contains(id));
            answer(json!({ "data": rows(page) }).to_string())
        });
        let run = script.run(&by_offset(10)).await;
        assert_eq!(run.ids(), shown, "{hidden:?}");
        assert_eq!(run.verdict().completeness, Completeness::Complete);
    }
}

#[tokio::test]
async fn fewer_records_than_the_total_are_not_called_complete() {
    let script = Script::new(|query| {
        let mut response = filtered(query);
        response.headers_mut().insert("x-total-count", "50".parse().unwrap());
        response
    });
    let mut pages = by_offset(10);
    pages.total = Some(Place::Header("x-total-count".parse().unwrap()));
    let run = script.run(&pages).await;
    assert_eq!((run.records.len(), script.asked().len()), (49, 5));
    assert_eq!(run.verdict().completeness, Completeness::Incomplete);
    let mut records = script.read(&pages).raw_records();
    assert_eq!(records.by_ref().take(49).try_collect::<Vec<_>>().await.unwrap().len(), 49);
    assert_eq!(records.next().await.unwrap().unwrap_err().kind(), Kind::Pages);
}

#[tokio::test]
async fn rows_that_moved_between_two_pages_make_it_doubtful() {
    let script = Script::new(|query| match query["page"].as_str() {
        "1" => answer(r#"{"data":[{"id":1},{"id":2}]}"#),
        "2" => answer(r#"{"data":[{"id":2},{"id":3}]}"#),
        _ => answer(r#"{"data":[]}"#),
    });
    let run = script.run(&by_number()).await;
    assert_eq!(run.verdict().completeness, Completeness::Doubtful);
    assert_eq!(run.verdict().progress.repeated, 1);
}

#[tokio::test]
async fn a_list_that_is_begun_in_the_middle_is_not_compared_with_its_total() {
    let script = Script::new(|query| counted_page(query, 45));
    let mut pages = by_offset(10);
    pages.total = Some(Place::Body("total".parse().unwrap()));
    let request = http::Request::get("https://api.example.com/items?offset=30").body(Body::Empty).unwrap();
    let run = run(pages.read(script.service.clone(), request).unwrap()).await;
    assert_eq!((run.records.len(), run.verdict().completeness), (15, Completeness::Complete));
}

#[tokio::test(start_paused = true)]
async fn pages_below_a_known_total_are_fetched_at_once_and_come_in_order() {
    let in_flight = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&in_flight), Arc::clone(&most));
    let script = Script::async_new(move |query| {
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let page: u64 = query["page"].parse().unwrap();
            // Later pages are answered sooner.
            tokio::time::sleep(Duration::from_millis(1000 - 10 * page)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(counted_page(&query, 95))
        }
    });
    let mut pages = by_number();
    pages.total = Some(Place::Body("total".parse().unwrap()));
    pages.parallel = NonZeroUsize::new(4).unwrap();
    let run = script.run(&pages).await;
    assert_eq!(run.ids(), (0..95).collect::<Vec<_>>());
    assert_eq!(run.verdict().completeness, Completeness::Complete);
    assert_eq!((most.load(Ordering::SeqCst), script.asked().len()), (4, 10));
    let order: Vec<u64> = run.checkpoints.iter().map(|checkpoint| checkpoint.progress.pages).collect();
    assert_eq!(order, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn parallel_pages_respect_the_bounds() {
    let script = Script::new(|query| counted_page(query, 1000));
    let mut pages = by_offset(10);
    pages.total = Some(Place::Body("total".parse().unwrap()));
    pages.parallel = NonZeroUsize::new(8).unwrap();
    pages.max_pages = bound(3);
    assert_eq!(script.run(&pages).await.verdict().completeness, Completeness::Truncated);
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test]
async fn a_total_that_no_answer_tells_is_doubtful() {
    let script = Script::new(|query| counted_page(query, 25));
    let mut pages = by_offset(10);
    pages.total = Some(Place::Body("totl".parse().unwrap()));
    let run = script.run(&pages).await;
    let verdict = run.verdict();
    assert_eq!(verdict.completeness, Completeness::Doubtful);
    assert_eq!(verdict.reasons, ["no answer told the total at `totl`: check its place"]);
}
