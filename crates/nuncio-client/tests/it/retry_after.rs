//! `Retry-After` against the verdicts of urllib3, recorded in `tests/vectors/retry-after.json`.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use nuncio_client::hints::retry_after::parse;
use serde_json::Value;

/// Where we differ: the case, our answer, the reason. None of them is a valid value by RFC 9110; see `docs/decisions/0003-retry-after.md`.
const DIFFERENCES: [(&str, Option<f64>, &str); 11] = [
    ("delta-float", Some(1.5), "real servers send fractions, and what they mean is plain"),
    ("delta-float-integer-valued", Some(2.0), "as any fraction"),
    ("date-no-weekday", None, "not one of the three forms"),
    ("date-zone-est", None, "HTTP dates are in GMT; local zones are guesswork"),
    ("date-zone-missing", None, "not one of the three forms; the sender's local time is as likely"),
    ("date-zone-unknown", None, "an unknown zone can be hours away"),
    ("date-no-seconds", None, "not one of the three forms"),
    ("date-hour-24", None, "RFC 9110 ends the day at 23:59:60"),
    ("date-day-31-in-april", None, "no such day; the next month is a guess"),
    ("date-day-32", None, "no such day"),
    ("date-month-full-name", None, "not one of the three forms"),
];

#[test]
fn retry_after_is_read_as_the_vectors_have_it() {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/retry-after.json")).expect("the vectors are JSON");
    let cases = vectors["cases"].as_array().expect("there are cases");
    assert_eq!(cases.len(), 55);
    let mut differences: BTreeMap<&str, Option<f64>> =
        DIFFERENCES.iter().map(|(name, ours, _)| (*name, *ours)).collect();
    for case in cases {
        let text = |key: &str| case[key].as_str().expect("a string");
        let now = UNIX_EPOCH + Duration::from_secs(case["now"].as_u64().expect("seconds"));
        let theirs = case["expect"]["seconds"].as_f64();
        let expected = differences.remove(text("name")).unwrap_or(theirs);
        let ours = parse(text("retry_after"), now).map(|wait| wait.as_secs_f64());
        assert_eq!(ours, expected, "{}: {:?}", text("name"), text("retry_after"));
    }
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}
