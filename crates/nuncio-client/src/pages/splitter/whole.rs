//! The short way over a value that is all there, which nearly every record of a page is.
//!
//! What the [scanner](super::scanner) keeps between pieces is kept in registers here, which makes it several times faster. It knows only good
//! values: where it finds anything else, or the end of the piece, the scanner reads the same bytes and says what is wrong.

use super::scanner::{plain_length, skip_space};

/// The length of the JSON value that `input` begins with. Nothing if it may go on behind `input`, nests deeper than `max_depth`, or is not
/// JSON.
pub(crate) fn value(input: &[u8], max_depth: u32) -> Option<usize> {
    let mut at = 0;
    let mut depth = 0;
    // The open containers, innermost in the lowest bit; a one is an object.
    let mut objects: u128 = 0;
    loop {
        match skip_space(input, &mut at)? {
            b'"' => string(input, &mut at)?,
            b'{' if depth < max_depth => {
                at += 1;
                if skip_space(input, &mut at)? != b'}' {
                    key(input, &mut at)?;
                    (depth, objects) = (depth + 1, objects << 1 | 1);
                    continue;
                }
                at += 1;
            }
            b'[' if depth < max_depth => {
                at += 1;
                if skip_space(input, &mut at)? != b']' {
                    (depth, objects) = (depth + 1, objects << 1);
                    continue;
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => number(input, &mut at)?,
            b't' => word(b"true", input, &mut at)?,
            b'f' => word(b"false", input, &mut at)?,
            b'n' => word(b"null", input, &mut at)?,
            _ => return None,
        }
        loop {
            if depth == 0 {
                return Some(at);
            }
            let in_object = objects & 1 == 1;
            match (skip_space(input, &mut at)?, in_object) {
                (b',', false) => {
                    at += 1;
                    break;
                }
                (b',', true) => {
                    at += 1;
                    skip_space(input, &mut at)?;
                    key(input, &mut at)?;
                    break;
                }
                (b'}', true) | (b']', false) => {
                    at += 1;
                    (depth, objects) = (depth - 1, objects >> 1);
                }
                _ => return None,
            }
        }
    }
}

/// A key and its colon.
#[inline(always)]
fn key(input: &[u8], at: &mut usize) -> Option<()> {
    if input[*at] != b'"' {
        return None;
    }
    string(input, at)?;
    let colon = skip_space(input, at)? == b':';
    *at += 1;
    colon.then_some(())
}

/// A string, from its first quote on.
#[inline(always)]
fn string(input: &[u8], at: &mut usize) -> Option<()> {
    *at += 1;
    loop {
        *at += plain_length(&input[*at..]);
        match input.get(*at)? {
            b'"' => {
                *at += 1;
                return Some(());
            }
            b'\\' => match input.get(*at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => *at += 2,
                b'u' if input.get(*at + 2..*at + 6)?.iter().all(u8::is_ascii_hexdigit) => *at += 6,
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// A number. One at the end of the input may go on.
#[inline]
fn number(input: &[u8], at: &mut usize) -> Option<()> {
    if input[*at] == b'-' {
        *at += 1;
    }
    match *input.get(*at)? {
        b'0' => *at += 1,
        _ => digits(input, at)?,
    }
    if *input.get(*at)? == b'.' {
        *at += 1;
        digits(input, at)?;
    }
    if let b'e' | b'E' = input.get(*at)? {
        *at += 1;
        if let b'+' | b'-' = input.get(*at)? {
            *at += 1;
        }
        digits(input, at)?;
    }
    input.get(*at).map(|_| ())
}

/// At least one digit.
#[inline]
fn digits(input: &[u8], at: &mut usize) -> Option<()> {
    let count = input[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    *at += count;
    (count > 0).then_some(())
}

#[inline]
fn word(word: &[u8], input: &[u8], at: &mut usize) -> Option<()> {
    let found = input[*at..].starts_with(word);
    *at += word.len();
    found.then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scanner::Scanner;
    use super::*;

    /// The length of the value by the long way; nothing as [`value`] has it.
    fn by_the_long_way(text: &[u8]) -> Option<usize> {
        let mut at = 0;
        Scanner::new().skip_value(0, text, &mut at).ok()??;
        Some(at)
    }

    #[test]
    fn a_value_ends_where_it_ends() {
        for text in [
            r#"{"a":[1,-2.5e+3,{"b":null}],"c":"\u00e9\\\"","d":{},"e":[ ]}"#,
            "[true , false]",
            r#""x""#,
            "0 ",
        ] {
            let length = text.trim_end().len();
            for behind in ["", ",", "  ]"] {
                let text = format!("{text}{behind}");
                assert_eq!(value(text.as_bytes(), 128), Some(length), "{text}");
            }
        }
    }

    #[test]
    fn what_may_go_on_is_left_to_the_long_way() {
        for text in ["", "12", "-", "1.", "1e", "tru", "\"a", "\"a\\", "\"\\u00", "{", "{\"a\"", "[1,", "[1"]
        {
            assert_eq!(value(text.as_bytes(), 128), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_left_to_the_long_way_too() {
        for text in [
            r#"{"a" 1}"#,
            r#"{"a",1}"#,
            r#"{"a"}"#,
            "{a:1}",
            "{1:1}",
            r#"{"a":1,}"#,
            r#"{"a":1 "b":2}"#,
            r#"{,"a":1}"#,
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            r#"{"a":1]"#,
            "[01]",
            "[1.]",
            "[.5]",
            "[+1]",
            "[1e]",
            "[-]",
            "[tru]",
            "[True]",
            "[nul]",
            "[NaN]",
            r#"["\x"]"#,
            r#"["\u12g4"]"#,
            "[\"a\nb\"]",
            "['a']",
            "]",
            "}",
        ] {
            assert_eq!(value(text.as_bytes(), 128), None, "{text}");
            assert_eq!(by_the_long_way(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(value(nested(128).as_bytes(), 128), Some(256));
        assert_eq!(value(nested(129).as_bytes(), 128), None);
    }

    proptest! {
        #[test]
        fn it_finds_what_the_long_way_finds(text in r#"[\[\]{}:,"\\u0-2ea.+\- tnrlsf\n]{0,14}"#) {
            prop_assert_eq!(value(text.as_bytes(), 128), by_the_long_way(text.as_bytes()));
        }

        #[test]
        fn it_finds_the_end_of_good_values(text in "(\\{\"a\":(\\[1,2\\]|\"x\"|-1\\.5|true)(,\"b\":null)?\\}|\\[(0,)?\\{\\}\\])[ ,}]{0,2}") {
            let found = value(text.as_bytes(), 128);
            prop_assert!(found.is_some());
            prop_assert_eq!(found, by_the_long_way(text.as_bytes()));
        }
    }
}
