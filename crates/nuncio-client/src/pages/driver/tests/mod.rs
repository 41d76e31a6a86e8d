mod adapters;
mod ends;
mod kills;
mod requests;
mod resuming;
mod streaming;
mod totals;

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
