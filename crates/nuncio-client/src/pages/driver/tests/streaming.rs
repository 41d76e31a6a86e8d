use super::*;

type Pieces = mpsc::UnboundedSender<Result<bytes::Bytes, Error>>;

/// A body that a test writes while it is read.
fn live() -> (Pieces, Response) {
    let (pieces, receiver) = mpsc::unbounded_channel();
    let body = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    (pieces, Response::new(Body::once(body)))
}

/// A service that answers with `responses`, one after the other.
fn sequence(responses: Vec<Response>) -> Script {
    let responses = Mutex::new(responses.into_iter());
    Script::new(move |_| responses.lock().unwrap().next().expect("no further request"))
}

fn id(item: Option<Result<Item, Error>>) -> String {
    match item {
        Some(Ok(Item::Record(record))) => record.as_str().to_owned(),
        other => panic!("a record, not {other:?}"),
    }
}

#[tokio::test]
async fn records_go_out_while_the_body_comes_in() {
    let (pieces, response) = live();
    let mut items = sequence(vec![response]).read(&by_cursor());
    pieces.send(Ok(r#"{"data":[{"id":1},{"id"#.into())).unwrap();
    assert_eq!(id(items.next().await), r#"{"id":1}"#);
    pieces.send(Ok(r#"":2}]}"#.into())).unwrap();
    drop(pieces);
    assert_eq!(id(items.next().await), r#"{"id":2}"#);
    assert!(matches!(items.next().await, Some(Ok(Item::Page(_)))));
    assert!(matches!(items.next().await, Some(Ok(Item::End(_)))));
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn the_next_page_is_asked_for_while_the_last_one_is_read() {
    let script = Script::new(|query| cursor_page(query, 2));
    let mut items = script.read(&by_cursor());
    assert_eq!(id(items.next().await), r#"{"id":1}"#);
    while script.asked().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(id(items.next().await), r#"{"id":2}"#, "the first page was not used up");
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_holds_the_body_back() {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let body = stream::iter(0..1000).map(move |n| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(format!("{}{{\"id\":{n}}}", if n == 0 { "{\"data\":[" } else { "," }).into())
    });
    let mut items = sequence(vec![Response::new(Body::once(body))]).read(&by_cursor());
    assert_eq!(id(items.next().await), r#"{"id":0}"#);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(read.load(Ordering::SeqCst) < 10, "{read:?} pieces were read for one record");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_read_again_and_nothing_comes_twice() {
    let script = sequence(vec![
        broken_after(r#"{"data":[{"id":1},{"id":2},{"i"#),
        broken_after(r#"{"data":[{"id""#),
        answer(r#"{"data":[{"id":1},{"id":2},{"id":3}]}"#),
    ]);
    let run = script.run(&by_cursor()).await;
    assert_eq!(run.ids(), [1, 2, 3]);
    assert_eq!(run.verdict().completeness, Completeness::Complete);
    assert_eq!(run.verdict().progress, Progress { pages: 1, records: 3, ..Progress::default() });
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_too_early_is_read_again() {
    let script = sequence(vec![answer(r#"{"data":[{"id":1},"#), answer(r#"{"data":[{"id":1},{"id":2}]}"#)]);
    assert_eq!(script.run(&by_cursor()).await.ids(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_every_time_is_an_error() {
    let script = Script::new(|_| broken_after(r#"{"data":[{"id":1},"#));
    let run = script.run(&by_cursor()).await;
    assert_eq!((run.ids(), script.asked().len()), (vec![1], 3));
    assert_eq!(run.error().to_string(), "page 1: the connection was reset");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_changed_while_it_was_read_again_is_an_error() {
    let start = r#"{"data":[{"id":1},{"id":2},"#;
    for second in [r#"{"data":[{"id":9},{"id":2},{"id":3}]}"#, r#"{"data":[{"id":1}]}"#] {
        let run = sequence(vec![broken_after(start), answer(second)]).run(&by_cursor()).await;
        assert_eq!(run.ids(), [1, 2], "{second}");
        assert_eq!(
            run.error().to_string(),
            "page 1: the page changed while it was read again after it had broken off"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_page_that_breaks_off_skips_what_was_given_out_before() {
    let script = Script::new(|query| cursor_page(query, 3));
    let mut pages = by_cursor();
    pages.max_records = bound(1);
    let first = script.run(&pages).await;
    pages.max_records = None;
    let script = sequence(vec![
        broken_after(r#"{"data":[{"id":1},{"id":2},"#),
        answer(r#"{"data":[{"id":1},{"id":2},{"id":3}]}"#),
    ]);
    assert_eq!(script.resume(&pages, first.last_checkpoint()).await.ids(), [2, 3]);
}

#[tokio::test]
async fn dropping_the_stream_ends_the_exchange() {
    let (sender, dropped) = oneshot::channel::<()>();
    let sender = Arc::new(Mutex::new(Some(sender)));
    let script = Script::async_new(move |_| {
        let held = sender.lock().unwrap().take();
        async move {
            std::future::pending::<()>().await;
            drop(held);
            unreachable!()
        }
    });
    let mut items = script.read(&by_cursor());
    assert!(items.next().now_or_never().is_none());
    while script.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(items);
    assert!(dropped.await.is_err(), "the exchange was dropped");
}

#[tokio::test]
async fn nothing_is_sent_before_the_stream_is_polled() {
    let script = Script::new(|query| cursor_page(query, 2));
    let _items = script.read(&by_cursor());
    tokio::task::yield_now().await;
    assert!(script.asked().is_empty());
}
