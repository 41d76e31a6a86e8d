//! JSON token by token (RFC 8259), from pieces that are cut anywhere, without building anything.
//!
//! Every byte of every page passes here. The functions on the way of a common byte are inlined into the loop of
//! [`Scanner::skip_value`], which nearly doubles its speed.

use super::whole;

/// How deep arrays and objects may nest: one bit each in [`Scanner::objects`], and what `serde_json` reads by default.
pub(crate) const MAX_DEPTH: u32 = 128;

/// What was read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
    /// A key, without its colon.
    Key,
    /// A string, number, `true`, `false` or `null`.
    Scalar,
}

/// Why text is no JSON. The byte at fault is the next one that would have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Unexpected(u8),
    TooDeep,
}

/// Knows at each byte what may follow. Keeps nothing of the text.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    expect: Expect,
    cut: Cut,
    depth: u32,
    /// The open containers, innermost in the lowest bit; a one is an object.
    objects: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    CommaOrClose,
    End,
}

/// A token that the end of the last piece cut in two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Nothing,
    String(Text),
    Number(Number),
    Word(&'static [u8]),
}

/// Which part of a string comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Plain,
    Escape,
    Hex { left: u8 },
}

/// How much of a number was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

type Step<T> = Result<Option<T>, Fault>;

impl Scanner {
    pub(super) fn new() -> Self {
        Self { expect: Expect::Value, cut: Cut::Nothing, depth: 0, objects: 0 }
    }

    /// Number of arrays and objects that are open.
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn in_object(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 1
    }

    /// Whether one whole value was read. A number at the end of the text is whole only if nothing follows.
    pub(super) fn is_done(&self) -> bool {
        let number_ends =
            |number| matches!(number, Number::Zero | Number::Integer | Number::Fraction | Number::Exponent);
        match self.cut {
            Cut::Nothing => self.expect == Expect::End,
            Cut::Number(number) => self.depth == 0 && number_ends(number),
            _ => false,
        }
    }

    /// Reads the next token of `input`, from `at` on, and moves `at` behind it; nothing when the token does not end in `input`.
    #[inline(always)]
    pub(super) fn token(&mut self, input: &[u8], at: &mut usize) -> Step<Token> {
        if self.cut != Cut::Nothing {
            return self.resume(input, at);
        }
        loop {
            let Some(byte) = skip_space(input, at) else { return Ok(None) };
            match (self.expect, byte) {
                (Expect::Value | Expect::ValueOrClose, _) => return self.value(byte, input, at),
                (Expect::Key | Expect::KeyOrClose, b'"') => {
                    *at += 1;
                    return self.string(Text::Plain, input, at);
                }
                (Expect::Colon, b':') => self.expect = Expect::Value,
                (Expect::CommaOrClose, b',') if self.in_object() => self.expect = Expect::Key,
                (Expect::CommaOrClose, b',') => self.expect = Expect::Value,
                (Expect::CommaOrClose | Expect::KeyOrClose, b'}') if self.in_object() => {
                    return Ok(Some(self.close(at)));
                }
                (Expect::CommaOrClose, b']') if !self.in_object() => return Ok(Some(self.close(at))),
                _ => return Err(Fault::Unexpected(byte)),
            }
            *at += 1;
        }
    }

    /// Moves `at` to the first byte of the array's next element: `true`; or behind the end of the array: `false`.
    pub(super) fn element(&mut self, input: &[u8], at: &mut usize) -> Step<bool> {
        loop {
            match (self.expect, skip_space(input, at)) {
                (_, None) => return Ok(None),
                (Expect::CommaOrClose, Some(b',')) => self.expect = Expect::Value,
                (Expect::CommaOrClose | Expect::ValueOrClose, Some(b']')) => {
                    self.close(at);
                    return Ok(Some(false));
                }
                (Expect::CommaOrClose, Some(byte)) => return Err(Fault::Unexpected(byte)),
                (_, Some(_)) => return Ok(Some(true)),
            }
            *at += 1;
        }
    }

    /// Moves `at` to the first byte of the next of several values that only white space separates.
    pub(super) fn line(&mut self, input: &[u8], at: &mut usize) -> bool {
        let found = skip_space(input, at).is_some();
        if found {
            self.expect = Expect::Value;
        }
        found
    }

