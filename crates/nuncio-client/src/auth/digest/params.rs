//! Challenges and credentials as headers write them (RFC 9110, section 11).

/// A scheme and its parameters, names in small letters, values without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) scheme: String,
    pairs: Vec<(String, String)>,
}

impl Params {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("digest")
    }
}

/// Every scheme in one header field, of which a list of challenges may have several, parted by the same commas as their parameters.
/// What has no meaning is skipped.
pub(super) fn schemes(field: &str) -> Vec<Params> {
    let mut schemes: Vec<Params> = Vec::new();
    let mut rest = field;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return schemes;
        }
        let (word, after) = word(rest);
        match after.trim_start().strip_prefix('=') {
            Some(value) if !word.is_empty() => {
                let (value, after) = value_of(value.trim_start());
                if let Some(scheme) = schemes.last_mut() {
                    scheme.pairs.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            _ if word.is_empty() => rest = &rest[rest.find(',').unwrap_or(rest.len())..],
            _ => {
                schemes.push(Params { scheme: word.to_owned(), pairs: Vec::new() });
                rest = after;
            }
        }
    }
}

/// A token and what follows it.
fn word(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

/// A token or a quoted string, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        // Nonces in credentials of others stand bare now and then, with characters that no token has.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// `value` as a quoted string.
pub(super) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_in_one_field_are_told_apart() {
        let found = schemes(
            r#"Basic realm="a, b", Digest realm="say \"hi\"", nonce=abc==,qop="auth,auth-int" , Negotiate, Bearer"#,
        );
        let names: Vec<&str> = found.iter().map(|it| it.scheme.as_str()).collect();
        assert_eq!(names, ["Basic", "Digest", "Negotiate", "Bearer"]);
        assert_eq!(found[0].get("realm"), Some("a, b"));
        assert_eq!(found[1].get("realm"), Some("say \"hi\""));
        assert_eq!(found[1].get("nonce"), Some("abc=="));
        assert_eq!(found[1].get("qop"), Some("auth,auth-int"));
        assert_eq!(found[3].get("realm"), None);
    }

    #[test]
    fn what_has_no_meaning_is_skipped() {
        for field in ["", ",,,", "=", "\"", "\"open", "Digest realm=\"open", "ö=ü, ;;; ,", "a=b"] {
            assert!(schemes(field).len() <= 1, "{field}");
        }
        assert_eq!(schemes("???, Digest nonce=1")[0].get("nonce"), Some("1"));
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was() {
        let value = "a \"b\" \\ c";
        assert_eq!(schemes(&format!("Digest realm={}", quoted(value)))[0].get("realm"), Some(value));
    }

    proptest::proptest! {
        #[test]
        fn no_field_panics_or_hangs(field in "[ ,=\"\\\\a-cé?]{0,40}") {
            let _ = schemes(&field);
        }
    }
}
