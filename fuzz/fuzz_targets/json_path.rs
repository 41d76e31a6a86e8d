//! Paths into JSON: written and read, and the same found in the text as in the tree. The first line is the path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::json::Path;
use nuncio_fuzz::first_line;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let (path, document) = first_line(text.as_bytes());
    let path = std::str::from_utf8(path).expect("it was cut at a line end");
    let Ok(path) = path.parse::<Path>() else { return };
    assert_eq!(path.to_string().parse::<Path>().expect("it was written"), path);

    let document = std::str::from_utf8(document).expect("it was cut at a line end");
    let raw = path.raw(document);
    let Ok(tree) = serde_json::from_str::<Value>(document) else { return };
    let found = raw.map(|raw| serde_json::from_str::<Value>(raw.get()).expect("a part of what was read"));
    assert_eq!(found.as_ref(), path.get(&tree));
    assert!(raw.is_none_or(|raw| document.contains(raw.get())), "as it is written");
});