    /// Moves `at` behind the value that begins there, or goes on, at `depth`; nothing when it does not end in `input`.
    #[inline]
    pub(super) fn skip_value(&mut self, depth: u32, input: &[u8], at: &mut usize) -> Step<()> {
        loop {
            match self.token(input, at)? {
                None => return Ok(None),
                Some(Token::Scalar | Token::Close) if self.depth == depth => return Ok(Some(())),
                Some(_) => {}
            }
        }
    }

    /// The same for a value that is all in `input` and good; otherwise nothing was read.
    pub(super) fn skip_whole_value(&mut self, input: &[u8], at: &mut usize) -> bool {
        let Some(length) = whole::value(&input[*at..], MAX_DEPTH - self.depth) else { return false };
        *at += length;
        self.end_of_value();
        true
    }

    #[inline]
    fn value(&mut self, first: u8, input: &[u8], at: &mut usize) -> Step<Token> {
        match first {
            b'{' => return self.open(true, at).map(Some),
            b'[' => return self.open(false, at).map(Some),
            b']' if self.expect == Expect::ValueOrClose => return Ok(Some(self.close(at))),
            _ => {}
        }
        let word: &[u8] = match first {
            b'"' => {
                self.expect = Expect::Value;
                *at += 1;
                return self.string(Text::Plain, input, at);
            }
            b'-' => return self.number(Number::Minus, input, at),
            b'0' => return self.number(Number::Zero, input, at),
            b'1'..=b'9' => return self.number(Number::Integer, input, at),
            b't' => b"rue",
            b'f' => b"alse",
            b'n' => b"ull",
            other => return Err(Fault::Unexpected(other)),
        };
        *at += 1;
        self.word(word, input, at)
    }

    #[inline]
    fn open(&mut self, object: bool, at: &mut usize) -> Result<Token, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        *at += 1;
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        self.expect = if object { Expect::KeyOrClose } else { Expect::ValueOrClose };
        Ok(Token::Open)
    }

    #[inline]
    fn close(&mut self, at: &mut usize) -> Token {
        *at += 1;
        self.depth -= 1;
        self.objects >>= 1;
        self.end_of_value();
        Token::Close
    }

    #[inline]
    fn end_of_value(&mut self) {
        self.expect = if self.depth == 0 { Expect::End } else { Expect::CommaOrClose };
    }

    fn resume(&mut self, input: &[u8], at: &mut usize) -> Step<Token> {
        if *at == input.len() {
            return Ok(None);
        }
        match std::mem::replace(&mut self.cut, Cut::Nothing) {
            Cut::Number(number) => self.digits(number, input, at),
            Cut::Word(rest) => self.word(rest, input, at),
            Cut::String(part) => self.string(part, input, at),
            Cut::Nothing => self.token(input, at),
        }
    }

    /// The rest of a string, from `part` on.
    #[inline(always)]
    fn string(&mut self, mut part: Text, input: &[u8], at: &mut usize) -> Step<Token> {
        loop {
            if part == Text::Plain {
                *at += plain_length(&input[*at..]);
            }
            let Some(&byte) = input.get(*at) else { return self.cut_at(Cut::String(part)) };
            part = match (part, byte) {
                (Text::Plain, b'"') => {
                    *at += 1;
                    return Ok(Some(self.end_of_string()));
                }
                (Text::Plain, b'\\') => Text::Escape,
                (Text::Escape, b'u') => Text::Hex { left: 4 },
                (Text::Escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Text::Plain,
                (Text::Hex { left: 1 }, digit) if digit.is_ascii_hexdigit() => Text::Plain,
                (Text::Hex { left }, digit) if digit.is_ascii_hexdigit() => Text::Hex { left: left - 1 },
                (_, other) => return Err(Fault::Unexpected(other)),
            };
            *at += 1;
        }
    }

    #[inline]
    fn end_of_string(&mut self) -> Token {
        if matches!(self.expect, Expect::Key | Expect::KeyOrClose) {
            self.expect = Expect::Colon;
            return Token::Key;
        }
        self.end_of_value();
        Token::Scalar
    }

    #[inline]
    fn number(&mut self, first: Number, input: &[u8], at: &mut usize) -> Step<Token> {
        *at += 1;
        self.digits(first, input, at)
    }

    #[inline]
    fn digits(&mut self, mut number: Number, input: &[u8], at: &mut usize) -> Step<Token> {
        use Number::{E, Exponent, Fraction, Integer, Minus, Point, Sign, Zero};
        while let Some(&byte) = input.get(*at) {
            number = match (number, byte) {
                (Minus, b'0') => Zero,
                (Minus, b'1'..=b'9') | (Integer, b'0'..=b'9') => Integer,
                (Zero | Integer, b'.') => Point,
                (Point | Fraction, b'0'..=b'9') => Fraction,
                (Zero | Integer | Fraction, b'e' | b'E') => E,
                (E, b'+' | b'-') => Sign,
                (E | Sign | Exponent, b'0'..=b'9') => Exponent,
                (Zero | Integer | Fraction | Exponent, _) => {
                    self.end_of_value();
                    return Ok(Some(Token::Scalar));
                }
                (Minus | Point | E | Sign, other) => return Err(Fault::Unexpected(other)),
            };
            *at += 1;
            if matches!(number, Integer | Fraction | Exponent) {
                while input.get(*at).is_some_and(u8::is_ascii_digit) {
                    *at += 1;
                }
            }
        }
        self.cut_at(Cut::Number(number))
    }

    #[inline]
    fn word(&mut self, mut rest: &'static [u8], input: &[u8], at: &mut usize) -> Step<Token> {
        while let [expected, after @ ..] = rest {
            match input.get(*at) {
                None => return self.cut_at(Cut::Word(rest)),
                Some(byte) if byte == expected => *at += 1,
                Some(other) => return Err(Fault::Unexpected(*other)),
            }
            rest = after;
        }
        self.end_of_value();
        Ok(Some(Token::Scalar))
    }

    fn cut_at(&mut self, cut: Cut) -> Step<Token> {
        self.cut = cut;
        Ok(None)
    }
}

