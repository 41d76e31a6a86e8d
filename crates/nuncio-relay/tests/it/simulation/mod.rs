//! The dispatcher under everything that can happen to it, in simulated time: receivers that fail, hang and refuse, workers that die between any
//! two steps, a clock that is set forward and back. Each seed is one schedule; a rule that is broken names the seed.

mod calls;
mod clock;
mod mortal;
mod receiver;
mod world;

use world::World;

/// How many schedules are run: `NUNCIO_SCHEDULES`, or enough to notice what is broken.
fn schedules() -> u64 {
    std::env::var("NUNCIO_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000)
}

#[test]
fn nothing_is_lost_whatever_happens() {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let total = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    (thread..schedules())
                        .step_by(threads as usize)
                        .map(World::run)
                        .fold([0; 5], |sum, counts| std::array::from_fn(|index| sum[index] + counts[index]))
                })
            })
            .collect();
        runs.into_iter()
            .map(|run| run.join().unwrap())
            .fold([0; 5], |sum: [u64; 5], counts| std::array::from_fn(|index| sum[index] + counts[index]))
    });
    let [deliveries, attempts, deaths, disabled, jumps] = total;
    println!(
        "{} schedules: {deliveries} deliveries, {attempts} attempts, {deaths} workers died, {disabled} endpoints disabled, \
         the clock jumped {jumps} times",
        schedules()
    );
    assert!(
        attempts > deliveries
            && deaths > schedules() / 2
            && disabled > schedules() / 50
            && jumps > schedules() / 2,
        "too little happened"
    );
}
