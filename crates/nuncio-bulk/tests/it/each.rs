use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderName, Method, StatusCode};
use nuncio_bulk::each::{DEFAULT_KEY_LIFETIME, Item, Options, Summary};
use nuncio_bulk::{Error, Format, each};
use nuncio_client::retry::Policy;
use nuncio_client::{Body, Call, Client, Clock, Request, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Barrier, Notify};

const KEY: &str = "idempotency-key";

/// A service that does what it is asked once a key, and every time without one.
#[derive(Clone, Default)]
struct Shop(Arc<Mutex<Done>>);

#[derive(Default)]
struct Done {
    /// How often each item was done.
    times: HashMap<String, u32>,
    keys: HashMap<String, String>,
    requests: u32,
    /// The keys of each item's requests.
    sent: HashMap<String, Vec<Option<String>>>,
    under_way: usize,
    /// After how many events to ring the bell.
    alarm: u32,
    bell: Arc<Notify>,
}

impl Shop {
    fn client(&self, keyed: bool) -> Client {
        let shop = self.clone();
        let service = tower::service_fn(move |request: Request| {
            let shop = shop.clone();
            async move { Ok::<_, nuncio_client::Error>(shop.answer(request).await) }
        });
        let mut builder = Client::builder()
            .base_url("https://api.example.com")
            .retry(Policy { attempts: NonZeroU32::MIN, ..Policy::default() })
            .transport(service);
        if keyed {
            builder = builder.idempotency_header(HeaderName::from_static(KEY));
        }
        builder.build().unwrap()
    }

    async fn answer(self, request: Request) -> Response {
        let id = request.uri().path().trim_start_matches('/').to_owned();
        let key = request.headers().get(KEY).map(|key| key.to_str().unwrap().to_owned());
        self.with(|done| {
            done.requests += 1;
            done.sent.entry(id.clone()).or_default().push(key.clone());
            done.under_way += 1;
        });
        self.event().await;
        let status = self.with(|done| match id.as_str() {
            "refused" => StatusCode::UNPROCESSABLE_ENTITY,
            "broken" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => {
                if key.as_ref().is_none_or(|key| done.keys.insert(key.clone(), id.clone()).is_none()) {
                    *done.times.entry(id.clone()).or_default() += 1;
                }
                StatusCode::CREATED
            }
        });
        self.event().await;
        self.with(|done| done.under_way -= 1);
        let mut response = Response::new(Body::from(format!("{{\n\"id\": \"{id}\", \"amount\": 1.10}}")));
        *response.status_mut() = status;
        response.headers_mut().insert("x-request-id", "r1".parse().unwrap());
        response
    }

    /// Whatever may happen here, a kill among it, happens.
    async fn event(&self) {
        self.count();
        tokio::task::yield_now().await;
    }

    fn count(&self) {
        self.with(|done| {
            done.alarm = done.alarm.wrapping_sub(1);
            if done.alarm == 0 {
                done.bell.notify_one();
            }
        });
    }

    /// Rings after so many events.
    fn alarm(&self, events: u32) -> impl Future<Output = ()> + use<> {
        let bell = Arc::new(Notify::new());
        self.with(|done| (done.alarm, done.bell) = (events, Arc::clone(&bell)));
        async move { bell.notified().await }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Done) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }
}

fn post(client: Client) -> impl Fn(&Item) -> Result<Call, nuncio_client::Error> {
    move |item| {
        let id = item
            .value
            .get("id")
            .and_then(Value::as_str)
            .ok_or_else(|| nuncio_client::Error::configuration("the item has no id"))?;
        Ok(client.call(Method::POST, format!("/{id}")))
    }
}

fn options(dir: &TempDir) -> Options {
    Options::new(dir.path().join("run"), "shop orders.create")
}

async fn run(input: &str, options: Options, client: Client) -> Result<Summary, Error> {
    each(io::Cursor::new(input.to_owned()), options, post(client), |_| {}, pending()).await
}

fn items(count: usize) -> String {
    (0..count).map(|n| format!("{{\"id\": \"o{n}\"}}\n")).collect()
}

/// The lines of a file by their index.
fn lines(path: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| line["index"].as_u64());
    lines
}

