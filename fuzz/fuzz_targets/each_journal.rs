//! Journals of `each`: what is not understood is refused and nothing is touched; an item that is noted as done is not sent again.
//!
//! The input is a journal; the seeds have the digests that a real run writes for these items.
#![no_main]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libfuzzer_sys::fuzz_target;
use nuncio_bulk::each::{Item, Options, each};
use nuncio_client::{Body, Client, Error, Request, Response};
use tower::service_fn;

const INPUT: &str = "{\"id\":1}\n{\"id\":2}\n";
const RESULTS: &[u8] = b"{\"index\":0,\"status\":200,\"body\":null}\n";

fuzz_target!(|journal: &[u8]| {
    let folder = nuncio_fuzz::folder();
    let mut options = Options::new(folder.path().join("made-up"), "POST /items");
    options.concurrency = std::num::NonZeroUsize::MIN;
    std::fs::write(&options.journal, journal).expect("written");
    std::fs::write(&options.results, RESULTS).expect("written");
    std::fs::write(&options.failures, b"").expect("written");

    let sent = Arc::new(AtomicU64::new(0));
    let server = {
        let sent = Arc::clone(&sent);
        service_fn(move |_: Request| {
            sent.fetch_add(1, Ordering::Relaxed);
            async { Ok::<_, Error>(Response::new(Body::Empty)) }
        })
    };
    let client =
        Client::builder().base_url("https://api.example.com").transport(server).build().expect("a client");
    let make_call = |item: &Item| Ok(client.post("/items").json(&*item.value));
    let (results, failures, journal_path) =
        (options.results.clone(), options.failures.clone(), options.journal.clone());
    let ended =
        nuncio_fuzz::block_on(each(INPUT.as_bytes(), options, make_call, |_| {}, std::future::pending()));

    let read = |path| std::fs::read(path).expect("it is still there");
    match ended {
        Ok(summary) => {
            assert_eq!(summary.ok + summary.failed + summary.unknown, 2, "each item has one fate");
            assert!(summary.skipped + sent.load(Ordering::Relaxed) <= 2, "no item is sent that was settled");
            let lines = |bytes: Vec<u8>| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            assert!(lines(read(&results)) + lines(read(&failures)) >= 2 - summary.skipped);
            // The journal can be gone on with: what it tells is whole.
            let whole = read(&journal_path);
            assert_eq!(whole.last(), Some(&b'\n'));
        }
        Err(nuncio_bulk::Error::State { .. }) => {
            // The first item may be sent before it shows that the second is not the one that was noted.
            assert!(sent.load(Ordering::Relaxed) <= 1);
        }
        Err(error) => panic!("{error:?}"),
    }
});
