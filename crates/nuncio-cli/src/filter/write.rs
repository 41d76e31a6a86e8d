//! From what jq works on to JSON, byte for byte as jaq writes it.
//!
//! jaq formats each piece on its own; most of what is written stands in memory as it is to be written.

use std::io::Write as _;

use jaq_json::{Num, Val, write};

pub(super) fn write(out: &mut Vec<u8>, value: &Val) {
    match value {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(true) => out.extend_from_slice(b"true"),
        Val::Bool(false) => out.extend_from_slice(b"false"),
        Val::Num(Num::Dec(number)) => out.extend_from_slice(number.as_bytes()),
        Val::Num(number) => write!(out, "{number}").expect("memory takes what is written to it"),
        Val::TStr(text) => write_text(out, text),
        Val::Arr(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                separate(out, index);
                write(out, value);
            }
            out.push(b']');
        }
        Val::Obj(members) => {
            out.push(b'{');
            for (index, (key, value)) in members.iter().enumerate() {
                separate(out, index);
                write(out, key);
                out.push(b':');
                write(out, value);
            }
            out.push(b'}');
        }
        Val::BStr(_) => {
            write::write(out, &write::Pp::default(), 0, value).expect("memory takes what is written to it");
        }
    }
}

fn separate(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

fn write_text(out: &mut Vec<u8>, mut text: &[u8]) {
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\' | 0x7f);
    out.push(b'"');
    while let Some(at) = text.iter().position(is_special) {
        out.extend_from_slice(&text[..at]);
        match text[at] {
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            plain @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', plain]),
            other => write!(out, "\\u{other:04x}").expect("memory takes what is written to it"),
        }
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_jaq(value: &Val) -> Vec<u8> {
        let mut out = Vec::new();
        write::write(&mut out, &write::Pp::default(), 0, value).unwrap();
        out
    }

    fn ours(value: &Val) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, value);
        out
    }

    #[test]
    fn values_are_written_as_jaq_writes_them() {
        for json in [
            "[]",
            "{}",
            r#"[1,-0,1.50,1e3,123456789012345678901,true,false,null]"#,
            r#"{"a":{"b":[1,"x"]},"c":[[]]}"#,
        ] {
            let value = jaq_json::read::parse_single(json.as_bytes()).unwrap();
            assert_eq!(ours(&value), by_jaq(&value), "{json}");
        }
        let odd = [f64::NAN, f64::INFINITY, -f64::INFINITY, 1.0, 1e300, -0.0].map(Val::from);
        let odd = odd.into_iter().chain([Val::byte_str(&b"a\xff"[..])]).collect::<Val>();
        assert_eq!(ours(&odd), by_jaq(&odd));
    }

    proptest! {
        #[test]
        fn text_is_written_as_jaq_writes_it(text in prop::collection::vec(any::<u8>(), 0..20)) {
            let value = Val::utf8_str(text);
            prop_assert_eq!(ours(&value), by_jaq(&value));
        }
    }
}
