use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

struct Split {
    records: Vec<Record>,
    envelope: Box<RawValue>,
}

fn at(path: &str) -> Records {
    Records::Array(path.parse().expect(path))
}

/// Splits `body` in pieces of `size` bytes.
fn split(records: Records, body: &[u8], size: usize) -> Result<Split, Error> {
    let mut splitter = Splitter::new(records);
    let mut records = Vec::new();
    for piece in body.chunks(size) {
        splitter.feed(&Bytes::copy_from_slice(piece), &mut records)?;
    }
    let envelope = splitter.finish(&mut records)?;
    Ok(Split { records, envelope })
}

fn texts(records: &Records, body: &str) -> Vec<String> {
    let whole = split(records.clone(), body.as_bytes(), usize::MAX).expect(body).records;
    for size in 1..body.len() {
        assert_eq!(
            split(records.clone(), body.as_bytes(), size).expect(body).records,
            whole,
            "pieces of {size}"
        );
    }
    whole.iter().map(|record| record.as_str().to_owned()).collect()
}

fn failure(records: Records, body: &str) -> Error {
    split(records, body.as_bytes(), 3).err().expect(body)
}

#[test]
fn records_are_found_at_the_root_and_deep_within() {
    assert_eq!(
        texts(&at("."), "\u{feff} [1, \"a\" , {\"b\":[]} ,null,[2]] "),
        ["1", "\"a\"", "{\"b\":[]}", "null", "[2]"]
    );
    assert_eq!(texts(&at("a.b"), r#"{"x":{"b":[9]},"a":{"c":[{"b":[8]}],"b":[1,2]},"b":[7]}"#), ["1", "2"]);
    assert_eq!(texts(&at("1"), r#"[{"page":1},[{"id":1}],[3]]"#), ["{\"id\":1}"]);
    assert_eq!(texts(&at("0.rows"), r#"[{"rows":[1]},{"rows":[2]}]"#), ["1"]);
    assert_eq!(texts(&at("a.2.b"), r#"{"a":[[5],{"b":[6]},{"b":[7]}]}"#), ["7"]);
    assert!(texts(&at("data"), r#"{"data":[ ]}"#).is_empty());
}

#[test]
fn a_key_is_the_same_however_it_is_escaped() {
    assert_eq!(texts(&at("größe"), r#"{"\\\"größe":[0],"gr\u00f6\u00dfe":[1]}"#), ["1"]);
    assert_eq!(texts(&at(r#"a"b"#), r#"{"b":[0],"a\"b":[1]}"#), ["1"]);
}

#[test]
fn records_keep_every_byte() {
    let record = r#"{"id":98765432109876543210987,"d":1234567890.1234567890123, "s":"\u00e9é\n" ,"z":0.10}"#;
    assert_eq!(texts(&at("."), &format!("[{record},{record}]")), [record, record]);
}

#[test]
fn lines_are_records() {
    assert_eq!(
        texts(&Records::Lines, "{\"a\":1}\n\n[2]\r\n\"x\"\n12\n34"),
        ["{\"a\":1}", "[2]", "\"x\"", "12", "34"]
    );
    assert!(texts(&Records::Lines, "").is_empty());
    assert_eq!(
        failure(Records::Lines, "{\"a\":1}\n{\"a\":").to_string(),
        "the body ends too early, after 13 bytes"
    );
}

#[test]
fn what_stands_around_the_records_is_kept() {
    let body = r#"{"next":"c1","data":[{"a":[1,{}]},{"b":2}],"total":12,"more":{"data":[1]}}"#;
    for size in [1, 5, usize::MAX] {
        let split = split(at("data"), body.as_bytes(), size).unwrap();
        assert_eq!(split.envelope.get(), r#"{"next":"c1","data":[],"total":12,"more":{"data":[1]}}"#);
    }
}

#[test]
fn a_missing_path_is_an_error_that_names_the_keys_found() {
    let error = failure(at("data.items"), r#"{"data":{"rows":[1],"count":1},"ok":true}"#);
    assert_eq!(error.kind(), Kind::Decode);
    assert_eq!(
        error.to_string(),
        "no records at `data.items`: `data` is an object with the keys rows, count"
    );
    let error = failure(at("items"), r#"[{"a":1}]"#);
    assert_eq!(error.to_string(), "no records at `items`: the body is an array of 1");
    let error = failure(at("data.orders"), r#"{"errors":[{"message":"THROTTLED"}],"data":null}"#);
    assert_eq!(error.to_string(), "no records at `data.orders`: `data` is null");
}

#[test]
fn null_or_an_object_where_the_records_should_be_is_an_error() {
    assert_eq!(failure(at("data"), r#"{"data":null}"#).to_string(), "no array of records at `data` but null");
    let error = failure(at("data"), r#"{"data":{"id":1}}"#);
    assert_eq!(error.to_string(), "no array of records at `data` but an object with the keys id");
    let error = failure(at("."), r#"{"message":"down"}"#);
    assert_eq!(error.to_string(), "no array of records at `.` but an object with the keys message");
}

#[test]
fn records_may_be_absent_where_that_is_allowed() {
    let optional = Records::OptionalArray("data".parse().unwrap());
    assert!(texts(&optional, r#"{"data":null}"#).is_empty());
    assert!(texts(&optional, r#"{"meta":1}"#).is_empty());
    assert_eq!(
        failure(optional, r#"{"data":"x"}"#).to_string(),
        "no array of records at `data` but a string"
    );
}

#[test]
fn records_that_come_twice_are_an_error() {
    assert_eq!(failure(at("data"), r#"{"data":[1],"data":[2]}"#).to_string(), "the body has `data` twice");
}

#[test]
fn html_is_an_error_with_advice() {
    let error = failure(at("."), "  <!DOCTYPE html><html>");
    assert_eq!(error.kind(), Kind::Decode);
    assert_eq!(error.to_string(), "the body is not JSON: unexpected '<' at byte 2");
    assert!(error.advice().unwrap().contains("HTML"));
}

#[test]
fn a_fault_within_a_record_is_found_at_its_byte() {
    let body = r#"[{"a":1},{"a":NaN}]"#;
    let mut records = Vec::new();
    let mut splitter = Splitter::new(at("."));
    let error = splitter.feed(&body.into(), &mut records).unwrap_err();
    assert_eq!(error.to_string(), "the body is not JSON: unexpected 'N' at byte 14");
    assert_eq!(records.len(), 1, "what came before it is kept");
    assert!(split(at("."), b"[\"\xff\"]", 9).is_err());
    assert!(split(at("data"), b"{\"x\":\"\xff\",\"data\":[]}", 9).is_err());
}

#[test]
fn a_body_that_ends_early_or_goes_on_is_an_error() {
    let body = r#"{"data":[{"id":1},{"id":2}]}"#;
    for end in 0..body.len() {
        assert!(split(at("data"), &body.as_bytes()[..end], 4).is_err(), "{end}");
    }
    assert_eq!(
        failure(at("data"), &format!("{body}]")).to_string(),
        "the body is not JSON: unexpected ']' at byte 28"
    );
}

#[test]
fn a_record_or_an_envelope_over_the_bound_is_an_error() {
    let mut splitter = Splitter::new(at(".")).max_record_bytes(10);
    let mut records = Vec::new();
    splitter.feed(&"[\"12345678\",\"1234".into(), &mut records).unwrap();
    let error = splitter.feed(&"56789\"]".into(), &mut records).unwrap_err();
    assert_eq!((error.kind(), records.len()), (Kind::TooLarge, 1));

    let long = format!("{{\"x\":\"{}\",\"data\":[]}}", "x".repeat(MAX_ENVELOPE_BYTES));
    let error = split(at("data"), long.as_bytes(), 4096).err().unwrap();
    assert_eq!(error.to_string(), "no records at `data` in the first MiB of the body");
}

#[test]
fn a_record_within_one_piece_is_not_copied() {
    let piece = Bytes::from_static(b"[{\"id\":1}]");
    let mut records = Vec::new();
    Splitter::new(at(".")).feed(&piece, &mut records).unwrap();
    assert_eq!(records[0].as_bytes().as_ptr(), piece[1..].as_ptr());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,4}", inner), 0..4).prop_map(|pairs| Map::from_iter(pairs).into()),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_in_any_pieces_has_the_records_that_serde_json_finds(
        before in any_json(), records in prop::collection::vec(any_json(), 0..5), after in any_json(),
        pretty in any::<bool>(), size in 1_usize..40,
    ) {
        let document = json!({"before": before, "page": {"x": before, "rows": records, "y": after}, "after": after});
        let body = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) }.unwrap();
        let found = split(at("page.rows"), &body, size).unwrap();

        let expected: Vec<&RawValue> = {
            let page: &RawValue = "page.rows".parse::<json::Path>().unwrap().raw(std::str::from_utf8(&body).unwrap()).unwrap();
            serde_json::from_str(page.get()).unwrap()
        };
        let found_texts: Vec<&str> = found.records.iter().map(Record::as_str).collect();
        prop_assert_eq!(found_texts, expected.iter().map(|raw| raw.get()).collect::<Vec<_>>());
        let around = json!({"before": before, "page": {"x": before, "rows": [], "y": after}, "after": after});
        let envelope: Value = serde_json::from_str(found.envelope.get()).unwrap();
        prop_assert_eq!(envelope.to_string(), around.to_string());
    }

    #[test]
    fn a_damaged_body_is_accepted_only_if_serde_json_accepts_it(
        records in prop::collection::vec(any_json(), 1..4), place in any::<prop::sample::Index>(), byte in any::<u8>(),
        size in 1_usize..20,
    ) {
        let mut body = serde_json::to_vec(&records).unwrap();
        let place = place.index(body.len());
        body[place] = byte;
        let found = split(at("."), &body, size);
        let expected = serde_json::from_slice::<Vec<&RawValue>>(&body).ok();
        prop_assert_eq!(found.ok().map(|split| split.records.len()), expected.map(|records| records.len()));
    }
}

#[test]
fn white_space_between_records_has_a_bound_and_is_counted_anew_behind_each() {
    let blanks = " ".repeat(MAX_ENVELOPE_BYTES - 100);
    for (records, begin, end) in [(at("."), "[1,", "2,3]"), (Records::Lines, "1\n", "2\n3\n")] {
        let body = |blanks: &str| format!("{begin}{blanks}{end}");
        assert_eq!(
            split(records.clone(), body(&blanks).as_bytes(), 4096).expect("within it").records.len(),
            3
        );
        let error = split(records, body(&blanks.repeat(2)).as_bytes(), 4096).err().expect("over it");
        assert_eq!(error.kind(), Kind::TooLarge);
    }
}
