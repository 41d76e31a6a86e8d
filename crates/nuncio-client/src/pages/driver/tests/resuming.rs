use super::*;

#[tokio::test]
async fn a_failure_on_a_page_resumes_at_that_page() {
    let failing = Arc::new(AtomicUsize::new(1));
    let fails = Arc::clone(&failing);
    let script = Script::new(move |query| {
        if query.get("cursor").is_some_and(|cursor| cursor == "c3") && fails.load(Ordering::SeqCst) == 1 {
            return http::Response::builder().status(400).body(Body::Empty).unwrap();
        }
        cursor_page(query, 7)
    });
    let first = script.run(&by_cursor()).await;
    assert_eq!(first.ids(), [1, 2, 3, 4]);
    assert_eq!(first.error().to_string(), "page 3: the service answered 400 Bad Request");

    failing.store(0, Ordering::SeqCst);
    let second = script.resume(&by_cursor(), first.last_checkpoint()).await;
    assert_eq!(second.ids(), (5..=14).collect::<Vec<_>>());
    assert_eq!(script.asked()[3], "/items?cursor=c3");
    let progress = second.verdict().progress;
    assert_eq!((progress.pages, progress.records), (7, 14), "the first run counts");
}

#[tokio::test]
async fn a_pull_that_ended_is_not_asked_for_again() {
    let script = Script::new(|query| cursor_page(query, 2));
    let first = script.run(&by_cursor()).await;
    let second = script.resume(&by_cursor(), first.last_checkpoint()).await;
    assert_eq!((second.records.len(), script.asked().len()), (0, 2));
    assert_eq!(second.verdict, first.verdict);
}

#[tokio::test]
async fn a_bound_on_pages_is_announced_and_can_be_raised() {
    let script = Script::new(|query| cursor_page(query, 5));
    let mut pages = by_cursor();
    pages.max_pages = bound(2);
    let first = script.run(&pages).await;
    assert_eq!((first.ids(), script.asked().len()), (vec![1, 2, 3, 4], 2), "nothing is asked for in vain");
    assert_eq!(
        (first.verdict().completeness, first.verdict().stop),
        (Completeness::Truncated, Stop::MaxPages)
    );
    pages.max_pages = bound(4);
    assert_eq!(script.resume(&pages, first.last_checkpoint()).await.ids(), [5, 6, 7, 8]);
}

#[tokio::test]
async fn a_bound_on_records_within_a_page_can_be_raised() {
    let script = Script::new(|query| cursor_page(query, 3));
    let mut pages = by_cursor();
    pages.max_records = bound(3);
    let first = script.run(&pages).await;
    assert_eq!((first.ids(), first.verdict().stop), (vec![1, 2, 3], Stop::MaxRecords));
    pages.max_records = None;
    let second = script.resume(&pages, first.last_checkpoint()).await;
    assert_eq!(second.ids(), [4, 5, 6]);
    assert_eq!((second.verdict().progress.records, second.verdict().progress.pages), (6, 3));
}

#[tokio::test]
async fn a_bound_that_is_met_by_the_last_record_truncates_nothing() {
    let script = Script::new(|query| cursor_page(query, 2));
    let mut pages = by_cursor();
    pages.max_records = bound(4);
    assert_eq!(script.run(&pages).await.verdict().completeness, Completeness::Complete);
    pages.max_records = bound(2);
    let run = script.run(&pages).await;
    assert_eq!((run.ids(), run.verdict().stop), (vec![1, 2], Stop::MaxRecords));
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn there_is_a_pause_before_each_further_page() {
    let script = Script::new(|query| cursor_page(query, 3));
    let mut pages = by_cursor();
    pages.delay = Duration::from_millis(200);
    let start = Instant::now();
    script.run(&pages).await;
    assert_eq!(start.elapsed(), Duration::from_millis(400));
}
