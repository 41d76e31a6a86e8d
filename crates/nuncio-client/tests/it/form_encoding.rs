//! Form bodies against those of Stripe's own SDKs, recorded in `tests/vectors/form-encoding.json`.

use std::collections::BTreeMap;

use nuncio_client::body::form;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What we send where the two SDKs differ; `docs/decisions/0005-form-encoding.md` has the reasons.
const CHOSEN: [(&str, &[(&str, &str)]); 5] = [
    ("null-top-level", &[("b", "1")]),
    ("null-in-array", &[("a[0]", "1"), ("a[1]", ""), ("a[2]", "2")]),
    ("booleans-in-array", &[("a[0]", "true"), ("a[1]", "false")]),
    ("float-integer-valued", &[("a", "1")]),
    ("float-small-exponent", &[("a", "1e-7")]),
];

#[derive(Deserialize)]
struct Vectors<'a> {
    #[serde(borrow)]
    cases: Vec<Case<'a>>,
}

#[derive(Deserialize)]
struct Case<'a> {
    name: &'a str,
    params: &'a RawValue,
    expect: Option<Expect>,
}

#[derive(Deserialize)]
struct Expect {
    pairs: Vec<(String, String)>,
}

#[test]
fn forms_are_those_of_the_vendors_sdks() {
    let vectors: Vectors<'_> =
        serde_json::from_str(include_str!("../vectors/form-encoding.json")).expect("the vectors are JSON");
    assert_eq!(vectors.cases.len(), 31);
    let mut chosen = BTreeMap::from(CHOSEN);
    for case in vectors.cases {
        let expected = case.expect.map_or_else(
            || {
                let pairs =
                    chosen.remove(case.name).unwrap_or_else(|| panic!("nothing chosen: {}", case.name));
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
            },
            |expect| expect.pairs,
        );
        // As a program that holds values has it, and as text that is handed through.
        let value: Value = serde_json::from_str(case.params.get()).expect("the parameters are JSON");
        for body in [form::encode(&value), form::encode(case.params)] {
            let body = body.expect(case.name);
            let pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            assert_eq!(pairs, expected, "{}", case.name);
        }
    }
    assert!(chosen.is_empty(), "no such cases: {chosen:?}");
}
