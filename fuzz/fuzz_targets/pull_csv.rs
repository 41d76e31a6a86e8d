//! Records as CSV: another reader finds every field in its column. Each line is a record.
#![no_main]

use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use nuncio_bulk::pull::{Format, Options, pull};
use nuncio_client::pages::{Item, Records, Splitter};
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    let mut splitter = Splitter::new(Records::Lines);
    let mut records = Vec::new();
    if splitter.feed(&Bytes::copy_from_slice(data), &mut records).is_err()
        || splitter.finish(&mut records).is_err()
    {
        return;
    }
    let trees: Result<Vec<Map<String, Value>>, _> = records.iter().map(|record| record.parse()).collect();
    let end =
        serde_json::json!({"pages": 1, "records": 0, "repeated": 0, "next": {"end": "no_more"}, "skip": 0});
    let page = Item::Page(serde_json::from_value(end).expect("a checkpoint"));
    let items: Vec<_> = records.iter().cloned().map(Item::Record).chain([page]).map(Ok).collect();

    let written = Written::default();
    let mut options = Options::to_writer(written.clone(), "made-up");
    options.format = Format::Csv;
    let pulled =
        nuncio_fuzz::block_on(pull(options, |_| Ok(stream::iter(items)), |_| {}, std::future::pending()));
    let Ok(trees) = trees else { return };
    if pulled.is_err() || trees.is_empty() || trees.iter().all(Map::is_empty) {
        return;
    }

    let bytes = written.0.lock().expect("no panic").clone();
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("rows as long as the header");
    assert_eq!(rows.len(), trees.len());
    for (row, tree) in rows.iter().zip(&trees) {
        for (name, cell) in header.iter().zip(row) {
            match tree.get(name) {
                None | Some(Value::Null) => assert_eq!(cell, ""),
                Some(Value::String(text)) => assert_eq!(cell, text),
                Some(other) => assert_eq!(serde_json::from_str::<Value>(cell).expect("JSON"), *other),
            }
        }
        assert!(tree.keys().all(|name| header.contains(name)));
    }
});

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
