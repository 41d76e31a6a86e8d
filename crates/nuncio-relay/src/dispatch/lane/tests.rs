use super::*;
use crate::outcome::Failure;

#[derive(Debug)]
struct Bench {
    lane: Lane,
    random: Random,
}

impl Bench {
    fn new(concurrency: u32, rate: Option<&str>) -> Self {
        let rate = rate.map(|rate| rate.parse().unwrap());
        let concurrency = NonZeroU32::new(concurrency).unwrap();
        let lane = Lane::new(&Delivery { concurrency, rate, ..Delivery::default() }, Instant::now());
        Self { lane, random: Random::seeded(1) }
    }

    fn room(&self) -> u32 {
        match self.lane.room(Instant::now()) {
            Room::Now(room) => room.get(),
            Room::At(_) | Room::Full => 0,
        }
    }

    /// One attempt that comes to `outcome` at once.
    fn attempt(&mut self, outcome: &Outcome) -> Turn {
        let now = Instant::now();
        self.lane.begin(now);
        self.lane.end(outcome, now, now, &self.random)
    }

    fn fail(&mut self, times: u32) -> Turn {
        (0..times).map(|_| self.attempt(&Outcome::failed(Fault::Unavailable, "no"))).last().unwrap()
    }

    fn work(&mut self, times: u32) {
        for _ in 0..times {
            self.attempt(&Outcome::taken(200));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_window_widens_with_each_success_up_to_its_bound() {
    let mut bench = Bench::new(10, None);
    assert_eq!(bench.room(), FIRST_WINDOW);
    bench.work(3);
    assert_eq!(bench.room(), FIRST_WINDOW + 3);
    bench.work(100);
    assert_eq!(bench.room(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_takes_room() {
    let mut bench = Bench::new(10, None);
    let now = Instant::now();
    (0..FIRST_WINDOW).for_each(|_| bench.lane.begin(now));
    assert_eq!(bench.lane.room(now), Room::Full);
    bench.lane.end(&Outcome::failed(Fault::Refused, "no"), now, now, &bench.random);
    assert_eq!(bench.room(), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_of_one_round_halve_the_window_once() {
    let mut bench = Bench::new(32, None);
    bench.work(28);
    let began = Instant::now();
    (0..8).for_each(|_| bench.lane.begin(began));
    tokio::time::advance(Duration::from_secs(1)).await;
    for _ in 0..8 {
        bench.lane.end(&Outcome::failed(Fault::Throttled, "503"), began, Instant::now(), &bench.random);
    }
    assert_eq!(bench.room(), 16);
    // From now on a whole round of successes is one more.
    bench.work(15);
    assert_eq!(bench.room(), 16);
    bench.work(2);
    assert_eq!(bench.room(), 17);
}

#[tokio::test(start_paused = true)]
async fn a_window_never_closes() {
    let mut bench = Bench::new(32, None);
    for _ in 0..9 {
        bench.fail(1);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(bench.room(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_ten_failures_in_a_row_only_a_probe_is_sent() {
    let mut bench = Bench::new(32, None);
    bench.fail(9);
    bench.work(1);
    assert_eq!(bench.fail(9), Turn::None);
    assert_eq!(bench.fail(1), Turn::Failed);
    assert_eq!(bench.room(), 0);
    tokio::time::advance(FIRST_OPEN * 11 / 10).await;
    assert_eq!(bench.room(), 1);
    bench.lane.begin(Instant::now());
    assert_eq!(bench.room(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_doubles_the_pause_and_one_that_works_ends_it() {
    let mut bench = Bench::new(32, None);
    bench.fail(10);
    tokio::time::advance(FIRST_OPEN * 11 / 10).await;
    assert_eq!(bench.fail(1), Turn::Failed);
    tokio::time::advance(FIRST_OPEN * 19 / 10).await;
    assert_eq!(bench.room(), 0);
    tokio::time::advance(FIRST_OPEN).await;
    assert_eq!(bench.attempt(&Outcome::taken(200)), Turn::Worked);
    assert!(bench.room() >= 1);
    bench.fail(9);
    assert!(bench.room() >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_never_longer_than_its_bound() {
    let mut bench = Bench::new(32, None);
    bench.fail(10);
    for _ in 0..20 {
        tokio::time::advance(Delivery::default().longest_pause.0 * 11 / 10).await;
        assert_eq!(bench.room(), 1);
        bench.fail(1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_answers_is_not_dead_whatever_it_says() {
    let mut bench = Bench::new(32, None);
    bench.fail(9);
    bench.attempt(&Outcome::failed(Fault::Refused, "400"));
    assert_eq!(bench.fail(9), Turn::None);
}

#[tokio::test(start_paused = true)]
async fn a_late_failure_from_before_the_pause_does_not_lengthen_it() {
    let mut bench = Bench::new(32, None);
    let began = Instant::now();
    bench.lane.begin(began);
    bench.fail(10);
    let turn =
        bench.lane.end(&Outcome::failed(Fault::Unavailable, "no"), began, Instant::now(), &bench.random);
    assert_eq!(turn, Turn::None);
    tokio::time::advance(FIRST_OPEN * 11 / 10).await;
    assert_eq!(bench.room(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_says_how_long_it_is_left_alone() {
    let mut bench = Bench::new(32, None);
    let wait = Duration::from_secs(90);
    let reason = "429".to_owned();
    let failure = Failure { fault: Fault::Throttled, reason, retry_after: Some(wait), is_final: false };
    bench.attempt(&Outcome { result: Err(failure), ..Outcome::taken(429) });
    assert_eq!(bench.lane.room(Instant::now()), Room::At(Instant::now() + wait));
    tokio::time::advance(wait).await;
    assert!(bench.room() >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_bounds_what_begins() {
    let mut bench = Bench::new(32, Some("2/s"));
    assert_eq!(bench.room(), 2);
    bench.work(2);
    assert_eq!(bench.lane.room(Instant::now()), Room::At(Instant::now() + Duration::from_millis(500)));
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(bench.room(), 1);
}

#[tokio::test(start_paused = true)]
async fn other_settings_leave_what_was_learned() {
    let two_at_once = Delivery { concurrency: NonZeroU32::new(2).unwrap(), ..Delivery::default() };
    let mut bench = Bench::new(32, None);
    bench.fail(10);
    bench.lane.set(&two_at_once, Instant::now());
    assert_eq!(bench.room(), 0);
    let mut bench = Bench::new(32, None);
    bench.work(20);
    bench.lane.set(&two_at_once, Instant::now());
    assert_eq!(bench.room(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_is_told_of_the_breaker_and_when_it_is_probed() {
    let mut bench = Bench::new(10, None);
    let now = Timestamp::from_second(1_760_000_000).unwrap();
    bench.fail(FAILURES_TO_OPEN - 1);
    let closed = pace::Breaker::Closed { failures: FAILURES_TO_OPEN - 1 };
    assert_eq!(bench.lane.pace(now, Instant::now()).breaker, closed);
    bench.fail(1);
    let pace::Breaker::Open { until } = bench.lane.pace(now, Instant::now()).breaker else {
        panic!("{bench:?}")
    };
    let wait = until.duration_since(now).unsigned_abs();
    assert!((FIRST_OPEN..FIRST_OPEN * 2).contains(&wait), "{wait:?}");
    tokio::time::advance(wait).await;
    bench.lane.begin(Instant::now());
    let probing = bench.lane.pace(now, Instant::now());
    assert_eq!((probing.breaker, probing.in_flight), (pace::Breaker::Probing, 1));
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_is_left_alone_no_longer_than_its_settings_say() {
    let longest_pause = nuncio_service::model::Span(Duration::from_secs(1));
    let lane = Lane::new(&Delivery { longest_pause, ..Delivery::default() }, Instant::now());
    let mut bench = Bench { lane, random: Random::seeded(1) };
    assert_eq!(bench.fail(10), Turn::Failed);
    for _ in 0..5 {
        assert_eq!(bench.room(), 0);
        tokio::time::advance(Duration::from_millis(1_100)).await;
        assert_eq!(bench.room(), 1);
        bench.fail(1);
    }
}
