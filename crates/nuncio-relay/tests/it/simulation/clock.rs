//! The clock of the machine, which somebody sets: it jumps forward and back.

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use nuncio_client::{Clock, Random};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What it shows when a schedule begins, since 1970.
const START: Duration = Duration::from_secs(1_760_000_000);

const HOUR: i64 = 3_600;

/// How far it jumps, in seconds.
const JUMPS: [i64; 6] = [HOUR, -HOUR, 26 * HOUR, -26 * HOUR, 168 * HOUR, -168 * HOUR];

#[derive(Clone)]
pub(super) struct SetClock {
    start: Instant,
    /// When it was set, and by how many seconds.
    jumps: Arc<Mutex<Vec<(Instant, i64)>>>,
}

impl SetClock {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), jumps: Arc::default() }
    }

    /// What the relay is told.
    pub(super) fn clock(&self) -> Clock {
        let this = self.clone();
        Clock::new(move || {
            let jumped: i64 = this.jumps.lock().unwrap().iter().map(|(_, by)| by).sum();
            let even = UNIX_EPOCH + START + this.start.elapsed();
            let by = Duration::from_secs(jumped.unsigned_abs());
            if jumped < 0 { even - by } else { even + by }
        })
    }

    /// Sets it a few times, first while deliveries are under way, later while some wait.
    pub(super) fn jump(&self, random: Random) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let pick = |bound: u64| (random.bits() % u128::from(bound)) as u64;
            for bound in [2_000, 60_000, 3_600_000, 86_400_000, 86_400_000] {
                sleep(Duration::from_millis(pick(bound))).await;
                let by = JUMPS[pick(JUMPS.len() as u64) as usize];
                this.jumps.lock().unwrap().push((Instant::now(), by));
            }
        })
    }

    /// How far it jumped forward and back in all, before this.
    pub(super) fn jumped(&self, before: Instant) -> [Duration; 2] {
        let jumps = self.jumps.lock().unwrap();
        let sum = |sign: i64| {
            let seconds: i64 = jumps
                .iter()
                .filter(|(at, by)| *at <= before && by.signum() == sign)
                .map(|(_, by)| by.abs())
                .sum();
            Duration::from_secs(seconds.unsigned_abs())
        };
        [sum(1), sum(-1)]
    }

    pub(super) fn count(&self) -> u64 {
        self.jumps.lock().unwrap().len() as u64
    }
}
