//! Numbers, sizes and times as people read them.

use std::time::Duration;

use jiff::Timestamp;
use nuncio_relay::State;

/// How far is counted.
pub(super) const COUNTED: u32 = 10_000;

/// A count that may have stopped at [`COUNTED`]: `1,234`, or `10,000+`.
pub(super) fn count(number: &u64) -> String {
    let counted = u64::from(COUNTED);
    let more = if *number > counted { "+" } else { "" };
    format!("{}{more}", grouped(&(*number).min(counted)))
}

/// With a comma before each three digits.
pub(super) fn grouped(number: &u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size: `512 B`, `1.5 KiB`.
pub(super) fn bytes(size: &u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if *size < 1024 {
        return format!("{size} B");
    }
    let mut scaled = *size as f64 / 1024.0;
    let mut unit = 0;
    while scaled >= 1023.95 && unit + 1 < units.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", units[unit])
}

/// How long something took: `3 ms`, `1.2 s`.
pub(super) fn took(took: &Duration) -> String {
    match took.as_millis() {
        0 => format!("{:.1} ms", took.as_secs_f64() * 1e3),
        millis @ 1..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

/// A time in UTC, to the second.
pub(super) fn second(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Where a delivery stands, in a word.
pub(super) fn word(state: &State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Parked => "parked",
        State::Delivered => "delivered",
        State::Dead => "dead",
    }
}

/// The state of this name.
pub(super) fn state(word: &str) -> Option<State> {
    [State::Waiting, State::Parked, State::Delivered, State::Dead]
        .into_iter()
        .find(|state| self::word(state) == word)
}

/// A query that leads to another page of the same list.
pub(super) fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stop_where_counting_did() {
        assert_eq!(
            ["0", "999", "1,234", "10,000", "10,000+"],
            [0, 999, 1234, 10_000, 10_001].map(|n| count(&n)).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn sizes_and_durations_are_short() {
        assert_eq!(
            ["512 B", "1.0 KiB", "1.0 MiB", "5.0 MiB"],
            [512, 1024, 1024 * 1024 - 1, 5 * 1024 * 1024].map(|n| bytes(&n)).each_ref().map(String::as_str)
        );
        assert_eq!(took(&Duration::from_micros(250)), "0.2 ms");
        assert_eq!(took(&Duration::from_millis(1250)), "1.2 s");
    }

    #[test]
    fn what_a_filter_says_cannot_break_out_of_a_link() {
        assert_eq!(query(&[("q", Some("\"><script>&x=1")), ("type", None)]), "q=%22%3E%3Cscript%3E%26x%3D1");
    }
}