fn indexes(path: &PathBuf) -> Vec<u64> {
    lines(path).iter().map(|line| line["index"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn each_item_has_its_result_or_its_failure() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let input =
        "{\"id\": \"o1\"}\n{\"id\": \"refused\"}\n\n{\"id\": \"broken\"}\n{\"id\":\n{\"name\": 1.10}\n";
    let summary = run(input, options(&dir), shop.client(false)).await.unwrap();
    assert_eq!((summary.complete, summary.ok, summary.failed, summary.unknown), (false, 1, 3, 1));

    let results = std::fs::read_to_string(options(&dir).results).unwrap();
    assert_eq!(results, "{\"index\":0,\"status\":201,\"body\":{\"id\": \"o1\", \"amount\": 1.10}}\n");

    let failures = lines(&options(&dir).failures);
    let told: Vec<_> = failures
        .iter()
        .map(|line| {
            (line["index"].clone(), line["line"].clone(), line["fate"].clone(), line["error"]["kind"].clone())
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            [1, 2, "rejected", "status"],
            [2, 4, "unknown", "status"],
            [3, 5, "never_sent", "validation"],
            [4, 6, "never_sent", "configuration"],
        ])
    );
    assert_eq!(failures[0]["error"]["request_id"], "r1");
    assert_eq!((&failures[0]["item"], &failures[2]["item"]), (&json!({"id": "refused"}), &json!("{\"id\":")));
}

#[tokio::test]
async fn rows_of_csv_are_items() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let mut options = options(&dir);
    options.format = Format::Csv;
    let summary = run("id,name\no1,Ada\no2,Grace\n", options, shop.client(false)).await.unwrap();
    assert!(summary.complete);
    assert_eq!(shop.with(|done| done.times.clone()), HashMap::from([("o1".into(), 1), ("o2".into(), 1)]));
}

#[tokio::test]
async fn as_many_calls_are_under_way_as_allowed() {
    let dir = TempDir::new().unwrap();
    let (three, most) = (Arc::new(Barrier::new(3)), Arc::new(Mutex::new((0, 0))));
    let counted = Arc::clone(&most);
    let service = tower::service_fn(move |_: Request| {
        let (three, counted) = (Arc::clone(&three), Arc::clone(&counted));
        async move {
            let count = |by: i32| {
                let (now, most) = &mut *counted.lock().unwrap();
                *now += by;
                *most = (*most).max(*now);
            };
            count(1);
            // With fewer than three at a time this waits for ever.
            three.wait().await;
            count(-1);
            Ok::<_, nuncio_client::Error>(Response::new(Body::Empty))
        }
    });
    let client = Client::builder().base_url("https://api.example.com").transport(service).build().unwrap();
    let mut options = options(&dir);
    options.concurrency = 3.try_into().unwrap();
    assert!(run(&items(21), options, client).await.unwrap().complete);
    assert_eq!(*most.lock().unwrap(), (0, 3));
}

/// Kills runs until one gets to the end.
async fn killed_anywhere(seed: u64, dir: &TempDir, shop: &Shop, keyed: bool) -> Summary {
    let mut random = fastrand::Rng::with_seed(seed);
    let input = items(40);
    loop {
        let killed = shop.alarm(random.u32(1..80));
        let input = io::Cursor::new(input.clone());
        let run = each(input, options(dir), post(shop.client(keyed)), |_| shop.count(), pending());
        tokio::select! {
            biased;
            () = killed => {}
            summary = run => return summary.unwrap(),
        }
        // What a kill leaves of lines that were being written.
        for path in [options(dir).journal, options(dir).results] {
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            io::Write::write_all(&mut file, &b"{\"index\":0"[..random.usize(0..10)]).unwrap();
        }
    }
}

#[tokio::test]
async fn killed_anywhere_a_keyed_call_is_done_once_and_told_once() {
    for seed in 0..12 {
        let (dir, shop) = (TempDir::new().unwrap(), Shop::default());
        let summary = killed_anywhere(seed, &dir, &shop, true).await;
        assert!(summary.complete, "seed {seed}: {summary:?}");
        assert_eq!(indexes(&options(&dir).results), (0..40).collect::<Vec<_>>(), "seed {seed}");
        assert!(shop.with(|done| done.times.len() == 40 && done.times.values().all(|times| *times == 1)));
    }
}

#[tokio::test]
async fn killed_anywhere_a_call_without_a_key_is_done_once_or_told_to_be_unknown() {
    let mut unknown = 0;
    for seed in 0..12 {
        let (dir, shop) = (TempDir::new().unwrap(), Shop::default());
        let summary = killed_anywhere(seed, &dir, &shop, false).await;
        unknown += summary.unknown;
        let mut told = indexes(&options(&dir).results);
        told.extend(indexes(&options(&dir).failures));
        told.sort_unstable();
        assert_eq!(told, (0..40).collect::<Vec<_>>(), "seed {seed}");
        assert!(shop.with(|done| done.times.values().all(|times| *times == 1)), "seed {seed}");
        assert!(lines(&options(&dir).failures).iter().all(|line| line["fate"] == "unknown"));
    }
    assert!(unknown > 0, "no kill met a call under way");
}

