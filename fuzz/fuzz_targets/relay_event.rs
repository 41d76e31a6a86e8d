//! Expressions of operators over events of strangers, `type`, lines of headers, an empty line, the body; and expressions that are none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio_client::Random;
use nuncio_relay::{Directory, Endpoint, Event, EventId, Headers, Origin, Route, settings};
use nuncio_service::Env;
use serde_json::{Value, json};

/// What operators write.
const EXPRESSIONS: &[&str] = &[
    ".body.amount > 100",
    ".body | [.. | numbers] | add",
    "{id, type, body: (.body | tostring), names: [.headers | keys[]]}",
    ".body.items[]? | select(.price | tonumber? > 1) | .name | ascii_downcase",
    ".headers[\"x-a\"] // (.type | split(\".\") | last)",
    ".body | if type == \"object\" then to_entries | sort_by(.key) | from_entries else tojson end",
    ".body.at? | fromdateiso8601? // (.body | @base64)",
    ".body | test(\"a+b\")?",
];

fn endpoint(more: &Value) -> Option<Endpoint> {
    let mut value = json!({ "from": "source/shop", "to": { "file": { "path": "a" } } });
    value.as_object_mut()?.extend(more.as_object()?.clone());
    let settings: settings::Endpoint = serde_json::from_value(value).ok()?;
    Endpoint::new(settings, Env::default()).ok()
}

thread_local! {
    static DIRECTORY: Directory = {
        let all = EXPRESSIONS.iter().map(|jq| json!({
            "types": ["*.a*", "b"], "filter": { "headers": { "x-a": "*b*" }, "jq": jq, "jsonpath": "$..price" },
            "order_by": jq, "transform": jq,
        }));
        let plain = EXPRESSIONS.iter().map(|jq| json!({ "order_by": jq, "transform": jq }));
        let endpoints = all.chain(plain).enumerate().map(|(number, settings)| {
            (format!("endpoint-{number}"), endpoint(&settings).expect("an endpoint").into())
        });
        Directory { endpoints: endpoints.collect(), ..Directory::default() }
    };
}

fuzz_target!(|data: &[u8]| {
    let (first, rest) = nuncio_fuzz::first_line(data);
    let first = String::from_utf8_lossy(first).into_owned();
    let end = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len());
    let event = Event {
        id: EventId::new(jiff::Timestamp::UNIX_EPOCH, &Random::seeded(1)),
        origin: Origin::Source("shop".to_owned()),
        event_type: first.clone(),
        at: jiff::Timestamp::UNIX_EPOCH,
        headers: Headers::from(&nuncio_fuzz::headers(&rest[..end])),
        body: rest.get(end + 2..).unwrap_or_default().to_vec().into(),
    };
    DIRECTORY.with(|directory| {
        let owed = directory.owed(&event, jiff::Timestamp::UNIX_EPOCH);
        // Those without a filter are owed all.
        assert!(owed.len() >= EXPRESSIONS.len());
        for endpoint in directory.endpoints.values() {
            let _ = endpoint.route.payload(&event);
        }
    });
    // Text that an operator mistyped. It is read and not run: what runs may be slow or large, and is trusted.
    for more in [json!({ "order_by": first }), json!({ "filter": { "jsonpath": first } })] {
        if let Some(endpoint) = endpoint(&more) {
            assert!(Route::new(&endpoint.settings).is_ok());
        }
    }
});
