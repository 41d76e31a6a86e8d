//! What of its input a filter looks at, told from its text alone.
//!
//! A value that a filter makes nothing of need not be read. The rules err on one side: what they do not know looks at all of its input.
//! They follow places (`.customer.email`) through the filter for as long as a value is handed on as it is; where anything else is done with
//! it, all of it is read.

use std::collections::BTreeSet;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;

/// What is looked at in a value. Of a value that is left out within, nothing can be told; that it is there, and whether it is an object or
/// anything else, can be where it is named.
///
/// Only objects that have [`Members`](Self::Members) and what has [`Elements`](Self::Elements) are less than they were. All else is whole, for
/// an error may show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reads {
    All,
    /// These members of an object.
    Members(Vec<(String, Reads)>),
    /// This much of each element of an array, and of each member of an object.
    Elements(Box<Reads>),
}

const NOTHING: Reads = Reads::Members(Vec::new());

/// How many places are followed at once.
const MAX_PLACES: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    Elements,
}

/// Of values that may be what comes out of a part of a filter.
type Places = BTreeSet<Vec<Step>>;

impl Reads {
    /// What `code` looks at, and whether it may hand on its input as it is, which is not counted.
    pub(super) fn of(code: &str) -> (Self, bool) {
        // What is no plain term has modules.
        let Some(term) = jaq_core::load::parse(code, |parser| parser.term()) else {
            return (Self::All, false);
        };
        let mut reads = NOTHING;
        let mut outputs = reads.follow(&term, &Places::from([Vec::new()]));
        let returns_input = outputs.remove(&Vec::new());
        reads.read(&outputs);
        (reads, returns_input)
    }

    /// Adds what `term` reads of its `inputs`; returns where that stood which it hands on.
    fn follow(&mut self, term: &Term<&str>, inputs: &Places) -> Places {
        match term {
            Term::Id => return inputs.clone(),
            Term::Num(_) | Term::Var(_) | Term::Arr(None) => {}
            Term::Str(_, parts) => {
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.use_up(term, inputs);
                    }
                }
            }
            Term::Arr(Some(term)) | Term::Neg(term) => self.use_up(term, inputs),
            Term::Obj(members) => {
                for member in members {
                    match member {
                        (Term::Var(_), None) => {}
                        (key, None) => match literal(key) {
                            Some(key) => {
                                let places = self.step(inputs, &Step::Member(key.to_owned()));
                                self.read(&places);
                            }
                            None => self.read(inputs),
                        },
                        (key, Some(value)) => {
                            self.use_up(key, inputs);
                            self.use_up(value, inputs);
                        }
                    }
                }
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                let between = self.follow(left, inputs);
                return self.follow(right, &between);
            }
            Term::BinOp(left, BinaryOp::Pipe(Some(Pattern::Var(_))), right) => {
                self.use_up(left, inputs);
                return self.follow(right, inputs);
            }
            // Whether a value counts as true does not depend on what is in it.
            Term::BinOp(left, BinaryOp::Comma | BinaryOp::Alt, right) => {
                let outputs = self.follow(left, inputs);
                return &outputs | &self.follow(right, inputs);
            }
            Term::BinOp(left, BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_), right) => {
                self.use_up(left, inputs);
                self.use_up(right, inputs);
            }
            Term::IfThenElse(branches, otherwise) => {
                let mut outputs = match otherwise {
                    Some(term) => self.follow(term, inputs),
                    None => inputs.clone(),
                };
                for (condition, term) in branches {
                    self.use_up(condition, inputs);
                    outputs.append(&mut self.follow(term, inputs));
                }
                return outputs;
            }
            Term::TryCatch(term, None) => return self.follow(term, inputs),
            Term::Path(term, path) => {
                let mut places = self.follow(term, inputs);
                for (part, _) in &path.0 {
                    places = match part {
                        Part::Index(key) => match literal(key) {
                            Some(key) => self.step(&places, &Step::Member(key.to_owned())),
                            None => {
                                self.use_up(key, inputs);
                                self.read(&places);
                                Places::new()
                            }
                        },
                        Part::Range(None, None) => self.step(&places, &Step::Elements),
                        Part::Range(from, to) => {
                            from.iter().chain(to).for_each(|bound| self.use_up(bound, inputs));
                            self.read(&places);
                            Places::new()
                        }
                    };
                }
                return places;
            }
            // As jq defines them: one that is defined in the filter itself stands in a `def`, and is not looked into.
            Term::Call("empty" | "true" | "false" | "null", arguments) if arguments.is_empty() => {}
            Term::Call("select", arguments) if let [condition] = &arguments[..] => {
                self.use_up(condition, inputs);
                return inputs.clone();
            }
            Term::Call("map", arguments) if let [term] = &arguments[..] => {
                let elements = self.step(inputs, &Step::Elements);
                self.use_up(term, &elements);
            }
            _ => self.read(inputs),
        }
        Places::new()
    }

    /// Adds what `term` reads, and all that it hands on.
    fn use_up(&mut self, term: &Term<&str>, inputs: &Places) {
        let outputs = self.follow(term, inputs);
        self.read(&outputs);
    }

    /// Adds all that is at `places`.
    fn read(&mut self, places: &Places) {
        places.iter().for_each(|place| *self.at(place) = Self::All);
    }

    /// Adds that a step is taken from `places`, which fails where there is nothing to step into; returns where it leads.
    fn step(&mut self, places: &Places, step: &Step) -> Places {
        if places.len() > MAX_PLACES {
            self.read(places);
            return Places::new();
        }
        let stepped = places.iter().map(|place| {
            let place: Vec<Step> = place.iter().chain([step]).cloned().collect();
            self.at(&place);
            place
        });
        stepped.collect()
    }

    /// What is read at `place`, where anything less than all around it is.
    fn at(&mut self, place: &[Step]) -> &mut Self {
        let Some((step, rest)) = place.split_first() else { return self };
        // An error over `.a.b` shows an array whole, of which `.a[]` leaves parts out.
        let is_other = match (&*self, step) {
            (Self::Members(members), Step::Elements) => !members.is_empty(),
            (Self::Elements(_), Step::Member(_)) => true,
            _ => false,
        };
        if is_other {
            *self = Self::All;
        } else if *self == NOTHING && *step == Step::Elements {
            *self = Self::Elements(Box::new(NOTHING));
        }
        match (self, step) {
            (all @ Self::All, _) => all,
            (Self::Elements(reads), _) => reads.at(rest),
            (Self::Members(members), Step::Member(key)) => {
                let known = members.iter().position(|(name, _)| name == key);
                let index = known.unwrap_or_else(|| {
                    members.push((key.clone(), NOTHING));
                    members.len() - 1
                });
                members[index].1.at(rest)
            }
            (Self::Members(_), Step::Elements) => unreachable!("it has become elements, or all"),
        }
    }
}

