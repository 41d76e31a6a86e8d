//! A filter does to what was read of a record what jq alone does to all of it.

use proptest::prelude::*;

use super::*;

/// What comes out, a line each, up to the first error.
fn by_jaq(filter: &Filter, json: &str) -> String {
    let input = match jaq_json::read::parse_single(json.as_bytes()) {
        Ok(input) => input,
        Err(error) => return format!("--jq needs JSON: {error}"),
    };
    let context = Ctx::<data::JustLut<Val>>::new(&filter.compiled.lut, Vars::new([]));
    let mut out = Vec::new();
    for value in filter.compiled.id.run((context, input)).map(unwrap_valr) {
        match value {
            Ok(value) => {
                jaq_json::write::write(&mut out, &jaq_json::write::Pp::default(), 0, &value).unwrap();
                out.push(b'\n');
            }
            Err(error) => {
                out.extend_from_slice(format!("--jq failed: {error}").as_bytes());
                break;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn by_us(filter: &Filter, json: &str) -> String {
    let mut out = Vec::new();
    let result = filter.run(&Bytes::copy_from_slice(json.as_bytes()), |value| {
        write::write(&mut out, value);
        out.push(b'\n');
        Ok(())
    });
    let error = result.err().map(|error| error.to_string()).unwrap_or_default();
    String::from_utf8_lossy(&out).into_owned() + &error
}

/// JSON, and what is nearly that.
fn records() -> impl Strategy<Value = String> {
    let scalars = [
        "0",
        "-0",
        "7",
        "1.50",
        "1e3",
        "123456789012345678901234567890",
        "true",
        "false",
        "null",
        "\"\"",
        "\"x\"",
        "\"a\\n\\u00e9\\\"\"",
        "\"\\ud83d\\ude00\"",
        "\"\u{7f}\u{e9}\"",
        "{}",
        "[]",
        "\"\\ud800\"",
        "NaN",
    ];
    // The last two are rare, for they make an end of everything.
    let weights = std::iter::repeat_n(16, scalars.len() - 2).chain([1, 1]);
    let scalar = prop::strategy::Union::new_weighted(weights.zip(scalars.map(Just)).collect());
    let key = prop::sample::select(vec!["a", "b", "c", "k", "\\u0061", "\\\"", "a.b"]);
    let space = || prop::sample::select(vec!["", "", " ", "\n  "]);
    scalar.prop_map(str::to_owned).prop_recursive(4, 24, 4, move |value| {
        let member =
            (space(), key.clone(), space(), value.clone()).prop_map(|(before, key, after, value)| {
                format!("{before}\"{key}\"{after}:{after}{value}{before}")
            });
        prop_oneof![
            4 => prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => prop::collection::vec(value, 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
        ]
    })
}

fn filters() -> impl Strategy<Value = String> {
    let leaves = [
        ".",
        ".",
        ".a",
        ".b",
        ".c",
        ".k",
        ".a.b",
        ".a.b.c",
        ".b.a?",
        ".c[]",
        ".[]",
        ".[]?",
        ".a[0]",
        ".[0]",
        ".a[1:]",
        ".\"a.b\"",
        ".[\"a\"]",
        ".[\"\\u0061\"]",
        "{a}",
        "{a, b: .c.k, \"k\"}",
        "1",
        "\"x\"",
        "null",
        "true",
        "empty",
        "keys",
        "..",
        "length",
        "to_entries",
        "tojson",
        "not",
        "has(\"a\")",
        "error",
        "@json",
        "type",
        "[]",
        "{}",
    ];
    let forms = [
        "(F) | (G)",
        "F, G",
        "[F]",
        "{a, x: (F)}",
        "{(F): (G)}",
        "select(F)",
        "map(F)",
        "map_values(F)",
        "(F) as $x | ($x, G)",
        "(F) as $x | {$x, b}",
        "if F then G else . end",
        "if F then G end",
        "try (F) catch .",
        "try (F)",
        "(F)?",
        "(F) + (G)",
        "(F) == (G)",
        "(F) < (G)",
        "(F) and (G)",
        "(F) // (G)",
        "\"\\(F)-\\(G)\"",
        "@base64 \"\\(F)\"",
        "(F).a",
        "(F)[]",
        "(F)[]?",
        ".[F]",
        "(F)[(G)]",
        "del(F)",
        "(F) |= (G)",
        "(F) = (G)",
        "path(F)",
        "-(F)",
        "reduce (F) as $x (0; . + $x)",
        "foreach (F) as $x (.; $x; G)",
        "first(F)",
        "def f: F; f | G",
        "def select(f): f; select(F)",
        "def g(f): .a | f; g(F)",
        "(F) as [$x] | $x, G",
        "(F) as {a: $x} | $x",
        "label $f | F, break $f, G",
        "limit(2; F)",
        "any(F)",
        ".a | (F)",
        ".c[] | (F)",
    ];
    prop::sample::select(leaves.to_vec()).prop_map(str::to_owned).prop_recursive(4, 16, 2, move |inner| {
        (prop::sample::select(forms.to_vec()), inner.clone(), inner)
            .prop_map(|(form, one, other)| form.replace('F', "\0").replace('G', &other).replace('\0', &one))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_left_out_makes_no_difference(code in filters(), records in prop::collection::vec(records(), 8)) {
        // To compile a filter takes longer than to run it many times.
        let filter = Filter::new(&code).expect("all forms are jq");
        for json in records {
            prop_assert_eq!(by_us(&filter, &json), by_jaq(&filter, &json), "{} of {}", code, json);
        }
    }
}
