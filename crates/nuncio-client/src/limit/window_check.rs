//! What the property tests hold the limiter to, computed without any of its code: sums over all windows.

use tokio::time::Instant;

use super::Refill;

#[derive(Debug, Clone, Copy)]
pub(super) struct Grant {
    pub(super) at: Instant,
    pub(super) tokens: u32,
}

/// Every window from one grant to another holds at most the capacity at its start and what came back in it, under `quotas`: the
/// times from which each capacity and refill held, in order.
pub(super) fn assert_no_window_exceeds(quotas: &[(Instant, u32, Refill)], grants: &[Grant]) {
    for (first, start) in grants.iter().enumerate() {
        let mut granted = 0;
        for end in &grants[first..] {
            granted += u64::from(end.tokens);
            let bound = bound(quotas, start.at, end.at);
            // The bound is a sum of floating point numbers: nine digits are right.
            assert!(
                granted as f64 <= bound * (1.0 + 1e-9),
                "{granted} tokens in {:?}, which allows {bound}",
                end.at - start.at
            );
        }
    }
}

fn bound(quotas: &[(Instant, u32, Refill)], start: Instant, end: Instant) -> f64 {
    let held = |index: usize| quotas.get(index + 1).map(|(until, ..)| *until);
    // Of several quotas set at one instant, any may have been the one at the start of the window.
    let capacity = quotas
        .iter()
        .enumerate()
        .filter(|(index, (from, ..))| *from <= start && held(*index).is_none_or(|until| until >= start))
        .map(|(_, (_, capacity, _))| *capacity)
        .max();
    let refilled = quotas.iter().enumerate().map(|(index, (from, _, refill))| {
        let until = held(index).unwrap_or(end).min(end);
        let span = until.saturating_duration_since((*from).max(start));
        per_second(*refill) * span.as_secs_f64()
    });
    f64::from(capacity.expect("a quota holds from the start")) + refilled.sum::<f64>()
}

fn per_second(refill: Refill) -> f64 {
    let text = refill.to_string();
    let (tokens, period) = text.split_once('/').expect("a refill is written with a stroke");
    let (count, unit) = period.split_at(period.len() - 1);
    let secs = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => 86_400.0,
    };
    tokens.parse::<f64>().expect("a number") / (secs * count.parse::<f64>().unwrap_or(1.0))
}