/// Moves `at` to the next byte that is not white space, and tells which it is.
#[inline]
pub(super) fn skip_space(input: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        match input.get(*at) {
            Some(b' ' | b'\n' | b'\r' | b'\t') => *at += 1,
            other => return other.copied(),
        }
    }
}

/// Number of bytes before the first quote, backslash or control character. Eight at a time, since nearly all of a body is strings.
#[inline(always)]
pub(super) fn plain_length(input: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let mut rest = input;
    while let Some((eight, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let below = |n: u8| word.wrapping_sub(ONES * u64::from(n)) & !word;
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        // A borrow can mark bytes above the first hit wrongly, never below it, and only the first is used.
        let hits = (below(0x20) | quote | backslash) & HIGHS;
        if hits != 0 {
            return input.len() - rest.len() + (hits.trailing_zeros() / 8) as usize;
        }
        rest = behind;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    input.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn accepts(text: &[u8], pieces: usize) -> bool {
        let mut scanner = Scanner::new();
        for piece in text.chunks(pieces) {
            let mut at = 0;
            loop {
                match scanner.token(piece, &mut at) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => return false,
                }
            }
        }
        scanner.is_done()
    }

    #[test]
    fn exactly_json_is_accepted() {
        let good = [
            "0",
            "-0.0e+1",
            "1E5",
            "[]",
            "{}",
            "[[],{}]",
            r#"{"a":"\u00e9\n","b":[true,false,null]}"#,
            " 1 ",
        ];
        for text in good {
            assert!(accepts(text.as_bytes(), 1), "{text}");
        }
        let bad = [
            "",
            "01",
            "1.",
            "-",
            ".5",
            "+1",
            "1e",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "{1:1}",
            "[1}",
            "{\"a\":1]",
            "tru",
            "True",
            "NaN",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "1 2",
            "[]]",
            "'a'",
            "[1]x",
        ];
        for text in bad {
            assert!(!accepts(text.as_bytes(), 1), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(accepts(nested(128).as_bytes(), 7));
        assert!(!accepts(nested(129).as_bytes(), 7));
    }

    #[test]
    fn a_long_run_of_escapes_needs_no_stack() {
        assert!(accepts(format!("\"{}\"", "\\n".repeat(1_000_000)).as_bytes(), usize::MAX));
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde_json_about_what_json_is(
            text in r#"[\[\]{}:,"\\u0-2ea.+\- tnrlsf\n]{0,12}"#, pieces in 1_usize..5,
        ) {
            let expected = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert_eq!(accepts(text.as_bytes(), pieces), expected);
        }

        #[test]
        fn the_fast_way_through_a_string_finds_what_the_slow_way_finds(
            text in prop::collection::vec(prop_oneof![8 => any::<u8>(), 1 => Just(b'"')], 0..40),
        ) {
            let slow = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(text.len());
            prop_assert_eq!(plain_length(&text), slow);
        }
    }
}