#[tokio::test]
async fn a_key_that_the_service_has_forgotten_protects_no_more() {
    let (minute, begun) = (Duration::from_secs(60), UNIX_EPOCH + Duration::from_secs(1_000_000));
    // How old a key is when the clock was set back, nobody knows.
    for (now, unknown) in [(begun + minute, 0), (begun + DEFAULT_KEY_LIFETIME, 1), (begun - minute, 1)] {
        let (dir, shop) = (TempDir::new().unwrap(), Shop::default());
        let mut options = options(&dir);
        options.clock = Clock::fixed(begun);
        let (input, killed) = (items(1), shop.alarm(1));
        tokio::select! {
            biased;
            () = killed => {}
            _ = run(&input, options.clone(), shop.client(true)) => panic!("it was not killed"),
        }
        options.clock = Clock::fixed(now);
        let summary = run(&items(1), options, shop.client(true)).await.unwrap();
        assert_eq!(summary.unknown, unknown, "{now:?}");
    }
}

#[tokio::test]
async fn a_run_that_is_killed_while_it_takes_failures_back_goes_on() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let input = "{\"id\": \"o0\"}\n{\"id\": \"refused\"}\n{\"id\": \"broken\"}\n";
    run(input, options(&dir), shop.client(true)).await.unwrap();
    let failures = std::fs::read_to_string(options(&dir).failures).unwrap();
    let mut again = options(&dir);
    again.retry_failed = true;
    run(input, again, shop.client(true)).await.unwrap();

    let journal = std::fs::read_to_string(options(&dir).journal).unwrap();
    let reopened = journal.lines().position(|line| line.contains("reopened")).unwrap();
    let kept: String = journal.split_inclusive('\n').take(reopened + 1).collect();
    let trimmed: String = failures.split_inclusive('\n').filter(|line| line.contains("broken")).collect();
    // As killed before the file of failures was replaced, with a line in it that was never noted, and after.
    for failures in [failures + &trimmed, trimmed] {
        std::fs::write(options(&dir).journal, &kept).unwrap();
        std::fs::write(options(&dir).failures, failures).unwrap();
        let summary = run(input, options(&dir), shop.client(true)).await.unwrap();
        assert_eq!((summary.ok, summary.failed, summary.unknown, summary.skipped), (1, 1, 1, 2));
        assert_eq!(indexes(&options(&dir).failures), [1, 2]);
    }
}

#[tokio::test]
async fn settled_items_are_not_sent_again() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let input = items(3) + "{\"id\": \"refused\"}\n";
    run(&input, options(&dir), shop.client(true)).await.unwrap();
    let summary = run(&(input + "{\"id\": \"new\"}\n"), options(&dir), shop.client(true)).await.unwrap();
    assert_eq!((summary.ok, summary.failed, summary.skipped, summary.complete), (4, 1, 4, false));
    assert_eq!(shop.with(|done| done.requests), 5);
}

#[tokio::test]
async fn a_failure_that_is_mended_leaves_the_file_of_failures() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let input = "{\"id\": \"o0\"}\n{\"id\": \"refused\"}\n{\"id\": \"broken\"}\n{\"id\": \"refused\"}\n";
    run(input, options(&dir), shop.client(true)).await.unwrap();
    assert_eq!(indexes(&options(&dir).failures), [1, 2, 3]);

    let mended = |item: &Item| match item.index {
        3 => Ok(shop.client(true).post("/refused")),
        n => Ok(shop.client(true).post(format!("/o{n}"))),
    };
    let mut again = options(&dir);
    again.retry_failed = true;
    let summary = each(input.as_bytes(), again.clone(), mended, |_| {}, pending()).await.unwrap();
    assert_eq!((summary.ok, summary.failed, summary.unknown, summary.skipped), (2, 1, 1, 2));
    assert_eq!(indexes(&again.failures), [2, 3]);

    again.retry_failed = false;
    again.retry_unknown = true;
    let summary = each(input.as_bytes(), again.clone(), mended, |_| {}, pending()).await.unwrap();
    assert_eq!((summary.ok, summary.failed, summary.unknown), (3, 1, 0));
    assert_eq!((indexes(&again.results), indexes(&again.failures)), (vec![0, 1, 2], vec![3]));
}

#[tokio::test]
async fn only_a_call_that_is_known_to_have_failed_gets_a_new_key() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let input = "{\"id\": \"refused\"}\n{\"id\": \"broken\"}\n";
    let mut options = options(&dir);
    (options.retry_failed, options.retry_unknown) = (true, true);
    for _ in 0..2 {
        run(input, options.clone(), shop.client(true)).await.unwrap();
    }
    let keys = |id| shop.with(|done| done.sent[id].clone());
    assert!(keys("refused")[0].is_some());
    assert_ne!(keys("refused")[0], keys("refused")[1]);
    assert_eq!(keys("broken")[0], keys("broken")[1]);
}

