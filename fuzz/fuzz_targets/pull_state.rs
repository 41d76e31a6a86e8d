//! State files of a pull: what is not understood is refused and nothing is touched; what is understood is gone on with.
#![no_main]

use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use nuncio_bulk::pull::{Options, pull};
use nuncio_client::pages::Item;

const OUTPUT: &[u8] = b"{\"id\":1}\n{\"id\":2}\n";

fuzz_target!(|state: &[u8]| {
    let folder = nuncio_fuzz::folder();
    let (output, state_path) =
        (folder.path().join("made-up.jsonl"), folder.path().join("made-up.jsonl.state"));
    std::fs::write(&output, OUTPUT).expect("written");
    std::fs::write(&state_path, state).expect("written");

    let mut asked = None;
    let start = |checkpoint| {
        asked = Some(checkpoint);
        Ok(stream::iter(Vec::<Result<Item, nuncio_client::Error>>::new()))
    };
    let options = Options::to_file(&output, "made-up list");
    let pulled = nuncio_fuzz::block_on(pull(options, start, |_| {}, std::future::pending()));

    let left = std::fs::read(&output).expect("it is still there");
    match pulled {
        Ok(summary) => {
            assert!(asked.is_some(), "a stream was asked for");
            assert_eq!(summary.bytes, left.len() as u64);
            assert!(OUTPUT.starts_with(&left), "cut, and not written over");
        }
        Err(_) => {
            assert_eq!(left, OUTPUT);
            assert_eq!(std::fs::read(&state_path).expect("it is still there"), state);
        }
    }
});
