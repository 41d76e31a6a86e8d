//! When a schedule is due.

use jiff::Timestamp;
use nuncio_relay::schedule::Timing;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{at, minutes};

fn timing(settings: Value) -> Result<Timing, nuncio_client::Error> {
    let mut settings = settings;
    settings["call"] = json!({ "service": "shop", "operation": "ping" });
    Timing::new(&serde_json::from_value(settings).unwrap())
}

fn cron(cron: &str, zone: &str) -> Timing {
    timing(json!({ "cron": cron, "time_zone": zone })).unwrap()
}

#[derive(Deserialize)]
struct Vector {
    cron: String,
    time_zone: String,
    after: Timestamp,
    due: Vec<Timestamp>,
}

/// Written by `tests/vectors/cron.py`.
#[test]
fn times_are_those_of_debians_cron_also_where_the_clock_is_changed() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../vectors/cron.json")).unwrap();
    assert!(vectors.len() > 300);
    let mut wrong = Vec::new();
    for vector in vectors {
        if vector.cron == "* 2 * * *" && vector.time_zone == "Australia/Lord_Howe" {
            // cronsim takes each change for one of a whole hour: see the test below.
            continue;
        }
        let timing = cron(&vector.cron, &vector.time_zone);
        let mut expected = vector.due.clone();
        // What comes at the same moment is one time to us.
        expected.dedup();
        let mut after = vector.after;
        for due in expected {
            let found = timing.next_after(after);
            if found != Some(due) {
                wrong.push(format!(
                    "{} {} after {after}: {found:?}, not {due}",
                    vector.cron, vector.time_zone
                ));
                break;
            }
            after = due;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_change_of_half_an_hour_is_taken_for_what_it_is() {
    // At 15:00 UTC the clock of Lord Howe Island is set from 02:00 back to 01:30.
    let timing = cron("* 2 * * *", "Australia/Lord_Howe");
    assert_eq!(timing.next_after(at("2026-04-04T01:00:00Z")), Some(at("2026-04-04T15:30:00Z")));
}

#[test]
fn a_time_that_the_clock_jumps_over_comes_once_right_behind_the_gap() {
    for (zone, before, due, next) in [
        ("Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
        ("America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"),
    ] {
        let timing = cron("30 2 * * *", zone);
        assert_eq!(timing.next_after(at(before)), Some(at(due)), "{zone}");
        assert_eq!(timing.next_after(at(due)), Some(at(next)), "{zone}");
    }
}

#[test]
fn a_time_that_the_clock_shows_twice_comes_once() {
    for (zone, hour, before, due, next) in [
        ("Europe/Berlin", 2, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ("America/New_York", 1, "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"),
    ] {
        let timing = cron(&format!("30 {hour} * * *"), zone);
        assert_eq!(timing.next_after(at(before)), Some(at(due)), "{zone}");
        assert_eq!(timing.next_after(at(due)), Some(at(next)), "{zone}");
        // Nor does it come in the second hour, if somebody looks only then.
        assert_eq!(timing.next_after(at(due) + minutes(45)), Some(at(next)), "{zone}");
    }
}

#[test]
fn a_rhythm_goes_on_with_real_time_whatever_the_clock_shows() {
    for begin in ["2026-03-28T23:00:00Z", "2026-10-24T22:00:00Z"] {
        let timing = cron("*/20 * * * *", "Europe/Berlin");
        let mut after = at(begin);
        for _ in 0..24 {
            let next = timing.next_after(after).unwrap();
            assert_eq!(next.duration_since(after), minutes(20));
            after = next;
        }
    }
}

#[test]
fn words_stand_for_times() {
    let next = |word: &str| cron(word, "UTC").next_after(at("2026-02-03T04:05:06Z")).unwrap();
    assert_eq!(next("@hourly"), at("2026-02-03T05:00:00Z"));
    assert_eq!(next("@daily"), at("2026-02-04T00:00:00Z"));
    assert_eq!(next("@weekly"), at("2026-02-08T00:00:00Z"));
    assert_eq!(next("@monthly"), at("2026-03-01T00:00:00Z"));
    assert_eq!(next("@yearly"), at("2027-01-01T00:00:00Z"));
}

#[test]
fn an_interval_is_counted_from_1970() {
    let timing = timing(json!({ "every": "15m" })).unwrap();
    assert_eq!(timing.next_after(at("2026-02-03T04:05:06Z")), Some(at("2026-02-03T04:15:00Z")));
    assert_eq!(timing.next_after(at("2026-02-03T04:15:00Z")), Some(at("2026-02-03T04:30:00Z")));
}

#[test]
fn what_is_no_time_is_refused() {
    for (settings, expected) in [
        (json!({}), "one of `cron` and `every`"),
        (json!({ "cron": "@daily", "every": "1h" }), "one of `cron` and `every`"),
        (json!({ "cron": "0 0 * *" }), "five fields"),
        (json!({ "cron": "0 0 * * * UTC" }), "five fields"),
        (json!({ "cron": "60 0 * * *" }), "\"60 0 * * *\" is no time"),
        (json!({ "cron": "0 0 30 2 *" }), "never due"),
        (json!({ "cron": "@daily", "time_zone": "Europe/Atlantis" }), "Europe/Atlantis"),
        (json!({ "every": "1h", "time_zone": "Europe/Berlin" }), "no `time_zone`"),
        (json!({ "every": "10ms" }), "at least 1s"),
    ] {
        let error = timing(settings.clone()).unwrap_err();
        assert!(error.to_string().contains(expected), "{settings}: {error}");
    }
}
