//! Explanations: they say what the verdict is, show no secret, and name no cause that is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_fuzz::webhook::{Input, KEY, secrets};
use nuncio_fuzz::{SECRET, now};
use nuncio_webhook::{Cause, Request, explain, verify};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::read(data) else { return };
    let (secrets, request) = (secrets(), input.request());
    let explanation = explain(input.scheme(), &request, &secrets, now());
    let verdict = verify(input.scheme(), &request, &secrets, now());
    assert_eq!(explanation.verdict, verdict.map(|event| event.secret().to_owned()));
    for shown in [explanation.to_string(), format!("{explanation:?}")] {
        assert!(!shown.contains(SECRET) && !shown.contains(KEY), "{shown}");
    }
    assert!(explanation.verdict.is_err() || explanation.causes.is_empty());
    for cause in &explanation.causes {
        match cause {
            Cause::Url(url) if !url.contains(['*', '\\', '…']) => {
                let other = Request { url, ..request };
                assert!(verify(input.scheme(), &other, &secrets, now()).is_ok());
            }
            _ => {}
        }
    }
});