#[tokio::test]
async fn a_stopped_run_waits_for_what_is_under_way() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let stop = shop.alarm(15);
    let client = shop.client(false);
    let summary = each(io::Cursor::new(items(100)), options(&dir), post(client), |_| {}, stop).await.unwrap();
    assert!(!summary.complete && summary.ok > 0 && summary.ok < 100, "{summary:?}");
    assert_eq!((summary.unknown, shop.with(|done| done.under_way)), (0, 0));
    let summary = run(&items(100), options(&dir), shop.client(false)).await.unwrap();
    assert!(summary.complete);
    assert_eq!(shop.with(|done| done.requests), 100);
}

#[tokio::test]
async fn an_input_that_breaks_off_waits_for_what_is_under_way() {
    struct Broken(bool);
    impl io::Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let line = b"{\"id\": \"o0\"}\n";
            buffer[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let input = io::BufReader::new(Broken(false));
    let error = each(input, options(&dir), post(shop.client(false)), |_| {}, pending()).await.unwrap_err();
    assert!(matches!(error, Error::Input { line: 2, .. }), "{error}");
    assert_eq!(indexes(&options(&dir).results), [0]);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_ends_the_run() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let mut options = options(&dir);
    options.results = dir.path().join("nowhere/results");
    let error = run(&items(1), options, shop.client(true)).await.unwrap_err();
    assert!(error.to_string().contains("nowhere/results"), "{error}");
    assert_eq!(shop.with(|done| done.requests), 0);
}

#[tokio::test]
async fn too_many_failures_end_the_run() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let mut options = options(&dir);
    options.max_failures = 2.try_into().ok();
    options.concurrency = 1.try_into().unwrap();
    let summary = run(&"{\"id\": \"refused\"}\n".repeat(10), options, shop.client(true)).await.unwrap();
    assert_eq!((summary.failed, summary.complete), (2, false));
}

#[tokio::test]
async fn an_input_that_has_changed_is_refused() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    run(&items(2), options(&dir), shop.client(true)).await.unwrap();
    let error = run("{\"id\": \"other\"}\n", options(&dir), shop.client(true)).await.unwrap_err();
    assert!(error.to_string().contains("knows another item than the one on line 1"), "{error}");
    let mut other = options(&dir);
    other.call = "shop refunds.create".into();
    let error = run(&items(2), other, shop.client(true)).await.unwrap_err();
    assert!(error.to_string().contains("is the journal of `shop orders.create`"), "{error}");
    assert_eq!(shop.with(|done| done.requests), 2);
}

#[tokio::test]
async fn files_without_a_journal_are_left_alone_unless_restarted() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let mut options = options(&dir);
    std::fs::write(&options.results, "mine\n").unwrap();
    let error = run(&items(1), options.clone(), shop.client(true)).await.unwrap_err();
    assert!(error.to_string().contains("is there already"), "{error}");
    options.restart = true;
    assert!(run(&items(1), options.clone(), shop.client(true)).await.unwrap().complete);
    assert_eq!(indexes(&options.results), [0]);
}

#[tokio::test]
async fn a_damaged_journal_is_refused() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    run(&items(2), options(&dir), shop.client(true)).await.unwrap();
    let journal = std::fs::read_to_string(options(&dir).journal).unwrap();
    std::fs::write(options(&dir).journal, journal.replacen("begun", "bgun", 1)).unwrap();
    let error = run(&items(2), options(&dir), shop.client(true)).await.unwrap_err();
    assert!(error.to_string().contains("is damaged (line 2)"), "{error}");
}

#[tokio::test]
async fn two_runs_never_write_one_file() {
    let dir = TempDir::new().unwrap();
    let shop = Shop::default();
    let mut one_file = options(&dir);
    one_file.failures = one_file.results.clone();
    let error = run(&items(1), one_file, shop.client(true)).await.unwrap_err();
    assert!(matches!(error, Error::Options { .. }), "{error}");

    let mut other_journal = options(&dir);
    other_journal.journal = dir.path().join("other.journal");
    let (input, under_way) = (items(1), shop.alarm(1));
    let mut first = pin!(run(&input, options(&dir), shop.client(true)));
    tokio::select! {
        biased;
        () = under_way => {}
        _ = &mut first => panic!("it ended before the other began"),
    }
    for options in [options(&dir), other_journal] {
        let error = run(&items(1), options, shop.client(true)).await.unwrap_err();
        assert!(matches!(error, Error::InUse { .. }), "{error}");
    }
    assert!(first.await.unwrap().complete);
}