/// The text of a key that is no more than that.
fn literal<'a>(term: &Term<&'a str>) -> Option<&'a str> {
    match term {
        Term::Str(None, parts) => match parts[..] {
            [StrPart::Str(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reads: &Reads) -> String {
        match reads {
            Reads::All => "*".to_owned(),
            Reads::Elements(reads) => format!("[{}]", shown(reads)),
            Reads::Members(members) => {
                let members: Vec<_> =
                    members.iter().map(|(name, reads)| format!("{name}:{}", shown(reads))).collect();
                format!("{{{}}}", members.join(" "))
            }
        }
    }

    #[test]
    fn only_what_is_named_is_read() {
        for (code, expected) in [
            (".a", "{a:*}"),
            ("{a, b: .c.d}", "{a:* c:{d:*}}"),
            (".a.b, .a.c", "{a:{b:* c:*}}"),
            (".a.b | .c", "{a:{b:{c:*}}}"),
            ("[.a[].b]", "{a:[{b:*}]}"),
            (".a | map(.b + 1)", "{a:[{b:*}]}"),
            (".a as $x | {b, $x}", "{a:* b:*}"),
            ("\"\\(.a): \\(.b // \"none\")\"", "{a:* b:*}"),
            ("if .a then .b else .c end", "{c:* a:* b:*}"),
            (".a.b | empty", "{a:{b:{}}}"),
            (".a | length", "{a:*}"),
            (".a.b?, .\"c\"", "{a:{b:*} c:*}"),
        ] {
            let (reads, returns_input) = Reads::of(code);
            assert_eq!((shown(&reads), returns_input), (expected.to_owned(), false), "{code}");
        }
    }

    #[test]
    fn a_filter_that_hands_on_its_input_says_so() {
        for (code, expected) in [
            (".", "{}"),
            ("select(.a > 1 and .b.c)", "{a:* b:{c:*}}"),
            ("if .a then . else empty end", "{a:*}"),
            (".a | select(.b)", "{a:*}"),
            ("., .a", "{a:*}"),
        ] {
            let (reads, returns_input) = Reads::of(code);
            assert_eq!(shown(&reads), expected, "{code}");
            assert_eq!(returns_input, code != ".a | select(.b)", "{code}");
        }
    }

    #[test]
    fn what_is_not_known_reads_all() {
        for code in [
            "keys",
            "..",
            "[.]",
            ".[0]",
            ".[.a]",
            "{(.a): .}",
            "to_entries",
            "del(.a)",
            ".a = 1",
            ".a |= 1",
            "path(.a)",
            "getpath([\"a\"])",
            "def select(f): keys; select(.a)",
            "reduce .a as $x (0; . + $x)",
            "label $x | .a",
            "try error(.) catch .",
            ". as {a: $x} | $x",
            ". as $x | $x.a",
            ".[], .a",
            "tojson",
            "{\"a\\u0062\"}",
        ] {
            assert_eq!(Reads::of(code), (Reads::All, false), "{code}");
        }
    }
}
