//! The described limits are kept.

use std::time::UNIX_EPOCH;

use nuncio_client::Clock;
use nuncio_sandbox::Options;

use crate::support::{Played, answer, options, service};

const ROWS: &str = "
limits: [{ capacity: 2, refill: 1/m }]
operations:
  rows.list: { get: /rows }
  rows.get: { get: '/rows/{id}', input: { id: string! }, limits: [{ capacity: 1, refill: 1/m, key: '{{ input.id }}' }] }
sandbox: { resources: { rows: { count: 2 } } }
";

fn limited() -> Options {
    Options { clock: Clock::fixed(UNIX_EPOCH), ..options(service(ROWS)) }
}

#[tokio::test]
async fn too_many_requests_are_refused_until_there_is_room() {
    let played = Played::start(limited()).await;
    let first = played.get("/rows").send().await.unwrap();
    let told = ["x-ratelimit-limit", "x-ratelimit-remaining"]
        .map(|name| first.headers()[name].to_str().unwrap().to_owned());
    assert_eq!(told, ["2", "1"]);
    assert_eq!(answer(played.get("/rows")).await.0, 200);
    let refused = played.get("/rows").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"60".parse().unwrap()));
    assert_eq!(played.counts("rows.list").refused_by_limit, 1);
}

#[tokio::test]
async fn a_key_has_its_own_bucket() {
    let played = Played::start(limited()).await;
    for (id, expected) in [(1, 200), (1, 429), (2, 200)] {
        assert_eq!(answer(played.get(&format!("/rows/{id}"))).await.0, expected);
    }
}

#[tokio::test]
async fn limits_can_be_left_off() {
    let played = Played::start(Options { enforce_limits: false, ..limited() }).await;
    for _ in 0..5 {
        assert_eq!(answer(played.get("/rows")).await.0, 200);
    }
}
