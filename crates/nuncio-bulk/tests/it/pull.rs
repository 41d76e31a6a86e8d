use std::future::pending;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use nuncio_bulk::pull::{Options, Summary};
use nuncio_bulk::{Error, Format, pull};
use nuncio_client::pages::{Checkpoint, Item, Items, Pages, Param, Records, Strategy};
use nuncio_client::{Body, Kind, Request, Response};
use tempfile::TempDir;

const CALL: &str = "shop orders.list";

/// A list by page number whose pages are these, an empty one behind them.
#[derive(Clone)]
struct List(Arc<Vec<String>>);

impl List {
    fn new(pages: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Arc::new(pages.into_iter().map(Into::into).collect()))
    }

    fn numbered(pages: u64, records: u64) -> Self {
        Self::new((0..pages).map(|page| {
            let record =
                |n| format!("{{\"id\": {}, \"amount\": 1.10,\n \"text\": \"a,b\"}}", page * records + n);
            (0..records).map(record).collect::<Vec<_>>().join(",")
        }))
    }

    fn items(&self, checkpoint: Option<Checkpoint>) -> Result<Items, nuncio_client::Error> {
        let list = self.clone();
        let service = tower::service_fn(move |request: Request| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let page: usize = query.trim_start_matches("page=").parse().unwrap_or(1);
            let records = list.0.get(page - 1).cloned().unwrap_or_default();
            async move {
                if records == "failure" {
                    return Err(nuncio_client::Error::new(Kind::Status, "it is broken"));
                }
                Ok(Response::new(Body::from(format!("[{records}]"))))
            }
        });
        let strategy = Strategy::Page { param: Param::Query("page".into()), start: 1, total_pages: None };
        let pages = Pages::new(strategy, Records::Array(".".parse()?));
        let request = http::Request::get("https://api.example.com/orders").body(Body::Empty).unwrap();
        match checkpoint {
            Some(checkpoint) => pages.resume(service, request, checkpoint),
            None => pages.read(service, request),
        }
    }

    async fn pull(&self, options: Options) -> Result<Summary, Error> {
        pull(options, |checkpoint| self.items(checkpoint), |_| {}, pending()).await
    }
}

fn orders(dir: &TempDir) -> std::path::PathBuf {
    dir.path().join("orders")
}

