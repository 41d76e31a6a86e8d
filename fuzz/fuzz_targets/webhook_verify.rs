//! Headers and bodies of webhooks, to every provider: what is taken carries the signature that was made for this very body, time and id.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use nuncio_fuzz::now;
use nuncio_fuzz::webhook::{Input, KEY, secrets};
use nuncio_webhook::scheme::{Algorithm, Part};
use nuncio_webhook::{Request, verify};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::read(data) else { return };
    let (secrets, request) = (secrets(), input.request());
    let verdict = verify(input.scheme(), &request, &secrets, now());
    if let Some(headers) = standard(&input.headers) {
        let same = verify(input.scheme(), &Request { headers: &headers, ..request }, &secrets, now());
        assert_eq!(same.map(|event| event.id()), verdict.clone().map(|event| event.id()));
    }
    let Ok(event) = verdict else { return };
    assert_eq!(event.body(), input.body);

    let signature = &input.scheme().signatures[0];
    let proofs = match signature.algorithm {
        Algorithm::Token => vec![KEY],
        _ => input.signatures(),
    };
    let carries = |proof: &str| {
        let headers = input.headers.iter().map(|(_, value)| &value[..]);
        headers
            .chain([input.body])
            .any(|value| value.windows(proof.len()).any(|part| part.eq_ignore_ascii_case(proof.as_bytes())))
    };
    assert!(proofs.into_iter().any(carries), "nobody signed this: {:?}", input.headers);
    let signs = |part| input.scheme().signatures.iter().all(|one| one.signed.parts().contains(part));
    if signs(&Part::Timestamp) && signs(&Part::Body) {
        assert_eq!(event.signed_at(), Some(now()));
    }
    if signs(&Part::Id) {
        assert_eq!(event.id().as_deref(), Some("msg_1"));
    }
});

/// The same headers as a server has them; nothing when no server has such.
fn standard(headers: &[(String, Vec<u8>)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(map)
}
