//! A webhook of Stripe's, verified: what it costs beside the HMAC that nobody can do without.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use nuncio_bench::table;
use nuncio_bench::way::{Way, runtime};
use nuncio_webhook::{Outgoing, Request, Secrets, provider, sign, verify};
use webhook_verify::{Clock, Provider, Secret, VerifyOptions};

const ROUNDS: usize = 31;
const NOW: u64 = 1_760_000_000;
const SECRET: &str = "whsec_made-up-secret-of-some-length";

fn main() {
    for (size, name, times) in
        [(1024, "1 KiB", 10_000), (64 * 1024, "64 KiB", 1_000), (10 * 1024 * 1024, "10 MiB", 5)]
    {
        println!("an event of {name}: {ROUNDS} rounds of {times}, in turns; medians\n");
        compare(&event(size), times);
        println!();
    }
}

fn compare(body: &[u8], times: u32) {
    let headers = headers(body);
    let stripe = &provider("stripe").expect("it comes along").scheme;
    let secrets = Secrets::new().with("current", SECRET);
    let request = Request { method: "POST", url: "", headers: &headers, body };
    let theirs: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()))
        .collect();
    let (secret, options) = (Secret::new(SECRET), VerifyOptions::default().with_clock(Some(Arc::new(Now))));
    let now = UNIX_EPOCH + Duration::from_secs(NOW);

    let mut ways = [
        Way::new("the header split, a bare HMAC"),
        Way::new("nuncio-webhook, verify"),
        Way::new("nuncio-webhook, verify, id and type"),
        Way::new("webhook-verify"),
    ];
    let runtime = runtime();
    for _ in 0..ROUNDS {
        let [bare, verified, told, peer] = &mut ways;
        bare.sample(&runtime, times, async || assert!(floor(black_box(&headers), black_box(body))));
        verified.sample(&runtime, times, async || {
            black_box(verify(stripe, black_box(&request), &secrets, now)).expect("a good one");
        });
        told.sample(&runtime, times, async || {
            let event = verify(stripe, black_box(&request), &secrets, now).expect("a good one");
            black_box((event.id(), event.event_type()));
        });
        peer.sample(&runtime, times, async || {
            webhook_verify::verify(Provider::Stripe, black_box(&theirs), body, &secret, options.clone())
                .expect("a good one");
        });
    }
    let least = ways[0].median().cpu;
    let rows = ways.iter().map(|way| {
        let cost = way.median();
        vec![
            way.name.to_owned(),
            format!("{:.2}", cost.cpu.as_secs_f64() * 1e6),
            format!("{:.2}", cost.cpu.as_secs_f64() / least.as_secs_f64()),
            format!("{:.1}", cost.allocations),
            format!("{:.0}", cost.bytes),
        ]
    });
    table::print(&["", "CPU µs", "ratio", "allocations", "bytes allocated"], &rows.collect::<Vec<_>>());
}

/// The least that tells whether Stripe sent it: one signature, no other version of it, no rotation, no word on why not.
fn floor(headers: &http::HeaderMap, body: &[u8]) -> bool {
    let header = headers["stripe-signature"].to_str().expect("ASCII");
    let (mut time, mut signature) = ("", [0; 32]);
    for item in header.split(',') {
        match item.split_once('=') {
            Some(("t", text)) => time = text,
            Some(("v1", text)) => hex::decode_to_slice(text, &mut signature).expect("hex"),
            _ => {}
        }
    }
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()));
    [time.as_bytes(), b".", body].into_iter().for_each(|piece| context.update(piece));
    let near = time.parse::<u64>().expect("a number").abs_diff(NOW) <= 300;
    near && verify_slices_are_equal(context.sign().as_ref(), &signature).is_ok()
}

fn headers(body: &[u8]) -> http::HeaderMap {
    let stripe = &provider("stripe").expect("it comes along").scheme;
    let signed_at = UNIX_EPOCH + Duration::from_secs(NOW - 1);
    let outgoing = Outgoing { id: "", signed_at, method: "POST", url: "", body, content_type: None };
    let made = sign(stripe, &outgoing, &Secrets::new().with("current", SECRET)).expect("HMACs are made");
    // What else a request brings along.
    let others = [
        ("host", "hooks.example.test"),
        ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
        ("content-type", "application/json; charset=utf-8"),
        ("accept", "*/*; q=0.5, application/xml"),
        ("cache-control", "no-cache"),
    ];
    let mut headers = http::HeaderMap::new();
    let mut put = |name: &str, value: &str| {
        let name: http::HeaderName = name.parse().expect("a name");
        headers.insert(name, value.parse().expect("a value"));
    };
    others.iter().for_each(|(name, value)| put(name, value));
    made.iter().for_each(|(name, value)| put(name, value));
    headers
}

/// An event of so many bytes, its id at the start and its type at the end, as Stripe has them.
fn event(size: usize) -> Vec<u8> {
    let (start, end) = (r#"{"id":"evt_1","object":"event","data":""#, r#"","type":"charge.succeeded"}"#);
    format!("{start}{}{end}", "x".repeat(size - start.len() - end.len())).into_bytes()
}

struct Now;

impl Clock for Now {
    fn now(&self) -> u64 {
        NOW
    }
}
