//! What the layers cost a call: the same GET of a small JSON document, over a connection that is kept, one call after the other.

use std::num::NonZeroU32;

use governor::{Quota, RateLimiter};
use nuncio_bench::connection::Connection;
use nuncio_bench::server::{CUSTOMER, Server};
use nuncio_bench::table;
use nuncio_bench::way::{Way, runtime};
use nuncio_client::auth::Auth;
use nuncio_client::limit::{Limiter, Limits, Quota as Limit, Scope};
use nuncio_client::{Client, Clock};
use nuncio_service::{Env, Inputs, Service, Settings};
use reqwest_middleware::ClientBuilder;
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use tracing::callsite::rebuild_interest_cache;
use tracing::{Level, dispatcher};

const ROUNDS: usize = 9;
const CALLS: u32 = 3_000;
const PER_SECOND: NonZeroU32 = NonZeroU32::new(1_000_000).expect("not zero");
const PATH: &str = "/v1/customers/cus_1";

fn main() {
    println!(
        "{ROUNDS} rounds of {CALLS} calls each way, in turns; medians for one call, and the ratio of its CPU to the first\n"
    );
    let server = Server::start(1, std::time::Duration::ZERO);
    let base_url = format!("http://{}", server.address);
    let url = format!("{base_url}{PATH}");
    let runtime = runtime();

    let mut hyper = runtime.block_on(Connection::open(server.address));
    let reqwest = reqwest::Client::builder().no_proxy().build().expect("a client");
    let retries =
        RetryTransientMiddleware::new_with_policy(ExponentialBackoff::builder().build_with_max_retries(4));
    let middleware = ClientBuilder::new(reqwest.clone()).with(retries).build();
    let governor = RateLimiter::direct(Quota::per_second(PER_SECOND));
    let plain = Client::builder().base_url(&base_url).build().expect("a client");
    let full = full(&base_url);
    let service = service(&base_url);

    let mut ways = [
        "hyper, one connection",
        "reqwest",
        "reqwest-middleware, reqwest-retry, governor",
        "nuncio-client, defaults",
        "nuncio-client, bearer token and limit",
        "the same, tracing at debug to nowhere",
        "nuncio-service, from a service file",
    ]
    .map(Way::new);
    let traced = tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_writer(std::io::sink).finish();
    let traced = tracing::Dispatch::new(traced);
    for _ in 0..ROUNDS {
        let [bare, wire, usual, defaults, stack, tracing, file] = &mut ways;
        bare.sample(&runtime, CALLS, async || assert_eq!(hyper.get(PATH).await, CUSTOMER));
        wire.sample(&runtime, CALLS, async || {
            let response = reqwest.get(&url).send().await.expect("an answer");
            assert_eq!(response.bytes().await.expect("a body"), CUSTOMER);
        });
        usual.sample(&runtime, CALLS, async || {
            governor.until_ready().await;
            let response = middleware.get(&url).bearer_auth("made-up-token").send().await.expect("an answer");
            assert_eq!(response.bytes().await.expect("a body"), CUSTOMER);
        });
        defaults.sample(&runtime, CALLS, async || get(&plain).await);
        stack.sample(&runtime, CALLS, async || get(&full).await);
        dispatcher::with_default(&traced, || {
            // What was found to be of no interest to anyone would stay so, and the other way round.
            rebuild_interest_cache();
            tracing.sample(&runtime, CALLS, async || get(&full).await);
        });
        rebuild_interest_cache();
        file.sample(&runtime, CALLS, async || {
            let call = service.call("customers.get", Inputs::from([("id", "cus_1")])).expect("a call");
            assert_eq!(call.send().await.expect("an answer").body, CUSTOMER);
        });
    }
    print(&ways);
}

/// Deadline, retries, checks and redaction come by default.
fn full(base_url: &str) -> Client {
    let limit = Limit {
        name: "all".into(),
        capacity: PER_SECOND,
        refill: "1000000/s".parse().expect("a refill"),
        per: Scope::All,
    };
    Client::builder()
        .base_url(base_url)
        .auth(Auth::bearer("made-up-token".into()))
        .limiter(Limiter::new(Limits { quotas: vec![limit], ..Limits::default() }))
        .clock(Clock::system())
        .build()
        .expect("a client")
}

fn service(base_url: &str) -> nuncio_service::Connection {
    let service =
        Service::from_yaml(include_str!("../../service.yaml"), "service.yaml").expect("a service file");
    let env = Env::new(|name| (name == "BENCH_TOKEN").then(|| "made-up-token".to_owned()));
    let settings = Settings { env, base_url: Some(base_url.to_owned()), ..Settings::default() };
    nuncio_service::Connection::new(service, settings).expect("a connection")
}

async fn get(client: &Client) {
    assert_eq!(client.get(PATH).send().await.expect("an answer").body, CUSTOMER);
}

fn print(ways: &[Way]) {
    let base = ways[0].median().cpu.as_secs_f64();
    let rows = ways.iter().map(|way| {
        let cost = way.median();
        let cpu = cost.cpu.as_secs_f64();
        vec![
            way.name.to_owned(),
            format!("{:.1}", cpu * 1e6),
            format!("{:.2}", cpu / base),
            format!("{:.1}", cost.wall.as_secs_f64() * 1e6),
            format!("{:.1}", cost.allocations),
        ]
    });
    table::print(&["one call", "CPU µs", "ratio", "wall µs", "allocations"], &rows.collect::<Vec<_>>());
}