fn options(dir: &TempDir, format: Format) -> Options {
    let mut options = Options::to_file(orders(dir), CALL);
    options.format = format;
    options
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

async fn pulled(list: &List, format: Format) -> String {
    let dir = TempDir::new().unwrap();
    list.pull(options(&dir, format)).await.unwrap();
    text(&orders(&dir))
}

#[tokio::test]
async fn json_lines_keep_every_byte_but_line_ends() {
    let list = List::new(["{\"n\": 98765432109876543210987,\r\n \"d\": 1.10, \"t\": \"a\\nb\"}, 7", "[1]"]);
    let written = pulled(&list, Format::Jsonl).await;
    assert_eq!(written, "{\"n\": 98765432109876543210987, \"d\": 1.10, \"t\": \"a\\nb\"}\n7\n[1]\n");
}

#[tokio::test]
async fn csv_has_the_fields_of_the_first_page_in_their_order() {
    let list = List::new([
        r#"{"z": 1, "a": 98765432109876543210987}, {"a": 1.10, "tags": ["x", {"y": 2}]}"#,
        r#"{"tags": null, "a": "say \"hi\",\nplease", "z": true}"#,
    ]);
    let written = pulled(&list, Format::Csv).await;
    let rows = ["z,a,tags", "1,98765432109876543210987,", r#",1.10,"[""x"", {""y"": 2}]""#];
    assert_eq!(written, format!("{}\ntrue,\"say \"\"hi\"\",\nplease\",\n", rows.join("\n")));
}

#[tokio::test]
async fn csv_refuses_a_field_that_has_no_column() {
    let list = List::new([r#"{"a": 1}"#, r#"{"a": 2, "b": 3}"#]);
    let dir = TempDir::new().unwrap();
    let error = list.pull(options(&dir, Format::Csv)).await.unwrap_err();
    assert!(error.to_string().starts_with("record 2 has the field \"b\""), "{error}");
    assert_eq!(text(&orders(&dir)), "a\n1\n");

    let mut only_b = options(&dir, Format::Csv);
    only_b.columns = Some(vec!["b".into()]);
    only_b.restart = true;
    list.pull(only_b).await.unwrap();
    assert_eq!(text(&orders(&dir)), "b\n\"\"\n3\n");
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_is_killed_anywhere_loses_nothing_and_has_nothing_twice() {
    let list = List::numbered(6, 5);
    for format in [Format::Jsonl, Format::Csv] {
        let whole = pulled(&list, format).await;
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let dir = TempDir::new().unwrap();
            let summary = loop {
                let lives = random.usize(0..30);
                let start = |checkpoint| Ok(dying(list.items(checkpoint)?, lives));
                let run = pull(options(&dir, format), start, |_| {}, pending());
                // Paused time moves on when nothing else does.
                let killed = tokio::time::sleep(Duration::from_secs(1));
                tokio::select! {
                    biased;
                    summary = run => break summary.unwrap(),
                    () = killed => {}
                }
                // What a kill leaves of a buffer that was being written.
                let mut file = std::fs::OpenOptions::new().append(true).open(orders(&dir)).unwrap();
                io::Write::write_all(&mut file, &vec![b'#'; random.usize(0..50)]).unwrap();
            };
            assert_eq!(text(&orders(&dir)), whole, "seed {seed}");
            assert!(summary.complete);
            assert_eq!((summary.progress.records, summary.bytes), (30, whole.len() as u64));
        }
    }
}

/// `items`, after so many of which nothing comes any more.
fn dying(items: Items, lives: usize) -> impl Stream<Item = Result<Item, nuncio_client::Error>> {
    let mut left = lives;
    let alive = items.take_while(move |_| {
        let alive = left > 0;
        left = left.saturating_sub(1);
        std::future::ready(alive)
    });
    // A list that came to its end needs no more life.
    alive.chain(stream::pending())
}

#[tokio::test]
async fn a_failure_keeps_the_pages_before_it() {
    let list = List::new([r#"{"id":1}"#, r#"{"id":2}"#, "failure"]);
    let dir = TempDir::new().unwrap();
    let error = list.pull(options(&dir, Format::Jsonl)).await.unwrap_err();
    assert!(matches!(error, Error::Call(_)), "{error}");
    assert_eq!(text(&orders(&dir)), "{\"id\":1}\n{\"id\":2}\n");

    let repaired = List::new([r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]);
    let summary = repaired.pull(options(&dir, Format::Jsonl)).await.unwrap();
    assert_eq!(summary.resumed_from.map(|progress| progress.pages), Some(2));
    assert_eq!(text(&orders(&dir)), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
}

#[tokio::test]
async fn a_finished_pull_asks_for_nothing_until_it_is_restarted() {
    let dir = TempDir::new().unwrap();
    List::numbered(2, 2).pull(options(&dir, Format::Jsonl)).await.unwrap();
    let before = text(&orders(&dir));

    let other = List::new(["failure"]);
    let summary = other.pull(options(&dir, Format::Jsonl)).await.unwrap();
    assert!(summary.complete);
    assert_eq!(text(&orders(&dir)), before);

    let mut anew = options(&dir, Format::Jsonl);
    anew.restart = true;
    assert!(other.pull(anew).await.is_err());
    assert_eq!(text(&orders(&dir)), "");
}

#[tokio::test]
async fn a_restart_that_is_killed_at_once_leaves_no_old_state() {
    let list = List::numbered(2, 2);
    let dir = TempDir::new().unwrap();
    list.pull(options(&dir, Format::Jsonl)).await.unwrap();
    let whole = text(&orders(&dir));

    let mut anew = options(&dir, Format::Jsonl);
    anew.restart = true;
    let killed = pull(anew, |_| Ok(stream::pending()), |_| {}, pending()).now_or_never();
    assert!(killed.is_none());
    std::fs::write(orders(&dir), "#".repeat(whole.len())).unwrap();
    let summary = list.pull(options(&dir, Format::Jsonl)).await.unwrap();
    assert_eq!(summary.resumed_from, None);
    assert_eq!(text(&orders(&dir)), whole);
}

#[tokio::test]
async fn a_stopped_pull_is_not_complete_and_goes_on() {
    let list = List::numbered(3, 2);
    let dir = TempDir::new().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let run = pull(
        options(&dir, Format::Jsonl),
        |checkpoint| list.items(checkpoint),
        |_| drop(stop.take()),
        async { drop(stopped.await) },
    );
    let summary = run.await.unwrap();
    assert!(!summary.complete);
    assert_eq!((summary.progress.pages, summary.verdict), (1, None));
    assert!(list.pull(options(&dir, Format::Jsonl)).await.unwrap().complete);
    assert_eq!(text(&orders(&dir)), pulled(&list, Format::Jsonl).await);
}

#[tokio::test]
async fn a_state_of_another_pull_is_refused() {
    let list = List::numbered(1, 1);
    let dir = TempDir::new().unwrap();
    list.pull(options(&dir, Format::Jsonl)).await.unwrap();

    let mut other_call = options(&dir, Format::Jsonl);
    other_call.call = "shop refunds.list".into();
    let error = list.pull(other_call).await.unwrap_err();
    assert!(error.to_string().contains("is the state of `shop orders.list`"), "{error}");
    let error = list.pull(options(&dir, Format::Csv)).await.unwrap_err();
    assert!(matches!(error, Error::State { .. }), "{error}");
}

#[tokio::test]
async fn a_state_that_is_cut_anywhere_is_refused() {
    let list = List::numbered(3, 2);
    let dir = TempDir::new().unwrap();
    list.pull(options(&dir, Format::Jsonl)).await.unwrap();
    let (state, whole) = (options(&dir, Format::Jsonl).state.unwrap(), text(&orders(&dir)));
    let written = std::fs::read(&state).unwrap();
    for kept in 0..written.len() {
        std::fs::write(&state, &written[..kept]).unwrap();
        let error = list.pull(options(&dir, Format::Jsonl)).await.unwrap_err();
        assert!(error.to_string().contains("is not the state of a pull"), "{kept} bytes kept: {error}");
        assert_eq!(text(&orders(&dir)), whole, "{kept} bytes kept");
    }
}

#[tokio::test]
async fn files_that_do_not_go_with_the_state_are_refused() {
    let list = List::numbered(1, 1);
    let dir = TempDir::new().unwrap();
    std::fs::write(orders(&dir), "mine\n").unwrap();
    let error = list.pull(options(&dir, Format::Jsonl)).await.unwrap_err();
    assert!(error.to_string().contains("is there already"), "{error}");
    assert_eq!(text(&orders(&dir)), "mine\n");

    std::fs::remove_file(orders(&dir)).unwrap();
    list.pull(options(&dir, Format::Jsonl)).await.unwrap();
    std::fs::write(orders(&dir), "{").unwrap();
    let error = list.pull(options(&dir, Format::Jsonl)).await.unwrap_err();
    assert!(error.to_string().contains("has 1 bytes, but"), "{error}");

    std::fs::write(orders(&dir), "{\"id\": 0}, changed by someone else, longer than it was before\n")
        .unwrap();
    let error = list.pull(options(&dir, Format::Jsonl)).await.unwrap_err();
    assert!(error.to_string().contains("something else has changed it"), "{error}");
}

#[tokio::test]
async fn one_output_takes_one_run_at_a_time() {
    let list = List::numbered(1, 1);
    let dir = TempDir::new().unwrap();
    let mut first = pin!(pull(options(&dir, Format::Jsonl), |_| Ok(stream::pending()), |_| {}, pending()));
    assert!(first.as_mut().now_or_never().is_none());
    let error = list.pull(options(&dir, Format::Jsonl)).await.unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_is_no_regular_file_is_written_and_has_no_state() {
    let summary = List::numbered(2, 2).pull(Options::to_file("/dev/null", CALL)).await.unwrap();
    assert!(summary.complete && summary.bytes > 0, "{summary:?}");
    assert!(!Path::new("/dev/null.state").exists());

    let error = List::numbered(2, 2).pull(Options::to_file("/dev/full", CALL)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot write to /dev/full");

    let dir = TempDir::new().unwrap();
    let mut with_state = Options::to_file("/dev/null", CALL);
    with_state.state = Some(orders(&dir));
    let error = List::numbered(2, 2).pull(with_state).await.unwrap_err();
    assert_eq!(error.to_string(), "a pull that does not write to a file has no state");
}

#[tokio::test]
async fn the_output_is_never_its_own_state() {
    let list = List::numbered(2, 2);
    let dir = TempDir::new().unwrap();
    list.pull(options(&dir, Format::Jsonl)).await.unwrap();
    let whole = text(&orders(&dir));
    for state in [orders(&dir), dir.path().join(".").join("orders")] {
        let mut own = options(&dir, Format::Jsonl);
        (own.state, own.restart) = (Some(state), true);
        let error = list.pull(own).await.unwrap_err();
        assert!(error.to_string().ends_with("cannot be both the output and its state"), "{error}");
        assert_eq!(text(&orders(&dir)), whole);
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_written_leaves_no_half_of_one() {
    let dir = TempDir::new().unwrap();
    let mut options = options(&dir, Format::Jsonl);
    // A folder that is not empty: no file can take its place.
    let state = dir.path().join("state");
    std::fs::create_dir_all(state.join("full")).unwrap();
    options.state = Some(state);
    options.restart = true;
    let error = List::numbered(1, 1).pull(options).await.unwrap_err();
    assert!(matches!(error, Error::File { action: "write", .. }), "{error}");
    assert!(!dir.path().join("state.new").exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named() {
    let error = List::numbered(1, 1).pull(Options::to_file("/nowhere/at/all", CALL)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot open /nowhere/at/all");
}

#[tokio::test]
async fn a_writer_that_fails_ends_the_pull() {
    struct Full(Arc<Mutex<usize>>);
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            *self.0.lock().unwrap() += 1;
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let writes = Arc::default();
    let options = Options::to_writer(Full(Arc::clone(&writes)), CALL);
    let error = List::numbered(3, 1).pull(options).await.unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
    assert_eq!(*writes.lock().unwrap(), 1);
}
