use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;

use super::*;
use crate::pages::{Completeness, More, Param, Place, Records, Size, Strategy};
use crate::{Body, Context, Kind, Observer, Read};

type Boxed = BoxCloneSyncService<Request, Response, Error>;

/// A service that answers by a function of the request, and the URLs it was asked for, without their origin.
struct Script {
    service: Boxed,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn new(answer: impl Fn(&BTreeMap<String, String>) -> Response + Send + Sync + 'static) -> Self {
        Self::async_new(move |query| std::future::ready(Ok(answer(&query))))
    }

    fn async_new<F>(answer: impl Fn(BTreeMap<String, String>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer = Arc::new(answer);
        let service = tower::service_fn(move |request: Request| {
            log.lock().unwrap().push(request.uri().path_and_query().unwrap().to_string());
            let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
            answer(query.into_owned().collect())
        });
        Self { service: Boxed::new(service), asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn read(&self, pages: &Pages) -> Items {
        pages.read(self.service.clone(), first_page()).unwrap()
    }

    async fn run(&self, pages: &Pages) -> Run {
        run(self.read(pages)).await
    }

    async fn resume(&self, pages: &Pages, checkpoint: &Checkpoint) -> Run {
        // As a file would keep it.
        let written = serde_json::to_string(checkpoint).unwrap();
        let checkpoint = serde_json::from_str(&written).unwrap();
        run(pages.resume(self.service.clone(), first_page(), checkpoint).unwrap()).await
    }
}

/// What came out of a stream.
#[derive(Debug, Default)]
struct Run {
    records: Vec<String>,
    checkpoints: Vec<Checkpoint>,
    verdict: Option<Verdict>,
    error: Option<Error>,
}

impl Run {
    fn ids(&self) -> Vec<u64> {
        let id = |record: &String| serde_json::from_str::<Value>(record).unwrap()["id"].as_u64().unwrap();
        self.records.iter().map(id).collect()
    }

    fn verdict(&self) -> &Verdict {
        self.verdict.as_ref().unwrap_or_else(|| panic!("no verdict: {:?}", self.error))
    }

    fn error(&self) -> &Error {
        self.error.as_ref().expect("an error")
    }

    fn last_checkpoint(&self) -> &Checkpoint {
        self.checkpoints.last().expect("a page")
    }
}

async fn run(mut items: Items) -> Run {
    let mut run = Run::default();
    while let Some(item) = items.next().await {
        match item {
            Ok(Item::Record(record)) => run.records.push(record.as_str().to_owned()),
            Ok(Item::Page(checkpoint)) => run.checkpoints.push(checkpoint),
            Ok(Item::End(verdict)) => run.verdict = Some(verdict),
            Err(error) => run.error = Some(error),
        }
    }
    run
}

fn first_page() -> Request {
    http::Request::get("https://api.example.com/items").body(Body::Empty).unwrap()
}

fn answer(body: impl Into<String>) -> Response {
    Response::new(Body::from(body.into()))
}

fn rows(ids: impl IntoIterator<Item = u64>) -> Value {
    ids.into_iter().map(|id| json!({ "id": id })).collect()
}

fn records() -> Records {
    Records::Array("data".parse().unwrap())
}

fn by_cursor() -> Pages {
    let next = Place::Body("next".parse().unwrap());
    Pages::new(Strategy::Cursor { param: Param::Query("cursor".into()), next }, records())
}

fn by_number() -> Pages {
    let param = Param::Query("page".into());
    Pages::new(Strategy::Page { param, start: 1, total_pages: None }, records())
}

fn by_offset(size: u64) -> Pages {
    let mut pages = Pages::new(Strategy::Offset { param: Param::Query("offset".into()) }, records());
    pages.size = Some(Size { param: Param::Query("limit".into()), value: size });
    pages
}

fn by_link() -> Pages {
    Pages::new(Strategy::Link, Records::Array(crate::json::Path::ROOT))
}

/// `count` pages of two records each, linked by cursors c2, c3, …
fn cursor_page(query: &BTreeMap<String, String>, count: u64) -> Response {
    let page: u64 = query.get("cursor").map_or(1, |cursor| cursor[1..].parse().unwrap());
    let next = (page < count).then(|| format!("c{}", page + 1));
    answer(json!({"data": rows([2 * page - 1, 2 * page]), "next": next}).to_string())
}

/// `total` rows by `offset` and `limit`, or by `page`, in tens.
fn counted_page(query: &BTreeMap<String, String>, total: u64) -> Response {
    let number = |name: &str| query.get(name).map(|text| text.parse::<u64>().unwrap());
    let from = number("offset").or_else(|| Some((number("page")? - 1) * 10)).unwrap_or_default();
    answer(json!({"data": rows(from.min(total)..(from + 10).min(total)), "total": total}).to_string())
}

fn broken_after(text: &'static str) -> Response {
    let broken = Err(Error::new(Kind::Connect, "the connection was reset"));
    Response::new(Body::once(stream::iter([Ok(text.into()), broken])))
}

fn bound(n: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(n)
}

#[tokio::test]
async fn every_record_comes_once_with_a_checkpoint_a_page_and_a_verdict() {
    let script = Script::new(|query| cursor_page(query, 3));
    let run = script.run(&by_cursor()).await;
    assert_eq!(run.ids(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(script.asked(), ["/items", "/items?cursor=c2", "/items?cursor=c3"]);
    let kept = serde_json::to_value(&run.checkpoints[0]).unwrap();
    let expected = json!({
        "pages": 1, "records": 2, "repeated": 0, "expected": null, "next": {"at": {"cursor": "c2"}}, "skip": 0,
    });
    assert_eq!(kept, expected);
    assert_eq!(run.last_checkpoint().next, Next::End(Stop::NoCursor));
    assert_eq!(run.verdict().completeness, Completeness::Complete);
    assert_eq!(run.verdict().progress.records, 6);
}

#[tokio::test]
async fn there_is_no_bound_on_pages_unless_one_is_set() {
    let script = Script::new(|query| cursor_page(query, 1500));
    let run = script.run(&by_cursor()).await;
    assert_eq!((run.records.len(), run.verdict().completeness), (3000, Completeness::Complete));
}

#[tokio::test]
async fn numbers_keep_every_digit() {
    let record = r#"{"id": 98765432109876543210987, "price": 1234567890.1234567890123, "rate": 0.10}"#;
    let script = Script::new(move |_| answer(format!("{{\"data\":[{record}]}}")));
    assert_eq!(script.run(&by_cursor()).await.records, [record]);
}

mod ends_that_are_not_the_services_own {
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
}

mod offsets_and_totals {
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
        let request =
            http::Request::get("https://api.example.com/items?offset=30").body(Body::Empty).unwrap();
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
}

mod bounds_and_resuming {
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
        assert_eq!(
            (first.ids(), script.asked().len()),
            (vec![1, 2, 3, 4], 2),
            "nothing is asked for in vain"
        );
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
}

mod streaming {
    use super::*;

    type Pieces = mpsc::UnboundedSender<Result<bytes::Bytes, Error>>;

    /// A body that a test writes while it is read.
    fn live() -> (Pieces, Response) {
        let (pieces, receiver) = mpsc::unbounded_channel();
        let body =
            stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
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
        let script =
            sequence(vec![answer(r#"{"data":[{"id":1},"#), answer(r#"{"data":[{"id":1},{"id":2}]}"#)]);
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
}

mod requests {
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
        seen[0].history.push(crate::Attempt::new(None, None, Duration::ZERO));
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
        request
            .extensions_mut()
            .insert(Context { operation: Some("items.list".into()), ..Context::default() });
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
}

mod adapters {
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
        assert_eq!(
            error.to_string(),
            "records are missing: the answer tells of more, but paging is not set up"
        );
    }

    #[tokio::test]
    async fn a_flag_that_says_more_without_a_cursor_ends_in_an_error() {
        let script = Script::new(|_| answer(r#"{"data":[{"id":1}],"more":true}"#));
        let mut pages = by_cursor();
        pages.more = Some(More::If("more".parse().unwrap()));
        let run = script.run(&pages).await;
        assert_eq!((run.ids(), run.error().kind(), run.checkpoints.len()), (vec![1], Kind::Pages, 0));
    }
}
