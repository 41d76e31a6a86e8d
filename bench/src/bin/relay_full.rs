//! Whether what is stored slows what comes in: webhooks to a `nuncio serve` with an empty store and to one with a million events and a hundred thousand
//! retries that wait, in turns. `NUNCIO_STORED` and `NUNCIO_WAITING` make it smaller.

use nuncio_bench::connection::Connection;
use nuncio_bench::fill::fill_folder;
use nuncio_bench::relay::{CONNECTIONS, Figures, Serving, ingest, setting};
use nuncio_bench::{disk, table};
use serde_json::json;
use tokio::time::Instant;

const ROUNDS: usize = 3;

fn main() {
    let (stored, waiting) = (setting("NUNCIO_STORED", 1_000_000), setting("NUNCIO_WAITING", 100_000));
    let folders = [(); 2].map(|()| tempfile::tempdir_in(".").expect("a folder"));
    let endpoints = json!({ "away": {
        "from": "relay", "to": { "http": { "url": "http://127.0.0.1:9/", "allow_addresses": ["127.0.0.0/8"] } },
    } });
    println!("the disk flushes {:.0} times a second", disk::flushes(folders[0].path()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let begun = Instant::now();
        fill_folder(folders[1].path(), &endpoints["away"], stored, waiting).await;
        println!("{stored} events, {waiting} of them owed, stored in {:.0} s", begun.elapsed().as_secs_f64());
        println!(
            "bodies of 1 KiB over {CONNECTIONS} connections, as fast as they are taken, {ROUNDS} rounds\n"
        );
        let servings = folders.each_ref().map(|folder| Serving::start(folder.path(), &endpoints));
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (serving, figures) in servings.iter().zip(&mut figures) {
                figures.push(ingest(serving.address, None).await);
            }
        }
        let [empty, full] = figures.map(median);
        let row = |what: &str, figures: &Figures| {
            let ratio = figures.rate() / empty.rate();
            [figures.row(what), vec![format!("{ratio:.2}")]].concat()
        };
        table::print(
            &["webhooks, verified and on disk", "a second", "p50 ms", "p99 ms", "ratio"],
            &[row("an empty store", &empty), row("a full store", &full)],
        );
        let mut rows = Vec::new();
        for (what, serving) in ["an empty store", "a full store"].into_iter().zip(&servings) {
            let mut took = Vec::new();
            for _ in 0..20 {
                let mut connection = Connection::open(serving.address).await;
                let begun = Instant::now();
                connection.get("/metrics").await;
                took.push(begun.elapsed());
            }
            took.sort_unstable();
            rows.push(vec![what.to_owned(), format!("{:.1}", took[10].as_secs_f64() * 1e3)]);
        }
        println!();
        table::print(&["a scrape of /metrics", "p50 ms"], &rows);
    });
}

/// That whose rate is in the middle.
fn median(mut all: Vec<Figures>) -> Figures {
    all.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
    all.swap_remove(all.len() / 2)
}
