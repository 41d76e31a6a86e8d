//! From JSON to what jq works on, as much of it as a filter looks at.

use bytes::Bytes;
use jaq_json::{Map, Num, Val};
use nuncio_client::json::value_length;

use super::MAX_DEPTH;
use super::reads::Reads;

/// What `reads` has of `json`: the same that jaq reads, less the members that are left out. Nothing for what is not one JSON value, and for
/// what jaq and we may differ about; jaq says then what it makes of that.
pub(super) fn read(json: &Bytes, reads: &Reads) -> Option<Val> {
    if *reads != Reads::All && may_have_surrogates(json) {
        return None;
    }
    let mut reader = Reader { json, at: 0, values: Vec::new(), members: Vec::new() };
    let value = reader.value(reads, MAX_DEPTH)?;
    reader.next().is_none().then_some(value)
}

/// Half of a pair of surrogates is an error for jaq, and JSON otherwise. It would be missed in what is left out.
fn may_have_surrogates(json: &[u8]) -> bool {
    let mut escapes = memchr::memmem::find_iter(json, b"\\u");
    escapes.any(|at| matches!(json.get(at + 2), Some(b'd' | b'D')))
}

struct Reader<'a> {
    json: &'a Bytes,
    at: usize,
    /// Of the arrays that are open, and of the objects: so that each is made as large as it is.
    values: Vec<Val>,
    members: Vec<(Val, Val)>,
}

impl Reader<'_> {
    /// The next byte that is not white space.
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.json.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    /// Moves on to the next element; nothing after the last, behind whose container it moves.
    fn goes_on(&mut self, close: u8) -> Option<bool> {
        let next = self.next()?;
        self.at += 1;
        match next {
            b',' => Some(true),
            next => (next == close).then_some(false),
        }
    }

    fn value(&mut self, reads: &Reads, depth: u32) -> Option<Val> {
        match self.next()? {
            b'{' => self.object(reads, depth.checked_sub(1)?),
            b'[' => self.array(reads, depth.checked_sub(1)?),
            b'"' => self.text().map(Val::utf8_str),
            b'-' | b'0'..=b'9' => self.number(),
            _ => match self.scalar()? {
                b"true" => Some(Val::Bool(true)),
                b"false" => Some(Val::Bool(false)),
                b"null" => Some(Val::Null),
                _ => None,
            },
        }
    }

    fn object(&mut self, reads: &Reads, depth: u32) -> Option<Val> {
        self.at += 1;
        let first = self.members.len();
        let mut goes_on = self.next()? != b'}';
        self.at += usize::from(!goes_on);
        while goes_on {
            self.next().filter(|next| *next == b'"')?;
            let key = self.text()?;
            self.take(b':')?;
            let reads = match reads {
                Reads::All => Some(reads),
                Reads::Elements(reads) => Some(&**reads),
                Reads::Members(members) => {
                    members.iter().find(|(name, _)| name.as_bytes() == key).map(|(_, reads)| reads)
                }
            };
            match reads {
                Some(reads) => {
                    let value = self.value(reads, depth)?;
                    self.members.push((Val::utf8_str(key), value));
                }
                None => self.skip(depth)?,
            }
            goes_on = self.goes_on(b'}')?;
        }
        let members = self.members.drain(first..);
        let mut object = Map::with_capacity_and_hasher(members.len(), Default::default());
        members.for_each(|(key, value)| drop(object.insert(key, value)));
        Some(Val::obj(object))
    }

    fn array(&mut self, reads: &Reads, depth: u32) -> Option<Val> {
        // An error shows an array whole that is not the object it was taken for.
        let reads = match reads {
            Reads::Elements(reads) => reads,
            Reads::All | Reads::Members(_) => &Reads::All,
        };
        self.at += 1;
        let first = self.values.len();
        let mut goes_on = self.next()? != b']';
        self.at += usize::from(!goes_on);
        while goes_on {
            let value = self.value(reads, depth)?;
            self.values.push(value);
            goes_on = self.goes_on(b']')?;
        }
        Some(self.values.drain(first..).collect())
    }

    fn skip(&mut self, depth: u32) -> Option<()> {
        self.at += value_length(&self.json[self.at..], depth)?;
        Some(())
    }

    /// The bytes of a string, number or word.
    fn scalar(&mut self) -> Option<&[u8]> {
        let start = self.at;
        // A number that ends with the text is one, but not to a reader of pieces: jaq reads it.
        self.skip(0)?;
        Some(&self.json[start..self.at])
    }

    fn text(&mut self) -> Option<Bytes> {
        let start = self.at;
        let text = self.scalar()?;
        if text.contains(&b'\\') {
            return serde_json::from_slice::<String>(text).ok().map(Bytes::from);
        }
        Some(self.json.slice(start + 1..self.at - 1))
    }

    fn number(&mut self) -> Option<Val> {
        let text = std::str::from_utf8(self.scalar()?).ok()?;
        Some(Val::Num(match text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            true => Num::Dec(text.to_owned().into()),
            false => Num::from_str_radix(text, 10)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(json: &str) -> Option<Val> {
        read(&Bytes::copy_from_slice(json.as_bytes()), &Reads::All)
    }

    #[test]
    fn what_is_left_out_is_looked_at_all_the_same() {
        let (reads, _) = Reads::of(".a");
        let read = |json: &'static str| read(&Bytes::from_static(json.as_bytes()), &reads);
        assert_eq!(
            read(r#"{"b": [1, {"a": 2}], "a": [{"c": 1}]}"#).unwrap().to_string(),
            r#"{"a":[{"c":1}]}"#
        );
        for bad in [r#"{"a":1,"b":[1,}"#, r#"{"a":1,"b":nul}"#, r#"{"a":1,"b":"\ud800"}"#, r#"{"a":1} x"#] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_counts() {
        assert_eq!(all(r#"{"a":1,"b":2,"\u0061":3}"#).unwrap().to_string(), r#"{"a":3,"b":2}"#);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_jaq_reads(json in r#"[\[\]{}:,"\\u0-2ea.+\- tnrlsf\n]{0,14}"#) {
            if let Some(value) = all(&json) {
                let by_jaq = jaq_json::read::parse_single(json.as_bytes()).unwrap();
                prop_assert_eq!(format!("{value:?}"), format!("{by_jaq:?}"));
            }
        }
    }
}
