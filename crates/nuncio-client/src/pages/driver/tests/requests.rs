use super::*;

/// The contexts that a service is called with.
async fn contexts(pages: &Pages, context: Context) -> Vec<Context> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let service = tower::service_fn(move |request: Request| {
        log.lock().unwrap().push(Context::of(&request));
        let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        std::future::ready(Ok::<_, Error>(cursor_page(&query.into_owned().collect(), 2)))
    });
    let mut request = first_page();
    request.extensions_mut().insert(context);
    run(pages.read(service, request).unwrap()).await;
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[tokio::test]
async fn each_page_is_a_call_with_its_own_history() {
    let context = Context { operation: Some("items.list".into()), ..Context::default() };
    let seen = contexts(&by_cursor(), context).await;
    seen[0].history.push(crate::Attempt::new(None, None, crate::Evidence::Unknown, Duration::ZERO));
    assert_eq!((seen[1].history.len(), seen[1].operation.as_deref()), (0, Some("items.list")));
}

#[tokio::test]
async fn pages_are_streamed_unless_they_are_to_be_read_whole() {
    let mut pages = by_cursor();
    assert_eq!(contexts(&pages, Context::default()).await[0].read, Read::Stream);
    pages.whole = true;
    let context = Context { read: Read::Whole { max_bytes: 7 }, ..Context::default() };
    assert_eq!(contexts(&pages, context).await[1].read, Read::Whole { max_bytes: 7 });
}

#[tokio::test]
async fn errors_name_the_operation() {
    let script = Script::new(|_| answer("[]"));
    let mut request = first_page();
    request.extensions_mut().insert(Context { operation: Some("items.list".into()), ..Context::default() });
    let error = run(by_cursor().read(script.service, request).unwrap()).await.error.unwrap();
    assert_eq!(error.to_string(), "items.list: page 1: no records at `data`: the body is an array of 0");
}

#[tokio::test]
async fn a_body_that_can_be_sent_only_once_is_refused() {
    let body = Body::once(stream::empty());
    let request = http::Request::post("https://api.example.com/search").body(body).unwrap();
    let script = Script::new(|_| answer("[]"));
    assert_eq!(by_cursor().read(script.service, request).unwrap_err().kind(), Kind::Configuration);
}

#[tokio::test]
async fn pages_and_their_end_are_events() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let observer = Observer::new(move |event| {
        log.lock().unwrap().push(match event {
            Event::Page { number, records } => format!("page {number}: {records}"),
            Event::PagesEnded { reason } => (*reason).to_owned(),
            other => format!("{other:?}"),
        });
    });
    contexts(&by_cursor(), Context { observer, ..Context::default() }).await;
    assert_eq!(*events.lock().unwrap(), ["page 1: 2", "page 2: 2", "no next cursor (page 2)"]);
}
