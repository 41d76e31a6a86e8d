//! Small pictures of numbers, drawn as SVG.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nuncio_relay::store::Tried;

/// How high and wide a picture is, in its own units: for 50 bars, the last of which stands at the right.
const HEIGHT: u32 = 24;
const WIDTH: usize = 150;

/// A row of bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spark {
    pub(super) bars: Vec<Bar>,
    /// What it shows, for those who do not see it.
    pub(super) label: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) y: u32,
    pub(super) height: u32,
    pub(super) is_bad: bool,
}

impl Spark {
    fn new(bars: impl ExactSizeIterator<Item = (f64, bool)>, label: String) -> Self {
        let left = WIDTH.saturating_sub(bars.len() * 3);
        let bar = |(place, (share, is_bad)): (usize, (f64, bool))| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and the height"
            )]
            let height =
                (share.clamp(0.0, 1.0) * f64::from(HEIGHT - 2)).ceil() as u32 + u32::from(share > 0.0);
            Bar { x: left + place * 3, y: HEIGHT - height, height, is_bad }
        };
        Self { bars: bars.enumerate().map(bar).collect(), label }
    }

    /// How long attempts took, the oldest first: a bar each, on a scale where ten times as long is a fixed step higher, from 1 ms to 30 s.
    pub(super) fn latencies(tried: &[Tried]) -> Self {
        let share = |took: Duration| {
            let millis = (took.as_secs_f64() * 1e3).max(1.0);
            (millis.log10() / 30_000_f64.log10()).max(0.15)
        };
        let failed = tried.iter().filter(|tried| tried.error.is_some()).count();
        let label = match median(tried) {
            Some(median) => format!(
                "{} attempts, {failed} failed, half of them within {}",
                tried.len(),
                super::show::took(&median)
            ),
            None => "nothing was tried yet".to_owned(),
        };
        Self::new(tried.iter().rev().map(|tried| (share(tried.took), tried.error.is_some())), label)
    }

    /// How many events were stored in each of the last 30 minutes.
    pub(super) fn arrivals(times: &[Timestamp], now: Timestamp) -> Self {
        let mut minutes = [0_u32; 30];
        for at in times {
            let ago = now.duration_since(*at).max(SignedDuration::ZERO).as_mins();
            if let Some(minute) = usize::try_from(ago).ok().and_then(|ago| minutes.get_mut(ago)) {
                *minute += 1;
            }
        }
        let most = f64::from(minutes.iter().copied().max().unwrap_or(0).max(1));
        let label = format!("{} events in the last 30 minutes", minutes.iter().sum::<u32>());
        Self::new(minutes.into_iter().rev().map(|count| (f64::from(count) / most, false)), label)
    }
}

/// How long the middle one took.
pub(super) fn median(tried: &[Tried]) -> Option<Duration> {
    let mut took: Vec<_> = tried.iter().map(|tried| tried.took).collect();
    took.sort_unstable();
    took.get(took.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(millis: u64, is_bad: bool) -> Tried {
        let error = is_bad.then(|| "503".to_owned());
        Tried { at: Timestamp::UNIX_EPOCH, took: Duration::from_millis(millis), status: None, error }
    }

    #[test]
    fn the_oldest_attempt_stands_left_and_slow_ones_are_high() {
        let spark = Spark::latencies(&[tried(30_000, true), tried(1, false)]);
        let [old, new] = &spark.bars[..] else { panic!("{spark:?}") };
        assert!(!old.is_bad && new.is_bad && old.x < new.x && old.height < new.height, "{spark:?}");
        assert!(spark.bars.iter().all(|bar| bar.y + bar.height == HEIGHT), "{spark:?}");
    }

    #[test]
    fn what_arrived_earlier_than_the_picture_begins_is_left_out() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2);
        let spark = Spark::arrivals(&[now, now - SignedDuration::from_mins(31)], now);
        assert_eq!(spark.label, "1 events in the last 30 minutes");
        assert_eq!(
            spark.bars.iter().filter(|bar| bar.height > 0).map(|bar| bar.x).collect::<Vec<_>>(),
            [147]
        );
    }
}
