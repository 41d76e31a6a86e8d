//! An API of ten requests a second that answers 429 above, and a client that knows: from the service file, or from the headers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use nuncio_client::{Body, Client, Clock, Error, Request, Response};
use nuncio_service::{Connection, Inputs, Service, Settings};
use tokio::task::JoinSet;
use tokio::time::Instant;

const ALLOWED: usize = 10;
const SECOND: Duration = Duration::from_secs(1);

/// The time of day at the start, since 1970.
const START: Duration = Duration::from_secs(1_800_000_000);

/// How the server counts, and what it tells of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Counting {
    /// Ten in any second, wherever it starts. It tells nothing.
    Sliding,
    /// Ten in each second of the clock, told as in the newest draft.
    RateLimit,
    /// The same, told as seconds until the reset.
    RateLimitFields,
    /// The same, told as the time of the reset.
    XRateLimit,
}

struct Server {
    counting: Counting,
    start: Instant,
    /// When the requests of the last second came that were let through.
    passed: VecDeque<Duration>,
    /// When each refused request was sent.
    refused: Vec<Instant>,
    first_answer: Option<Instant>,
    ways: u64,
}

impl Server {
    fn receive(&mut self, sent: Instant) -> Response {
        let now = self.start.elapsed();
        let reset = Duration::from_secs(now.as_secs() + 1);
        let is_over = |passed: Duration| match self.counting {
            Counting::Sliding => passed + SECOND <= now,
            _ => passed.as_secs() < now.as_secs(),
        };
        while self.passed.front().is_some_and(|passed| is_over(*passed)) {
            self.passed.pop_front();
        }
        let has_room = self.passed.len() < ALLOWED;
        if has_room {
            self.passed.push_back(now);
        } else {
            self.refused.push(sent);
        }
        let remaining = ALLOWED - self.passed.len();
        let answer = http::Response::builder().status(if has_room { 200 } else { 429 });
        let answer = match self.counting {
            Counting::Sliding => answer,
            Counting::RateLimit => answer.header("ratelimit", format!(r#""default";r={remaining};t=1"#)),
            Counting::RateLimitFields => {
                answer.header("ratelimit-remaining", remaining).header("ratelimit-reset", 1)
            }
            Counting::XRateLimit => {
                let reset = (START + reset).as_secs();
                answer.header("x-ratelimit-remaining", remaining).header("x-ratelimit-reset", reset)
            }
        };
        answer.body(Body::Empty).expect("a response")
    }

    /// From 10 to 40 ms, each different from the last.
    fn way(&mut self) -> Duration {
        self.ways += 1;
        Duration::from_micros(10_000 + self.ways * 7_919 % 30_000)
    }
}

#[derive(Clone)]
struct Network(Arc<Mutex<Server>>);

impl Network {
    fn of(counting: Counting) -> Self {
        Self(Arc::new(Mutex::new(Server {
            counting,
            start: Instant::now(),
            passed: VecDeque::new(),
            refused: Vec::new(),
            first_answer: None,
            ways: 0,
        })))
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.0.lock().expect("not poisoned")
    }

    async fn exchange(self, _: Request) -> Result<Response, Error> {
        let sent = Instant::now();
        let way = self.server().way();
        tokio::time::sleep(way).await;
        let answer = self.server().receive(sent);
        let way = self.server().way();
        tokio::time::sleep(way).await;
        self.server().first_answer.get_or_insert_with(Instant::now);
        Ok(answer)
    }

    /// Makes `calls` calls at once, which all succeed in the end.
    async fn call(&self, limits: &str, calls: usize) {
        let file = format!(
            "service: shop\nbase_url: https://shop.example.com\n{limits}\noperations: {{ op: {{ get: /x }} }}\n"
        );
        let service = Service::from_yaml(&file, "shop.yaml").expect("a service");
        let network = self.clone();
        let client = Client::builder()
            .transport(tower::service_fn(move |request| network.clone().exchange(request)))
            .clock(Clock::starting_at(UNIX_EPOCH + START));
        let connection =
            Connection::new(service, Settings { client, ..Settings::default() }).expect("connected");
        let mut sent = JoinSet::new();
        for _ in 0..calls {
            sent.spawn(connection.call("op", Inputs::new()).expect("a call").send());
        }
        for result in sent.join_all().await {
            result.unwrap_or_else(|error| panic!("{}", error.report()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_limit_the_file_tells_refuses_nothing() {
    let network = Network::of(Counting::Sliding);
    // A burst of one and nine a second: ten in any second, with room for ways of different length.
    network.call("limits: [{ capacity: 1, refill: 9/s }]", 200).await;
    assert_eq!(network.server().refused, []);
    assert!(network.server().start.elapsed() < Duration::from_secs(23), "the rate is made use of");
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_headers_tell_the_limit_refuses_only_what_was_sent_before_it_told() {
    for counting in [Counting::RateLimit, Counting::RateLimitFields, Counting::XRateLimit] {
        let network = Network::of(counting);
        network.call("", 40).await;
        let server = network.server();
        let first_answer = server.first_answer.expect("it answered");
        assert_eq!(server.refused.len(), 40 - ALLOWED, "{counting:?}: they were under way together");
        let knowing = server.refused.iter().filter(|sent| **sent > first_answer);
        assert_eq!(knowing.count(), 0, "{counting:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_told_its_limit_to_the_first_call_refuses_nothing() {
    for counting in [Counting::RateLimit, Counting::RateLimitFields, Counting::XRateLimit] {
        let network = Network::of(counting);
        // Fewer at once than the limit: the first answer is there before it is spent.
        network.call("concurrency: 5", 200).await;
        assert_eq!(network.server().refused, [], "{counting:?}");
    }
}
