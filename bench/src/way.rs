//! Ways to do a job within this process: time by the clock, time of this thread, allocations of this thread.

use std::time::Duration;

use allocation_counter::measure;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

/// A runtime on the current thread: what is measured is work, not scheduling.
///
/// # Panics
/// When the operating system refuses one.
#[must_use]
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// What one call costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// By the clock.
    pub wall: Duration,
    /// Of this thread alone: the server is elsewhere.
    pub cpu: Duration,
    /// Allocations of this thread.
    pub allocations: f64,
    /// What they came to.
    pub bytes: f64,
}

/// Samples of one way to do the job.
pub struct Way {
    /// What it is called in the table.
    pub name: &'static str,
    samples: Vec<Cost>,
}

impl Way {
    /// A way without samples.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, samples: Vec::new() }
    }

    /// Does `work` `times` times and keeps the average as one sample.
    pub fn sample(&mut self, runtime: &Runtime, times: u32, mut work: impl AsyncFnMut()) {
        let (wall, cpu) = (Instant::now(), thread_time());
        let allocations = measure(|| {
            runtime.block_on(async {
                for _ in 0..times {
                    work().await;
                }
            });
        });
        self.samples.push(Cost {
            wall: wall.elapsed() / times,
            cpu: (thread_time() - cpu) / times,
            allocations: allocations.count_total as f64 / f64::from(times),
            bytes: allocations.bytes_total as f64 / f64::from(times),
        });
    }

    /// The median of each figure.
    #[must_use]
    pub fn median(&self) -> Cost {
        Cost {
            wall: median(&self.samples, |cost| cost.wall),
            cpu: median(&self.samples, |cost| cost.cpu),
            allocations: median(&self.samples, |cost| cost.allocations),
            bytes: median(&self.samples, |cost| cost.bytes),
        }
    }
}

/// The middle one of the figures.
///
/// # Panics
/// When there is none.
pub fn median<T, F: PartialOrd + Copy>(samples: &[T], figure: impl Fn(&T) -> F) -> F {
    let mut figures: Vec<F> = samples.iter().map(figure).collect();
    figures.sort_by(|one, other| one.partial_cmp(other).expect("figures can be compared"));
    figures[figures.len() / 2]
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("less than a second"))
}
